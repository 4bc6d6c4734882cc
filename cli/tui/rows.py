"""Rows of styled text, before anybody knows of Textual or of escape sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from p2pchat.cli.tui.cells import cut, isolated, width


class Piece(NamedTuple):
    text: str  # steady, without newlines: see `cells`
    style: str = ""  # a key of the table in `styles`


class Row(NamedTuple):
    pieces: tuple[Piece, ...] = ()
    action: str = ""  # what a click on the row does: "expand <key>", "command <line>", "open <key>"


def row(*parts: str | Piece, action: str = "") -> Row:
    return Row(tuple(Piece(each) if isinstance(each, str) else each for each in parts), action)


def plain(shown: Row) -> str:
    return "".join(piece.text for piece in shown.pieces)


def row_width(shown: Row) -> int:
    return sum(width(piece.text) for piece in shown.pieces)


def fitted(shown: Row, columns: int, style: str = "") -> list[Piece]:
    """Exactly so many columns: cut, or filled up with blanks of a style. What runs right to left is isolated."""
    pieces: list[Piece] = []
    left = columns
    for piece in shown.pieces:
        if left <= 0:
            break
        text = cut(piece.text, left)
        left -= width(text)
        pieces.append(Piece(isolated(text), piece.style))
    if left > 0:
        pieces.append(Piece(" " * left, style))
    return pieces


def both_ends(left: Iterable[Piece], right: Iterable[Piece], columns: int, action: str = "") -> Row:
    """One part at the left edge, one at the right; the left one gives way."""
    end = Row(tuple(right))
    room = max(0, columns - row_width(end) - 1)
    start = fitted_start(Row(tuple(left)), room)
    gap = max(0, columns - row_width(start) - row_width(end))
    return Row((*start.pieces, Piece(" " * gap), *end.pieces), action)


def fitted_start(shown: Row, columns: int) -> Row:
    """At most so many columns, cut at the end; not filled up."""
    pieces: list[Piece] = []
    left = columns
    for piece in shown.pieces:
        if left <= 0:
            break
        text = cut(piece.text, left)
        left -= width(text)
        pieces.append(Piece(text, piece.style))
    return Row(tuple(pieces), shown.action)


def restyled(shown: Row, style: Callable[[str], str]) -> Row:
    return Row(tuple(Piece(each.text, style(each.style)) for each in shown.pieces), shown.action)
