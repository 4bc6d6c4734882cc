"""How fast a file moves, and when that is worth telling."""

from __future__ import annotations

TELL_EVERY = 0.25  # seconds between two words about one transfer
SPAN = 3.0  # seconds over which the speed is taken


class Pace:
    """Of one transfer that runs. Times are seconds of any monotonic clock."""

    def __init__(self, done: int, now: float) -> None:
        self.done = done  # bytes
        self._told = now
        self._marks: list[tuple[float, int]] = [(now, done)]

    def moved(self, done: int, now: float) -> bool:
        """Whether it is time to tell."""
        self.done = done
        if now - self._told < TELL_EVERY:
            return False
        self._told = now
        self._marks.append((now, done))
        while len(self._marks) > 2 and self._marks[1][0] <= now - SPAN:
            del self._marks[0]
        return True

    @property
    def bytes_per_second(self) -> float:
        (began, first), (ended, last) = self._marks[0], self._marks[-1]
        return (last - first) / (ended - began) if ended > began else 0.0
