"""`p2pchat contacts verify`."""

from __future__ import annotations

import pytest

from p2pchat.cli import contact_safety
from p2pchat.proto import control_pb2 as control
from tests.cli.commands import Commands, commands
from tests.cli.played_control import BOB

__all__ = ["commands"]

DIGITS = "".join(f"{number:05}" for number in range(12))


@pytest.fixture
def number(commands: Commands) -> control.GetSafetyNumberResponse:
    found = control.GetSafetyNumberResponse(peer=BOB, name="Bob", digits=DIGITS)
    commands.node.answers["GetSafetyNumber"] = found
    return found


def in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_safety, "_can_ask", lambda: True)


@pytest.mark.usefixtures("number")
@pytest.mark.parametrize(("answer", "code", "noted"), [("y", 0, True), ("n", 1, False)])
def test_verify_asks_whether_the_numbers_match(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, noted: bool
) -> None:
    in_a_terminal(monkeypatch)
    monkeypatch.setattr("typer.confirm", lambda _: answer == "y")
    done = commands.run("contacts", "verify", "Bob")
    assert done.code == code
    assert "    00000  00001  00002  00003\n    00004" in done.out
    [asked] = commands.node.questions(control.SetVerifiedRequest)
    assert (asked.who, asked.verified) == (BOB, noted)


@pytest.mark.usefixtures("number")
@pytest.mark.parametrize(("flag", "noted"), [("--matches", True), ("--yes", True), ("--no", False)])
def test_verify_without_a_question(commands: Commands, flag: str, noted: bool) -> None:
    done = commands.run("contacts", "verify", "Bob", flag, "--json")
    assert (done.code, done.json["digits"], done.json["verified"]) == (0, DIGITS, noted)
    [asked] = commands.node.questions(control.SetVerifiedRequest)
    assert asked.verified is noted


@pytest.mark.usefixtures("number")
def test_verify_only_shows_the_number_to_programs(commands: Commands) -> None:
    assert commands.run("contacts", "verify", "Bob", "--json").json["verified"] is False
    assert commands.node.questions(control.SetVerifiedRequest) == []
    assert commands.run("contacts", "verify", "Bob", "--yes", "--no").code == 2


@pytest.mark.usefixtures("number")
def test_verify_notes_nothing_when_nobody_answers(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_terminal(monkeypatch)
    assert commands.run("contacts", "verify", "Bob").code == 1
    assert commands.node.questions(control.SetVerifiedRequest) == []


@pytest.mark.usefixtures("number")
def test_verify_asks_nothing_where_there_is_no_terminal(commands: Commands) -> None:
    done = commands.run("contacts", "verify", "Bob", stdin=b"y\n")
    assert done.code == 0
    assert "00000  00001" in done.out
    assert "[y/N]" not in done.out + done.err
    assert done.err.startswith("p2pchat: Nothing is noted")
    assert commands.node.questions(control.SetVerifiedRequest) == []
