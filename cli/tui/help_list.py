"""The help of the screen: its keys, then every command; the palette offers the same commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from p2pchat.cli.terminal import help as line_help
from p2pchat.cli.tui.commands import HELP
from p2pchat.cli.tui.rows import Piece, Row, row

BESIDE = 52  # columns for what a key or a command does, beside it
KEYS = "Keys"

# What some commands of the line mode do here.
_HERE = {
    "/history [n]": f"to where the last n messages ({line_help.HISTORY_LINES}) here begin; page up reads on",
    "/history <peer> [n]": "to the person, and to where the last n messages begin",
    "/history [peer] more [n]": "n messages further up than what stands on the screen",
    "/search more": "the last search once more; going down past its end reads older ones",
    "/help": "this list; F1 shows and closes it, too",
    "/quit, /exit": "stop; so does ctrl+q, and ctrl+d where nothing is typed",
}

Group = tuple[str, Sequence[tuple[str, str]]]


class Listed(NamedTuple):
    """One command, as it is chosen from a list."""

    usage: str
    what: str
    typed: str  # what is put where one types; or is done at once, if it ends without a blank


def groups() -> list[Group]:
    """Keys first, then the commands: those of the line mode, and what is more here."""
    keys = [each for each in HELP if each[0] == KEYS]
    here = [each for each in HELP if each[0] != KEYS]
    lines = [
        (title, [(usage, _HERE.get(usage, what)) for usage, what in group])
        for title, group in line_help.HELP
    ]
    return [*keys, *lines, *here]


def rows(columns: int) -> Iterator[Row]:
    """What each does stands beside it, or on a narrow screen below it."""
    every = groups()
    usages = max(len(usage) for _, group in every for usage, _ in group)
    beside = columns >= usages + BESIDE
    for title, group in every:
        yield row(Piece(title, "hint"))
        for usage, what in group:
            name = Piece(f"  {usage:{usages if beside else 0}}", "strong")
            yield row(name, Piece(f"  {what}", "text")) if beside else row(name)
            if not beside:
                yield row(Piece(f"      {what}", "dim"))
        yield Row()
    yield from (row(Piece(text, "dim")) for text in line_help.NOTES)


def commands() -> Iterator[Listed]:
    """Each once: the first way in which it is written."""
    seen = set()
    for title, group in groups():
        for usage, what in () if title == KEYS else group:
            for each in usage.split(", "):
                words = _words(each)
                if words and words not in seen:
                    seen.add(words)
                    yield Listed(each, what, words if words == each else f"{words} ")


def _words(usage: str) -> str:
    """`/contact add` of `/contact add <link or peer> [name]`; empty for what is no command."""
    known = []
    for word in usage.split():
        if not word.removeprefix("/").isalpha():
            break
        known.append(word)
    return " ".join(known) if usage.startswith("/") and not usage.startswith("//") else ""
