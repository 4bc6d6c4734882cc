"""Connections that were made for one question: closed again when they serve nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.ports import Network

LINGER = 60.0  # seconds after the last question that a connection was made or used for
MAX_PASSING = 512  # remembered; of more the oldest are kept open like any other


class Passing:
    """`is_wanted` says of a peer that its connection serves something else by now."""

    def __init__(self, network: Network, is_wanted: Callable[[str], bool]) -> None:
        self._network = network
        self._is_wanted = is_wanted
        self._due: dict[str, float] = {}  # peer -> when to look; the oldest first
        self._bell = Bell()

    def used(self, peer: str, *, fresh: bool) -> None:
        """A question goes to `peer`; `fresh`: it was connected for that."""
        if not fresh and peer not in self._due:
            return
        self._due.pop(peer, None)
        self._due[peer] = trio.current_time() + LINGER
        if len(self._due) > MAX_PASSING:
            del self._due[next(iter(self._due))]
        self._bell.ring()

    def forget(self, peer: str) -> None:
        """It is gone, or needed for more than a question."""
        self._due.pop(peer, None)

    async def run(self) -> None:
        while True:
            await self._bell.wait_until(min(self._due.values(), default=None))
            now = trio.current_time()
            for peer in [peer for peer, due in self._due.items() if due <= now]:
                # Hanging up takes a while, in which others go by themselves or are asked again.
                if self._due.get(peer, math.inf) > now:
                    continue
                del self._due[peer]
                if not self._is_wanted(peer):
                    await self._network.disconnect(peer)
