"""From rows to what Textual draws. Plain segments with styles: no markup is ever looked for in a text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from p2pchat.cli.tui import styles
from p2pchat.cli.tui.cells import clusters
from p2pchat.cli.tui.rows import Piece, Row, fitted


@lru_cache(maxsize=512)
def rich_style(style: str, back: str, dark: bool, color: bool) -> Style:
    """`back` is the part of the screen it stands on, where the style itself does not say."""
    look = styles.look(style, dark=dark, colour=color)
    background = look.background or getattr(styles.ground(dark), back)
    return Style(
        color=look.colour if color else None,
        bgcolor=background if color else None,
        bold=look.bold or None,
        dim=look.dim or None,
        italic=look.italic or None,
        reverse=look.reverse or None,
    )


def strip(row: Row, columns: int, back: str, *, dark: bool, color: bool) -> Strip:
    """Exactly so many columns."""
    is_chosen = bool(row.pieces) and row.pieces[0].style.startswith("on:")
    fill = f"{row.pieces[0].style.partition(' ')[0]} text" if is_chosen else ""
    return pieces_strip(fitted(row, columns, fill), columns, back, dark=dark, color=color)


def pieces_strip(
    pieces: Iterable[Piece], columns: int, back: str, *, dark: bool, color: bool
) -> Strip:
    segments = [Segment(each.text, rich_style(each.style, back, dark, color)) for each in pieces]
    return Strip(segments, columns)


def cursor(piece_text: str, at: int, style: str) -> list[Piece]:
    """A row with the cell in column `at` turned around."""
    before, under, behind, used = "", "", "", 0
    for cluster, columns in clusters(piece_text):
        if used < at:
            before += cluster
        elif not under:
            under = cluster
        else:
            behind += cluster
        used += columns
    return [Piece(before, style), Piece(under or " ", "cursor"), Piece(behind, style)]
