from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from p2pchat.cli.terminal.parsing import parse

LINK = "p2pchat:peer/12D3KooW?a=/ip4/1.2.3.4/tcp/1"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/msg Bob Hello there", Write("Bob", "Hello there")),
        ('/msg "Ann Lee" Hello', Write("Ann Lee", "Hello")),
        ('/msg "Ann" "Hello"', Write("Ann", '"Hello"')),
        ("/msg Bob one\ntwo\n  three", Write("Bob", "one\ntwo\n  three")),
        ("/msg Bob /help", Write("Bob", "/help")),
        ("/msg …SxZBa1 Hi", Write("SxZBa1", "Hi")),
        ("/msg (…SxZBa1) Hi", Write("SxZBa1", "Hi")),
        ("/msg ...SxZBa1 Hi", Write("SxZBa1", "Hi")),
        ("/msg …no Hi", Write("…no", "Hi")),  # too short for a peer id: a name
        (f"/msg {LINK} Hi", Write(LINK, "Hi")),
        ("/dm", Converse("")),
        ("/dm Bob", Converse("Bob")),
        ("/dm Ann Lee", Converse("Ann Lee")),
        ('/dm "Ann Lee"', Converse("Ann Lee")),
        ("/dm Bob (…SxZBa1)", Converse("SxZBa1")),
        (f"/dm {LINK[:20]}\n  {LINK[20:30]}\n{LINK[30:]}", Converse(LINK)),
        ("/verify Bob", ShowSafetyNumber("Bob")),
        ("/verify Ann Lee", ShowSafetyNumber("Ann Lee")),
        ("/verify Bob yes", SetVerified("Bob", True)),
        ("/verify Ann Lee NO", SetVerified("Ann Lee", False)),
        ("/verify …SxZBa1 yes", SetVerified("SxZBa1", True)),
        ('/verify "Say yes" no', SetVerified("Say yes", False)),
        ('/verify "Say yes"', ShowSafetyNumber("Say yes")),
        ("/verify yes", ShowSafetyNumber("yes")),
        ("/contacts", ShowContacts()),
        ("/contact", ShowContacts()),
        (f"/contact add {LINK}", AddContact(LINK)),
        (f"/contact add {LINK} Ann Lee", AddContact(LINK, "Ann Lee")),
        (f"/contact add {LINK[:20]}\n{LINK[20:]} Bob", AddContact(LINK, "Bob")),
        ('/contact add "Ann Lee" "Ann"', AddContact("Ann Lee", "Ann")),
        ("/contact rename Bob Robert B.", RenameContact("Bob", "Robert B.")),
        ('/contact rename "Ann Lee" "Ann"', RenameContact("Ann Lee", "Ann")),
        ("/contact REMOVE Ann Lee", RemoveContact("Ann Lee")),
        ("/contact link", ShowOwnLink()),
        ("/mailbox", ShowMailboxes()),
        ("/mailbox list", ShowMailboxes()),
        ("/mailbox add p2pchat:mailbox/x?t=1", AddMailbox("p2pchat:mailbox/x?t=1")),
        ("/mailbox add p2pchat:mail\n box/x ?t=1", AddMailbox("p2pchat:mailbox/x?t=1")),
        ("/mailbox remove 2", RemoveMailbox("2")),
        ("/mailbox remove (…SxZBa1)", RemoveMailbox("SxZBa1")),
        ("/history Bob", ShowHistory(50, "Bob")),
        ("/history Bob 7", ShowHistory(7, "Bob")),
        ("/history Ann Lee 7", ShowHistory(7, "Ann Lee")),
        ("/history Bob more", ShowHistory(50, "Bob", more=True)),
        ("/history Ann Lee more 7", ShowHistory(7, "Ann Lee", more=True)),
        ("/history Bob 7 more", ShowHistory(7, "Bob", more=True)),
        ('/history "more"', ShowHistory(50, "more")),
        ('/history "Ann 7"', ShowHistory(50, "Ann 7")),
        ('/history "Ann 7" 8', ShowHistory(8, "Ann 7")),
    ],
)
def test_lines_and_what_they_mean(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("/msg", "/msg Bob Hello"),
        ("/msg Bob", "What do you want to say?"),
        ('/msg "Ann Lee', "closing quote"),
        ('/msg "" Hello', "/msg Bob Hello"),
        ("/msg Bob " + "x" * 65_537, "65,536"),
        ('/dm "Ann', "closing quote"),
        ('/dm ""', "nothing"),
        ("/dm Bob\nHello", "A command is one line."),
        ("/history Bob 0", "1 to 1,000"),
        ("/history Bob 1001", "1 to 1,000"),
        ("/contacts all", "nothing"),
        ("/contact ad Bob", "did you mean /contact add?"),
        ("/contact Bob", "/contact rename"),
        ("/contact " + "x" * 300, "There is no /contact xxx"),
        ("/contact add", "the link that Bob gave you"),
        ("/contact add Bob " + "x" * 33, "at most 32"),
        ("/contact rename", "/contact rename Bob Robert"),
        ("/contact rename Bob", "To what?"),
        ("/contact rename Bob a\x1bb", "control"),
        ("/contact remove", "/contact remove Bob"),
        ("/contact link me", "nothing"),
        ("/mailbox ad x", "did you mean /mailbox add?"),
        ("/mailbox add", "with its link"),
        ("/mailbox add Bob", "begins with p2pchat:"),
        ("/mailbox list all", "nothing"),
        ("/mailbox remove", "/mailbox list"),
        ("/mailboxes", "did you mean /mailbox?"),
    ],
)
def test_mistakes_say_what_to_do(line: str, part: str) -> None:
    command = parse(line)
    assert isinstance(command, Mistake)
    assert part in command.problem
    assert len(command.problem) < 200
    assert "\n" not in command.problem


@given(st.sampled_from(["msg", "dm", "history", "contact add", "contact rename"]), st.text())
def test_everything_behind_a_command_means_something(word: str, rest: str) -> None:
    assert isinstance(parse(f"/{word} {rest}"), Command)
