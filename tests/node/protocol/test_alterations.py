"""Which edit or retraction counts, what is signed, and what may come in an envelope."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import alterations, conversation, room_message
from p2pchat.node.protocol.envelope import Opener, Sealer
from p2pchat.node.protocol.items import item_of
from p2pchat.node.protocol.room_message import Flaw
from p2pchat.node.protocol.rooms import Room
from p2pchat.node.protocol.seal import SealKey
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
NOW = 1_700_000_000_000
TARGET = b"t" * 16

EDITS = st.builds(
    lambda lamport, id_, text: records.Alteration(
        lamport=lamport, id=bytes([id_]) * 16, text=text, retracted=not text, edited_at_ms=lamport
    ),
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(["", "a", "b"]),
)


# ---- what counts -----------------------------------------------------------------------------------


@given(st.lists(EDITS, min_size=1, max_size=6), st.randoms())
def test_in_whatever_order_they_come_and_come_again(
    found: list[records.Alteration], rng: Any
) -> None:
    known = reduce(alterations.folded, found)
    shuffled = [*found, *found]
    rng.shuffle(shuffled)
    assert reduce(alterations.folded, shuffled) == known
    assert known.retracted == any(each.retracted for each in found)


@given(st.lists(EDITS, max_size=4), st.lists(EDITS, max_size=4))
def test_what_the_owner_deleted_stays_deleted_and_is_not_kept(
    before: list[records.Alteration], after: list[records.Alteration]
) -> None:
    known = reduce(alterations.folded, before, None) if before else None
    known = alterations.deleted(known)
    known = reduce(alterations.folded, after, known)
    assert known.deleted
    assert known.text == ""
    assert not alterations.is_as_said(known)


def test_what_was_taken_back_is_not_passed_on_to_front_ends() -> None:
    message = wire.RoomMessage(text="oh no")
    record = records.RoomRecord(message=message)
    alterations.join_room(record, records.Alteration(retracted=True))
    assert (record.message.text, record.alteration.retracted) == ("", True)
    direct = records.DirectRecord(text="oh no")
    alterations.join_direct(direct, records.Alteration(deleted=True))
    assert (direct.text, direct.alteration.deleted) == ("", True)
    untouched = records.DirectRecord(text="fine")
    alterations.join_direct(untouched, None)
    assert untouched == records.DirectRecord(text="fine")


# ---- rooms: what is signed -------------------------------------------------------------------------


def signed(**changes: Any) -> wire.RoomMessage:
    fields: dict[str, Any] = {
        "id": b"i" * 16,
        "room": "den",
        "sender": ALICE.peer_bytes,
        "nick": "Alice",
        "sent_at_ms": NOW,
        "lamport": NOW + 1,
        "text": "Grüße",
        "target": TARGET,
    }
    message = wire.RoomMessage(**{**fields, **changes})
    room_message.sign(message, ALICE.private_key)
    return message


def test_the_bytes_of_an_edit_are_written_down() -> None:
    """A promise to other programs: a change needs a new domain string."""
    found = room_message.signed_bytes(signed())
    domain = b"p2pchat room alteration 1"
    assert found.startswith(len(domain).to_bytes(4, "big") + domain)
    assert found.endswith(b"\x00\x00\x00\x10" + TARGET + b"\x00\x00\x00\x01\x00")
    taken_back = room_message.signed_bytes(signed(text="", retraction=True))
    assert taken_back.endswith(
        b"\x00\x00\x00\x00\x00\x00\x00\x10" + TARGET + b"\x00\x00\x00\x01\x01"
    )


def test_edits_and_retractions_are_good() -> None:
    assert room_message.flaw_of(signed(), "den", NOW) is None
    assert room_message.flaw_of(signed(text="", retraction=True), "den", NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"target": b"t" * 15},
        {"target": b"t" * 17},
        {"target": b"", "retraction": True, "text": ""},
        {"text": ""},
        {"retraction": True},
    ],
)
def test_what_is_neither_is_refused_although_signed(changes: dict[str, Any]) -> None:
    assert room_message.flaw_of(signed(**changes), "den", NOW) is Flaw.MALFORMED


def test_neither_passes_for_the_other() -> None:
    for before, after in (
        (signed(), {"target": b""}),
        (signed(target=b""), {"target": TARGET}),
        (signed(), {"target": b"u" * 16}),
        (signed(), {"retraction": True, "text": ""}),
        (signed(text="", retraction=True), {"retraction": False, "text": "x"}),
    ):
        item = item_of(before)
        for name, value in after.items():
            setattr(before, name, value)
        assert room_message.flaw_of(before, "den", NOW) is Flaw.BAD_SIGNATURE
        assert item_of(before) != item


def test_a_room_composes_what_others_take() -> None:
    room = Room("den", False, ALICE.peer_bytes, ALICE.private_key, bytes)
    said = room.compose("eight", "Alice", NOW).message
    edit = room.compose("nine", "Alice", NOW, target=said.id).message
    gone = room.compose("", "Alice", NOW, target=said.id, retraction=True).message
    other = Room("den", False, BOB.peer_bytes, BOB.private_key, bytes)
    assert len(other.good([said, edit, gone], NOW)) == 3
    assert said.lamport < edit.lamport < gone.lamport
    assert list(edit.parents) == [said.id]


# ---- direct messages -------------------------------------------------------------------------------


def sent(record: records.DirectRecord) -> records.DirectRecord:
    """What the recipient keeps of it."""
    key = SealKey.derive(BOB.seed)
    sealer = Sealer(ALICE.peer_bytes, ALICE.private_key)
    content = conversation.content_of(record, None)
    envelope = sealer.seal(content, BOB.peer_bytes, key.public, NOW + 1000)
    opened = Opener(BOB.peer_bytes, key).open(envelope, NOW)
    return conversation.record_of(opened.sender, opened.content, NOW)


def test_direct_edits_and_retractions_arrive_as_such() -> None:
    edit = records.DirectRecord(id=b"i" * 16, target=TARGET, text="nine")
    assert (sent(edit).target, sent(edit).text, sent(edit).retraction) == (TARGET, "nine", False)
    gone = records.DirectRecord(id=b"i" * 16, target=TARGET, retraction=True)
    assert (sent(gone).target, sent(gone).text, sent(gone).retraction) == (TARGET, "", True)
    said = records.DirectRecord(id=b"i" * 16, text="eight")
    assert (sent(said).target, sent(said).retraction) == (b"", False)


@pytest.mark.parametrize(
    "body",
    [
        {"edit": wire.Edit(target=b"short", text="nine")},
        {"edit": wire.Edit(target=TARGET)},
        {"edit": wire.Edit(target=TARGET, text="x" * 65_537)},
        {"retraction": wire.Retraction()},
    ],
)
def test_malformed_ones_are_refused(body: dict[str, Any]) -> None:
    sealer = Sealer(ALICE.peer_bytes, ALICE.private_key)
    key = SealKey.derive(BOB.seed)
    content = wire.Content(id=b"i" * 16, **body)
    with pytest.raises(ValueError, match="refused"):
        sealer.seal(content, BOB.peer_bytes, key.public, NOW + 1000)


def test_an_own_edit_stands_above_the_one_before_whatever_the_clock_says() -> None:
    talk = conversation.Conversation(BOB.peer_bytes, 0, (), bytes)
    record = talk.compose("nine", "Alice", NOW, 1000, above=NOW + 10**9)
    assert record.lamport == NOW + 10**9 + 1
