"""How often a transfer is told, and how fast it is."""

from __future__ import annotations

import pytest

from p2pchat.node.protocol.transfer_pace import SPAN, TELL_EVERY, Pace


def test_it_is_told_four_times_a_second_however_often_it_moves() -> None:
    pace = Pace(0, 100.0)
    told = sum(pace.moved(step, 100.0 + step / 1000) for step in range(1, 2001))
    assert told <= 2.0 / TELL_EVERY
    assert pace.done == 2000


def test_the_speed_is_that_of_the_last_seconds() -> None:
    pace = Pace(500, 0.0)
    assert pace.bytes_per_second == 0.0
    for second in range(1, 20):
        pace.moved(500 + second * 100, float(second))
    assert pace.bytes_per_second == pytest.approx(100.0)
    for second in range(20, 25 + round(SPAN)):
        pace.moved(2400, float(second))
    assert pace.bytes_per_second == pytest.approx(0.0)
