"""Makes the values that many tests need."""

from __future__ import annotations

from p2pchat.node.protocol import peer_id
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

ROOM = "harbour"


def sender_bytes(number: int) -> bytes:
    """A binary peer id, 38 bytes; a different one for each number."""
    return peer_id.from_public_key(number.to_bytes(32, "big"))


def room_record(
    number: int,
    *,
    lamport: int | None = None,
    room: str = ROOM,
    sender: int = 0,
    text: str | None = None,
) -> records.RoomRecord:
    """An unsigned message: `number` makes its id and, unless stated, its lamport time and text."""
    made_at_ms = 1_700_000_000_000 + number % 1_000_000
    return records.RoomRecord(
        message=wire.RoomMessage(
            id=number.to_bytes(16, "big"),
            room=room,
            sender=sender_bytes(sender),
            nick=f"user{sender}",
            sent_at_ms=made_at_ms,
            lamport=number % 2**64 if lamport is None else lamport,
            text=f"message {number}" if text is None else text,
            signature=bytes(64),
        ),
        received_at_ms=made_at_ms + 500,
    )
