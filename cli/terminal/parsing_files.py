"""What the commands about files mean: everything behind the first word."""

from __future__ import annotations

from collections.abc import Callable

from p2pchat.cli.terminal import parsing_people as people
from p2pchat.cli.terminal.commands import (
    AcceptFile,
    CancelFile,
    Command,
    DeclineFile,
    Mistake,
    SendFile,
)

WHICH_DIGITS = 32  # of a whole id


def read_send(rest: str) -> Command:
    """A path, or somebody and a path: which of them is seen where the files are."""
    if not rest:
        return Mistake("Which file? E.g. /send ~/photo.jpg, or /send Bob ~/photo.jpg.")
    who, path = people.first_who(rest)
    return SendFile(
        whole=people.unquoted(rest), who=who if path else "", path=people.unquoted(path)
    )


def _which(command: Callable[[str], Command], usage: str) -> Callable[[str], Command]:
    def read(rest: str) -> Command:
        which = rest.lower().removeprefix("…")
        is_id = len(which) <= WHICH_DIGITS and all(c in "0123456789abcdef" for c in which)
        if not is_id:
            return Mistake(f"{usage} takes the id of a file as /files shows it, or the end of it.")
        return command(which)

    return read


read_accept = _which(AcceptFile, "/accept")
read_decline = _which(DeclineFile, "/decline")
read_cancel = _which(CancelFile, "/cancel")
