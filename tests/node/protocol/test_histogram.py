from __future__ import annotations

import pytest

from p2pchat.node.protocol.histogram import PATIENT, QUICK, Histogram


def test_what_takes_as_long_as_a_bound_belongs_to_the_bucket_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for seconds in (0.0, 1.0, 1.5, 2.0, 2.1, 100.0):
        histogram.observe(seconds)
    described = histogram.describe()
    assert list(described.bounds) == [1.0, 2.0]
    assert list(described.counts) == [2, 2, 2]
    assert described.sum == pytest.approx(106.6)


def test_many_at_once_count_as_often() -> None:
    histogram = Histogram((1.0,))
    histogram.observe(0.5, times=128)
    histogram.observe(3.0, times=2)
    described = histogram.describe()
    assert list(described.counts) == [128, 2]
    assert described.sum == pytest.approx(70.0)


def test_after_a_clock_was_set_back_nothing_is_subtracted() -> None:
    histogram = Histogram((1.0,))
    histogram.observe(-5.0)
    assert list(histogram.describe().counts) == [1, 0]
    assert histogram.describe().sum == 0


@pytest.mark.parametrize("bounds", [QUICK, PATIENT])
def test_bounds_ascend(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))
    assert len(Histogram(bounds).describe().counts) == len(bounds) + 1
