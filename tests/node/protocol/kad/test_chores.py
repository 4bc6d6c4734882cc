from __future__ import annotations

import itertools
import random

from p2pchat.node.protocol.kad import chores as rules
from p2pchat.node.protocol.kad.chores import Chore, Chores, Provide, Publish, Refresh

TALK = Provide("talk")
WELL = 20  # peers reached


def chores() -> Chores:
    return Chores(random.Random(1))


def test_nothing_is_due_that_nobody_wants() -> None:
    plans = chores()
    assert plans.next_due() is None
    assert plans.take(10**9) == []
    plans.want_all(0.0)
    plans.finished(TALK, WELL, 0.0)
    plans.drop(TALK)
    assert plans.next_due() is None


def test_a_chore_is_due_when_it_is_wanted_and_only_once() -> None:
    plans = chores()
    plans.want(TALK, 5.0)
    assert plans.next_due() == 5.0
    assert plans.take(4.9) == []
    assert plans.take(5.0) == [TALK]
    assert plans.take(6.0) == []
    assert plans.next_due() is None


def test_it_comes_again_and_again() -> None:
    for chore, every in (
        (Refresh(), rules.REFRESH_EVERY),
        (TALK, rules.PROVIDE_EVERY),
        (Publish(), rules.PUBLISH_EVERY),
    ):
        plans, now, times = chores(), 0.0, []
        plans.want(chore, now)
        for _ in range(20):
            assert plans.take(now) == [chore]
            times.append(now)
            plans.finished(chore, WELL, now)
            now = plans.next_due() or 0.0
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert all((1 - rules.JITTER) * every <= p <= (1 + rules.JITTER) * every for p in pauses)
        assert len(set(pauses)) > 1


def test_when_nobody_is_reached_it_comes_sooner_and_ever_less_so() -> None:
    plans, now, pauses = chores(), 0.0, []
    plans.want(TALK, now)
    for _ in range(12):
        plans.take(now)
        plans.finished(TALK, 0, now)
        due = plans.next_due() or 0.0
        pauses.append(due - now)
        now = due
    assert pauses[0] <= 1.5 * rules.NOBODY.first
    assert rules.NOBODY.most / 2 <= pauses[-1] <= 1.5 * rules.NOBODY.most
    plans.take(now)
    plans.finished(TALK, WELL, now)
    assert (plans.next_due() or 0.0) - now >= (1 - rules.JITTER) * rules.PROVIDE_EVERY


def test_a_few_are_better_than_nobody_and_not_enough() -> None:
    plans = chores()
    plans.want(TALK, 0.0)
    plans.take(0.0)
    plans.finished(TALK, rules.FEW - 1, 0.0)
    assert (plans.next_due() or 0.0) <= 1.5 * rules.TOO_FEW.first


def test_a_retry_is_never_later_than_the_next_turn() -> None:
    plans, now = chores(), 0.0
    plans.want(Refresh(), now)
    for _ in range(20):
        plans.take(now)
        plans.finished(Refresh(), 1, now)
        due = plans.next_due() or 0.0
        assert due - now <= (1 + rules.JITTER) * rules.REFRESH_EVERY
        now = due


def test_what_is_wanted_while_it_runs_comes_right_after() -> None:
    plans = chores()
    plans.want(TALK, 0.0)
    plans.take(0.0)
    plans.want(TALK, 3.0)
    assert plans.take(10.0) == []
    plans.finished(TALK, WELL, 10.0)
    assert plans.take(10.0) == [TALK]


def test_everything_again_is_not_everything_at_once() -> None:
    plans = chores()
    wanted: list[Chore] = [Provide(str(number)) for number in range(20)]
    for chore in wanted:
        plans.want(chore, 0.0)
    for chore in plans.take(0.0):
        plans.finished(chore, WELL, 0.0)
    plans.want_all(5.0)
    assert plans.take(4.9) == []
    assert len(plans.take(5.0 + rules.BUNDLE / 2)) < len(wanted)
    plans.take(5.0 + rules.BUNDLE)
    assert plans.next_due() is None


def test_only_those_that_found_nobody_are_tried_when_somebody_comes() -> None:
    plans = chores()
    outcomes: list[tuple[Chore, int]] = [(TALK, 0), (Refresh(), 1), (Publish(), WELL)]
    for chore, reached in outcomes:
        plans.want(chore, 0.0)
        plans.take(0.0)
        plans.finished(chore, reached, 0.0)
    plans.somebody_is_there(2.0)
    assert plans.take(2.0) == [TALK]


def test_who_comes_while_nobody_is_found_is_not_overlooked() -> None:
    for reached, due in ((0, True), (1, False)):
        plans = chores()
        plans.want(TALK, 0.0)
        plans.take(0.0)
        plans.somebody_is_there(2.0)
        plans.finished(TALK, reached, 1.0)
        assert (plans.take(2.0) == [TALK]) is due


def test_a_restart_begins_anew_what_was_running() -> None:
    plans = chores()
    plans.want(TALK, 0.0)
    plans.want(Publish(), 50.0)
    plans.take(0.0)
    plans.none_runs(7.0)
    assert plans.take(7.0) == [TALK]
    assert plans.next_due() == 50.0


def test_what_is_dropped_is_not_done() -> None:
    plans = chores()
    plans.want(TALK, 0.0)
    assert TALK in plans
    plans.drop(TALK)
    assert TALK not in plans
    assert plans.take(1.0) == []
