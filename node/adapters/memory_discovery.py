"""The `LocalDiscovery` port in memory: a `MemoryLan` is the local network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

Found = Callable[[str, Sequence[str]], None]


class MemoryLan:
    """Everybody on it hears everybody else's announcements at once."""

    def __init__(self) -> None:
        self._members: dict[str, tuple[MemoryDiscovery, Found]] = {}

    def join(self, peer: str, member: MemoryDiscovery, found: Found) -> None:
        self._members[peer] = member, found
        for other, (neighbour, _) in self._members.items():
            if other != peer and neighbour.addresses:
                found(other, neighbour.addresses)

    def leave(self, peer: str) -> None:
        del self._members[peer]

    def tell(self, peer: str, addresses: Sequence[str]) -> None:
        for other, (_, found) in self._members.items():
            if other != peer and addresses:
                found(peer, addresses)


class MemoryDiscovery:
    """One node's place on a `MemoryLan`."""

    def __init__(self, lan: MemoryLan) -> None:
        self.addresses: Sequence[str] = ()
        self._lan = lan
        self._peer = ""  # empty: not running

    def announce(self, addresses: Sequence[str]) -> None:
        self.addresses = tuple(addresses)
        if self._peer:
            self._lan.tell(self._peer, self.addresses)

    async def run(self, peer: str, found: Found, report: Callable[[str], None]) -> None:
        self._peer = peer
        self._lan.join(peer, self, found)
        self._lan.tell(peer, self.addresses)
        report("")
        try:
            await trio.sleep_forever()
        finally:
            self._peer = ""
            self._lan.leave(peer)
