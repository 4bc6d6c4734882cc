"""What the names of styles look like, on a dark and on a light screen, and without colours.

Contrast of every foreground with its background is at least 4.5 to 1 (WCAG 2 level AA), of lines and what is
faded on purpose at least 3 to 1; tests/cli/tui/test_styles.py holds that.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    colour: str = ""  # #rrggbb; empty: the terminal's own
    background: str = ""
    bold: bool = False
    dim: bool = False  # only where there are no colours
    italic: bool = False
    reverse: bool = False


class Ground(NamedTuple):
    """Backgrounds of the parts of the screen."""

    page: str
    pane: str  # at the sides
    bar: str  # title and status
    field: str  # where one types
    chosen: str
    text: str


DARK = Ground("#14171c", "#191d24", "#20252e", "#1c212a", "#2f3a4d", "#d8dce3")
LIGHT = Ground("#fbfbf9", "#f2f3f1", "#e8eae7", "#ffffff", "#d3e2f2", "#23272e")

_DARK_COLOURS = {
    "text": "#d8dce3",
    "dim": "#a0a7b4",
    "faded": "#858c99",
    "line": "#6b7280",
    "strong": "#f2f4f8",
    "hint": "#e0b060",
    "warning": "#f2827f",
    "done": "#7fc99a",
    "mark": "#8fb8e8",
    "me": "#7fd1c4",
    "room": "#8fb8e8",
    "address": "#a9c7e8",
    "direct": "#c9a6ec",
    "time": "#a0a7b4",
    "unread": "#f2c46d",
    "found": "#f2c46d",
    "peer0": "#e5917f",
    "peer1": "#d9b26a",
    "peer2": "#a5c46f",
    "peer3": "#74c7a5",
    "peer4": "#6fbcd6",
    "peer5": "#8eaaf0",
    "peer6": "#bb9cf0",
    "peer7": "#e394c7",
}
_LIGHT_COLOURS = {
    "text": "#23272e",
    "dim": "#5a616d",
    "faded": "#656c78",
    "line": "#868d98",
    "strong": "#0c0f14",
    "hint": "#7d5300",
    "warning": "#b3261e",
    "done": "#1f6b3b",
    "mark": "#1f5a99",
    "me": "#0b6156",
    "room": "#1f5a99",
    "address": "#1f5a99",
    "direct": "#6b35a8",
    "time": "#5a616d",
    "unread": "#7a4b00",
    "found": "#7a4b00",
    "peer0": "#a13620",
    "peer1": "#775000",
    "peer2": "#496212",
    "peer3": "#14654a",
    "peer4": "#0f6079",
    "peer5": "#2c4fb0",
    "peer6": "#6b35b0",
    "peer7": "#9c2b77",
}
_BOLD = frozenset({"strong", "me", "unread", "found", "warning"})
_ITALIC = frozenset({"faded"})
_DIM_WITHOUT_COLOUR = frozenset({"dim", "faded", "line", "time"})


def ground(dark: bool) -> Ground:
    return DARK if dark else LIGHT


def look(style: str, *, dark: bool = True, colour: bool = True) -> Look:
    """A style may have `on:chosen` or the like in front: "on:chosen dim"."""
    behind, _, name = style.rpartition(" ")
    name = name or "text"
    bold = name in _BOLD or name.startswith("peer")
    if not colour:
        return Look(
            bold=bold,
            dim=name in _DIM_WITHOUT_COLOUR and not behind,
            italic=name in _ITALIC,
            reverse=behind == "on:chosen" or name == "cursor",
        )
    colours = _DARK_COLOURS if dark else _LIGHT_COLOURS
    back = getattr(ground(dark), behind.removeprefix("on:")) if behind else ""
    chosen = colours.get(name, colours["text"])
    return Look(chosen, back, bold, italic=name in _ITALIC, reverse=name == "cursor")


def names() -> tuple[str, ...]:
    return tuple(_DARK_COLOURS)
