"""Keeps reservations at relays, so that others can call this node through them."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Network
from p2pchat.node.protocol.own_addresses import relay_of
from p2pchat.node.protocol.relay_choice import RelayChoice

log = logging.getLogger(__name__)

HOP_PROTOCOL = "/libp2p/circuit/relay/0.2.0/hop"  # who speaks it relays

RESERVE_TIMEOUT = 15.0  # seconds
# Seconds between two looks whether what is held still holds: it ends with the one connection it was made on, and
# another one to the same relay hides that.
WATCH = 60.0
NO_ADDRESS = "it says no address at which others could call it"


class Reservations:
    """`choice` decides; tell it what has happened, then `look`."""

    def __init__(
        self,
        network: Network,
        rng: random.Random,
        on_change: Callable[[], Awaitable[None]],
        *,
        strangers: bool = True,
    ) -> None:
        """`on_change` is awaited when there are other circuit addresses than before. `strangers`: see `RelayChoice`."""
        self.choice = RelayChoice(rng, trio.current_time(), strangers=strangers)
        self._network = network
        self._on_change = on_change
        self._bell = Bell()
        self._told: set[str] = set()

    def look(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                now = trio.current_time()
                await self._compare(now)
                for relay in self.choice.due(now):
                    nursery.start_soon(self._reserve, relay, name=f"reservation at {relay}")
                await self._bell.wait_until(self._next(now))

    def _next(self, now: float) -> float | None:
        due = self.choice.next_due(now)
        if not self.choice.held(now):
            return due
        return now + WATCH if due is None else min(due, now + WATCH)

    async def _compare(self, now: float) -> None:
        """What is believed with what is."""
        circuits = self._circuits()
        relays = set(map(relay_of, circuits))
        for relay in self.choice.held(now):
            if relay not in relays:
                log.debug("the reservation at %s is gone", relay)
                self.choice.lost(relay, now)
        if circuits != self._told:
            self._told = circuits
            await self._on_change()

    def _circuits(self) -> set[str]:
        return {a for a in self._network.listen_addresses() if "/p2p-circuit" in a}

    async def _reserve(self, relay: str) -> None:
        try:
            with trio.fail_after(RESERVE_TIMEOUT):
                lasts = await self._network.reserve(relay)
            if relay not in set(map(relay_of, self._circuits())):
                raise StreamError(NO_ADDRESS)
        except (StreamError, trio.TooSlowError) as error:
            problem = str(error) or f"no answer within {RESERVE_TIMEOUT:g} s"
            log.debug("no reservation at %s: %s", relay, problem)
            self.choice.refused(relay, problem, trio.current_time())
        else:
            self.choice.reserved(relay, lasts, trio.current_time())
        self._bell.ring()
