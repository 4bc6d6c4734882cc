"""How much of what clients sent is in memory at a time, for each peer and in all."""

from __future__ import annotations

from collections import Counter

import trio


class InFlight:
    """Bytes of deposits that wait for the disk. A full one makes the reader of that stream wait."""

    def __init__(self, per_peer: int, total: int) -> None:
        self._per_peer = per_peer
        self._total = total
        self._peers: Counter[str] = Counter()
        self._sum = 0
        self._space = trio.lowlevel.ParkingLot()

    async def reserve(self, peer: str, size: int) -> str:
        """Wait for room; at most one frame, which always fits in the end. Returns which limit made it wait."""
        limit = ""
        while full := self._full(peer, size):
            limit = full
            await self._space.park()
        self._peers[peer] += size
        self._sum += size
        return limit

    def release(self, peer: str, size: int) -> None:
        self._sum -= size
        self._peers[peer] -= size
        if not self._peers[peer]:
            del self._peers[peer]
        self._space.unpark_all()

    def _full(self, peer: str, size: int) -> str:
        if self._peers[peer] + size > self._per_peer:
            return "max_bytes_in_flight_per_peer"
        return "max_bytes_in_flight" if self._sum + size > self._total else ""
