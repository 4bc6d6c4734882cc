"""What is made of the samples and latencies: percentiles, counts over time, and how something grows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOUR = 3600.0  # seconds
WARM_UP = 600.0  # seconds at the begin that say nothing about growth: caches fill, everybody meets everybody
WARM_UP_SHARE = 1 / 4  # ... of a run that is too short for that
SHORTEST_SLOPE = 600.0  # seconds; what grows in less says nothing about an hour
BUCKETS = 60  # points of a curve over time
SHORTEST_BUCKET = 2.0  # seconds

Point = tuple[float, float]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many of all (0..1) do not exceed; `values` are sorted. NaN of none."""
    if not values:
        return math.nan
    return values[max(0, math.ceil(share * len(values)) - 1)]


def median(values: Iterable[float]) -> float:
    return percentile(sorted(values), 0.5)


def slope(points: Sequence[Point]) -> float:
    """Per hour, of a line through points (seconds, value) by least squares. NaN where there is none."""
    count = len(points)
    if count < 2:
        return math.nan
    middle = sum(x for x, _ in points) / count
    level = sum(y for _, y in points) / count
    spread = sum((x - middle) ** 2 for x, _ in points)
    if not spread:
        return math.nan
    return sum((x - middle) * (y - level) for x, y in points) / spread * HOUR


def warm_up(seconds: float) -> float:
    """How many seconds at the begin are left out of slopes."""
    return min(WARM_UP, seconds * WARM_UP_SHARE)


def steady(points: Iterable[tuple[int, Point]], seconds: float) -> list[Point]:
    """The longest stretch that one start of a program has given, without its warm-up and before the end of the traffic.

    Each point comes with the number of the start. Empty when no stretch is long enough to say anything.
    """
    stretches: dict[int, list[Point]] = {}
    for start, point in points:
        if point[0] <= seconds:
            stretches.setdefault(start, []).append(point)
    warm = [_warm(stretch, warm_up(seconds)) for stretch in stretches.values()]
    longest = max(warm, key=length, default=[])
    return longest if length(longest) >= SHORTEST_SLOPE else []


def _warm(stretch: Sequence[Point], warm_up: float) -> list[Point]:
    return [point for point in stretch if point[0] >= stretch[0][0] + warm_up]


def length(stretch: Sequence[Point]) -> float:
    """In seconds."""
    return stretch[-1][0] - stretch[0][0] if stretch else 0.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """What came in a part of the time; percentiles of the latency are in seconds."""

    at: float  # its end, in seconds
    count: int
    p50: float
    p95: float
    p99: float


def bucket_length(seconds: float) -> float:
    return max(SHORTEST_BUCKET, seconds / BUCKETS)


def over_time(latencies: Iterable[tuple[float, float]], length: float) -> list[Bucket]:
    """Of copies (when it came, seconds on its way), in parts of `length` seconds; empty parts are left out."""
    parts: dict[int, list[float]] = {}
    for at, latency in latencies:
        parts.setdefault(int(at // length), []).append(latency)
    return [_bucket((part + 1) * length, sorted(found)) for part, found in sorted(parts.items())]


def _bucket(at: float, values: Sequence[float]) -> Bucket:
    return Bucket(at, len(values), *(percentile(values, share) for share in (0.5, 0.95, 0.99)))
