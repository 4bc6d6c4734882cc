"""Who came and who went, said seldom enough to be read: bursts are gathered, and what was undone is not said."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from p2pchat.node.protocol.token_bucket import TokenBucket

FIRST_LOOK = 5.0  # seconds after the own joining until it is said who is there
GATHERING = 2.0  # seconds over which changes become one report
# Reports: keys cost nothing, and whoever comes and goes all the time shall not be heard each time.
_RATE, _BURST = 4 / 60, 4.0


@dataclass(frozen=True, slots=True)
class Change:
    """Peers by their peer id in base58. `first`: nobody has joined, these are here since before us."""

    joined: Set[str]
    left: Set[str]
    first: bool


class Comings:
    """Compares who is there with who was said to be there. Times are seconds of any monotonic clock."""

    def __init__(self, now: float) -> None:
        self._first_at = now + FIRST_LOOK
        self._is_first = True
        self._said: set[str] = set()
        self._changed_at: float | None = None  # since when what was said is not true any more
        self._reports = TokenBucket(_RATE, _BURST, now)

    @property
    def due(self) -> float | None:
        """When there may be something to say if nothing else happens."""
        if self._is_first:
            return self._first_at
        return None if self._changed_at is None else self._changed_at + GATHERING

    def know(self, peer: str) -> None:
        """It is there, and that is not worth a word."""
        if not self._is_first:
            self._said.add(peer)

    def look(self, there: Mapping[str, object], now: float) -> Change | None:
        """What is to be said now, given everybody who is there."""
        if self._is_first:
            return self._first_look(there, now)
        if there.keys() == self._said:
            self._changed_at = None
            return None
        if self._changed_at is None:
            self._changed_at = now
        if now < self._changed_at + GATHERING:
            return None
        if not self._reports.allows(now):
            self._changed_at = now  # look again then: the rest is summed up
            return None
        change = Change(there.keys() - self._said, self._said - there.keys(), first=False)
        self._said, self._changed_at = set(there), None
        return change

    def _first_look(self, there: Mapping[str, object], now: float) -> Change | None:
        if now < self._first_at:
            return None
        self._is_first = False
        self._said = set(there)
        return Change(set(there), frozenset(), first=True)
