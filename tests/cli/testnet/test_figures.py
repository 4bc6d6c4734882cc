"""Percentiles, slopes and curves on plain numbers."""

import math

import pytest

from p2pchat.cli.testnet import figures


def test_percentiles() -> None:
    values = [float(value) for value in range(1, 101)]
    assert figures.percentile(values, 0.5) == 50
    assert figures.percentile(values, 0.99) == 99
    assert figures.percentile(values, 1.0) == 100
    assert figures.percentile([3.0], 0.01) == 3
    assert math.isnan(figures.percentile([], 0.5))
    assert figures.median([9, 1, 5]) == 5


def test_slope_is_per_hour() -> None:
    assert figures.slope([(0.0, 10.0), (1800.0, 12.0), (3600.0, 14.0)]) == pytest.approx(4.0)
    assert figures.slope([(at, 7.0) for at in range(10)]) == pytest.approx(0.0)
    noisy = [(float(at), at / 360 + (-1) ** at) for at in range(3600)]
    assert figures.slope(noisy) == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("points", [[], [(1.0, 1.0)], [(1.0, 1.0), (1.0, 5.0)]])
def test_no_slope_without_two_times(points: list[figures.Point]) -> None:
    assert math.isnan(figures.slope(points))


def test_warm_up_and_what_comes_after_the_traffic_are_left_out() -> None:
    assert figures.warm_up(3600) == 600
    assert figures.warm_up(120) == 30
    points = [(1, (at, 0.0)) for at in (0.0, 599.0, 600.0, 3600.0, 3601.0)]
    assert [at for at, _ in figures.steady(points, 3600)] == [600.0, 3600.0]


def test_a_short_run_has_no_slope() -> None:
    assert figures.steady([(1, (float(at), 0.0)) for at in range(781)], 780) == []
    found = figures.steady([(1, (float(at), 0.0)) for at in range(801)], 800)
    assert (found[0][0], found[-1][0]) == (200.0, 800.0)
    assert figures.steady([], 3600) == []


def test_the_longest_stretch_without_a_restart_counts() -> None:
    """A new program begins small: from before to after is no growth."""
    points = [(1 if at < 1000 else 2, (float(at), 9.0)) for at in range(0, 3601, 10)]
    found = figures.steady(points, 3600)
    assert (found[0][0], found[-1][0]) == (1600.0, 3600.0)
    often = [(at // 1000, (float(at), 9.0)) for at in range(0, 3601, 10)]
    assert figures.steady(often, 3600) == []


def test_buckets() -> None:
    found = figures.over_time([(0.5, 1.0), (1.5, 3.0), (1.9, 2.0), (7.0, 4.0)], 2.0)
    assert [(bucket.at, bucket.count) for bucket in found] == [(2.0, 3), (8.0, 1)]
    assert found[0].p50 == 2.0
    assert found[0].p99 == 3.0


def test_buckets_are_not_too_many_and_not_too_short() -> None:
    assert figures.bucket_length(3600) == 60
    assert figures.bucket_length(10) == 2
