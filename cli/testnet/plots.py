"""Plots as SVG, drawn in the colours of the page that they are put into (CSS classes and variables)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 220  # of a plot, in its own units
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 10, 28  # around the area of the data
ROW = 22  # height of a row of bars
SPARK_WIDTH, SPARK_HEIGHT = 170, 34
TICKS = 5  # on an axis, about

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Bar:
    row: str
    begins: float
    ends: float
    css: str  # class
    title: str  # shown when pointed at


def ticks(least: float, most: float, about: int = TICKS) -> list[float]:
    """Round numbers from `least` to `most`."""
    span = most - least
    if span <= 0 or not math.isfinite(span):
        return [least]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)
    first = math.ceil(least / step - 1e-9)
    return [round(step * n, 10) for n in range(first, math.floor(most / step + 1e-9) + 1)]


def decades(least: float, most: float) -> list[float]:
    """Powers of ten around positive numbers."""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def curves(lines: Sequence[Line], end: float, unit: str, *, logarithmic: bool = False) -> str:
    """Lines over the time from 0 to `end` seconds. With `logarithmic`, what is not positive is left out."""
    lines = [Line(line.name, _usable(line.points, logarithmic)) for line in lines]
    values = [value for line in lines for _, value in line.points]
    if not values:
        return '<p class="none">Nothing to show.</p>'
    if logarithmic:
        marks = decades(min(values), max(values))
        low, high = math.log10(marks[0]), math.log10(marks[-1])
    else:
        low, high = 0.0, max(values) * 1.05 or 1.0
        marks = ticks(low, high)

    def height(value: float) -> float:
        share = ((math.log10(value) if logarithmic else value) - low) / (high - low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    parts = [_level(height(mark), f"{mark:g} {unit}".strip()) for mark in marks]
    parts += _times(end, HEIGHT)
    for index, line in enumerate(lines):
        path, name = _path(line.points, end, height), escape(line.name)
        parts.append(
            f'<polyline class="line c{index}" points="{path}"><title>{name}</title></polyline>'
        )
    return _svg(WIDTH, HEIGHT, parts)


def bars(rows: Sequence[str], given: Iterable[Bar], end: float) -> str:
    """For each row what happened to it, over the time from 0 to `end` seconds."""
    height = TOP + ROW * len(rows) + BOTTOM
    places = {row: TOP + ROW * index for index, row in enumerate(rows)}
    parts = _times(end, height)
    for row, top in places.items():
        parts.append(f'<text class="label" x="{LEFT - 6}" y="{top + 15}">{escape(row)}</text>')
        parts.append(_rule(top + ROW))
    for bar in given:
        if bar.row not in places:
            continue
        begin = _across(bar.begins, end)
        width = max(1.5, _across(min(bar.ends, end), end) - begin)
        parts.append(
            f'<rect class="{bar.css}" x="{begin:.1f}" y="{places[bar.row] + 4}" width="{width:.1f}" '
            f'height="{ROW - 7}" rx="2"><title>{escape(bar.title)}</title></rect>'
        )
    return _svg(WIDTH, height, parts)


def spark(points: Sequence[Point], end: float) -> str:
    """A small curve without axes, from its least to its greatest value."""
    points = _usable(points, False)
    if len(points) < 2:
        return ""
    values = [value for _, value in points]
    low, span = min(values), (max(values) - min(values)) or 1.0
    path = " ".join(
        f"{at / end * SPARK_WIDTH:.1f},{2 + (SPARK_HEIGHT - 4) * (1 - (value - low) / span):.1f}"
        for at, value in points
    )
    line = f'<polyline class="line c0" points="{path}"/>'
    return _svg(SPARK_WIDTH, SPARK_HEIGHT, [line], css="spark")


def _usable(points: Sequence[Point], logarithmic: bool) -> list[Point]:
    return [
        (at, value)
        for at, value in points
        if math.isfinite(value) and (value > 0 or not logarithmic)
    ]


def _path(points: Sequence[Point], end: float, height: Callable[[float], float]) -> str:
    return " ".join(f"{_across(at, end):.1f},{height(value):.1f}" for at, value in points)


def _across(at: float, end: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / end


def _times(end: float, height: float) -> list[str]:
    minutes = end > 600
    marks = ticks(0.0, end / 60 if minutes else end, 8)
    unit = "min" if minutes else "s"
    return [
        f'<text class="time" x="{_across(mark * (60 if minutes else 1), end):.1f}" y="{height - 8:.1f}">'
        f"{mark:g} {unit}</text>"
        for mark in marks
    ]


def _level(y: float, text: str) -> str:
    return f'{_rule(y)}<text class="label" x="{LEFT - 6}" y="{y + 4:.1f}">{escape(text)}</text>'


def _rule(y: float) -> str:
    return f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _svg(width: float, height: float, parts: Sequence[str], css: str = "plot") -> str:
    return f'<svg class="{css}" viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'
