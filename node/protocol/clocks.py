"""How far the clocks of others are from the own one."""

from __future__ import annotations

from statistics import median

MAX_PEERS = 64  # whose clocks are remembered; a further one replaces the oldest
FARTHEST_MS = 1000 * 60 * 60 * 24 * 365 * 100  # what says more is no clock


class Clocks:
    """Offsets in milliseconds, positive when the other clock is ahead."""

    def __init__(self) -> None:
        self._offsets: dict[str, int] = {}

    def heard(self, peer: str, their_ms: int, asked_ms: int, answered_ms: int) -> None:
        """A peer's clock showed `their_ms` at some moment between asking and answering, on the own clock.

        0 is what older programs send: nothing.
        """
        offset = their_ms - (asked_ms + answered_ms) // 2
        if not their_ms or abs(offset) > FARTHEST_MS:
            return
        self._offsets.pop(peer, None)
        self._offsets[peer] = offset
        if len(self._offsets) > MAX_PEERS:
            del self._offsets[next(iter(self._offsets))]

    def forget(self, peer: str) -> None:
        self._offsets.pop(peer, None)

    def of(self, peer: str) -> int | None:
        return self._offsets.get(peer)

    def __len__(self) -> int:
        return len(self._offsets)

    def median(self) -> int | None:
        """Of all of them, so that a few wrong clocks say nothing; None when there are none."""
        return round(median(self._offsets.values())) if self._offsets else None
