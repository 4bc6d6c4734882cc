"""What the commands about rooms mean: everything behind the first word."""

from __future__ import annotations

import difflib

from p2pchat.cli.terminal.commands import (
    ArchiveRoom,
    Command,
    ForgetRoom,
    Join,
    KeepRoom,
    Leave,
    Mistake,
    ShowMembers,
    ShowRooms,
    Switch,
)
from p2pchat.node.protocol import names

JOIN_OPTIONS = ("--plain",)
KEEP_WORDS = ("forever", "default")
MOST_DAYS = 36_500  # a hundred years
BAD_DAYS = (
    f"/keep takes a number of days from 1 to {MOST_DAYS:,}, or forever, or default, e.g. /keep 30."
)


def read_join(rest: str) -> Command:
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    rooms = [names.bare_room(word) for word in words if word not in options]
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


def read_switch(rest: str) -> Command:
    if not rest:
        return ShowRooms()
    problem = names.room_problem(names.bare_room(rest))
    return Mistake(problem) if problem else Switch(names.bare_room(rest))


def read_leave(rest: str) -> Command:
    return Leave(names.bare_room(rest))


def read_who(rest: str) -> Command:
    problem = rest and names.room_problem(names.bare_room(rest))
    return Mistake(problem) if problem else ShowMembers(names.bare_room(rest))


def read_keep(rest: str) -> Command:
    how, _, room = rest.partition(" ")
    room = names.bare_room(room.strip())
    days = _days(how.lower())
    if days == -1:
        return Mistake(BAD_DAYS)
    problem = room and names.room_problem(room)
    return Mistake(problem) if problem else KeepRoom(days, room)


def _days(how: str) -> int | None:
    """As in `KeepRoom`; -1: it means nothing."""
    if how in KEEP_WORDS:
        return 0 if how == "forever" else None
    is_number = how.isascii() and how.isdigit() and len(how) <= len(str(MOST_DAYS))
    return int(how) if is_number and 1 <= int(how) <= MOST_DAYS else -1


def read_forget(rest: str) -> Command:
    """The name is typed out also for the current room: what is deleted does not come back."""
    if not rest:
        return Mistake(
            "Which room? /forget <room> deletes for good what is kept of it here; others keep theirs."
        )
    problem = names.room_problem(names.bare_room(rest))
    return Mistake(problem) if problem else ForgetRoom(names.bare_room(rest))


def read_archive(rest: str) -> Command:
    """Behind /mailbox archive."""
    room, _, word = rest.partition(" ")
    if not room:
        return Mistake(
            "Which room? E.g. /mailbox archive lobby, and /mailbox archive lobby stop to end that."
        )
    if word.strip().lower() not in ("", "stop"):
        return Mistake(
            "Behind the room's name can only stand stop, e.g. /mailbox archive lobby stop."
        )
    problem = names.room_problem(names.bare_room(room))
    return (
        Mistake(problem) if problem else ArchiveRoom(names.bare_room(room), stop=bool(word.strip()))
    )
