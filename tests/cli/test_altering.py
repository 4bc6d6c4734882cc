"""Edits, retractions, deletions and mutes by command."""

from __future__ import annotations

from typing import Any

import pytest

from p2pchat.proto import control_pb2 as control
from tests.cli.commands import EVIL, Commands, commands
from tests.cli.played_control import BOB, ME, in_room

__all__ = ["commands"]

ID = f"{7:032x}"
LOBBY = control.Conversation(room="lobby")
WITH_BOB = control.Conversation(peer=BOB)
AT = ["--room", "lobby"]


@pytest.fixture
def knowing_bob(commands: Commands) -> Commands:
    commands.node.answers["ResolvePeer"] = control.ResolvePeerResponse(peer=BOB, name="Bob")
    return commands


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (
            ["edit", *AT, ID, "at", "nine"],
            control.EditMessageRequest(conversation=LOBBY, id=ID, text="at nine"),
        ),
        (["retract", *AT, ID], control.RetractMessageRequest(conversation=LOBBY, id=ID)),
        (
            ["retract", "--with", "Bob", ID],
            control.RetractMessageRequest(conversation=WITH_BOB, id=ID),
        ),
        (
            ["delete", *AT, ID, "--by", BOB],
            control.DeleteMessageRequest(conversation=LOBBY, sender=BOB, id=ID),
        ),
        (["rooms", "mute", "lobby"], control.MuteRequest(conversation=LOBBY, muted=True)),
        (["rooms", "unmute", "lobby"], control.MuteRequest(conversation=LOBBY)),
        (["contacts", "mute", "Bob"], control.MuteRequest(conversation=WITH_BOB, muted=True)),
        (["contacts", "unmute", "Bob"], control.MuteRequest(conversation=WITH_BOB)),
    ],
    ids=lambda each: " ".join(each[:2]) if isinstance(each, list) else "",
)
def test_a_command_asks_for_what_it_says(
    knowing_bob: Commands, words: list[str], request_: Any
) -> None:
    done = knowing_bob.run(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out
    assert knowing_bob.node.asked[-1] == request_
    assert knowing_bob.run(*words, "--json").json == {}


def test_the_new_text_may_come_from_standard_input(commands: Commands) -> None:
    assert commands.run("edit", *AT, ID, stdin=b"two\nlines\n").code == 0
    [asked] = commands.node.questions(control.EditMessageRequest)
    assert asked.text == "two\nlines"


def test_who_has_written_what_is_deleted_is_looked_up_page_by_page(commands: Commands) -> None:
    newer = control.ReadHistoryResponse(messages=[in_room("x", 8)], cursor="more")
    older = control.ReadHistoryResponse(messages=[in_room("y", 7, sender=BOB)])
    commands.node.answers["ReadHistory"] = lambda asked: older if asked.before else newer
    assert commands.run("delete", *AT, ID.upper()).code == 0
    [asked] = commands.node.questions(control.DeleteMessageRequest)
    assert asked.sender == BOB


def test_of_two_with_one_id_none_is_deleted_unasked(commands: Commands) -> None:
    both = [in_room("x", 7, sender=BOB), in_room("y", 7, sender=ME)]
    commands.node.answers["ReadHistory"] = control.ReadHistoryResponse(messages=both)
    done = commands.run("delete", *AT, ID)
    assert (done.code, done.out) == (1, "")
    assert "--by" in done.err
    assert not commands.node.questions(control.DeleteMessageRequest)


def test_what_is_not_there_is_not_deleted(commands: Commands) -> None:
    done = commands.run("delete", *AT, ID)
    assert (done.code, done.err) == (1, "p2pchat: There is no message with that id.\n")


@pytest.mark.parametrize("command", ["edit", "retract", "delete"])
@pytest.mark.parametrize("where", [[], ["--room", "a", "--with", "b"]])
def test_bad_use(commands: Commands, command: str, where: list[str]) -> None:
    done = commands.run(command, *where, ID)
    assert (done.code, done.out) == (2, "")
    assert "--room ROOM or --with WHO" in done.err


def test_what_was_typed_is_shown_harmlessly(commands: Commands) -> None:
    assert "\x1b" not in commands.run("rooms", "mute", EVIL).out
