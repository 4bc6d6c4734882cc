"""From what actors describe to what callers read: rooms, people, mailboxes, transfers, the node itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from p2pchat.node.protocol import file_names, peer_id
from p2pchat.node.protocol.names import shown_room, stored_room
from p2pchat.node.protocol.owner_names import Names
from p2pchat.node.protocol.readable_messages import in_room, with_peer
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records

REACHABILITY = {actors.PUBLIC: "public", actors.PRIVATE: "private"}


def reachability(known: actors.Reachability) -> str:
    return REACHABILITY.get(known, "unknown")


def info(node: actors.NodeDescription, connections: int, version: str) -> control.GetInfoResponse:
    mailboxes = node.delivery.mailboxes
    return control.GetInfoResponse(
        peer=node.peer,
        name=node.name,
        version=version,
        data_dir=node.data_dir,
        uptime_ms=node.uptime_ms,
        addresses=node.addresses,
        reachability=reachability(node.reachability.reachability),
        connections=connections,
        outbox=node.delivery.outbox,
        mailboxes=len(mailboxes),
        mailboxes_connected=sum(each.connected for each in mailboxes),
        details=node,
    )


# ---- rooms ------------------------------------------------------------------------------------------


def rooms(
    joined: Sequence[actors.Room], kept: Sequence[actors.RoomUsage]
) -> Iterator[control.Room]:
    """Joined ones in their order, then others of which something is kept."""
    usage = {each.room: each for each in kept}
    for room in joined:
        stored = stored_room(room.name, room.plain)
        yield _room(stored, usage.pop(stored, None), len(room.subscribers), joined=True)
    for stored, used in usage.items():
        if used.messages:
            yield _room(stored, used)


def _room(
    stored: str, used: actors.RoomUsage | None, listeners: int = 0, *, joined: bool = False
) -> control.Room:
    name = shown_room(stored)
    room = control.Room(name=name, plain=name != stored, joined=joined, listeners=listeners)
    if used is not None:
        room.messages, room.bytes = used.messages, used.bytes
        room.muted = used.settings.muted
        if used.settings.HasField("keep_days"):
            room.keep_days = used.settings.keep_days
    return room


def members(
    found: Iterable[actors.Member], me: control.Member, names: Names
) -> Iterator[control.Member]:
    """This node first, then the others as they come: by name."""
    yield me
    for each in found:
        yield member(each, names)


def member(known: actors.Member, names: Names) -> control.Member:
    return control.Member(
        peer=known.peer,
        name=names.among_known(known.peer, known.name),
        connected=known.connected,
        seen_ms=known.seen_ms,
    )


# ---- people -----------------------------------------------------------------------------------------


def peer(connection: actors.Connection, names: Names) -> control.Peer:
    return control.Peer(
        peer=connection.peer,
        name=names.among_known(connection.peer, connection.name),
        address=connection.address,
        transport=connection.transport,
        outbound=connection.outbound,
        rtt_ms=connection.rtt_ms,
        relayed=connection.relayed,
        relay=connection.relay,
        punched=connection.punched,
        agent=connection.agent,
    )


def contact(status: actors.ContactStatus) -> control.Contact:
    known = status.contact
    return control.Contact(
        peer=peer_id.to_text(known.peer),
        name=status.name,
        given_name=known.name,
        nick=known.nick,
        added=known.added,
        connected=status.connected,
        waiting=status.waiting,
        missed=status.missed,
        last_message_ms=known.last_message_ms,
        mailboxes=len(known.record.mailboxes),
        blocked=known.blocked_at_ms != 0,
        verified=known.verified_at_ms != 0,
        muted=known.muted,
    )


def conversation(status: actors.ConversationStatus) -> control.ConversationStatus:
    known = status.contact
    return control.ConversationStatus(
        conversation=in_room(status.room) if status.room else with_peer(status.peer),
        name=status.name,
        unread=status.unread,
        muted=status.muted,
        joined=status.joined,
        plain=status.plain,
        connected=known.connected,
        waiting=known.waiting,
        last_message_ms=status.last_message_ms,
        blocked=known.contact.blocked_at_ms != 0,
        verified=known.contact.verified_at_ms != 0,
        added=known.contact.added,
    )


def blocked(known: actors.BlockedPeer) -> control.BlockedPeer:
    return control.BlockedPeer(peer=known.peer, name=known.name, since_ms=known.blocked_at_ms)


# ---- mailboxes and files ----------------------------------------------------------------------------


def own_mailbox(status: actors.MailboxStatus) -> control.OwnMailbox:
    return control.OwnMailbox(
        peer=status.peer,
        addresses=status.addresses,
        connected=status.connected,
        registered=status.registered,
        collecting=status.collecting,
        problem=status.problem,
        quota_bytes=status.quota_bytes,
        quota_count=status.quota_count,
        retention_ms=status.retention_ms,
        of=status.of,
        workers=status.workers,
    )


def transfer(status: actors.TransferStatus) -> control.Transfer:
    record = status.record
    return control.Transfer(
        id=record.offer.transfer.hex(),
        peer=peer_id.to_text(record.peer),
        name=status.name,
        outgoing=record.outgoing,
        file_name=file_names.safe(record.offer.name),
        size=record.offer.size,
        done=record.done,
        state=cast("control.TransferState", record.state),  # the same numbers
        problem=record.problem,
        path=record.path if record.outgoing or record.state == records.FINISHED else "",
        bytes_per_second=status.bytes_per_second,
        by_mailbox=record.by_mailbox,
        offered_at_ms=record.offered_at_ms,
    )
