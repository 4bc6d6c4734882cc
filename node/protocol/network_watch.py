"""Notices that the computer was asleep, or that its network is another one, from clocks and own addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

ASLEEP = "the computer was asleep"
CHANGED = "the network has changed"

LATE = 30.0  # seconds without a look: everything stood still (a suspended machine, SIGSTOP)
# Seconds by which the wall clock gets ahead of the monotonic one, which stands still in a sleep on Linux. A clock
# that somebody sets forward looks the same, and costs a needless look at the connections; one set back is no sleep.
JUMP = 10.0


class NetworkWatch:
    """To be asked every few seconds. `now` is seconds of a monotonic clock, `wall_ms` Unix milliseconds, `interfaces`
    the computer's own IP addresses."""

    def __init__(self, now: float, wall_ms: int, interfaces: Iterable[str]) -> None:
        self._now = now
        self._wall_ms = wall_ms
        self._settled = self._last = _lasting(interfaces)

    def look(self, now: float, wall_ms: int, interfaces: Iterable[str]) -> str | None:
        """What has happened since the last look, as words for the log; None: nothing.

        Other addresses count when two looks have found the same ones: an interface that comes up gets them one by
        one. After a sleep they count at once, and are not told again.
        """
        slept = self._has_slept(now, wall_ms)
        self._now, self._wall_ms = now, wall_ms
        found = _lasting(interfaces)
        stable = found == self._last
        self._last = found
        if slept:
            self._settled = found
            return ASLEEP
        if stable and found != self._settled:
            self._settled = found
            return CHANGED
        return None

    def _has_slept(self, now: float, wall_ms: int) -> bool:
        passed = now - self._now
        return passed > LATE or (wall_ms - self._wall_ms) / 1000 - passed > JUMP


def _lasting(interfaces: Iterable[str]) -> frozenset[str]:
    """Without link-local ones, which come and go with every cable, and say nothing about the way to others."""
    return frozenset(text for text in interfaces if not _is_link_local(text))


def _is_link_local(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_link_local
    except ValueError:
        return True
