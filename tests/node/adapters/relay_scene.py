"""A relay and peers that listen nowhere, for the tests that hold every `Network` adapter to the same promises."""

from __future__ import annotations

from p2pchat.node.config import RelayLimits
from p2pchat.node.ports import PeerUp, RelayStatus
from tests.node.adapters.network_stage import Node, Stage

CARRIED = ("circuits_carried", "relay_bytes")


class Scene:
    """A relay, and peers that listen nowhere."""

    def __init__(self, stage: Stage, relay: Node) -> None:
        self._stage = stage
        self.relay = relay

    @property
    def status(self) -> RelayStatus:
        status = self.relay.network.relay_status()
        assert status is not None
        return status

    @property
    def counters(self) -> dict[str, int]:
        """Without what went well."""
        counters = self.relay.network.counters().items()
        return {name: n for name, n in counters if n and name not in CARRIED}

    @property
    def carried(self) -> tuple[int, int]:
        """Circuits and bytes."""
        counters = self.relay.network.counters()
        circuits, size = (counters.get(name, 0) for name in CARRIED)
        return circuits, size

    async def hidden(self) -> Node:
        """Can only be called through a relay, once it has a reservation."""
        node = self._stage.build(listen=[])
        await node.start()
        return node

    async def reserved(self) -> Node:
        node = await self.hidden()
        await node.dial(self.relay)
        await node.network.reserve(self.relay.peer)
        await seen(node, self.relay)
        return node

    async def listening_pair(self) -> tuple[Node, Node]:
        """The first has called the second through the relay, although both could be dialled; both have seen it."""
        near, far = await self._stage.node(), await self._stage.node()
        await far.dial(self.relay)
        await far.network.reserve(self.relay.peer)
        await seen(far, self.relay)
        circuits = [a for a in far.network.listen_addresses() if a.endswith("/p2p-circuit")]
        await near.network.dial(far.peer, circuits)
        await seen(near, self.relay)
        await seen(near, far)
        await seen(far, near)
        return near, far

    async def pair(self) -> tuple[Node, Node]:
        """The first has called the second through the relay; both have seen it."""
        near, far = await self.hidden(), await self.reserved()
        await near.dial(far)
        await seen(near, self.relay)
        await seen(near, far)
        await seen(far, near)
        return near, far


async def seen(node: Node, other: Node) -> PeerUp:
    event = await node.next_event()
    assert isinstance(event, PeerUp)
    assert event.peer == other.peer
    return event


async def scene(stage: Stage, limits: RelayLimits | None = None) -> Scene:
    relay = stage.build(relay=limits or RelayLimits())
    await relay.start()
    return Scene(stage, relay)
