"""`p2pchat export` and `p2pchat import`, before a node that keeps records as they are."""

from __future__ import annotations

import base64
import json
import resource
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import importing
from p2pchat.cli.importer import MAX_PROBLEMS
from p2pchat.proto import control_pb2 as control
from tests.cli.commands import Commands, commands
from tests.cli.played_control import BOB, ME, Refuse, in_room, to_bob

__all__ = ["commands"]


def exported(message: control.Message | None, record: bytes) -> control.ExportedRecord:
    return control.ExportedRecord(message=message, record=record)


PAGES: Mapping[tuple[str, str], control.ExportRecordsResponse] = {
    ("lobby", ""): control.ExportRecordsResponse(
        records=[exported(in_room("newer", 2), b"r2"), exported(None, b"edit")], cursor="older"
    ),
    ("lobby", "older"): control.ExportRecordsResponse(
        records=[exported(in_room("older ✓"), b"r1")]
    ),
    (BOB, ""): control.ExportRecordsResponse(
        records=[exported(to_bob("hello", control.DELIVERED), b"d1")]
    ),
}


def page(request: control.ExportRecordsRequest) -> control.ExportRecordsResponse:
    where = request.conversation
    return PAGES[where.room or where.peer, request.before]


@pytest.fixture
def full(commands: Commands) -> Commands:
    """A node with a room, a contact, somebody who is blocked, and some messages."""
    bob = control.Contact(
        peer=BOB,
        name="Robert",
        given_name="Robert",
        nick="Bob",
        added=True,
        verified=True,
        muted=True,
        last_message_ms=9,
    )
    room = control.Room(name="lobby", joined=True, keep_days=7, muted=True)
    commands.node.answers |= {
        "GetInfo": control.GetInfoResponse(peer=ME, name="ada", version="1"),
        "ListContacts": control.ListContactsResponse(contacts=[bob]),
        "ListRooms": control.ListRoomsResponse(rooms=[room]),
        "ListBlockedPeers": control.ListBlockedPeersResponse(
            peers=[control.BlockedPeer(peer=ME, since_ms=5)]
        ),
        "ListMailboxes": control.ListMailboxesResponse(
            mailboxes=[control.OwnMailbox(peer=BOB, registered=True)]
        ),
        "ExportRecords": page,
        "ImportRecords": lambda request: control.ImportRecordsResponse(
            imported=len(request.room_records) + len(request.direct_records)
        ),
    }
    return commands


def test_everything_is_there_page_by_page(full: Commands) -> None:
    done = full.run("export")
    assert done.code == 0
    kinds = [each["type"] for each in done.lines]
    head = ["header", "contact", "blocked", "room", "mailbox"]
    assert kinds == [*head, "message", "change", "message", "message", "end"]
    header, contact, _, room, mailbox, newer, change, older, direct, end = done.lines
    assert (header["format"], header["version"], header["peer"]) == ("p2pchat-export", 1, ME)
    assert contact["given_name"] == "Robert"
    assert (room["keep_days"], room["muted"]) == (7, True)
    assert mailbox["registered"] is True
    assert (newer["text"], older["text"]) == ("newer", "older ✓")
    assert base64.b64decode(change["record"]) == b"edit"
    assert change["conversation"] == {"room": "lobby", "peer": ""}
    assert direct["delivery"]["stage"] == "delivered"
    assert end["messages"] == 3


