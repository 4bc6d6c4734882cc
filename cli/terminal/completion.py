"""What the Tab key offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from p2pchat.cli.terminal.parsing import WORDS
from p2pchat.cli.terminal.parsing_people import CONTACT_WORDS, MAILBOX_WORDS, MORE
from p2pchat.cli.terminal.parsing_rooms import KEEP_WORDS

_BEFORE_ROOM = frozenset({"/join", "/leave", "/room", "/who", "/forget", "/mailbox archive"})
_BEFORE_PERSON = frozenset(
    {
        "/msg",
        "/send",
        "/dm",
        "/history",
        "/verify",
        "/block",
        "/unblock",
        "/mute",
        "/unmute",
        "/contact rename",
        "/contact remove",
    }
)
_SUBCOMMANDS = {"/contact": CONTACT_WORDS, "/mailbox": MAILBOX_WORDS}
_WORDS_BEHIND = {"/history": (MORE,), "/search": (MORE,), "/keep": KEEP_WORDS}


@dataclass(frozen=True, slots=True)
class Names:
    """What can stand behind a command. Only names that the owner chose or that are harmless."""

    rooms: Sequence[str] = ()
    people: Sequence[str] = ()


def completions(before: str, known: Names) -> Iterator[tuple[str, int]]:
    """What may stand at the end of the text before the cursor, and how many characters it replaces."""
    if not before.startswith("/"):
        return
    command, space, typed = before.partition(" ")
    if not space:
        yield from _fitting(before, WORDS)
        return
    yield from _fitting(typed, _WORDS_BEHIND.get(command, ()))
    if command == "/search":
        yield from _fitting(typed, (f"#{room}" for room in known.rooms))
    elif command in _BEFORE_ROOM:
        yield from _fitting(typed, known.rooms)
    elif command in _BEFORE_PERSON:
        yield from _fitting(typed, map(_written, known.people))
    elif command in _SUBCOMMANDS:
        word, space, behind = typed.partition(" ")
        if not space:
            yield from _fitting(typed, _SUBCOMMANDS[command])
        elif f"{command} {word}" in _BEFORE_PERSON:
            yield from _fitting(behind, map(_written, known.people))
        elif f"{command} {word}" in _BEFORE_ROOM:
            yield from _fitting(behind, known.rooms)


def _fitting(typed: str, choices: Iterable[str]) -> Iterator[tuple[str, int]]:
    wanted = typed.removeprefix('"').casefold()
    for choice in choices:
        if choice.removeprefix('"').casefold().startswith(wanted):
            yield choice, len(typed)


def _written(name: str) -> str:
    """As a command takes it: names with spaces in quotes."""
    return f'"{name}"' if " " in name else name
