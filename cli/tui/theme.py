"""The same colours for what Textual draws itself: scroll bars, the palette, the search."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.filter import NoColor
from textual.theme import Theme

from p2pchat.cli.tui import styles


def theme(dark: bool) -> Theme:
    ground = styles.ground(dark)

    def colour(name: str) -> str:
        return styles.look(name, dark=dark).colour

    return Theme(
        name=name(dark),
        primary=colour("mark"),
        secondary=colour("direct"),
        warning=colour("hint"),
        error=colour("warning"),
        success=colour("done"),
        accent=colour("me"),
        foreground=ground.text,
        background=ground.page,
        surface=ground.pane,
        panel=ground.bar,
        dark=dark,
        variables={
            "scrollbar": colour("line"),
            "scrollbar-hover": colour("dim"),
            "scrollbar-active": colour("mark"),
            "scrollbar-background": ground.page,
            "scrollbar-background-hover": ground.page,
            "scrollbar-background-active": ground.page,
        },
    )


def name(dark: bool) -> str:
    return "p2pchat-dark" if dark else "p2pchat-light"


def without_colours(app: App[Any]) -> None:
    app._filters.append(NoColor())
