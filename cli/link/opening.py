"""From what is on the disk to the first screen, before the node is up.

Kept apart from the control API's own translation, which loads the node's whole runtime: half a first screen's time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from p2pchat.cli.tui.opening import OpeningScreen, conversation_key
from p2pchat.node.config import NodeConfig, RoomConfig
from p2pchat.node.glance import Glance
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import names, peer_id
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records


def screen(glance: Glance, identity: Identity, config: NodeConfig) -> OpeningScreen:
    """What the node will most likely show as well; unread messages are its own to count."""
    people = {
        peer_id.to_text(each.peer): each for each in glance.contacts if not each.blocked_at_ms
    }
    called = {peer: _name_of(peer, each) for peer, each in people.items()}
    translate = _Translation(identity, called)
    rooms = [_room_status(room) for room in _rooms(glance.profile, config)]
    persons = [_person_status(peer, called[peer], each) for peer, each in people.items()]
    messages = {
        conversation_key(control.Conversation(room=room)): [*translate.room(found)]
        for room, found in glance.rooms.items()
    } | {
        conversation_key(control.Conversation(peer=peer)): [*translate.person(found)]
        for peer, found in glance.people.items()
        if peer in people
    }
    name = config.name or glance.profile.name or names.default_name(identity.peer)
    return OpeningScreen([*rooms, *persons], messages, identity.peer, name)


def _rooms(profile: records.Profile, config: NodeConfig) -> Iterable[RoomConfig]:
    """The one that was used last, or is asked for last, first: as the node will have them."""
    known = [RoomConfig(room.name, room.plain) for room in profile.rooms]
    wanted = {room.name for room in config.rooms}
    remembered = [room for room in known if room.name not in wanted]
    return reversed([*remembered, *config.rooms])


def _name_of(peer: str, contact: records.Contact) -> str:
    return contact.name or contact.nick or f"…{peer_id.short(peer)}"


def _room_status(room: RoomConfig) -> control.ConversationStatus:
    return control.ConversationStatus(
        conversation=control.Conversation(room=room.name),
        name=room.name,
        plain=room.plain,
        joined=True,
    )


def _person_status(peer: str, name: str, contact: records.Contact) -> control.ConversationStatus:
    return control.ConversationStatus(
        conversation=control.Conversation(peer=peer),
        name=name,
        muted=contact.muted,
        last_message_ms=contact.last_message_ms,
        verified=bool(contact.verified_at_ms),
        added=contact.added,
    )


class _Translation:
    def __init__(self, identity: Identity, called: dict[str, str]) -> None:
        self._me, self._me_bytes = identity.peer, identity.peer_bytes
        self._called = called

    def room(self, found: Sequence[records.RoomRecord]) -> Iterator[control.Message]:
        """Without what is about other messages, and what was deleted here."""
        for record in found:
            said = record.message
            if said.target or record.alteration.deleted:
                continue
            own = bool(said.sender) and said.sender == self._me_bytes
            sender = peer_id.to_text(said.sender) if said.sender else ""
            message = control.Message(
                conversation=control.Conversation(room=said.room),
                id=said.id.hex(),
                sender=sender,
                name=said.nick if own else self._name(sender, said.nick),
                own=own,
                text=said.text,
                sent_at_ms=said.sent_at_ms,
                received_at_ms=record.received_at_ms,
                lamport=said.lamport,
                unsigned=record.plain,
            )
            yield _altered(message, record.alteration)

    def person(self, found: Sequence[records.DirectRecord]) -> Iterator[control.Message]:
        """The same. Files are left to the node."""
        for record in found:
            if record.target or record.alteration.deleted or record.HasField("file"):
                continue
            peer = peer_id.to_text(record.peer)
            message = control.Message(
                conversation=control.Conversation(peer=peer),
                id=record.id.hex(),
                sender=self._me if record.outgoing else peer,
                name=record.nick if record.outgoing else self._name(peer, record.nick),
                own=record.outgoing,
                text=record.text,
                sent_at_ms=record.sent_at_ms,
                received_at_ms=record.received_at_ms,
                lamport=record.lamport,
                read=record.read,
                expires_at_ms=record.expires_at_ms,
            )
            if record.outgoing:
                message.delivery.CopyFrom(_delivery(record.delivery))
            yield _altered(message, record.alteration)

    def _name(self, peer: str, nick: str) -> str:
        return self._called.get(peer) or nick or (f"…{peer_id.short(peer)}" if peer else "")


def _altered(message: control.Message, alteration: records.Alteration) -> control.Message:
    if alteration.retracted:
        message.retracted, message.text = True, ""
    elif alteration.edited_at_ms:
        message.text = alteration.text
    message.edited_at_ms = alteration.edited_at_ms
    return message


def _delivery(known: records.Delivery) -> control.Delivery:
    return control.Delivery(
        stage=cast("control.Stage", known.stage),  # the same numbers
        stored=len(known.stored_at),
        mailboxes=known.mailboxes,
        reason=known.reason,
        changed_at_ms=known.changed_at_ms,
    )
