import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.cli.terminal import parsing
from p2pchat.cli.terminal.commands import (
    ArchiveRoom,
    Command,
    Examine,
    ForgetRoom,
    Join,
    KeepRoom,
    Leave,
    Mistake,
    Nothing,
    Quit,
    Rename,
    Say,
    ShowHelp,
    ShowHistory,
    ShowInfo,
    ShowMembers,
    ShowPeers,
    ShowRooms,
    Switch,
)
from p2pchat.cli.terminal.help import HELP
from p2pchat.cli.terminal.parsing import parse


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", Nothing()),
        (" \t ", Nothing()),
        ("hello", Say("hello")),
        ("  indented", Say("  indented")),
        ("trailing  \n", Say("trailing")),
        ("two\nlines", Say("two\nlines")),
        ("//shrug", Say("/shrug")),
        ("/help", ShowHelp()),
        ("/HELP ", ShowHelp()),
        ("/peers", ShowPeers()),
        ("/info", ShowInfo()),
        ("/doctor", Examine()),
        ("/rooms", ShowRooms()),
        ("/room", ShowRooms()),
        ("/room garden", Switch("garden")),
        ("/room #garden", Switch("garden")),
        ("/history", ShowHistory(50)),
        ("/history 7", ShowHistory(7)),
        ("/history 1000", ShowHistory(1000)),
        ("/name Ada Lovelace", Rename("Ada Lovelace")),
        ("/join garden", Join("garden")),
        ("/join garden --plain", Join("garden", plain=True)),
        ("/join --plain #garden", Join("garden", plain=True)),
        ("/history more", ShowHistory(50, more=True)),
        ("/history MORE 7", ShowHistory(7, more=True)),
        ("/history 7 more", ShowHistory(7, more=True)),
        ("/who", ShowMembers("")),
        ("/who #garden", ShowMembers("garden")),
        ("/keep 30", KeepRoom(30)),
        ("/keep Forever #garden", KeepRoom(0, "garden")),
        ("/keep default garden", KeepRoom(None, "garden")),
        ("/forget #garden", ForgetRoom("garden")),
        ("/mailbox archive #garden", ArchiveRoom("garden")),
        ("/mailbox archive garden STOP", ArchiveRoom("garden", stop=True)),
        ("/leave", Leave("")),
        ("/leave garden", Leave("garden")),
        ("/quit", Quit()),
        ("/exit", Quit()),
    ],
)
def test_lines_and_what_they_mean(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("/hsitory", "/history"),
        ("/nmae Bob", "/name"),
        ("/xyzzy", "/help"),
        ("/", "/help"),
        ("/usr/bin/env is a path", "//"),
        ("/history 0", "1 to 1,000"),
        ("/history 1001", "1 to 1,000"),
        ("/history -1", "1 to 1,000"),
        ("/history 9999999999999999999999", "1 to 1,000"),
        ("/history ٣", "1 to 1,000"),
        ("/who two rooms", "cannot contain spaces"),
        ("/keep", "1 to 36,500, or forever"),
        ("/keep 0", "1 to 36,500, or forever"),
        ("/keep 36501", "1 to 36,500, or forever"),
        ("/keep ٣", "1 to 36,500, or forever"),
        ("/keep always", "1 to 36,500, or forever"),
        ("/keep garden 30", "1 to 36,500, or forever"),
        ("/keep 30 two rooms", "cannot contain spaces"),
        ("/forget", "others keep theirs"),
        ("/forget two rooms", "cannot contain spaces"),
        ("/mailbox archive", "/mailbox archive lobby stop"),
        ("/mailbox archive garden now", "can only stand stop"),
        ("/mailbox archive " + "x" * 65, "at most 64"),
        ("/name", "/name Ada"),
        ("/name " + "x" * 33, "at most 32"),
        ("/name a\x1b[31m", "control"),
        ("/join", "/join lobby"),
        ("/join two rooms", "Room names have no spaces"),
        ("/join garden --plian", "no option --plian; did you mean --plain?"),
        ("/join garden --xyzzy", "no option --xyzzy; there is --plain."),
        ("/join garden --" + "x" * 300, "there is --plain."),
        ("/join --plain", "/join lobby"),
        ("/etc/hosts\n127.0.0.1 localhost\n::1", "A command is one line."),
        ("/join lobby\n/peers", "A command is one line."),
        ("/join " + "x" * 65, "at most 64"),
        ("/room a\x07b", "control"),
        ("/help me", "nothing"),
        ("x" * 65_537, "65,536"),
        ("/" + "/" + "x" * 65_536, "65,536"),
    ],
)
def test_mistakes_say_what_to_do(line: str, part: str) -> None:
    command = parse(line)
    assert isinstance(command, Mistake)
    assert part in command.problem
    assert len(command.problem) < 200
    assert "\n" not in command.problem


def test_the_longest_text_is_sent() -> None:
    assert parse("x" * 65_536) == Say("x" * 65_536)


def test_every_command_is_explained() -> None:
    explained = " ".join(usage for _, group in HELP for usage, _ in group)
    assert all(word in explained for word in parsing.WORDS)


@given(st.text())
def test_every_line_means_something(line: str) -> None:
    assert isinstance(parse(line), Command)
