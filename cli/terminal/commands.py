"""What a typed line means."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from p2pchat.node.protocol import names

HISTORY_LINES = 50  # messages shown by /history alone
HISTORY_MOST = 1000  # messages shown at most, which is what one page of the store holds
JOIN_OPTIONS = ("--plain",)
SEVERAL_LINES = (
    "A command is one line. A text of several lines that begins with / is sent by writing // there."
)


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class ShowHelp:
    pass


@dataclass(frozen=True, slots=True)
class ShowPeers:
    pass


@dataclass(frozen=True, slots=True)
class ShowInfo:
    pass


@dataclass(frozen=True, slots=True)
class ShowRooms:
    pass


@dataclass(frozen=True, slots=True)
class ShowHistory:
    limit: int


@dataclass(frozen=True, slots=True)
class Rename:
    name: str


@dataclass(frozen=True, slots=True)
class Join:
    room: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    room: str


@dataclass(frozen=True, slots=True)
class Leave:
    room: str  # empty: the current one


@dataclass(frozen=True, slots=True)
class Quit:
    pass


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that cannot be carried out, and a sentence that says why."""

    problem: str
    is_text: bool = False  # somebody wrote it to be read: worth mending


Command = (
    Nothing
    | Say
    | ShowHelp
    | ShowPeers
    | ShowInfo
    | ShowRooms
    | ShowHistory
    | Rename
    | Join
    | Switch
    | Leave
    | Quit
    | Mistake
)


def parse(line: str) -> Command:
    """A text that begins with a slash is sent by writing two."""
    text = line.rstrip()
    if not text.strip():
        return Nothing()
    if text.startswith("//"):
        return _say(text[1:])
    if not text.startswith("/"):
        return _say(text)
    if "\n" in text:
        return Mistake(SEVERAL_LINES, is_text=True)
    word, _, rest = text[1:].partition(" ")
    return _READERS.get(word.lower(), _unknown(word))(rest.strip())


def _say(text: str) -> Command:
    problem = names.text_problem(text)
    return Mistake(problem, is_text=True) if problem else Say(text)


def _alone(command: Command, usage: str) -> Callable[[str], Command]:
    def read(rest: str) -> Command:
        return Mistake(f"{usage} takes nothing behind it.") if rest else command

    return read


def _history(rest: str) -> Command:
    if not rest:
        return ShowHistory(HISTORY_LINES)
    is_number = rest.isascii() and rest.isdigit() and len(rest) <= 9
    if not is_number or not 1 <= int(rest) <= HISTORY_MOST:
        return Mistake(f"/history takes a number from 1 to {HISTORY_MOST:,}, e.g. /history 100.")
    return ShowHistory(int(rest))


def _rename(rest: str) -> Command:
    if not rest:
        return Mistake("Which name? E.g. /name Ada.")
    problem = names.name_problem(rest)
    return Mistake(problem) if problem else Rename(rest)


def _join(rest: str) -> Command:
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    rooms = [_bare(word) for word in words if word not in options]
    problem = next((_no_option(each) for each in options if each not in JOIN_OPTIONS), None)
    problem = problem or _not_one_room(rooms) or names.room_problem(rooms[0])
    return Mistake(problem) if problem else Join(rooms[0], plain=bool(options))


def _no_option(option: str) -> str:
    close = difflib.get_close_matches(option, JOIN_OPTIONS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(JOIN_OPTIONS)}."
    return f"/join has no option {option[:40]}; {hint}"


def _not_one_room(rooms: list[str]) -> str | None:
    if not rooms:
        return "Which room? E.g. /join lobby, or /join lobby --plain."
    if len(rooms) > 1:
        return "Room names have no spaces; join one room at a time, e.g. /join lobby."
    return None


def _switch(rest: str) -> Command:
    if not rest:
        return ShowRooms()
    problem = names.room_problem(_bare(rest))
    return Mistake(problem) if problem else Switch(_bare(rest))


def _leave(rest: str) -> Command:
    return Leave(_bare(rest))


def _bare(room: str) -> str:
    """Rooms are shown as #room, so people type them that way."""
    return room[1:] if room.startswith("#") and len(room) > 1 else room


def _unknown(word: str) -> Callable[[str], Command]:
    def read(_: str) -> Command:
        close = difflib.get_close_matches(word.lower(), _READERS, n=1)
        hint = f"did you mean /{close[0]}?" if close else "/help lists the commands."
        return Mistake(
            f"There is no command /{word[:40]}; {hint} (To send a text that begins with /, write //.)"
        )

    return read


_READERS: dict[str, Callable[[str], Command]] = {
    "help": _alone(ShowHelp(), "/help"),
    "peers": _alone(ShowPeers(), "/peers"),
    "name": _rename,
    "history": _history,
    "info": _alone(ShowInfo(), "/info"),
    "join": _join,
    "leave": _leave,
    "rooms": _alone(ShowRooms(), "/rooms"),
    "room": _switch,
    "quit": _alone(Quit(), "/quit"),
    "exit": _alone(Quit(), "/exit"),
}

WORDS = tuple(f"/{word}" for word in _READERS)
ROOM_WORDS = frozenset({"/join", "/leave", "/room"})  # what a room's name follows

HELP = (
    ("/help", "this list"),
    ("/peers", "who is connected, and who is in this room"),
    ("/name <name>", "call yourself something else"),
    ("/history [n]", f"the last n messages of this room ({HISTORY_LINES})"),
    ("/info", "how this node is doing"),
    ("/join <room> [--plain]", "join a room and go there; --plain: raw text, for other programs"),
    ("/room <room>", "go to a room that you have joined"),
    ("/leave [room]", "leave this room, or another one"),
    ("/rooms", "the rooms you have joined"),
    ("/quit, /exit", "stop; so do Ctrl-D, and Ctrl-C on an empty line"),
    ("//text", "send a text that begins with a slash"),
)
