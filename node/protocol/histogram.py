"""How long things took, counted in buckets."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from p2pchat.proto import actors_pb2 as actors

# Seconds, for what a disk or a program does.
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# Seconds, for what waits for people: from a twentieth of a second to 30 days, for which a message is tried.
PATIENT = (
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    *(3600.0, 6 * 3600.0, 86_400.0, 3 * 86_400.0, 7 * 86_400.0, 30 * 86_400.0),
)


class Histogram:
    """Counts since it was made. One look-up for each observation: it may stand where much happens."""

    def __init__(self, bounds: Sequence[float] = QUICK) -> None:
        """`bounds` in seconds, ascending; each belongs to the bucket below it, and above the last is one more."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0  # seconds

    def observe(self, seconds: float, times: int = 1) -> None:
        """`times` things took so long each. Less than nothing, after a clock was set back, counts as nothing."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(self._bounds, seconds)] += times
        self._sum += seconds * times

    def describe(self) -> actors.Histogram:
        return actors.Histogram(bounds=self._bounds, counts=self._counts, sum=self._sum)
