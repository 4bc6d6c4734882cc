from __future__ import annotations

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import alterations, history_export
from p2pchat.node.protocol.history_export import RefusedRecordError
from p2pchat.node.protocol.room_message import MAX_LAMPORT, sign
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

NOW = 1_700_000_000_000
ADA = Identity(bytes(32))
BOB = Identity(bytes([1] * 32))
ID = bytes(range(16))


def room_record(text: str = "hello", **more: object) -> records.RoomRecord:
    message = wire.RoomMessage(
        id=ID,
        room="lobby",
        sender=ADA.peer_bytes,
        nick="ada",
        text=text,
        lamport=NOW,
        **more,  # type: ignore[arg-type]
    )
    sign(message, ADA.private_key)
    return records.RoomRecord(message=message, received_at_ms=NOW - 5, unseen=True)


def direct_record(**more: object) -> records.DirectRecord:
    fields = {"peer": BOB.peer_bytes, "id": ID, "lamport": NOW, "text": "hello"} | more
    return records.DirectRecord(**fields)  # type: ignore[arg-type]


# ---- rooms --------------------------------------------------------------------------------------------


def test_a_signed_message_goes_in_as_it_was_and_counts_as_seen() -> None:
    record = room_record()
    found = history_export.room_record(record.SerializeToString(), NOW)
    assert (found.message, found.received_at_ms) == (record.message, NOW - 5)
    assert not found.unseen


def test_an_edit_goes_in_too() -> None:
    edit = room_record(target=ID)
    found = history_export.room_record(edit.SerializeToString(), NOW)
    assert found.message == edit.message


def test_what_says_how_a_message_reads_is_not_believed() -> None:
    record = room_record()
    record.alteration.text = "made up"
    found = history_export.room_record(record.SerializeToString(), NOW)
    assert not found.HasField("alteration")


def test_nothing_is_received_in_the_future() -> None:
    record = room_record()
    record.received_at_ms = 2 * NOW
    found = history_export.room_record(record.SerializeToString(), NOW)
    assert found.received_at_ms == NOW


def test_forged_messages_stay_out() -> None:
    forged = room_record()
    forged.message.text = "something else"
    far = room_record()
    far.message.lamport = MAX_LAMPORT
    sign(far.message, ADA.private_key)
    nowhere = room_record()
    nowhere.message.room = "a b"
    sign(nowhere.message, ADA.private_key)
    for data, why in (
        (forged.SerializeToString(), "not signed by whom it names"),
        (far.SerializeToString(), "too far ahead"),
        (nowhere.SerializeToString(), "cannot contain spaces"),
        (b"", "damaged"),
        (b"\xff\xff", "damaged"),
    ):
        with pytest.raises(RefusedRecordError, match=why):
            history_export.room_record(data, NOW)


def plain_record(**more: object) -> records.RoomRecord:
    fields = {"id": ID, "room": "lobby", "text": "hello", "lamport": NOW} | more
    return records.RoomRecord(message=wire.RoomMessage(**fields), plain=True)  # type: ignore[arg-type]


def test_messages_of_plain_rooms_have_no_signature() -> None:
    for record in (plain_record(), plain_record(sender=ADA.peer_bytes)):
        found = history_export.room_record(record.SerializeToString(), NOW)
        assert (found.message, found.plain) == (record.message, True)


@pytest.mark.parametrize(
    "more",
    [
        {"id": b"x"},
        {"text": ""},
        {"text": "x" * 65_537},
        {"nick": "x" * 33},
        {"sender": b"nobody"},
        {"target": ID},
        {"parents": [ID]},
        {"lamport": MAX_LAMPORT + 1},
    ],
)
def test_what_nobody_can_have_said_in_a_plain_room_stays_out(more: dict[str, object]) -> None:
    with pytest.raises(RefusedRecordError):
        history_export.room_record(plain_record(**more).SerializeToString(), NOW)


# ---- direct -------------------------------------------------------------------------------------------


def test_what_came_in_counts_as_read() -> None:
    save = history_export.direct_save(direct_record().SerializeToString(), ADA.peer_bytes, NOW)
    assert save.record.read
    assert not save.past
    assert not save.receipt_due


@pytest.mark.parametrize(
    ("stage", "after"),
    [
        (records.QUEUED, records.EXPIRED),
        (records.REFUSED, records.EXPIRED),
        (records.STORED, records.STORED),
        (records.EXPIRED, records.EXPIRED),
        (records.DELIVERED, records.DELIVERED),
        (records.READ, records.READ),
    ],
)
def test_nothing_is_sent_again(stage: int, after: int) -> None:
    own = direct_record(outgoing=True)
    own.delivery.stage = stage  # type: ignore[assignment]
    save = history_export.direct_save(own.SerializeToString(), ADA.peer_bytes, NOW)
    assert save.past
    assert save.record.delivery.stage == after


@pytest.mark.parametrize(
    "more",
    [
        {"peer": ADA.peer_bytes},
        {"peer": b"nobody"},
        {"id": b"x"},
        {"nick": "x" * 33},
        {"text": "x" * 65_537},
        {"parents": [ID] * 4},
        {"lamport": MAX_LAMPORT + 1},
        {"target": b"x"},
        {"retraction": True},
    ],
)
def test_what_is_no_message_of_a_conversation_stays_out(more: dict[str, object]) -> None:
    data = direct_record(**more).SerializeToString()
    for bad in (data, b"", b"\xff\xff"):
        with pytest.raises(RefusedRecordError):
            history_export.direct_save(bad, ADA.peer_bytes, NOW)


@pytest.mark.parametrize("is_retraction", [False, True])
@pytest.mark.parametrize("outgoing", [False, True])
def test_an_edit_comes_out_as_the_message_that_it_was(is_retraction: bool, outgoing: bool) -> None:
    said = direct_record(outgoing=outgoing, received_at_ms=NOW)
    edit = direct_record(
        outgoing=outgoing,
        id=bytes(16),
        target=ID,
        lamport=NOW + 1,
        sent_at_ms=NOW + 2,
        text="" if is_retraction else "changed",
        retraction=is_retraction,
    )
    joined = records.DirectRecord()
    joined.CopyFrom(said)
    joined.alteration.CopyFrom(alterations.of_direct(edit))
    first, second = history_export.direct_parts(joined)
    assert first == said
    assert alterations.of_direct(second) == alterations.of_direct(edit)
    data = second.SerializeToString()
    assert history_export.direct_save(data, ADA.peer_bytes, NOW).record.target == ID


def test_a_message_that_was_never_edited_is_one_record() -> None:
    assert list(history_export.direct_parts(direct_record())) == [direct_record()]
