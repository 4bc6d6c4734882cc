"""The first screen says what the node will say."""

from __future__ import annotations

from pathlib import Path

from p2pchat.cli.link import opening
from p2pchat.node.config import NodeConfig, RoomConfig
from p2pchat.node.glance import Glance
from p2pchat.node.identity import Identity
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import records_pb2 as records
from tests.builders import room_record, sender_bytes
from tests.direct_builders import PEER, direct_record

ME = Identity(bytes(32))
CONFIG = NodeConfig(Path())
DELIVERED = records.Delivery(stage=records.DELIVERED, stored_at=[b"x"], mailboxes=2)


def test_rooms_stand_first_the_last_one_used_before_the_others() -> None:
    profile = records.Profile(name="Ada", rooms=[{"name": "old"}, {"name": "new", "plain": True}])
    config = NodeConfig(Path(), rooms=(RoomConfig("old"), RoomConfig("asked for")))
    contact = records.Contact(peer=sender_bytes(0), nick="Bob", added=True)
    first = opening.screen(Glance(profile, [contact]), ME, config)
    named = [(each.name, each.plain) for each in first.conversations]
    assert named == [("asked for", False), ("old", False), ("new", True), ("Bob", False)]
    assert first.conversations[-1].conversation.peer == PEER
    assert (first.peer, first.name) == (ME.peer, "Ada")


def test_messages_are_whose_they_are_and_as_they_read_now() -> None:
    own, edited, taken_back, deleted, about = (room_record(number) for number in range(5))
    own.message.sender = ME.peer_bytes
    edited.alteration.text, edited.alteration.edited_at_ms = "better", 7
    taken_back.alteration.retracted = True
    deleted.alteration.deleted = True
    about.message.target = edited.message.id
    found = {"den": [own, edited, taken_back, deleted, about]}
    messages = opening.screen(Glance(rooms=found), ME, CONFIG).messages["#den"]
    assert [each.own for each in messages] == [True, False, False]
    assert [each.text for each in messages] == ["message 0", "better", ""]
    assert messages[1].edited_at_ms == 7
    assert messages[2].retracted


def test_direct_messages_say_how_far_they_are() -> None:
    out, into = direct_record(1, outgoing=True), direct_record(2)
    out.delivery.CopyFrom(DELIVERED)
    contact = records.Contact(peer=sender_bytes(0), name="Robert", nick="Bob")
    seen = Glance(contacts=[contact], people={PEER: [out, into]})
    messages = opening.screen(seen, ME, CONFIG).messages[f"@{PEER}"]
    assert [(each.own, each.name) for each in messages] == [(True, "user0"), (False, "Robert")]
    assert messages[0].delivery == control.Delivery(stage=control.DELIVERED, stored=1, mailboxes=2)
    assert not messages[1].HasField("delivery")


def test_who_is_blocked_is_not_shown() -> None:
    contact = records.Contact(peer=sender_bytes(0), blocked_at_ms=1)
    seen = Glance(contacts=[contact], people={PEER: [direct_record(1)]})
    first = opening.screen(seen, ME, CONFIG)
    assert not first.conversations
    assert not first.messages


def test_a_new_owner_has_a_name_already() -> None:
    assert opening.screen(Glance(), ME, CONFIG).name == f"user-{ME.peer[-6:].lower()}"
