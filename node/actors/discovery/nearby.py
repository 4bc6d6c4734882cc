"""Who is on the local network, by mDNS."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from p2pchat.node.ports import LocalDiscovery
from p2pchat.node.protocol import p2p_address
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

FINDS = 256  # peers found and not told yet; full: the next one is dropped, mDNS repeats itself
REMEMBERED_FINDS = 1000  # different peers counted


class Nearby:
    """`tell(peer, addresses)` hears where they are, `hint` gets sentences for the user."""

    def __init__(
        self,
        local: LocalDiscovery,
        *,
        tell: Callable[[str, Sequence[str]], Awaitable[None]],
        hint: Callable[[str], None],
    ) -> None:
        self._local = local
        self._tell = tell
        self._hint = hint
        self._found: set[str] = set()
        self._peer = ""  # the own one, once it is known
        self._listening = trio.Event()
        self._finds, self._to_tell = trio.open_memory_channel[tuple[str, Sequence[str]]](FINDS)
        self.problem = ""

    def __len__(self) -> int:
        """How many different peers were found."""
        return len(self._found)

    def announce(self, listening: actors.Listening) -> None:
        """What others hear; looking for them begins with the first one."""
        self._local.announce(
            [p2p_address.with_peer(address, listening.peer) for address in listening.addresses]
        )
        self._peer = listening.peer
        self._listening.set()

    async def look(self) -> None:
        """Finds others until it is cancelled."""
        await self._listening.wait()
        await self._local.run(self._peer, self._find, self._report)

    async def tell_finds(self) -> None:
        async for peer, addresses in self._to_tell:
            await self._tell(peer, addresses)

    def _find(self, peer: str, addresses: Sequence[str]) -> None:
        if len(self._found) < REMEMBERED_FINDS:
            self._found.add(peer)
        try:
            self._finds.send_nowait((peer, addresses))
        except trio.WouldBlock:
            log.debug("no room for what mDNS found: %s", peer)

    def _report(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.warning("%s", problem)
            self._hint(problem)
        self.problem = problem
