from __future__ import annotations

import pytest
from google.protobuf.message import Message

from p2pchat.node.actors.ui import EVENTS
from p2pchat.node.control.translate_events import EVENT_BYTES, events
from p2pchat.node.protocol.owner_names import Names
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.node.control.stage import BOB, EVE, ME

NAMES = Names(ME.peer)
ID = b"\x0a" * 16
LOBBY = control.Conversation(room="lobby")
WITH_BOB = control.Conversation(peer=BOB.peer)


def said(
    text: str, sender: bytes = BOB.peer_bytes, alteration: records.Alteration | None = None
) -> records.RoomRecord:
    message = wire.RoomMessage(id=ID, room="lobby", sender=sender, nick="bob", text=text)
    return records.RoomRecord(message=message, alteration=alteration)


def written(text: str, **fields: object) -> records.DirectRecord:
    return records.DirectRecord(peer=BOB.peer_bytes, id=ID, text=text, **fields)  # type: ignore[arg-type]


def the_event(happened: Message) -> control.Event:
    (event,) = events(happened, NAMES)
    return event


def test_messages_of_a_room_in_their_order() -> None:
    happened = actors.RoomMessagesArrived(room="lobby", records=[said("1"), said("2")], late=True)
    arrived = the_event(happened).messages_arrived
    assert (arrived.conversation, arrived.late) == (LOBBY, True)
    assert [(each.text, each.sender) for each in arrived.messages] == [
        ("1", BOB.peer),
        ("2", BOB.peer),
    ]


def test_direct_messages() -> None:
    happened = actors.DirectArrived(peer=BOB.peer, records=[written("1"), written("2")])
    arrived = the_event(happened).messages_arrived
    assert arrived.conversation == WITH_BOB
    assert [each.text for each in arrived.messages] == ["1", "2"]


def test_much_that_comes_at_once_is_several_events_in_order() -> None:
    """A client of gRPC takes 4 MiB at a time, and would lose all of a longer one."""
    long = "x" * 60_000
    happened = actors.RoomMessagesArrived(
        room="lobby", records=[said(f"{n}{long}") for n in range(20)]
    )
    found = list(events(happened, NAMES))
    assert len(found) > 1
    assert all(each.ByteSize() < EVENT_BYTES + 100 for each in found)
    texts = [each.text for event in found for each in event.messages_arrived.messages]
    assert [text.removesuffix(long) for text in texts] == [str(n) for n in range(20)]


def test_nothing_but_edits_is_no_arrival() -> None:
    edit = said("new")
    edit.message.target = ID
    assert not list(events(actors.RoomMessagesArrived(room="lobby", records=[edit]), NAMES))


def test_altered_messages_of_a_room() -> None:
    edited = said("old", alteration=records.Alteration(text="new", edited_at_ms=5))
    deleted = said("", EVE.peer_bytes, records.Alteration(deleted=True))
    happened = actors.MessagesAltered(room="lobby", room_records=[edited, deleted])
    gone, changed = (each.messages_changed for each in events(happened, NAMES))
    assert gone == control.MessagesChanged(
        conversation=LOBBY, deleted=[control.DeletedMessage(sender=EVE.peer, id=ID.hex())]
    )
    assert changed.conversation == LOBBY
    assert [each.text for each in changed.messages] == ["new"]


def test_altered_direct_messages() -> None:
    edited = written("old", alteration=records.Alteration(text="new", edited_at_ms=5))
    deleted = written("", outgoing=True, alteration=records.Alteration(deleted=True))
    happened = actors.MessagesAltered(peer=BOB.peer, direct_records=[edited, deleted])
    gone, changed = (each.messages_changed for each in events(happened, NAMES))
    assert gone.deleted[0].sender == ME.peer
    assert (changed.conversation, changed.messages[0].text) == (WITH_BOB, "new")


def test_deliveries() -> None:
    delivery = records.Delivery(stage=records.DELIVERED)
    change = actors.DeliveryChange(id=ID, delivery=delivery)
    happened = actors.DeliveriesChanged(peer=BOB.peer, name="bob", changes=[change])
    assert the_event(happened).deliveries_changed == control.DeliveriesChanged(
        conversation=WITH_BOB,
        changes=[
            control.DeliveryChange(id=ID.hex(), delivery=control.Delivery(stage=control.DELIVERED))
        ],
    )


def test_unread_counts_of_rooms_and_people() -> None:
    room = the_event(actors.UnreadChanged(room="lobby", unread=3)).unread_changed
    assert room == control.UnreadChanged(conversation=LOBBY, unread=3)
    person = the_event(actors.UnreadChanged(peer=BOB.peer)).unread_changed
    assert person == control.UnreadChanged(conversation=WITH_BOB)


