"""What the commands about people and their mailboxes mean: everything behind the first word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping

from p2pchat.cli.terminal.commands import (
    AddContact,
    AddMailbox,
    Command,
    Converse,
    Mistake,
    RemoveContact,
    RemoveMailbox,
    RenameContact,
    SetVerified,
    ShowContacts,
    ShowHistory,
    ShowMailboxes,
    ShowOwnLink,
    ShowSafetyNumber,
    Write,
)
from p2pchat.cli.terminal.help import HISTORY_LINES
from p2pchat.cli.terminal.parsing_rooms import read_archive
from p2pchat.node.protocol import names

MORE = "more"
LINK = "p2pchat:"  # what links begin with
HISTORY_MOST = 1000  # messages shown at most, which is what one page of the store holds
UNCLOSED = 'The closing quote is missing, e.g. /msg "Ann Lee" Hello.'
BAD_LIMIT = f"/history takes a number from 1 to {HISTORY_MOST:,}, e.g. /history 100."

# "Bob (…SxZBa1)" is how people are shown, so they are typed and copied that way.
_SHOWN = re.compile(r"(?:.*\s)?\(?(?:…|\.\.\.)(\w{6,})\)?", re.DOTALL)
_NUMBER = re.compile(r"-?\d+")
_VERDICTS: Mapping[str, bool] = {"yes": True, "no": False}


def read_msg(rest: str) -> Command:
    who, text = first_who(rest)
    if not who:
        return Mistake(
            text or "Who, and what? E.g. /msg Bob Hello. /contacts lists people to write to."
        )
    if not text:
        return Mistake(
            "What do you want to say? E.g. /msg Bob Hello. /dm Bob opens a conversation."
        )
    problem = names.text_problem(text)
    return Mistake(problem, is_text=True) if problem else Write(who, text)


def read_dm(rest: str) -> Command:
    if not rest:
        return Converse("")
    who, problem = only_who(rest)
    return Converse(who) if who else Mistake(problem)


def read_history(rest: str) -> Command:
    rest, more = _without_more(rest)
    who, _, last = rest.rpartition(" ")
    if not _NUMBER.fullmatch(last):
        who, last = rest, str(HISTORY_LINES)
    if not (last.isascii() and len(last) <= 9 and 1 <= int(last) <= HISTORY_MOST):
        return Mistake(BAD_LIMIT)
    if not more:
        who, more = _without_more(who)
    if not who:
        return ShowHistory(int(last), more=more)
    who, problem = only_who(who)
    return ShowHistory(int(last), who, more) if who else Mistake(problem)


def _without_more(rest: str) -> tuple[str, bool]:
    """Whether the last word is "more", which is no name unless it stands in quotes; and what is before it."""
    before, _, last = rest.strip().rpartition(" ")
    return (before.strip(), True) if last.lower() == MORE else (rest, False)


def read_verify(rest: str) -> Command:
    """ "yes" and "no" at the end are no part of a name, unless it stands in quotes."""
    before, _, last = rest.rpartition(" ")
    verdict = _VERDICTS.get(last.lower()) if before else None
    if not rest:
        return Mistake("Whom? E.g. /verify Bob shows the number, /verify Bob yes says it is right.")
    who, problem = only_who(rest if verdict is None else before)
    if not who:
        return Mistake(problem)
    return ShowSafetyNumber(who) if verdict is None else SetVerified(who, verdict)


def read_contact(rest: str) -> Command:
    return _subcommand("/contact", rest, _CONTACT) if rest else ShowContacts()


def read_mailbox(rest: str) -> Command:
    return _subcommand("/mailbox", rest, _MAILBOX) if rest else ShowMailboxes()


def _subcommand(
    command: str, rest: str, readers: Mapping[str, Callable[[str], Command]]
) -> Command:
    word, _, behind = rest.partition(" ")
    reader = readers.get(word.lower())
    if reader is not None:
        return reader(behind.strip())
    close = difflib.get_close_matches(word.lower(), readers, n=1)
    every = ", ".join(f"{command} {each}" for each in readers)
    hint = f"did you mean {command} {close[0]}?" if close else f"there is {every}."
    return Mistake(f"There is no {command} {word[:40]}; {hint}")


def _add_contact(rest: str) -> Command:
    who, name = first_who(rest)
    if not who:
        return Mistake(
            name or "Whom? E.g. /contact add p2pchat:... Bob, with the link that Bob gave you."
        )
    name = unquoted(name)
    problem = name and names.name_problem(name)
    return Mistake(problem) if problem else AddContact(who, name)


def _rename_contact(rest: str) -> Command:
    who, name = first_who(rest)
    if not who:
        return Mistake(name or "Whom, and to what? E.g. /contact rename Bob Robert.")
    name = unquoted(name)
    if not name:
        return Mistake("To what? E.g. /contact rename Bob Robert.")
    problem = names.name_problem(name)
    return Mistake(problem) if problem else RenameContact(who, name)


def _remove_contact(rest: str) -> Command:
    if not rest:
        return Mistake("Whom? E.g. /contact remove Bob.")
    who, problem = only_who(rest)
    return RemoveContact(who) if who else Mistake(problem)


def _own_link(rest: str) -> Command:
    return Mistake("/contact link takes nothing behind it.") if rest else ShowOwnLink()


def _add_mailbox(rest: str) -> Command:
    link = "".join(unquoted(rest).split())
    if not link:
        return Mistake("Which mailbox? E.g. /mailbox add p2pchat:..., with its link.")
    if not link.lower().startswith(LINK):
        return Mistake(f"A mailbox is added by its link, which begins with {LINK}")
    return AddMailbox(link)


def _list_mailboxes(rest: str) -> Command:
    return Mistake("/mailbox list takes nothing behind it.") if rest else ShowMailboxes()


def _remove_mailbox(rest: str) -> Command:
    if not rest:
        return Mistake("Which one? E.g. /mailbox remove 1, as /mailbox list counts them.")
    which, problem = only_who(rest)
    return RemoveMailbox(which) if which else Mistake(problem)


_CONTACT: Mapping[str, Callable[[str], Command]] = {
    "add": _add_contact,
    "rename": _rename_contact,
    "remove": _remove_contact,
    "link": _own_link,
}
_MAILBOX: Mapping[str, Callable[[str], Command]] = {
    "add": _add_mailbox,
    "list": _list_mailboxes,
    "remove": _remove_mailbox,
    "archive": read_archive,
}
CONTACT_WORDS = tuple(_CONTACT)
MAILBOX_WORDS = tuple(_MAILBOX)


# ---- naming people --------------------------------------------------------------------------------------


def first_who(rest: str) -> tuple[str, str]:
    """Who a command begins with, and the rest; without a who, the rest is the problem if there is one."""
    if rest.startswith('"'):
        quoted, closing, behind = rest[1:].partition('"')
        if not closing:
            return "", UNCLOSED
        return (_peer(quoted), behind.strip()) if quoted.strip() else ("", "")
    first, *others = rest.split(maxsplit=1) or [""]
    return _peer(first), others[0] if others else ""


def only_who(rest: str) -> tuple[str, str]:
    """Who the whole rest names, with or without quotes; or no who, and the problem."""
    who = unquoted(rest)
    if '"' in who[:1]:
        return "", UNCLOSED
    return _peer(who), "Who is meant? Between the quotes there is nothing."


def unquoted(text: str) -> str:
    text = text.strip()
    is_quoted = len(text) > 1 and text.startswith('"') and text.endswith('"')
    return text[1:-1].strip() if is_quoted else text


def _peer(who: str) -> str:
    if who.lower().startswith(LINK):
        return "".join(who.split())
    shown = _SHOWN.fullmatch(who)
    return shown[1] if shown else who.strip()
