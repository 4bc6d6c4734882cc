"""What is to be said again in the DHT, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from p2pchat.node.backoff import Backoff

REFRESH_EVERY = 600.0  # seconds between two look-ups of the own id
PROVIDE_EVERY = 1800.0  # seconds; providers are forgotten after two hours, by some after one
PUBLISH_EVERY = 6 * 3600.0  # seconds; records are forgotten after a day
JITTER = 0.1  # of these times, either way: nodes that start together shall not stay together
BUNDLE = 1.0  # second to wait for more of the same
FEW = 3  # peers that took something; with less of them it is worth trying again before long

NOBODY = Backoff(first=10.0, most=300.0)  # seconds, while nobody could be reached
TOO_FEW = Backoff(first=15.0, most=1800.0)  # seconds, while only a few could


@dataclass(frozen=True, slots=True)
class Refresh:
    """Look up the own id and some others, so that the table is good."""


@dataclass(frozen=True, slots=True)
class Provide:
    """Say that we are in a topic."""

    topic: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Put the own mailbox record."""


Chore = Refresh | Provide | Publish

_EVERY = {Refresh: REFRESH_EVERY, Provide: PROVIDE_EVERY, Publish: PUBLISH_EVERY}


@dataclass(slots=True)
class _Plan:
    due: float
    running: bool = False
    poor: int = 0  # times in a row that only few were reached
    reached_nobody: bool = False  # the last time
    hope: float = float("inf")  # when to try again if this time nobody is reached


class Chores:
    """Times are seconds of any monotonic clock."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._plans: dict[Chore, _Plan] = {}

    def __contains__(self, chore: Chore) -> bool:
        return chore in self._plans

    def want(self, chore: Chore, at: float) -> None:
        """Do it at that time, or when it is due anyway, whichever is first; and from then on again and again."""
        plan = self._plans.setdefault(chore, _Plan(at))
        plan.due = min(plan.due, at)

    def want_all(self, at: float) -> None:
        for chore in self._plans:
            self.want(chore, at + self._rng.uniform(0.0, BUNDLE))

    def none_runs(self, now: float) -> None:
        """What was running has been broken off: it begins again."""
        for plan in self._plans.values():
            if plan.running:
                plan.running, plan.due = False, now

    def somebody_is_there(self, at: float) -> None:
        """What has found nobody the last time, or is about to, is worth another try."""
        for plan in self._plans.values():
            if plan.running:
                plan.hope = at
            elif plan.reached_nobody:
                plan.due = min(plan.due, at)

    def drop(self, chore: Chore) -> None:
        self._plans.pop(chore, None)

    def take(self, now: float) -> list[Chore]:
        """What to do now; say for each how it went."""
        taken: list[Chore] = []
        for chore, plan in self._plans.items():
            if plan.due <= now and not plan.running:
                plan.running, plan.due, plan.hope = True, float("inf"), float("inf")
                taken.append(chore)
        return taken

    def finished(self, chore: Chore, reached: int, now: float) -> None:
        """`reached` peers have taken it."""
        if plan := self._plans.get(chore):
            plan.running = False
            plan.reached_nobody = reached == 0
            plan.poor = 0 if reached >= FEW else plan.poor + 1
            again = now + self._pause(chore, plan, reached)
            plan.due = min(plan.due, again if reached else min(again, plan.hope))

    def next_due(self) -> float | None:
        """When `take` has something to say again; None: not before something happens."""
        due = [plan.due for plan in self._plans.values() if not plan.running]
        return min(due, default=None)

    def _pause(self, chore: Chore, plan: _Plan, reached: int) -> float:
        every = _EVERY[type(chore)] * self._rng.uniform(1 - JITTER, 1 + JITTER)
        if not plan.poor:
            return every
        soon = (TOO_FEW if reached else NOBODY).delay(plan.poor, self._rng)
        return min(every, soon)
