"""Makes direct messages, envelopes and what else tests of their storage need."""

from __future__ import annotations

from p2pchat.node.protocol import peer_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.builders import sender_bytes

MADE_AT_MS = 1_700_000_000_000
PEER = peer_id.to_text(sender_bytes(0))


def peer_text(number: int) -> str:
    return peer_id.to_text(sender_bytes(number))


def message_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def direct_record(
    number: int,
    *,
    outgoing: bool = False,
    peer: int = 0,
    lamport: int | None = None,
    text: str | None = None,
) -> records.DirectRecord:
    """`number` makes its id and, unless stated, its lamport time and text."""
    return records.DirectRecord(
        peer=sender_bytes(peer),
        outgoing=outgoing,
        id=message_id(number),
        sent_at_ms=MADE_AT_MS + number % 1_000_000,
        lamport=number % 2**64 if lamport is None else lamport,
        nick=f"user{peer}",
        text=f"message {number}" if text is None else text,
        received_at_ms=MADE_AT_MS + number % 1_000_000 + 500,
        expires_at_ms=MADE_AT_MS + 1_000_000 if outgoing else 0,
    )


def incoming(
    number: int, *, peer: int = 0, receipt_due: bool = False, spooled: bytes = b""
) -> actors.DirectSave:
    record = direct_record(number, peer=peer)
    return actors.DirectSave(record=record, receipt_due=receipt_due, spooled=spooled)


def outgoing(
    number: int, *, peer: int = 0, envelope: wire.Envelope | None = None, record_sequence: int = 0
) -> actors.DirectSave:
    record = direct_record(number, peer=peer, outgoing=True)
    return actors.DirectSave(record=record, envelope=envelope, record_sequence=record_sequence)


def envelope(number: int, *, recipient: int = 0, size: int = 100) -> wire.Envelope:
    return wire.Envelope(
        version=1,
        recipient=sender_bytes(recipient),
        scheme=1,
        ciphertext=number.to_bytes(8, "big") + bytes(size - 8),
        expires_at_ms=MADE_AT_MS + number,
    )


def update(
    number: int,
    *,
    stage: records.Stage | None = None,
    finished: bool = False,
    peer: int = 0,
    envelope: wire.Envelope | None = None,
    record_sequence: int = 0,
) -> actors.OutboxUpdate:
    return actors.OutboxUpdate(
        peer=peer_text(peer),
        id=message_id(number),
        delivery=None if stage is None else records.Delivery(stage=stage),
        envelope=envelope,
        record_sequence=record_sequence,
        finished=finished,
    )
