"""`p2pchat send`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import delivery_wait
from p2pchat.cli.send_file import ERASE_REST, ProgressLine
from p2pchat.cli.terminal.lines import columns
from p2pchat.proto import control_pb2 as control
from tests.cli.commands import Commands, commands
from tests.cli.played_control import BOB, Refuse, gone_on, in_room, to_bob

__all__ = ["commands"]


def echo(request: control.SendMessageRequest) -> control.SendMessageResponse:
    if request.room:
        message = in_room(request.text, room=request.room, own=True)
        return control.SendMessageResponse(message=message, listeners=2)
    return control.SendMessageResponse(message=to_bob(request.text))


def texts(commands: Commands) -> list[str]:
    return [each.text for each in commands.node.questions(control.SendMessageRequest)]


def test_words_are_one_message_and_its_id_is_printed(commands: Commands) -> None:
    commands.node.answers["SendMessage"] = echo
    done = commands.run("send", "--room", "lobby", "Dinner", "is", "ready")
    assert (done.code, done.out) == (0, f"{1:032x}\n")
    assert texts(commands) == ["Dinner is ready"]


def test_the_whole_of_standard_input_is_one_message(commands: Commands) -> None:
    commands.node.answers["SendMessage"] = echo
    done = commands.run("send", "--to", "Bob", "--json", stdin="zwei\nZeilen ✓\n".encode())
    assert texts(commands) == ["zwei\nZeilen ✓"]
    assert done.json["message"]["delivery"]["stage"] == "queued"
    assert done.json["message"]["conversation"] == {"room": "", "peer": BOB}
    assert done.json["message"]["sent_at_ms"] == 1_700_000_000_000
    assert "reached" not in done.json


def test_each_line_of_standard_input_is_a_message(commands: Commands) -> None:
    commands.node.answers["SendMessage"] = echo
    done = commands.run("send", "--room", "lobby", "--lines", "--json", stdin=b"one\r\n\ntwo")
    assert texts(commands) == ["one", "two"]
    assert [each["message"]["text"] for each in done.lines] == ["one", "two"]
    assert [each["listeners"] for each in done.lines] == [2, 2]


@pytest.mark.parametrize("words", [[], ["--lines"]])
def test_more_than_a_message_may_have_is_not_sent(commands: Commands, words: list[str]) -> None:
    done = commands.run("send", "--room", "lobby", *words, stdin=b"x" * 65_537)
    assert done.code == 2
    assert "at most 65,536 bytes" in done.err
    assert texts(commands) == []


@pytest.mark.parametrize("words", [["  ", "\t"], [""], []])
def test_nothing_but_blanks_is_not_sent(commands: Commands, words: list[str]) -> None:
    done = commands.run("send", "--room", "lobby", *words, stdin=b" \n\t\n")
    assert done.code == 2
    assert "the message is empty" in done.err
    assert commands.run("send", "--room", "lobby", "--lines", stdin=b" \n\nhi\n\t\n").code == 0
    assert texts(commands) == ["hi"]


def test_no_text_is_not_sent(commands: Commands) -> None:
    done = commands.run("send", "--room", "lobby", stdin=b"\xff\xfe")
    assert done.code == 2
    assert "UTF-8" in done.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["hello"], "--to WHO or --room ROOM"),
        (["--to", "a", "--room", "b", "hello"], "either"),
        (["--room", "b", "--lines", "hello"], "no place for a TEXT"),
        (["--room", "b", "--wait", "delivered", "hello"], "nobody says what a room has got"),
        (["--to", "b", "--file", "x", "hello"], "no place for a TEXT"),
        (["--room", "b", "--file", "x"], "--file goes to a person"),
        (["--to", "b", "--file", "x", "--wait", "stored"], "--wait delivered"),
        (["--to", "b", "--wait", "read", "hello"], "read"),
        (["--to", "b", "--file", "/nowhere/x"], "is no file"),
    ],
)
def test_bad_use(commands: Commands, words: list[str], part: str) -> None:
    done = commands.run("send", *words)
    assert (done.code, done.out) == (2, "")
    assert part in done.err
    assert commands.node.questions(control.SendMessageRequest) == []


def test_what_the_node_refuses_is_exit_code_1(commands: Commands) -> None:
    def refuse(_: Any) -> control.SendMessageResponse:
        raise Refuse("Nobody is called \x1b[31mEve.")

    commands.node.answers["SendMessage"] = refuse
    done = commands.run("send", "--to", "Eve", "hello")
    assert (done.code, done.out, done.err) == (1, "", "p2pchat: Nobody is called ␛[31mEve.\n")


# ---- waiting ------------------------------------------------------------------------------------------


def answering(commands: Commands, *stages: int) -> None:
    """The message goes on like that, before the node answers even."""

    def send(request: control.SendMessageRequest) -> control.SendMessageResponse:
        message = to_bob(request.text)
        other = to_bob("", number=2)
        commands.node.emit(deliveries_changed=gone_on(other, control.DELIVERED))
        for stage in stages:
            commands.node.emit(deliveries_changed=gone_on(message, stage, stored=1, mailboxes=2))
        return control.SendMessageResponse(message=message)

    commands.node.answers["SendMessage"] = send


def test_it_waits_for_delivery(commands: Commands) -> None:
    answering(commands, control.SENDING, control.REFUSED, control.STORED, control.DELIVERED)
    done = commands.run("send", "--to", "Bob", "--wait", "delivered", "--json", "hello")
    assert done.code == 0
    assert done.json["reached"] is True
    assert done.json["message"]["delivery"]["stage"] == "delivered"


def test_it_waits_for_a_mailbox(commands: Commands) -> None:
    answering(commands, control.SENDING, control.STORED, control.DELIVERED)
    done = commands.run("send", "--to", "Bob", "--wait", "stored", "--json", "hello")
    assert done.json["message"]["delivery"]["stage"] == "stored"


def test_what_is_not_reached_in_time_is_exit_code_1(commands: Commands) -> None:
    answering(commands, control.SENDING, control.STORED)
    words = ["--wait", "delivered", "--timeout", "2"]
    done = commands.run("send", "--to", "Bob", *words, "hello")
    assert (done.code, done.out) == (1, f"{1:032x}\n")
    assert done.err == "p2pchat: Not delivered: stored by 1 of 2 mailboxes\n"


def test_an_expired_message_is_not_waited_for(commands: Commands) -> None:
    answering(commands, control.EXPIRED)
    done = commands.run("send", "--to", "Bob", "--wait", "delivered", "--json", "hello")
    assert (done.code, done.json["reached"]) == (1, False)


def test_a_node_that_goes_away_meanwhile_does_not_keep_the_id_back(commands: Commands) -> None:
    def send(request: control.SendMessageRequest) -> control.SendMessageResponse:
        commands.node.emit(fell_behind=control.FellBehind(reason="It was slow."))
        return control.SendMessageResponse(message=to_bob(request.text))

    def gone(_: Any) -> control.ReadHistoryResponse:
        raise RuntimeError("the end")

    commands.node.answers.update(SendMessage=send, ReadHistory=gone)
    done = commands.run("send", "--to", "Bob", "--wait", "delivered", "hello")
    assert (done.code, done.out) == (1, f"{1:032x}\n")
    assert "cannot answer" in done.err
    assert "Not delivered: queued" in done.err


# ---- files --------------------------------------------------------------------------------------------


def transfer(state: control.TransferState, done: int = 0) -> control.Transfer:
    return control.Transfer(
        id="ab" * 16,
        peer=BOB,
        name="Bob",
        file_name="a.txt",
        size=10,
        done=done,
        state=state,
    )


def offering(commands: Commands, *states: control.Transfer) -> None:
    def offer(_: control.SendFileRequest) -> control.SendFileResponse:
        for each in states:
            commands.node.emit(transfer_changed=control.TransferChanged(transfer=each))
        return control.SendFileResponse(transfer=transfer(control.OFFERED))

    commands.node.answers["SendFile"] = offer


def test_a_file_is_offered(commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x" * 10)
    offering(commands)
    done = commands.run("send", "--to", "Bob", "--file", str(file), "--json")
    assert (done.code, done.json["transfer"]["state"]) == (0, "offered")
    [asked] = commands.node.questions(control.SendFileRequest)
    assert (asked.who, asked.path) == ("Bob", str(file))


def test_a_file_s_way_is_shown(commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x" * 10)
    offering(commands, transfer(control.RUNNING, 5), transfer(control.DONE, 10))
    done = commands.run("send", "--to", "Bob", "--file", str(file), "--wait", "delivered")
    assert (done.code, done.out) == (0, "ab" * 16 + "\n")
    assert done.err.splitlines() == [
        "a.txt: offered, 0 bytes of 10 bytes",
        "a.txt: running, 50 %, 5 bytes of 10 bytes",
        "a.txt: done, 10 bytes of 10 bytes",
    ]


def test_in_a_terminal_it_is_one_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    line = ProgressLine()
    moving = transfer(control.RUNNING, 5)
    moving.file_name = "宇宙" * 15
    line.show(moving)
    line.show(transfer(control.DONE, 10))
    line.end()
    long, short = capsys.readouterr().err.rstrip("\n").removeprefix("\r").split("\r")
    assert columns(long.removesuffix(ERASE_REST)) < 40
    assert short == f"a.txt: done, 10 bytes of 10 bytes{ERASE_REST}"


def test_a_file_that_nobody_wants(commands: Commands, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x" * 10)
    offering(commands, transfer(control.DECLINED))
    done = commands.run("send", "--to", "Bob", "--file", str(file), "--wait", "delivered", "--json")
    assert (done.code, done.json["transfer"]["state"]) == (1, "declined")
    assert "Not delivered: declined" in done.err


def test_whoever_has_waited_enough_hears_how_far_it_is(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(commands, control.STORED)
    find = delivery_wait.is_over

    def interrupted(stage: int, *, stored: bool) -> bool:
        if stage == control.STORED:
            raise KeyboardInterrupt
        return find(stage, stored=stored)

    monkeypatch.setattr(delivery_wait, "is_over", interrupted)
    done = commands.run("send", "--to", "Bob", "--wait", "delivered", "hello")
    assert (done.code, done.out) == (1, f"{1:032x}\n")
    assert done.err == "p2pchat: Not delivered: stored by 1 of 2 mailboxes\n"