def test_who_comes_and_goes() -> None:
    member = actors.Member(peer=BOB.peer, name="bob", seen_ms=5)
    happened = actors.MembersChanged(room="lobby", joined=[member], left=[member], first=True)
    shown = control.Member(peer=BOB.peer, name="bob", seen_ms=5)
    assert the_event(happened).members_changed == control.MembersChanged(
        room="lobby", joined=[shown], left=[shown], first=True
    )


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (actors.Notice.INFO, "info"),
        (actors.Notice.HINT, "hint"),
        (actors.Notice.WARNING, "warning"),
    ],
)
def test_notices(level: actors.Notice.Level, word: str) -> None:
    notice = the_event(actors.Notice(level=level, text="So.")).notice
    assert notice == control.Notice(level=word, text="So.")


def test_the_way_to_this_node() -> None:
    happened = actors.ReachabilityChanged(reachability=actors.PRIVATE, addresses=["/memory/1"])
    assert the_event(happened).reachability_changed == control.ReachabilityChanged(
        reachability="private", addresses=["/memory/1"]
    )
    listening = actors.Listening(peer=ME.peer, addresses=["/memory/1"])
    assert the_event(listening).listening == control.Listening(addresses=["/memory/1"])


def test_a_transfer_and_a_contact() -> None:
    record = records.TransferRecord(peer=BOB.peer_bytes, done=5)
    happened = actors.TransferChanged(transfer=actors.TransferStatus(record=record))
    assert the_event(happened).transfer_changed.transfer.done == 5
    changed = the_event(actors.ContactChanged(peer=BOB.peer)).contacts_changed
    assert changed == control.ContactsChanged(peer=BOB.peer)


# Events that look alike here and there, with other numbers of fields perhaps.
ALIKE = [
    (actors.RoomJoined(room="lobby", plain=True), "room_joined"),
    (actors.RoomLeft(room="lobby"), "room_left"),
    (actors.RoomGap(room="lobby", missing=2, given_up=True), "room_gap"),
    (
        actors.SyncProgressed(
            room="lobby", peer=BOB.peer, fetched=1, expected=2, done=True, broken=True
        ),
        "sync_progressed",
    ),
    (
        actors.PeerConnected(
            peer=BOB.peer, address="/memory/2", transport="tcp", outbound=True, relayed=True
        ),
        "peer_connected",
    ),
    (actors.PeerDisconnected(peer=BOB.peer), "peer_disconnected"),
    (actors.PeerNamed(peer=BOB.peer, name="bob", previous="rob"), "peer_named"),
    (
        actors.PeerMoved(
            peer=BOB.peer, address="/memory/2", transport="tcp", relayed=True, punched=True
        ),
        "peer_moved",
    ),
]


@pytest.mark.parametrize(("happened", "field"), ALIKE)
def test_other_events_keep_their_fields(happened: Message, field: str) -> None:
    event = the_event(happened)
    assert event.WhichOneof("event") == field
    before = {each.name: value for each, value in happened.ListFields()}
    after = {each.name: value for each, value in getattr(event, field).ListFields()}
    assert after == before


def test_what_is_muted() -> None:
    happened = actors.ConversationChanged(room="lobby", muted=True)
    assert the_event(happened).conversation_changed == control.ConversationChanged(
        conversation=LOBBY, muted=True
    )
    happened = actors.ConversationChanged(peer=BOB.peer)
    assert the_event(happened).conversation_changed.conversation == WITH_BOB


def test_what_is_no_event_of_the_api_is_none() -> None:
    assert not list(events(actors.Done(), NAMES))


def test_every_event_of_the_node_is_one_of_the_api() -> None:
    """An event that is added to the ui actor needs a translation."""
    filled: dict[type[Message], Message] = {
        actors.RoomMessagesArrived: actors.RoomMessagesArrived(room="lobby", records=[said("1")]),
        actors.DirectArrived: actors.DirectArrived(peer=BOB.peer, records=[written("1")]),
        actors.MessagesAltered: actors.MessagesAltered(room="lobby", room_records=[said("1")]),
        actors.TransferChanged: actors.TransferChanged(
            transfer=actors.TransferStatus(record=records.TransferRecord(peer=BOB.peer_bytes))
        ),
    }
    for kind in EVENTS:
        assert list(events(filled.get(kind, kind()), NAMES)), kind.__name__
