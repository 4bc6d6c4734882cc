"""Commands about files, and what a session shows of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from google.protobuf.message import Message

from p2pchat.cli.terminal import render_files
from p2pchat.cli.terminal.commands import (
    AcceptFile,
    CancelFile,
    Command,
    DeclineFile,
    Mistake,
    SendFile,
    ShowFiles,
)
from p2pchat.cli.terminal.files import IN_A_ROOM, Files
from p2pchat.cli.terminal.lines import Line, plain
from p2pchat.cli.terminal.parsing import parse
from p2pchat.cli.terminal.render_direct import DirectView, Partner
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

BOB = Identity(bytes(32))
PARTNER = Partner(BOB.peer, "Bob", named=True)
ID = bytes(range(16))


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("/send ~/a.txt", SendFile("~/a.txt")),
        ("/send Bob ~/a.txt", SendFile("Bob ~/a.txt", "Bob", "~/a.txt")),
        (
            '/send "Ann Lee" "my file.txt"',
            SendFile('"Ann Lee" "my file.txt"', "Ann Lee", "my file.txt"),
        ),
        ('/send "my file.txt"', SendFile("my file.txt")),
        ("/accept", AcceptFile()),
        ("/accept 0E0F", AcceptFile("0e0f")),
        ("/decline …0d0e0f", DeclineFile("0d0e0f")),
        ("/cancel", CancelFile()),
        ("/files", ShowFiles()),
    ],
)
def test_what_a_line_means(typed: str, command: Command) -> None:
    parsed = parse(typed)
    if isinstance(command, SendFile) and isinstance(parsed, SendFile):
        assert (parsed.who, parsed.path) == (command.who, command.path)
        assert command.who or parsed.whole == command.whole
    else:
        assert parsed == command


@pytest.mark.parametrize("typed", ["/send", "/accept Bob", "/cancel 0e0f!", "/files all"])
def test_mistakes_say_what_to_do(typed: str) -> None:
    assert isinstance(parse(typed), Mistake)


def status(
    state: records.TransferState = records.OFFERED, *, outgoing: bool = False, **fields: Any
) -> actors.TransferStatus:
    offer = wire.FileOffer(name=fields.pop("file_name", "a.txt"), size=2000, transfer=ID)
    speed = fields.pop("speed", 0.0)
    record = records.TransferRecord(
        peer=BOB.peer_bytes, outgoing=outgoing, offer=offer, state=state, **fields
    )
    return actors.TransferStatus(record=record, name="Bob", bytes_per_second=speed)


class PlayedFront:
    """A node that knows one transfer."""

    def __init__(self, *known: actors.TransferStatus) -> None:
        self.known = known
        self.asked: list[Message] = []
        self.shown: list[str] = []
        self.node = SimpleNamespace(ui=SimpleNamespace(request=self.ask))

    async def ask(self, question: Message, reply: type[Message]) -> Message:
        self.asked.append(question)
        if isinstance(question, actors.ListTransfers):
            return actors.TransferList(transfers=self.known)
        return status(outgoing=True) if reply is actors.TransferStatus else reply()

    async def show(self, lines: Iterator[Line]) -> None:
        self.shown += [plain(line) for line in lines]


class PlayedContacts:
    async def resolve(self, who: str) -> Partner:
        return Partner(BOB.peer, who)


def files(front: PlayedFront) -> Files:
    return Files(cast(Any, front), cast(Any, PlayedContacts()))


async def test_a_file_goes_to_the_person_of_the_conversation(tmp_path: Path) -> None:
    front = PlayedFront()
    path = tmp_path / "my file.txt"
    path.write_bytes(b"x")
    await files(front).carry_out(parse(f"/send {path}"), PARTNER)  # type: ignore[arg-type]
    assert front.asked == [actors.OfferFile(text=BOB.peer, path=str(path))]
    assert "is offered to Bob" in front.shown[0]


async def test_a_file_goes_to_who_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    for partner in (None, PARTNER):
        front = PlayedFront()
        await files(front).carry_out(parse(f"/send Bob {tmp_path}/a.txt"), partner)  # type: ignore[arg-type]
        assert front.asked == [actors.OfferFile(text=BOB.peer, path=f"{tmp_path}/a.txt")]


async def test_a_room_takes_no_files() -> None:
    front = PlayedFront()
    await files(front).carry_out(parse("/send ~/a.txt"), None)  # type: ignore[arg-type]
    assert front.asked == []
    assert IN_A_ROOM in front.shown[0]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("/accept", actors.AcceptFile),
        ("/decline", actors.DeclineFile),
        ("/cancel", actors.CancelTransfer),
    ],
)
async def test_the_only_file_there_is_needs_no_id(typed: str, kind: type[Message]) -> None:
    front = PlayedFront(status(), status(records.FINISHED))
    await files(front).carry_out(parse(typed), PARTNER)  # type: ignore[arg-type]
    assert front.asked[-1] == kind(transfer=ID.hex())


async def test_of_several_files_one_has_to_be_named() -> None:
    front = PlayedFront(status(), status())
    with pytest.raises(RequestRejectedError, match="Which one"):
        await files(front).carry_out(AcceptFile(), PARTNER)
    with pytest.raises(RequestRejectedError, match="no such file"):
        await files(PlayedFront()).carry_out(AcceptFile(), PARTNER)


def shown(part: Files, *changes: actors.TransferStatus) -> list[str]:
    return [
        plain(line)
        for change in changes
        for line in part.lines_of(actors.TransferChanged(transfer=change))
    ]


def test_a_received_file_is_shown_from_offer_to_end() -> None:
    running = [status(records.RUNNING, done=done, speed=1e6) for done in range(0, 2000, 50)]
    lines = shown(
        files(PlayedFront()),
        status(),
        status(records.WAITING),
        *running,
        status(records.WAITING, done=2000),
        status(records.FINISHED, done=2000, path="/home/me/a.txt"),
    )
    assert "/accept 0d0e0f takes it" in lines[0]
    bars = [line for line in lines if "[" in line and "%" in line]
    assert [int(re.findall(r"(\d+) %", bar)[0]) for bar in bars] == list(range(10, 100, 10))
    assert lines[-1].endswith("a.txt from Bob (…" + BOB.peer[-6:] + ") is in /home/me/a.txt")
    assert len(lines) == 2 + len(bars)


def test_why_something_waits_is_shown_once() -> None:
    waiting = status(records.WAITING, problem="The disk is full.")
    assert len(shown(files(PlayedFront()), waiting, waiting, waiting)) == 1


def test_names_and_problems_of_others_are_harmless() -> None:
    evil = status(records.FAILED, file_name="../\x1b[2J\u202egpj.exe", problem="\x1b[31m no")
    lines = [*shown(files(PlayedFront()), evil), *map(plain, render_files.files([evil]))]
    assert lines
    for line in lines:
        assert "\x1b" not in line
        assert "\u202e" not in line
        assert "../" not in line


def test_a_message_that_offers_a_file_says_which() -> None:
    record = records.DirectRecord(
        peer=BOB.peer_bytes, id=ID, file=status().record.offer, sent_at_ms=1
    )
    [line] = DirectView().incoming(PARTNER, record)
    assert plain(line).endswith("Bob to you: [file] a.txt (2.0 KiB)")
