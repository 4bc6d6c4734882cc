"""What the Tab key offers here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from p2pchat.cli.terminal.completion import Names, completions
from p2pchat.cli.tui.commands import THEMES, WORDS
from p2pchat.cli.tui.settings import NOTIFY
from p2pchat.cli.tui.state import ChatState

OFFERED_MOST = 50  # choices

_BEFORE_PERSON = ("/block", "/unblock")
_BEFORE_BOTH = ("/mute", "/unmute")
_BEFORE_TRANSFER = ("/accept", "/decline", "/cancel")
_BEHIND = {"/notify": NOTIFY, "/theme": THEMES}


def names(state: ChatState) -> Names:
    every = state.conversations.values()
    rooms = [each.status.conversation.room for each in every if each.is_room]
    people = [
        each.status.name
        for each in every
        if not each.is_room and not state.people.is_ambiguous(each.status.name)
    ]
    return Names(rooms, people)


def offered(before: str, known: Names, transfers: Sequence[str] = ()) -> list[tuple[str, int]]:
    """What may stand at the end of the text before the cursor, and how many characters it replaces."""
    found: dict[str, int] = {}
    for choice, replaced in (*_here(before, known, transfers), *completions(before, known)):
        found.setdefault(choice, replaced)
    return list(found.items())[:OFFERED_MOST]


def _here(before: str, known: Names, transfers: Sequence[str]) -> Iterator[tuple[str, int]]:
    command, space, typed = before.partition(" ")
    if not before.startswith("/"):
        yield from _mentions(before, known)
    elif not space:
        yield from _fitting(before, WORDS)
    elif command in _BEFORE_PERSON:
        yield from _fitting(typed, [_written(each) for each in known.people])
    elif command in _BEFORE_BOTH:
        rooms = [f"#{room}" for room in known.rooms]
        yield from _fitting(typed, [*rooms, *map(_written, known.people)])
    elif command in _BEFORE_TRANSFER:
        yield from _fitting(typed, transfers)
    else:
        yield from _fitting(typed, _BEHIND.get(command, ()))


def _mentions(before: str, known: Names) -> Iterator[tuple[str, int]]:
    """Names of people and rooms inside a text, once something of them is typed."""
    word = before.rpartition(" ")[2].rpartition("\n")[2]
    if not word:
        return
    if word.startswith("#"):
        yield from _fitting(word, [f"#{room}" for room in known.rooms])
        return
    sign = "@" if word.startswith("@") else ""
    for choice, _ in _fitting(word.removeprefix("@"), known.people):
        yield f"{sign}{choice}", len(word)


def _fitting(typed: str, choices: Sequence[str]) -> Iterator[tuple[str, int]]:
    wanted = typed.lstrip('"#').casefold()
    for choice in choices:
        if choice.lstrip('"#').casefold().startswith(wanted):
            yield choice, len(typed)


def _written(name: str) -> str:
    return f'"{name}"' if " " in name else name


@dataclass(slots=True)
class Completion:
    """A round through the choices: which one stands there, and how many characters it has taken."""

    choices: Sequence[str]
    replaced: int
    at: int = -1

    def step(self, by: int = 1) -> tuple[str, int]:
        """The next choice, and how many characters in front of the cursor it replaces."""
        replaced = self.replaced if self.at < 0 else len(self.choices[self.at])
        self.at = (
            (self.at + by) % len(self.choices)
            if self.at >= 0
            else (0 if by > 0 else len(self.choices) - 1)
        )
        return self.choices[self.at], replaced


def begin(before: str, known: Names, transfers: Sequence[str] = ()) -> Completion | None:
    """A single choice gets its space at once."""
    found = offered(before, known, transfers)
    if not found:
        return None
    replaced = found[0][1]
    choices = [choice for choice, each in found if each == replaced]
    if len(choices) == 1:
        choices = [f"{choices[0]} "]
    return Completion(choices, replaced)
