"""Whom to keep connected, and how fast to dial: what keeps a full address book from becoming a storm of dials."""

from __future__ import annotations

from collections.abc import Iterable

from p2pchat.node.protocol.book_entry import LASTING, Entry
from p2pchat.proto import actors_pb2 as actors

MIN_CONNECTED = 8  # chat peers; with as many nobody is dialled only because he is known
MAX_ROOM_DIALLED = 8  # peers that others say to be in a room, connected or being dialled
DIALS_AT_ONCE = 4  # under way, besides those to peers that the owner has chosen
DIAL_RATE = 2.0  # of them a second ...
DIAL_BURST = 8  # ... and at once after a pause

# Dialled however many are connected: chosen by the owner, or next to him.
_ALWAYS = LASTING | {actors.CONTACT, actors.MDNS}
# Take it to be a chat peer until it is known better.
_PEOPLE = frozenset({actors.CONTACT, actors.REMEMBERED, actors.ROOM})


class Pace:
    """A token bucket that says when the next dial may be. Times are seconds of any monotonic clock."""

    def __init__(self, rate: float = DIAL_RATE, burst: int = DIAL_BURST) -> None:
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._theoretical = float("-inf")  # when a dial would be due if all came at the rate

    @property
    def next_at(self) -> float:
        return self._theoretical - self._slack

    def spend(self, now: float) -> None:
        self._theoretical = max(self._theoretical, now) + self._interval


class Census:
    """How many peers of each kind are connected or being dialled."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._everybody = 0
        self._people = 0
        self._in_rooms = 0
        self._under_way = 0
        for entry in entries:
            if entry.connected or entry.dialing:
                self.count(entry)

    def count(self, entry: Entry) -> None:
        self._everybody += 1
        self._people += entry.is_chat_peer or not _PEOPLE.isdisjoint(entry.sources)
        self._in_rooms += actors.ROOM in entry.sources
        self._under_way += entry.dialing and not entry.is_lasting

    @property
    def has_slot(self) -> bool:
        """Whether a further dial may be under way."""
        return self._under_way < DIALS_AT_ONCE

    def wants(self, entry: Entry) -> bool:
        """Whether it is worth being connected to one more of this kind."""
        if not _ALWAYS.isdisjoint(entry.sources):
            return True
        if actors.ROOM in entry.sources and self._in_rooms < MAX_ROOM_DIALLED:
            return True
        if entry.is_chat_peer or actors.REMEMBERED in entry.sources:
            return self._people < MIN_CONNECTED
        # Who came by itself and is no chat peer was here for a question, and may come again.
        return actors.DHT in entry.sources and self._everybody < MIN_CONNECTED


def urgency(entry: Entry) -> tuple[int, int, float]:
    """The lowest is dialled first; of remembered peers the one that was connected last."""
    if entry.is_lasting:
        return 0, 0, entry.due
    if not _ALWAYS.isdisjoint(entry.sources):
        return 1, 0, entry.due
    if actors.ROOM in entry.sources:
        return 2, 0, entry.due
    return 3, -entry.connected_at_ms, entry.due
