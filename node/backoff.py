"""Exponential backoff with jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """The n-th delay (from 1) is `first * 2**(n-1)`, at most `most` seconds, times 0.5 to 1.5."""

    first: float
    most: float

    def delay(self, attempt: int, rng: random.Random) -> float:
        doublings = min(attempt - 1, 32)  # more only overflow
        return min(self.most, self.first * 2.0**doublings) * rng.uniform(0.5, 1.5)
