"""The relay actor: reports what the host's relay service carries, and remembers the most it has carried.

The service itself is part of the libp2p host (circuit relay v2), with the limits of the node's configuration.
"""

from __future__ import annotations

import trio

from p2pchat.node.ports import Network
from p2pchat.node.runtime import Actor, handles
from p2pchat.proto import mailbox_actors_pb2 as actors

LOOK_EVERY = 5.0  # seconds
COUNTERS = ("relay_", "reservations_", "circuits_")  # how the names of the service's counters begin


class RelayActor(Actor):
    """Looks at the relay now and then. Without one it reports that there is none."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._most_reservations = 0
        self._most_circuits = 0

    async def started(self) -> None:
        self.spawn(self._watch, name="relay")

    @handles(actors.DescribeRelay)
    async def _describe(self, _: actors.DescribeRelay) -> actors.RelayDescription:
        self._look()
        status = self._network.relay_status()
        counters = self._network.counters().items()
        return actors.RelayDescription(
            serving=status is not None,
            reservations=status.reservations if status else 0,
            circuits=status.circuits if status else 0,
            most_reservations=self._most_reservations,
            most_circuits=self._most_circuits,
            counters={name: n for name, n in counters if n and name.startswith(COUNTERS)},
        )

    async def _watch(self) -> None:
        while True:
            self._look()
            await trio.sleep(LOOK_EVERY)

    def _look(self) -> None:
        if status := self._network.relay_status():
            self._most_reservations = max(self._most_reservations, status.reservations)
            self._most_circuits = max(self._most_circuits, status.circuits)
