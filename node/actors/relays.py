"""Keeps a reservation at each of the relays that the node shall be reachable through."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Network
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

RETRY = Backoff(first=5.0, most=600.0)  # seconds, after a relay refused
RENEW = 0.5  # of a reservation's time after which it is renewed
SHORTEST = 1.0  # second between two reservations, whatever a relay says


@dataclass(slots=True)
class _Relay:
    connected: bool = False
    due: float = 0.0
    failures: int = 0


class Relays:
    """Who is a relay of ours; reserving begins when one is connected, and again when it comes back."""

    def __init__(
        self, network: Network, rng: random.Random, on_change: Callable[[], Awaitable[None]]
    ) -> None:
        """`on_change` is awaited when there is a new address to be reached at."""
        self._network = network
        self._rng = rng
        self._on_change = on_change
        self._relays: dict[str, _Relay] = {}
        self._bell = Bell()

    def use(self, relays: Sequence[actors.RelayEntry], connected: set[str]) -> None:
        """These and no others."""
        known = self._relays
        self._relays = {
            relay.peer: known.get(relay.peer, _Relay(connected=relay.peer in connected))
            for relay in relays
        }
        self._bell.ring()

    def connected(self, peer: str) -> None:
        """A relay that was gone has forgotten us."""
        if peer in self._relays:
            self._relays[peer] = _Relay(connected=True)
            self._bell.ring()

    def disconnected(self, peer: str) -> None:
        if relay := self._relays.get(peer):
            relay.connected = False

    async def run(self) -> None:
        while True:
            now = trio.current_time()
            for peer, relay in list(self._relays.items()):
                if relay.connected and relay.due <= now:
                    await self._reserve(peer, relay)
            due = [relay.due for relay in self._relays.values() if relay.connected]
            await self._bell.wait_until(min(due, default=None))

    async def _reserve(self, peer: str, relay: _Relay) -> None:
        before = list(self._network.listen_addresses())
        try:
            lasts = await self._network.reserve(peer)
        except StreamError as error:
            relay.failures += 1
            relay.due = trio.current_time() + RETRY.delay(relay.failures, self._rng)
            log.info("no reservation at %s: %s", peer, error)
            return
        relay.failures = 0
        relay.due = trio.current_time() + max(lasts * RENEW, SHORTEST)
        if list(self._network.listen_addresses()) != before:
            await self._on_change()
