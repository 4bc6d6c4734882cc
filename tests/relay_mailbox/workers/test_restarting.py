"""When a worker is started again."""

from __future__ import annotations

import random

from p2pchat.relay_mailbox.workers.restarting import PAUSE, Restarts


def restarts() -> Restarts:
    return Restarts(random.Random(1), most=3, window=60.0)


def test_pauses_grow_and_the_limit_ends_it() -> None:
    some = restarts()
    pauses = [some.ended(born=now - 0.1, now=now) for now in (1.0, 2.0, 3.0)]
    for number, pause in enumerate(pauses):
        assert pause is not None
        assert 0.5 * PAUSE.first * 2**number <= pause <= 1.5 * PAUSE.first * 2**number
    assert some.ended(born=3.5, now=4.0) is None
    assert some.count == 4


def test_what_was_long_ago_does_not_count() -> None:
    some = restarts()
    for now in range(0, 6_000, 30):  # three of them within a window, for ever
        assert some.ended(born=now - 1, now=now) is not None


def test_after_a_long_life_the_pause_is_short_again() -> None:
    some = Restarts(random.Random(1), most=100, window=60.0)
    for now in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0):
        some.ended(born=now - 0.5, now=now)
    pause = some.ended(born=10.0, now=100.0)
    assert pause is not None
    assert pause <= 1.5 * PAUSE.first
