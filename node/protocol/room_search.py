"""When to look for members of a room in the DHT."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff
from p2pchat.node.protocol.peer_exchange import FEW

FIRST = 1.0  # seconds after a room was joined, or after the first peer was connected
# Seconds, while a room has few neighbours. Two who start together both look before either can be found.
RETRY = Backoff(first=4.0, most=600.0)
RARELY = Backoff(first=1800.0, most=1800.0)  # seconds, when it has enough


@dataclass(slots=True)
class _Topic:
    due: float
    attempts: int = 0
    neighbours: int = 0
    running: bool = False


class RoomSearch:
    """Times are seconds of any monotonic clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._topics: dict[str, _Topic] = {}

    def keep(self, topics: Collection[str], now: float) -> None:
        """These are the rooms; new ones are looked for soon."""
        self._topics = {
            topic: self._topics.get(topic) or _Topic(due=now + FIRST) for topic in topics
        }

    def see(self, topic: str, neighbours: int, now: float) -> None:
        """So many members are connected now."""
        if (entry := self._topics.get(topic)) is None:
            return
        if neighbours >= FEW:
            entry.attempts = 0
        elif entry.neighbours >= FEW:
            entry.due = min(entry.due, now + RETRY.delay(1, self._rng))
        entry.neighbours = neighbours

    def due(self, now: float) -> list[str]:
        """Topics to look for now; each is under way until `ended`."""
        found = [topic for topic, e in self._topics.items() if not e.running and e.due <= now]
        for topic in found:
            self._topics[topic].running = True
        return found

    def next_due(self) -> float | None:
        waiting = (entry.due for entry in self._topics.values() if not entry.running)
        return min(waiting, default=None)

    def ended(self, topic: str, now: float) -> None:
        """With or without success: whether there are neighbours then is what counts."""
        if (entry := self._topics.get(topic)) is None:
            return
        entry.running = False
        entry.attempts += 1
        again = RETRY if entry.neighbours < FEW else RARELY
        entry.due = now + again.delay(entry.attempts, self._rng)

    def again(self, now: float) -> None:
        """Everything may have changed, or there is somebody to ask at last."""
        for entry in self._topics.values():
            entry.attempts = 0
            entry.due = min(entry.due, now + FIRST)
