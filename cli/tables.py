"""Tables of what a node answers: columns as wide as what is in them, in characters of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.lines import Line, columns, line
from p2pchat.cli.terminal.safe_text import safe_line

GAP = "  "
NARROWEST = 8  # columns that the last column keeps, however narrow the terminal


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int = 0) -> Iterator[Line]:
    """A line for the head and each row. `width`: columns of the terminal, that the last column is cut to; 0: none."""
    cells = [list(head), *([safe_line(cell) for cell in row] for row in rows)]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    room = width - sum(widths[:-1]) - len(GAP) * (len(widths) - 1) if width else 0
    for row in cells:
        if width:
            row[-1] = cut(row[-1], max(room, NARROWEST))
        padded = (
            cell + " " * (size - columns(cell)) for cell, size in zip(row, widths, strict=True)
        )
        yield line(GAP.join(padded).rstrip())


def cut(text: str, width: int) -> str:
    """At most `width` columns, with an ellipsis where something is left out."""
    if columns(text) <= width:
        return text
    used, kept = 1, []
    for character in text:
        used += columns(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + "…"
