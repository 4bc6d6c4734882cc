"""What can be typed here besides what the line mode understands, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from p2pchat.cli.terminal import parsing
from p2pchat.cli.terminal.commands import Command as LineCommand
from p2pchat.cli.terminal.commands import Mistake
from p2pchat.cli.tui.settings import NOTIFY, Notify

THEMES = ("dark", "light")


@dataclass(frozen=True, slots=True)
class EditLast:
    """The last own message is put where one types."""


@dataclass(frozen=True, slots=True)
class BlockHere:
    """The person of the open conversation."""

    undo: bool = False


@dataclass(frozen=True, slots=True)
class VerifyHere:
    """Shows the safety number with the person of the open conversation."""


@dataclass(frozen=True, slots=True)
class SetNotify:
    how: Notify | None  # None: say how it is


@dataclass(frozen=True, slots=True)
class SetTheme:
    name: str  # empty: the other one


Command = LineCommand | EditLast | BlockHere | VerifyHere | SetNotify | SetTheme


def parse(line: str) -> Command:
    text = line.strip()
    if text.lower() in _ALONE:
        return _ALONE[text.lower()]
    word, _, rest = text.partition(" ")
    reader = _READERS.get(word.lower())
    return reader(rest.strip()) if reader else parsing.parse(line)


def _notify(rest: str) -> Command:
    if not rest:
        return SetNotify(None)
    for how in NOTIFY:
        if rest.lower() == how:
            return SetNotify(how)
    return Mistake(f"/notify takes one of {', '.join(NOTIFY)}.")


def _theme(rest: str) -> Command:
    wanted = rest.lower()
    return SetTheme(wanted) if wanted in ("", *THEMES) else Mistake("/theme takes dark or light.")


# Commands of the line mode that need nothing behind them here.
_ALONE: dict[str, Command] = {
    "/edit": EditLast(),
    "/block": BlockHere(),
    "/unblock": BlockHere(undo=True),
    "/verify": VerifyHere(),
}
_READERS: dict[str, Callable[[str], Command]] = {"/notify": _notify, "/theme": _theme}
WORDS = tuple(sorted({*parsing.WORDS, *_READERS}))

HELP = (
    (
        "Only on this screen",
        (
            ("/edit", "your last message, put where you type"),
            ("/block, /unblock, /verify", "alone: the person of this conversation"),
            ("/notify bell|desktop|off", "when something comes while you look elsewhere"),
            ("/theme dark|light", "the colours; also ctrl+t"),
        ),
    ),
    (
        "Keys",
        (
            ("f1", "this help, and away with it"),
            ("tab", "complete a command, a name or a room"),
            ("alt+enter, ctrl+j", "a new line in what you write"),
            ("up, down", "what you wrote before"),
            ("alt+up, alt+down", "the conversation above or below; alt+a: the next unread one"),
            ("page up, page down, wheel", "older and newer messages; escape: to the bottom"),
            ("ctrl+f", "search"),
            ("ctrl+b, ctrl+o", "show or hide the list, and who is there"),
            ("ctrl+g", "show all of a long message, or less of it again"),
            ("ctrl+p", "every command by name"),
            ("ctrl+t", "light or dark"),
            ("ctrl+q", "quit"),
        ),
    ),
)
