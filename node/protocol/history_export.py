"""What an export holds of a history, and what of it may go back into a store.

A file may have been changed since it was written, so nothing of it is believed: a room's messages go in only with
their authors' signatures, as if a stranger had sent them. Direct messages carry none: who puts them in vouches for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from p2pchat.node.protocol import names, peer_id
from p2pchat.node.protocol import room_message as rules
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

GIVEN_UP = "it was imported, and is not sent again"

_DAMAGED = "It is damaged."
_OWN = "It is of a conversation with this node itself."
_NO_MESSAGE = "It is no message that somebody can have written."
_WHY = {
    rules.Flaw.TOO_LONG: "Its text, or a name in it, is empty or too long.",
    rules.Flaw.BAD_SIGNATURE: "It is not signed by whom it names.",
    rules.Flaw.TOO_FAR_AHEAD: "Its time is too far ahead.",
}

_OPEN = (records.STAGE_UNSPECIFIED, records.QUEUED, records.SENDING, records.REFUSED)


class RefusedRecordError(ValueError):
    """Why a record does not go in, as a sentence."""


# ---- out --------------------------------------------------------------------------------------------------


def direct_parts(record: records.DirectRecord) -> Iterator[records.DirectRecord]:
    """A message as it was said, and the edit or retraction that counts, as the message of its own that it was."""
    said = records.DirectRecord()
    said.CopyFrom(record)
    said.ClearField("alteration")
    yield said
    now = record.alteration
    if now.id:
        yield records.DirectRecord(
            peer=record.peer,
            outgoing=record.outgoing,
            id=now.id,
            sent_at_ms=now.edited_at_ms or record.sent_at_ms,
            lamport=now.lamport,
            nick=record.nick,
            text=now.text,
            received_at_ms=max(record.received_at_ms, now.edited_at_ms),
            delivery=record.delivery if record.outgoing else None,
            target=record.id,
            retraction=now.retracted,
        )


# ---- in -----------------------------------------------------------------------------------------------------


def room_record(data: bytes, now_ms: int) -> records.RoomRecord:
    """What is to be stored.

    Raises `RefusedRecordError` for what no member would take, or, of a plain room, nobody could have said.
    """
    record = records.RoomRecord()
    _parse(record, data)
    message = record.message
    if problem := names.room_problem(message.room):
        raise RefusedRecordError(problem)
    flaw = _plain_flaw(record) if record.plain else rules.flaw_of(message, message.room, now_ms)
    if flaw is not None:
        raise RefusedRecordError(_WHY.get(flaw, _NO_MESSAGE))
    received = min(record.received_at_ms, now_ms)
    return records.RoomRecord(message=message, received_at_ms=received, plain=record.plain)


def _plain_flaw(record: records.RoomRecord) -> rules.Flaw | None:
    message = record.message
    if names.text_problem(message.text) or len(message.nick) > names.NAME_LIMIT:
        return rules.Flaw.TOO_LONG
    is_good = len(message.id) == rules.ID_BYTES and message.lamport <= rules.MAX_LAMPORT
    is_good = is_good and not message.parents and not rules.is_alteration(message)
    return None if is_good and _is_peer(message.sender, empty=True) else rules.Flaw.MALFORMED


def direct_save(data: bytes, me: bytes, now_ms: int) -> actors.DirectSave:
    """What is to be stored; `me`: the own peer id, with whom nobody has a conversation. Read, and not to be sent.

    Raises `RefusedRecordError`.
    """
    record = records.DirectRecord()
    _parse(record, data)
    if record.peer == me:
        raise RefusedRecordError(_OWN)
    if not _is_well_formed(record):
        raise RefusedRecordError(_NO_MESSAGE)
    record.ClearField("alteration")
    record.received_at_ms = min(record.received_at_ms, now_ms)
    if record.outgoing:
        record.read = False
        _give_up(record.delivery)
    else:
        record.ClearField("delivery")
        record.read = True
    return actors.DirectSave(record=record, past=record.outgoing)


def _is_well_formed(record: records.DirectRecord) -> bool:
    is_change = bool(record.target or record.retraction)
    return (
        _is_peer(record.peer)
        and len(record.id) == rules.ID_BYTES
        and record.lamport <= rules.MAX_LAMPORT
        and len(record.parents) <= rules.MAX_PARENTS
        and all(len(parent) == rules.ID_BYTES for parent in record.parents)
        and len(record.nick) <= names.NAME_LIMIT
        and len(record.text.encode()) <= names.TEXT_LIMIT
        and (not is_change or len(record.target) == rules.ID_BYTES)
    )


def _give_up(delivery: records.Delivery) -> None:
    if delivery.stage in _OPEN:
        delivery.stage = records.EXPIRED
        delivery.reason = GIVEN_UP


def _is_peer(peer: bytes, *, empty: bool = False) -> bool:
    if not peer:
        return empty
    return peer_id.public_key_of(peer) is not None


def _parse(record: records.RoomRecord | records.DirectRecord, data: bytes) -> None:
    try:
        record.ParseFromString(data)
    except Exception as error:  # protobuf's DecodeError; upb also raises UnicodeDecodeError
        raise RefusedRecordError(_DAMAGED) from error
    if not data:
        raise RefusedRecordError(_DAMAGED)
