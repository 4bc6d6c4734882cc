"""From what is on the disk to the first screen, before the node is up."""

from __future__ import annotations

from collections.abc import Iterable

from p2pchat.cli.tui.opening import OpeningScreen, conversation_key
from p2pchat.node.config import NodeConfig, RoomConfig
from p2pchat.node.glance import Glance
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import names, peer_id
from p2pchat.node.protocol import readable_messages as readable
from p2pchat.node.protocol.owner_names import Names
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records


def screen(glance: Glance, identity: Identity, config: NodeConfig) -> OpeningScreen:
    """What the node will most likely show as well; unread messages are its own to count."""
    people = {
        peer_id.to_text(each.peer): each for each in glance.contacts if not each.blocked_at_ms
    }
    called = {peer: _name_of(peer, each) for peer, each in people.items()}
    owner_names = Names(identity.peer)
    owner_names.learn(
        actors.ContactStatus(contact=each, name=called[peer]) for peer, each in people.items()
    )
    rooms = [_room_status(room) for room in _rooms(glance.profile, config)]
    persons = [_person_status(peer, called[peer], each) for peer, each in people.items()]
    messages = {
        conversation_key(control.Conversation(room=room)): [
            *readable.room_messages(found, owner_names)
        ]
        for room, found in glance.rooms.items()
    } | {
        conversation_key(control.Conversation(peer=peer)): [
            *readable.direct_messages(_texts(found), owner_names)
        ]
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


def _texts(found: Iterable[records.DirectRecord]) -> Iterable[records.DirectRecord]:
    """Files are left to the node, which knows how far they are."""
    return (record for record in found if not record.HasField("file"))


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
