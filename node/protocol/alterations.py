"""Edits and retractions: messages that say what an earlier message by the same author says now.

Which of several counts does not depend on the order in which they came: a retraction before every edit, whenever it was
written, for what was taken back must not come back; else the one with the higher (lamport, id).
"""

from __future__ import annotations

from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire


def of_room_message(message: wire.RoomMessage) -> records.Alteration:
    """What an edit or a retraction makes of the message that it is about."""
    return records.Alteration(
        text=message.text,
        edited_at_ms=0 if message.retraction else message.sent_at_ms,
        retracted=message.retraction,
        lamport=message.lamport,
        id=message.id,
    )


def of_direct(record: records.DirectRecord) -> records.Alteration:
    """The same of a direct one."""
    return records.Alteration(
        text=record.text,
        edited_at_ms=0 if record.retraction else record.sent_at_ms,
        retracted=record.retraction,
        lamport=record.lamport,
        id=record.id,
    )


def folded(known: records.Alteration | None, new: records.Alteration) -> records.Alteration:
    """What counts of the two. What the owner has deleted here stays deleted, and none of its texts is kept."""
    if known is None:
        return new
    winner = records.Alteration()
    winner.CopyFrom(max(known, new, key=_rank))
    if known.deleted:
        winner.deleted = True
        winner.text = ""
    return winner


def deleted(known: records.Alteration | None) -> records.Alteration:
    """By the owner of this node, only here."""
    return folded(records.Alteration(deleted=True), known or records.Alteration())


def counts(known: records.Alteration | None, message_id: bytes, text: str) -> bool:
    """Whether what a message says now stands in the edit with this id and text."""
    return known is not None and bool(text) and (known.id, known.text) == (message_id, text)


def is_as_said(known: records.Alteration | None) -> bool:
    """Whether a message still says what it said."""
    return known is None or not (known.text or known.retracted or known.deleted)


def join_room(record: records.RoomRecord, known: records.Alteration | None) -> None:
    """What front ends get: the text of what was taken back or deleted is not in it at all."""
    if known is not None:
        record.alteration.CopyFrom(known)
        if known.retracted or known.deleted:
            record.message.text = ""


def join_direct(record: records.DirectRecord, known: records.Alteration | None) -> None:
    if known is not None:
        record.alteration.CopyFrom(known)
        if known.retracted or known.deleted:
            record.text = ""


def _rank(alteration: records.Alteration) -> tuple[bool, int, bytes, str, int]:
    # The last two only decide where somebody has signed two with one id: all members have to decide alike.
    return (
        alteration.retracted,
        alteration.lamport,
        alteration.id,
        alteration.text,
        alteration.edited_at_ms,
    )
