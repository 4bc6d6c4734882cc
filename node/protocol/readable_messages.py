"""From what is stored to what people and programs read (proto/control.proto): messages, and how far own ones are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from p2pchat.node.protocol import file_names, peer_id
from p2pchat.node.protocol.owner_names import Names
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire


def in_room(room: str) -> control.Conversation:
    return control.Conversation(room=room)


def with_peer(peer: str) -> control.Conversation:
    return control.Conversation(peer=peer)


def room_message(record: records.RoomRecord, names: Names) -> control.Message:
    said = record.message
    sender = _peer(said.sender)
    is_own = bool(said.sender) and said.sender == names.me_bytes
    message = control.Message(
        conversation=in_room(said.room),
        id=said.id.hex(),
        sender=sender,
        name=said.nick if is_own else names.of(sender, said.nick),
        own=is_own,
        text=said.text,
        sent_at_ms=said.sent_at_ms,
        received_at_ms=record.received_at_ms,
        lamport=said.lamport,
        unsigned=record.plain,
    )
    return _altered(message, record.alteration)


def direct_message(record: records.DirectRecord, names: Names) -> control.Message:
    peer = _peer(record.peer)
    message = control.Message(
        conversation=with_peer(peer),
        id=record.id.hex(),
        sender=names.me if record.outgoing else peer,
        name=record.nick if record.outgoing else names.of(peer, record.nick),
        own=record.outgoing,
        text=record.text,
        sent_at_ms=record.sent_at_ms,
        received_at_ms=record.received_at_ms,
        lamport=record.lamport,
        read=record.read,
        expires_at_ms=record.expires_at_ms,
    )
    if record.outgoing:
        message.delivery.CopyFrom(delivery(record.delivery))
    if record.HasField("file"):
        message.file.CopyFrom(file(record.file))
        message.text = ""
    return _altered(message, record.alteration)


def _altered(message: control.Message, alteration: records.Alteration) -> control.Message:
    """As it reads now."""
    if alteration.retracted:
        message.text = ""
        message.retracted = True
        message.ClearField("file")
    elif alteration.edited_at_ms:
        message.text = alteration.text
    message.edited_at_ms = alteration.edited_at_ms
    return message


def room_messages(found: Iterable[records.RoomRecord], names: Names) -> Iterator[control.Message]:
    """Without edits and retractions, which are messages of their own in the store, and the deleted ones."""
    for record in found:
        if not record.message.target and not record.alteration.deleted:
            yield room_message(record, names)


def direct_messages(
    found: Iterable[records.DirectRecord], names: Names
) -> Iterator[control.Message]:
    """The same."""
    for record in found:
        if not record.target and not record.alteration.deleted:
            yield direct_message(record, names)


def found_messages(hits: Iterable[actors.SearchHit], names: Names) -> Iterator[control.Message]:
    for hit in hits:
        if hit.HasField("room_message"):
            yield from room_messages([hit.room_message], names)
        else:
            yield from direct_messages([hit.direct], names)


def deleted_room_messages(found: Iterable[records.RoomRecord]) -> Iterator[control.DeletedMessage]:
    for record in found:
        if record.alteration.deleted:
            sender = _peer(record.message.sender)
            yield control.DeletedMessage(sender=sender, id=record.message.id.hex())


def deleted_direct_messages(
    found: Iterable[records.DirectRecord], names: Names
) -> Iterator[control.DeletedMessage]:
    for record in found:
        if record.alteration.deleted:
            sender = names.me if record.outgoing else _peer(record.peer)
            yield control.DeletedMessage(sender=sender, id=record.id.hex())


def delivery(known: records.Delivery) -> control.Delivery:
    return control.Delivery(
        stage=cast("control.Stage", known.stage),  # the same numbers
        stored=len(known.stored_at),
        mailboxes=known.mailboxes,
        reason=known.reason,
        changed_at_ms=known.changed_at_ms,
    )


def file(offer: wire.FileOffer) -> control.File:
    return control.File(
        transfer=offer.transfer.hex(), name=file_names.safe(offer.name), size=offer.size
    )


def _peer(peer: bytes) -> str:
    return peer_id.to_text(peer) if peer else ""
