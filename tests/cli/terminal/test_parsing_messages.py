from __future__ import annotations

import pytest

from p2pchat.cli.terminal.commands import (
    Block,
    Command,
    DeleteMessage,
    EditMessage,
    Mistake,
    Mute,
    RetractMessage,
    ShowBlocked,
)
from p2pchat.cli.terminal.parsing import parse


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/edit It is at nine", EditMessage("It is at nine")),
        ("/edit 2 It is at nine", EditMessage("It is at nine", 2)),
        ("/edit 1 9 boats", EditMessage("9 boats")),
        ("/edit 100 boats", EditMessage("100 boats")),
        ("/edit one\ntwo", EditMessage("one\ntwo")),
        ("/retract", RetractMessage()),
        ("/retract 3", RetractMessage(3)),
        ("/delete 1", DeleteMessage(1)),
        ("/block Bob", Block("Bob")),
        ('/block "Ann Lee"', Block("Ann Lee")),
        ("/unblock …SxZBa1", Block("SxZBa1", undo=True)),
        ("/blocked", ShowBlocked()),
        ("/mute", Mute()),
        ("/mute #den", Mute(room="den")),
        ("/unmute Ann Lee", Mute(who="Ann Lee", undo=True)),
        ("/unmute #den", Mute(room="den", undo=True)),
    ],
)
def test_what_they_mean(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/edit", "What shall it say?"),
        ("/edit 2", "What shall it say?"),
        ("/edit " + "x" * 70_000, "65,536"),
        ("/retract 0", "from 1 to 99"),
        ("/retract Bob", "from 1 to 99"),
        ("/delete", "from 1 to 99"),
        ("/delete ²", "from 1 to 99"),
        ("/block", "Whom?"),
        ("/unblock", "Whom?"),
        ('/block "Ann', "closing quote"),
        ("/mute #", "Which room?"),
        ("/blocked Bob", "takes nothing"),
    ],
)
def test_what_is_wrong_with_others(line: str, words: str) -> None:
    command = parse(line)
    assert isinstance(command, Mistake)
    assert words in command.problem
