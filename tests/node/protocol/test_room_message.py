"""The author's signature, the limits, and how messages are put together for gossip."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import names, room_message
from p2pchat.node.protocol.room_message import Flaw
from p2pchat.proto import wire_pb2 as wire

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
NOW = 1_700_000_000_000  # Unix milliseconds


def signed(*, author: Identity = ALICE, **changes: Any) -> wire.RoomMessage:
    fields: dict[str, Any] = {
        "id": b"i" * 16,
        "room": "den",
        "sender": author.peer_bytes,
        "nick": "Alice",
        "sent_at_ms": 1_700_000_000_000,
        "lamport": 1_700_000_000_001,
        "parents": [b"p" * 16],
        "text": "Grüße",
    }
    message = wire.RoomMessage(**{**fields, **changes})
    room_message.sign(message, author.private_key)
    return message


def test_a_signed_message_is_good() -> None:
    assert room_message.flaw_of(signed(), "den", NOW) is None


def test_what_is_signed_is_written_down() -> None:
    """The format is a promise to other programs: a change of these bytes needs a new domain string."""
    message = signed()
    assert (
        room_message.signed_bytes(message)
        .hex()
        .startswith(
            "00000016"
            + b"p2pchat room message 1".hex()
            + "00000010"
            + (b"i" * 16).hex()
            + "00000003"
        )
    )
    assert message.signature.hex() == (
        "e2ba9d478e49d5bbee28ff418678304bed605a4f80d19381a6804dade5e2e60391b21fc9b12541c64b484bb3a124e9181a8473fcd16d80c27a9146492f6e8200"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", b"j" * 16),
        ("nick", "Mallory"),
        ("sent_at_ms", 1),
        ("lamport", 5),
        ("text", "other words"),
        ("sender", BOB.peer_bytes),
    ],
)
def test_a_change_of_any_field_breaks_the_signature(field: str, value: object) -> None:
    message = signed()
    setattr(message, field, value)
    assert room_message.flaw_of(message, "den", NOW) is Flaw.BAD_SIGNATURE


def test_parents_are_signed_too() -> None:
    message = signed()
    del message.parents[:]
    assert room_message.flaw_of(message, "den", NOW) is Flaw.BAD_SIGNATURE


def test_a_message_of_another_room_cannot_be_replayed_here() -> None:
    assert room_message.flaw_of(signed(), "cellar", NOW) is Flaw.WRONG_ROOM


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"id": b"short"}, Flaw.MALFORMED),
        ({"text": ""}, Flaw.MALFORMED),
        ({"lamport": 2**64 - 1}, Flaw.MALFORMED),
        ({"parents": [b"p" * 16] * 4}, Flaw.MALFORMED),
        ({"parents": [b"p"]}, Flaw.MALFORMED),
        ({"sender": b"\x12\x20" + b"h" * 32}, Flaw.MALFORMED),  # an RSA id holds no key to check by
        ({"text": "x" * (names.TEXT_LIMIT + 1)}, Flaw.TOO_LONG),
        ({"nick": "n" * (names.NAME_LIMIT + 1)}, Flaw.TOO_LONG),
    ],
)
def test_bad_fields_are_refused_although_signed(changes: dict[str, Any], flaw: Flaw) -> None:
    assert room_message.flaw_of(signed(**changes), "den", NOW) is flaw


def test_the_longest_text_passes() -> None:
    assert room_message.flaw_of(signed(text="x" * names.TEXT_LIMIT), "den", NOW) is None


@given(st.lists(st.integers(1, names.TEXT_LIMIT), max_size=600))
def test_batches_keep_the_order_and_both_limits(sizes: list[int]) -> None:
    text = "x" * names.TEXT_LIMIT
    messages = [
        wire.RoomMessage(lamport=number, text=text[:size]) for number, size in enumerate(sizes)
    ]
    made = list(room_message.batches(messages))
    assert [m.lamport for batch in made for m in batch.messages] == list(range(len(sizes)))
    for batch in made:
        assert 0 < len(batch.messages) <= room_message.MAX_BATCH_MESSAGES
        assert batch.ByteSize() <= room_message.MAX_BATCH_BYTES


@given(st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_refused(data: bytes) -> None:
    batch = room_message.parse_batch(data)
    assert batch is None or all(room_message.flaw_of(m, "den", NOW) for m in batch.messages)


def test_a_batch_may_be_of_presences_alone_and_not_of_nothing() -> None:
    batch = wire.RoomBatch(presences=[wire.Presence(room="den")])
    assert room_message.parse_batch(batch.SerializeToString()) == batch
    assert room_message.parse_batch(b"") is None
    batch.presences.extend([wire.Presence(room="den")] * room_message.MAX_PRESENCES)
    assert room_message.parse_batch(batch.SerializeToString()) is None


def test_a_message_from_a_far_future_is_taken_when_its_time_has_come() -> None:
    ahead = signed(lamport=NOW + room_message.ACCEPT_AHEAD_MS)
    assert room_message.flaw_of(ahead, "den", NOW) is Flaw.TOO_FAR_AHEAD
    assert room_message.flaw_of(ahead, "den", NOW + 1) is None


def test_too_many_messages_in_one_batch_are_refused() -> None:
    batch = wire.RoomBatch(messages=[wire.RoomMessage()] * (room_message.MAX_BATCH_MESSAGES + 1))
    assert room_message.parse_batch(batch.SerializeToString()) is None


def test_topics() -> None:
    assert room_message.topic_of("den", plain=False) == "/p2pchat/room/1/den"
    assert room_message.topic_of("universal-connectivity", plain=True) == "universal-connectivity"
