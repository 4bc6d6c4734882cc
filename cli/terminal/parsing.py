"""What a typed line means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from p2pchat.cli.terminal import parsing_files as files
from p2pchat.cli.terminal import parsing_messages as messages
from p2pchat.cli.terminal import parsing_people as people
from p2pchat.cli.terminal import parsing_rooms as rooms
from p2pchat.cli.terminal.commands import (
    Command,
    Examine,
    Mistake,
    Nothing,
    Quit,
    Rename,
    Say,
    ShowBlocked,
    ShowContacts,
    ShowFiles,
    ShowHelp,
    ShowInfo,
    ShowPeers,
    ShowRooms,
)
from p2pchat.cli.terminal.parsing_search import read_search
from p2pchat.node.protocol import names

SEVERAL_LINES = (
    "A command is one line. A text of several lines that begins with / is sent by writing // there."
)

Reader = Callable[[str], Command]


def parse(line: str) -> Command:
    """A text that begins with a slash is sent by writing two."""
    text = line.rstrip()
    if not text.strip():
        return Nothing()
    if text.startswith("//"):
        return _say(text[1:])
    if not text.startswith("/"):
        return _say(text)
    word, _, rest = text[1:].partition(" ")
    if "\n" in text and word.lower() not in _OF_SEVERAL_LINES:
        if people.LINK not in text:
            return Mistake(SEVERAL_LINES, is_text=True)
        rest = re.sub(r"\s*\n\s*", "", rest)  # a copied link that was shown in several rows
    return _READERS.get(word.lower(), _unknown(word))(rest.strip())


def _say(text: str) -> Command:
    problem = names.text_problem(text)
    return Mistake(problem, is_text=True) if problem else Say(text)


def _alone(command: Command, usage: str) -> Reader:
    def read(rest: str) -> Command:
        return Mistake(f"{usage} takes nothing behind it.") if rest else command

    return read


def _rename(rest: str) -> Command:
    if not rest:
        return Mistake("Which name? E.g. /name Ada.")
    problem = names.name_problem(rest)
    return Mistake(problem) if problem else Rename(rest)


def _unknown(word: str) -> Reader:
    def read(_: str) -> Command:
        close = difflib.get_close_matches(word.lower(), _READERS, n=1)
        hint = f"did you mean /{close[0]}?" if close else "/help lists the commands."
        return Mistake(
            f"There is no command /{word[:40]}; {hint} (To send a text that begins with /, write //.)"
        )

    return read


_READERS: dict[str, Reader] = {
    "help": _alone(ShowHelp(), "/help"),
    "peers": _alone(ShowPeers(), "/peers"),
    "name": _rename,
    "history": people.read_history,
    "search": read_search,
    "info": _alone(ShowInfo(), "/info"),
    "doctor": _alone(Examine(), "/doctor"),
    "join": rooms.read_join,
    "leave": rooms.read_leave,
    "rooms": _alone(ShowRooms(), "/rooms"),
    "room": rooms.read_switch,
    "who": rooms.read_who,
    "keep": rooms.read_keep,
    "forget": rooms.read_forget,
    "msg": people.read_msg,
    "dm": people.read_dm,
    "contacts": _alone(ShowContacts(), "/contacts"),
    "contact": people.read_contact,
    "verify": people.read_verify,
    "mailbox": people.read_mailbox,
    "send": files.read_send,
    "accept": files.read_accept,
    "decline": files.read_decline,
    "cancel": files.read_cancel,
    "files": _alone(ShowFiles(), "/files"),
    "edit": messages.read_edit,
    "retract": messages.read_retract,
    "delete": messages.read_delete,
    "block": messages.read_block,
    "unblock": messages.read_unblock,
    "blocked": _alone(ShowBlocked(), "/blocked"),
    "mute": messages.reader_of_mute(undo=False),
    "unmute": messages.reader_of_mute(undo=True),
    "quit": _alone(Quit(), "/quit"),
    "exit": _alone(Quit(), "/exit"),
}
_OF_SEVERAL_LINES = frozenset({"msg", "edit"})  # its text may have as many as it likes

WORDS = tuple(f"/{word}" for word in _READERS)
