"""Text from anybody, made to take exactly as many columns on every terminal as are counted for it here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len, get_character_cell_size

from p2pchat.cli.terminal.safe_text import safe_line

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"

# Terminals disagree on how wide these make what they join or change: so each sign of a family is shown for itself,
# in the colours and the form of the terminal's font.
_UNSTEADY = dict.fromkeys((0x200D, 0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)))
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def steady_line(text: str) -> str:
    """One harmless line: see `safe_line`; without joined emoji, whose width no two terminals agree on."""
    if text.isascii() and text.isprintable():
        return text
    return safe_line(text.translate(_UNSTEADY))


def steady_name(name: str, limit: int) -> str:
    """A name of at most `limit` columns, without what hides or joins."""
    shown = steady_line(name.replace("\u200c", "")).strip()
    return cut(shown, limit) or "?"


def width(text: str) -> int:
    """Columns."""
    return len(text) if text.isascii() else int(cell_len(text))


def isolated(text: str) -> str:
    """Text with right-to-left letters, kept from changing the order of what stands beside it on the row."""
    if text.isascii() or not any(map(_is_right_to_left, text)):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


def _is_right_to_left(character: str) -> bool:
    return character > "\u0590" and unicodedata.bidirectional(character) in _RIGHT_TO_LEFT


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """What must stay together, with its columns: characters with their marks, flags.

    Close to the grapheme clusters of UAX 29, for steady text.
    """
    start, columns, is_flag = 0, 0, False
    for index, character in enumerate(text):
        each = 1 if character.isascii() else get_character_cell_size(character)
        half = "\U0001f1e6" <= character <= "\U0001f1ff"
        if index > start and (each == 0 or (half and is_flag)):
            columns += each
            is_flag = False
            continue
        if index > start:
            yield text[start:index], columns
        start, columns, is_flag = index, each, half
    if text:
        yield text[start:], columns


def cut(text: str, limit: int) -> str:
    """At most `limit` columns, with … where something is left out."""
    if width(text) <= limit:
        return text
    shown, used = [], 0
    for cluster, columns in clusters(text):
        if used + columns > limit - 1:
            break
        shown.append(cluster)
        used += columns
    return "".join(shown) + "…" if limit > 0 else ""


def cut_inside(text: str, limit: int) -> str:
    """At most `limit` columns, with … instead of something in the middle: what tells names apart often stands last."""
    if width(text) <= limit:
        return text
    tail, used = [], 0
    for cluster, columns in reversed([*clusters(text)]):
        if used + columns > limit // 3:
            break
        tail.append(cluster)
        used += columns
    return cut(text, limit - used) + "".join(reversed(tail))


def wrapped(text: str, columns: int) -> list[str]:
    """Rows of at most so many columns, broken behind spaces where that is possible."""
    if width(text) <= columns:
        return [text]
    if text.isascii():
        return list(_wrapped_ascii(text, max(1, columns)))
    return list(_wrapped_clusters(text, max(2, columns)))


def _wrapped_ascii(text: str, columns: int) -> Iterator[str]:
    start = 0
    while len(text) - start > columns:
        end = text.rfind(" ", start + columns // 2, start + columns + 1) + 1
        end = end or start + columns
        yield text[start:end].rstrip()
        start = end
    yield text[start:]


def _wrapped_clusters(text: str, columns: int) -> Iterator[str]:
    row: list[str] = []
    used, space = 0, 0  # `space`: how many clusters of the row end with its last space
    for cluster, each in clusters(text):
        if used + each > columns and row:
            if cluster == " ":
                space = len(row)
            keep = space if space > len(row) // 2 else len(row)
            yield "".join(row[:keep]).rstrip()
            row = row[keep:]
            used, space = width("".join(row)), 0
            if cluster == " " and not row:
                continue
        row.append(cluster)
        used += each
        if cluster == " ":
            space = len(row)
    yield "".join(row)
