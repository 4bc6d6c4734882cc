"""Contrast as WCAG 2 counts it."""

import pytest

from p2pchat.cli.tui import styles

FAINT = {"line": 3.0, "faded": 3.0}  # on purpose
LEAST = 4.5


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("name", styles.names())
def test_every_style_can_be_read_on_every_ground(name: str, dark: bool) -> None:
    ground = styles.ground(dark)._asdict()
    del ground["text"]
    if name == "line":
        ground = {"page": ground["page"]}  # rules stand nowhere else
    colour = styles.look(name, dark=dark).colour
    for background in ground.values():
        assert contrast(colour, background) >= FAINT.get(name, LEAST)


def test_without_colours_only_weight_and_shape_are_left() -> None:
    for name in (*styles.names(), "on:chosen text", "cursor"):
        look = styles.look(name, colour=False)
        assert (look.colour, look.background) == ("", "")
    assert styles.look("on:chosen dim", colour=False).reverse
    assert styles.look("cursor", colour=False).reverse