def test_a_file_is_for_its_owner_and_none_is_written_over(full: Commands, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    done = full.run("export", str(file))
    assert (done.code, done.out) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    done = full.run("export", str(file))
    assert done.code == 2
    assert file.read_bytes() == before


def test_half_a_file_is_not_left_behind(full: Commands, tmp_path: Path) -> None:
    def fail(_: Any) -> control.ExportRecordsResponse:
        raise Refuse("The disk has failed.")

    full.node.answers["ExportRecords"] = fail
    file = tmp_path / "out.jsonl"
    assert full.run("export", str(file)).code == 1
    assert not file.exists()


def test_a_disk_without_space_is_said_in_a_sentence(full: Commands, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        done = full.run("export", str(file))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.code == 1
    assert done.err.startswith(f"p2pchat: Cannot write {file}: ")
    assert not file.exists()


def put_in(commands: Commands, file: bytes, *words: str) -> Any:
    return commands.run("import", "-", *words, stdin=file)


def test_what_was_exported_goes_in(full: Commands) -> None:
    file = full.run("export").out.encode()
    full.node.asked.clear()
    done = put_in(full, file, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "contacts": 1,
        "rooms": 1,
        "imported": 4,
        "known": 0,
        "refused": 0,
        "problems": [],
    }
    asked = full.node.asked
    muted = control.MuteRequest(muted=True)
    of_bob, of_lobby = control.MuteRequest(muted=True), muted
    of_bob.conversation.peer = BOB
    of_lobby.conversation.room = "lobby"
    assert asked == [
        control.GetInfoRequest(),
        control.AddContactRequest(
            who=f"p2pchat:peer/{BOB}?n=Bob", name="Robert", last_message_ms=9
        ),
        control.SetVerifiedRequest(who=BOB, verified=True),
        of_bob,
        control.BlockPeerRequest(who=ME),
        control.JoinRoomRequest(room="lobby"),
        control.KeepRoomRequest(room="lobby", keep_days=7),
        of_lobby,
        control.ImportRecordsRequest(room_records=[b"r2", b"edit", b"r1"], direct_records=[b"d1"]),
    ]


def test_into_another_node_nobody_is_verified(full: Commands) -> None:
    file = full.run("export").out.encode()
    full.node.answers["GetInfo"] = control.GetInfoResponse(peer=BOB)
    done = put_in(full, file)
    assert done.code == 0
    assert "of another node" in done.err
    assert full.node.questions(control.SetVerifiedRequest) == []


def test_one_that_is_refused_does_not_keep_the_others_out(full: Commands) -> None:
    def refuse(_: Any) -> control.JoinRoomResponse:
        raise Refuse("You are in 64 rooms already.")

    full.node.answers["JoinRoom"] = refuse
    done = put_in(full, full.run("export").out.encode(), "--json")
    assert done.code == 1
    assert (done.json["refused"], done.json["imported"]) == (1, 4)
    assert done.json["problems"] == ["Line 4: #lobby: You are in 64 rooms already."]


def test_a_refused_record_is_told_with_its_line_and_why(full: Commands) -> None:
    full.node.answers["ImportRecords"] = control.ImportRecordsResponse(
        imported=2,
        refused=2,
        refused_records=[
            control.RefusedRecord(index=1, reason="It is damaged."),
            control.RefusedRecord(direct=True, index=0, reason="Of nobody."),
        ],
    )
    done = put_in(full, full.run("export").out.encode(), "--json")
    problems = ["Line 7: It is damaged.", "Line 9: Of nobody."]
    assert (done.code, done.json["problems"]) == (1, problems)
    assert done.err == "".join(f"p2pchat: {each}\n" for each in problems)


def test_only_so_many_refused_ones_are_told(full: Commands) -> None:
    refused = [control.RefusedRecord(index=0, reason="It is damaged.")] * (MAX_PROBLEMS + 5)
    full.node.answers["ImportRecords"] = control.ImportRecordsResponse(
        refused=len(refused), refused_records=refused
    )
    done = put_in(full, full.run("export").out.encode(), "--json")
    assert (done.json["refused"], len(done.json["problems"])) == (25, MAX_PROBLEMS)
    assert "p2pchat: 5 more refused.\n" in done.err


def test_what_was_refused_is_told_before_a_damage_further_down(full: Commands) -> None:
    full.node.answers["ImportRecords"] = control.ImportRecordsResponse(
        refused=1, refused_records=[control.RefusedRecord(reason="It is damaged.")]
    )
    head, *_, end = full.run("export").out.splitlines()
    message = json.dumps({"type": "message", "conversation": {"room": "a"}, "record": "AAAA"})
    done = put_in(full, "\n".join([head, message, "nonsense", end]).encode())
    assert done.code == 1
    assert "Line 2: It is damaged." in done.err
    assert "Line 3 is no JSON." in done.err


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "0 messages and changes imported, 0 were there already; 0 contacts, 0 rooms."),
        (
            {"imported": 1, "known": 1, "refused": 1, "contacts": 1, "rooms": 1},
            "1 message or change imported, 1 was there already, 1 refused; 1 contact, 1 room.",
        ),
    ],
)
def test_one_thing_is_not_many(counts: dict[str, int], words: str) -> None:
    assert importing._summary(Counter(counts)) == words


def test_a_dash_is_standard_output(
    full: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = full.run("export", "-")
    assert (done.code, done.err) == (0, "")
    assert done.lines[-1] == {"type": "end", "messages": 3}
    assert not (tmp_path / "-").exists()


def test_many_records_go_in_several_requests(full: Commands) -> None:
    header, *_ = full.run("export").out.splitlines()
    message = json.dumps({"type": "message", "record": "AAAA"})
    end = json.dumps({"type": "end", "messages": 250})
    put_in(full, "\n".join([header, *[message] * 250, end]).encode())
    batches = full.node.questions(control.ImportRecordsRequest)
    assert [len(each.direct_records) for each in batches] == [100, 100, 50]


HEADER = b'{"type": "header", "format": "p2pchat-export", "version": 1}\n'


@pytest.mark.parametrize(
    ("file", "part"),
    [
        (b"", "not whole"),
        (b"nonsense", "Line 1 is no JSON"),
        (b"[1]", "no object with a type"),
        (b'{"type": 5}', "no object with a type"),
        (b'{"type": "message"}', "no export of p2pchat"),
        (HEADER.replace(b"1}", b"2}"), "newer version"),
        (HEADER.replace(b"1}", b"null}"), "newer version"),
        (HEADER, "not whole"),
        (HEADER + b'{"type": "end", "messages": 1}', "not whole"),
        (HEADER + b"x" * (1 << 20) + b"x", "Line 2 is too long"),
        (HEADER + b"\xff\n", "Line 2 is no JSON"),
        (HEADER + b"[" * 100_000, "Line 2 is no JSON"),
    ],
)
def test_a_damaged_file(full: Commands, file: bytes, part: str) -> None:
    done = put_in(full, file)
    assert (done.code, done.out) == (1, "")
    assert part in done.err


def test_nonsense_in_good_lines_is_refused_by_the_node_or_passed_over(full: Commands) -> None:
    lines = [
        {"type": "contact", "peer": 5, "added": True, "given_name": [], "muted": 1},
        {"type": "room", "name": None, "joined": True, "keep_days": -1},
        {"type": "blocked"},
        {"type": "message", "record": "!", "conversation": 5},
        {"type": "from a later version"},
    ]
    end = {"type": "end", "messages": 1}
    file = HEADER + b"\n".join(json.dumps(line).encode() for line in [*lines, end])
    assert put_in(full, file).code == 0
    [asked] = full.node.questions(control.ImportRecordsRequest)
    assert list(asked.direct_records) == [b""]


def test_no_file(commands: Commands) -> None:
    done = commands.run("import", "/nowhere")
    assert done.code == 2
    assert "Cannot read /nowhere" in done.err
