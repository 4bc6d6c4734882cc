"""From the node's events to those of the control API. An event may become several, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.message import Message

from p2pchat.node.control import translate_lists as lists
from p2pchat.node.protocol import readable_messages as messages
from p2pchat.node.protocol.owner_names import Names
from p2pchat.node.protocol.readable_messages import in_room, with_peer
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control

# Of one event that carries messages: a client takes 4 MiB at a time unless it is told otherwise.
EVENT_BYTES = 256 << 10

_LEVELS = {
    actors.Notice.INFO: "info",
    actors.Notice.HINT: "hint",
    actors.Notice.WARNING: "warning",
}


def events(happened: Message, names: Names) -> Iterator[control.Event]:
    """Without cursors and times."""
    match happened:
        case actors.RoomMessagesArrived():
            found = messages.room_messages(happened.records, names)
            yield from _arrived(in_room(happened.room), found, late=happened.late)
        case actors.DirectArrived():
            found = messages.direct_messages(happened.records, names)
            yield from _arrived(with_peer(happened.peer), found)
        case actors.MessagesAltered():
            yield from _altered(happened, names)
        case actors.DeliveriesChanged():
            yield control.Event(deliveries_changed=_deliveries(happened))
        case actors.UnreadChanged():
            where = in_room(happened.room) if happened.room else with_peer(happened.peer)
            changed = control.UnreadChanged(conversation=where, unread=happened.unread)
            yield control.Event(unread_changed=changed)
        case actors.TransferChanged():
            moved = control.TransferChanged(transfer=lists.transfer(happened.transfer))
            yield control.Event(transfer_changed=moved)
        case actors.ContactChanged():
            yield control.Event(contacts_changed=control.ContactsChanged(peer=happened.peer))
        case actors.ConversationChanged():
            where = in_room(happened.room) if happened.room else with_peer(happened.peer)
            set_ = control.ConversationChanged(conversation=where, muted=happened.muted)
            yield control.Event(conversation_changed=set_)
        case actors.Notice():
            notice = control.Notice(level=_LEVELS.get(happened.level, "info"), text=happened.text)
            yield control.Event(notice=notice)
        case _:
            yield from _of_rooms(happened, names)
            yield from _of_peers(happened)


def _of_rooms(happened: Message, names: Names) -> Iterator[control.Event]:
    match happened:
        case actors.RoomJoined():
            joined = control.RoomJoined(room=happened.room, plain=happened.plain)
            yield control.Event(room_joined=joined)
        case actors.RoomLeft():
            yield control.Event(room_left=control.RoomLeft(room=happened.room))
        case actors.MembersChanged():
            yield control.Event(members_changed=_members(happened, names))
        case actors.RoomGap():
            gap = control.RoomGap(
                room=happened.room, missing=happened.missing, given_up=happened.given_up
            )
            yield control.Event(room_gap=gap)
        case actors.SyncProgressed():
            progressed = control.SyncProgressed(
                room=happened.room,
                peer=happened.peer,
                fetched=happened.fetched,
                expected=happened.expected,
                done=happened.done,
                broken=happened.broken,
            )
            yield control.Event(sync_progressed=progressed)


def _of_peers(happened: Message) -> Iterator[control.Event]:
    match happened:
        case actors.PeerConnected():
            connected = control.PeerConnected(
                peer=happened.peer,
                address=happened.address,
                transport=happened.transport,
                outbound=happened.outbound,
                relayed=happened.relayed,
            )
            yield control.Event(peer_connected=connected)
        case actors.PeerDisconnected():
            yield control.Event(peer_disconnected=control.PeerDisconnected(peer=happened.peer))
        case actors.PeerNamed():
            named = control.PeerNamed(
                peer=happened.peer, name=happened.name, previous=happened.previous
            )
            yield control.Event(peer_named=named)
        case actors.PeerMoved():
            moved = control.PeerMoved(
                peer=happened.peer,
                address=happened.address,
                transport=happened.transport,
                relayed=happened.relayed,
                punched=happened.punched,
            )
            yield control.Event(peer_moved=moved)
        case actors.ReachabilityChanged():
            reached = control.ReachabilityChanged(
                reachability=lists.reachability(happened.reachability),
                addresses=happened.addresses,
            )
            yield control.Event(reachability_changed=reached)
        case actors.Listening():
            yield control.Event(listening=control.Listening(addresses=happened.addresses))


def _arrived(
    where: control.Conversation, found: Iterable[control.Message], *, late: bool = False
) -> Iterator[control.Event]:
    for batch in in_batches(found):
        arrived = control.MessagesArrived(conversation=where, messages=batch, late=late)
        yield control.Event(messages_arrived=arrived)


def _altered(happened: actors.MessagesAltered, names: Names) -> Iterator[control.Event]:
    if happened.room:
        where = in_room(happened.room)
        found = messages.room_messages(happened.room_records, names)
        deleted = list(messages.deleted_room_messages(happened.room_records))
    else:
        where = with_peer(happened.peer)
        found = messages.direct_messages(happened.direct_records, names)
        deleted = list(messages.deleted_direct_messages(happened.direct_records, names))
    if deleted:
        gone = control.MessagesChanged(conversation=where, deleted=deleted)
        yield control.Event(messages_changed=gone)
    for batch in in_batches(found):
        changed = control.MessagesChanged(conversation=where, messages=batch)
        yield control.Event(messages_changed=changed)


def in_batches(found: Iterable[control.Message]) -> Iterator[list[control.Message]]:
    """Of up to `EVENT_BYTES`, or one message."""
    batch: list[control.Message] = []
    size = 0
    for message in found:
        if batch and size + message.ByteSize() > EVENT_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.ByteSize()
    if batch:
        yield batch


def _deliveries(happened: actors.DeliveriesChanged) -> control.DeliveriesChanged:
    return control.DeliveriesChanged(
        conversation=with_peer(happened.peer),
        changes=(
            control.DeliveryChange(id=each.id.hex(), delivery=messages.delivery(each.delivery))
            for each in happened.changes
        ),
    )


def _members(happened: actors.MembersChanged, names: Names) -> control.MembersChanged:
    return control.MembersChanged(
        room=happened.room,
        joined=(lists.member(each, names) for each in happened.joined),
        left=(lists.member(each, names) for each in happened.left),
        first=happened.first,
    )
