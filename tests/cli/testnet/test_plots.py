"""Plots as SVG: what is in them, as a parser of XML sees it."""

import math
import xml.etree.ElementTree as ET

import pytest

from p2pchat.cli.testnet import plots
from p2pchat.cli.testnet.plots import Bar, Line


def points(svg: str) -> list[tuple[float, float]]:
    """Of its first line."""
    found = ET.fromstring(svg).find("polyline")
    assert found is not None
    pairs = (pair.split(",") for pair in found.attrib["points"].split())
    return [(float(x), float(y)) for x, y in pairs]


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 0.7, [0, 0.2, 0.4, 0.6]),
        (0, 120, [0, 50, 100]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round(least: float, most: float, expected: list[float]) -> None:
    assert plots.ticks(least, most) == expected


def test_decades_hold_what_is_shown() -> None:
    assert plots.decades(0.02, 13) == [0.01, 0.1, 1, 10, 100]
    assert plots.decades(1, 1) == [1, 10]


def test_a_curve_rises_from_left_to_right_within_the_plot() -> None:
    drawn = points(plots.curves([Line("x", [(0, 0), (50, 5), (100, 10)])], 100, "s"))
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert [y for _, y in drawn] == sorted((y for _, y in drawn), reverse=True)
    assert all(plots.LEFT <= x <= plots.WIDTH and 0 <= y <= plots.HEIGHT for x, y in drawn)


def test_on_a_logarithmic_scale_each_tenfold_is_as_high() -> None:
    line = Line("x", [(0, 0.01), (50, 0.1), (100, 1.0), (60, 0.0)])
    drawn = points(plots.curves([line], 100, "s", logarithmic=True))
    assert len(drawn) == 3
    assert drawn[0][1] - drawn[1][1] == pytest.approx(drawn[1][1] - drawn[2][1], abs=0.11)


def test_nothing_to_show() -> None:
    assert "Nothing" in plots.curves([Line("x", [])], 100, "s")
    assert "Nothing" in plots.curves([Line("x", [(1, math.nan)])], 100, "s")
    assert plots.spark([(0, 1)], 100) == ""


def test_a_level_curve_is_drawn() -> None:
    assert len({y for _, y in points(plots.spark([(0, 5), (50, 5), (100, 5)], 100))}) == 1


def test_bars_lie_in_their_rows_and_say_what_they_are() -> None:
    given = [
        Bar("a", 0, 50, "c0", "kill <1>"),
        Bar("b", 50, 500, "c1", "stop"),
        Bar("gone", 0, 1, "c1", ""),
    ]
    drawn = ET.fromstring(plots.bars(["a", "b"], given, 100)).findall("rect")
    assert len(drawn) == 2
    first, second = drawn
    assert first.findtext("title") == "kill <1>"
    assert float(second.attrib["y"]) - float(first.attrib["y"]) == plots.ROW
    end = float(second.attrib["x"]) + float(second.attrib["width"])
    assert end == pytest.approx(plots.WIDTH - plots.RIGHT, abs=0.2)
