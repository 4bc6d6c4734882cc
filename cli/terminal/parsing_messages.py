"""What the commands about single messages, and about hearing less of somebody, mean: what stands behind the word."""

from __future__ import annotations

from collections.abc import Callable

from p2pchat.cli.terminal.commands import (
    Block,
    Command,
    DeleteMessage,
    EditMessage,
    Mistake,
    Mute,
    RetractMessage,
)
from p2pchat.cli.terminal.parsing_people import only_who
from p2pchat.node.protocol import names

MOST = 99  # how far back a message is counted

EDIT = (
    "What shall it say? E.g. /edit It is at nine. For an earlier one of yours: /edit 2 It is at nine. "
    "A text that begins with a number is written /edit 1 9 boats."
)
RETRACT = f"Which one, counted from the last of yours? A number from 1 to {MOST}, e.g. /retract 2."
DELETE = f"Which one, counted from the last? A number from 1 to {MOST}, e.g. /delete 1."


def read_edit(rest: str) -> Command:
    first, _, behind = rest.partition(" ")
    nth = _nth(first)
    text = behind.strip() if nth else rest
    if not text:
        return Mistake(EDIT)
    problem = names.text_problem(text)
    return Mistake(problem, is_text=True) if problem else EditMessage(text, nth or 1)


def read_retract(rest: str) -> Command:
    nth = _nth(rest or "1")
    return RetractMessage(nth) if nth else Mistake(RETRACT)


def read_delete(rest: str) -> Command:
    nth = _nth(rest)
    return DeleteMessage(nth) if nth else Mistake(DELETE)


def read_block(rest: str) -> Command:
    if not rest:
        return Mistake("Whom? E.g. /block Bob. /blocked lists whom you have blocked.")
    who, problem = only_who(rest)
    return Block(who) if who else Mistake(problem)


def read_unblock(rest: str) -> Command:
    if not rest:
        return Mistake("Whom? E.g. /unblock Bob. /blocked lists whom you have blocked.")
    who, problem = only_who(rest)
    return Block(who, undo=True) if who else Mistake(problem)


def reader_of_mute(*, undo: bool) -> Callable[[str], Command]:
    """A room is written with its #; nothing: what is open."""

    def read(rest: str) -> Command:
        if rest.startswith("#"):
            return Mute(room=rest[1:], undo=undo) if rest[1:] else Mistake("Which room?")
        if not rest:
            return Mute(undo=undo)
        who, problem = only_who(rest)
        return Mute(who=who, undo=undo) if who else Mistake(problem)

    return read


def _nth(word: str) -> int:
    """0: it is no such number."""
    is_number = word.isascii() and word.isdigit() and len(word) <= 2
    return int(word) if is_number else 0
