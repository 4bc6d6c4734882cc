"""When a worker that has ended is started again, and when it is too much. No I/O, no clock."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from p2pchat.node.backoff import Backoff

MOST = 5  # ends within `WINDOW`; one more is too much
WINDOW = 60.0  # seconds; a life as long as that makes the next delay a short one again
PAUSE = Backoff(first=0.1, most=5.0)  # seconds before the next start


@dataclass
class Restarts:
    """Of one worker. Times are seconds on a clock that only goes forward."""

    rng: random.Random
    most: int = MOST
    window: float = WINDOW
    count: int = 0  # since the start of the mailbox
    _ends: deque[float] = field(default_factory=deque)
    _in_a_row: int = 0

    def ended(self, born: float, now: float) -> float | None:
        """Seconds to wait before the next start; None: give up."""
        self.count += 1
        self._ends.append(now)
        while now - self._ends[0] > self.window:
            self._ends.popleft()
        if len(self._ends) > self.most:
            return None
        self._in_a_row = 1 if now - born > self.window else self._in_a_row + 1
        return PAUSE.delay(self._in_a_row, self.rng)
