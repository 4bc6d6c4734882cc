"""Lines with styles, and how they become characters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wcwidth import wcwidth

HANGING_INDENT = 4  # columns; what continues a line never begins where a line begins
NARROWEST = 20  # columns; below that, wrapping helps nobody

# ECMA-48 "select graphic rendition" codes.
_CODES = {
    "address": "0",
    "time": "2",
    "dim": "2",
    "me": "1",
    "strong": "1",
    "room": "36",
    "direct": "35",
    "hint": "33",
    "warning": "31",
    "peer0": "32",
    "peer1": "33",
    "peer2": "34",
    "peer3": "35",
    "peer4": "36",
    "peer5": "92",
}
PEER_STYLES = tuple(style for style in _CODES if style.startswith("peer"))


@dataclass(frozen=True, slots=True)
class Span:
    text: str  # safe to show, without newlines
    style: str = ""  # "" or a key of the table above


Line = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def plain(shown: Line) -> str:
    return "".join(span.text for span in shown)


@dataclass(frozen=True, slots=True)
class Painter:
    """Turns lines into what is written: with or without colour, wrapped or not."""

    color: bool = False
    width: int = 0  # columns; 0: never wrap

    def paint(self, shown: Iterable[Line]) -> str:
        """The lines, each with its newline."""
        rows = (row for each in shown for row in wrap(each, self.width))
        return "".join(self._row(row) + "\n" for row in rows)

    def _row(self, row: Line) -> str:
        if not self.color:
            return plain(row)
        return "".join(_styled(span) for span in row)


def _styled(span: Span) -> str:
    code = _CODES.get(span.style)
    return f"\x1b[{code}m{span.text}\x1b[0m" if code else span.text


def wrap(shown: Line, width: int) -> Iterator[Line]:
    """Rows of at most `width` columns, broken at spaces where that is possible."""
    text = plain(shown)
    # An own address is left to the terminal, which keeps it in one piece for copying.
    is_address = any(span.style == "address" for span in shown)
    if is_address or width < NARROWEST or columns(text) <= width:
        yield shown
        return
    start = 0
    for end in _breaks(text, width):
        indent = (Span(" " * HANGING_INDENT),) if start else ()
        yield (*indent, *_cut(shown, start, end))
        start = end


def columns(text: str) -> int:
    return len(text) if text.isascii() else sum(max(0, wcwidth(character)) for character in text)


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where each row ends."""
    used, start, space = 0, 0, 0
    for index, character in enumerate(text):
        used += max(0, wcwidth(character))
        if used > width:
            end = space if space - start > width // 2 else index
            yield end
            start = end
            used = HANGING_INDENT + columns(text[start : index + 1])
        if character == " ":
            space = index + 1
    yield len(text)


def _cut(shown: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    at = 0
    for span in shown:
        piece = span.text[max(0, start - at) : max(0, end - at)]
        at += len(span.text)
        if piece:
            yield Span(piece, span.style)
