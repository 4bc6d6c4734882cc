"""The list of rooms and people, put together from what four actors say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.conversations import Conversations
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.runtime import Actor, ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.builders import sender_bytes
from tests.direct_builders import peer_text


class Played(Actor):
    """Storage, pubsub and delivery at once."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.unread = [actors.UnreadChanged(room="den", unread=3)]

    @handles(actors.ReadProfile)
    async def _profile(self, _: actors.ReadProfile) -> Message:
        rooms = [records.RoomEntry(name="harbour"), records.RoomEntry(name="den")]
        return records.Profile(rooms=rooms)

    @handles(actors.ListRooms)
    async def _rooms(self, _: actors.ListRooms) -> Message:
        return actors.RoomList(
            rooms=[actors.Room(name="den"), actors.Room(name="harbour", plain=True)]
        )

    @handles(actors.ListStoredRooms)
    async def _stored(self, _: actors.ListStoredRooms) -> Message:
        muted = records.RoomSettings(muted=True)
        return actors.RoomUsageList(
            rooms=[
                actors.RoomUsage(room="den", messages=5, newest_lamport=7, settings=muted),
                actors.RoomUsage(room=stored_room("harbour", True), messages=1, newest_lamport=8),
                actors.RoomUsage(room="harbour", messages=9, newest_lamport=9),
                actors.RoomUsage(room="left", messages=2),
                actors.RoomUsage(room="empty"),
                actors.RoomUsage(room=stored_room("quay", True), messages=1),
            ]
        )

    @handles(actors.ReadUnread)
    async def _unread(self, _: actors.ReadUnread) -> Message:
        return actors.UnreadCounts(counts=self.unread)

    @handles(actors.ListContacts)
    async def _contacts(self, _: actors.ListContacts) -> Message:
        bob = records.Contact(peer=sender_bytes(1), muted=True, last_message_ms=5)
        eve = records.Contact(peer=sender_bytes(2), blocked_at_ms=1)
        found = [actors.ContactStatus(contact=each, name="Bob") for each in (bob, eve)]
        return actors.ContactStatusList(contacts=found)

    @handles(actors.MarkRoomSeen)
    async def _seen(self, command: actors.MarkRoomSeen) -> Message:
        self.asked.append(command)
        self.unread = []
        return actors.Done()

    @handles(actors.Mute)
    async def _mute(self, command: actors.Mute) -> Message:
        self.asked.append(command)
        return actors.Done()


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Conversations, Played, list[Message]]]:
    played, told = Played(), list[Message]()
    cell = ActorCell.of("played", Played, lambda: played)
    tree = Supervisor("root", [cell], root=True)
    conversations = Conversations(
        storage=cell.ref, pubsub=cell.ref, delivery=cell.ref, emit=told.append, now_ms=lambda: 42
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        yield conversations, played, told
        nursery.cancel_scope.cancel()


async def test_joined_rooms_then_stored_ones_then_people(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (conversations, _, _told):
        found = await conversations.list()
    assert isinstance(found, actors.ConversationList)
    shown = [(c.room, c.peer, c.joined, c.plain) for c in found.conversations]
    assert shown == [
        ("harbour", "", True, True),
        ("den", "", True, False),
        ("left", "", False, False),
        ("quay", "", False, True),
        ("", peer_text(1), False, False),
    ]
    harbour, den, _, _, bob = found.conversations
    assert (harbour.last_message_ms, den.last_message_ms, bob.last_message_ms) == (8, 7, 5)
    assert (den.unread, den.muted) == (3, True)
    assert (bob.name, bob.muted) == ("Bob", True)


async def test_a_plain_room_that_was_left_is_named_as_the_store_does(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (conversations, played, _):
        await (await conversations.change(actors.Mute(room="quay", muted=True)))()
    assert played.asked == [actors.Mute(room=stored_room("quay", True), muted=True)]


async def test_two_rooms_of_one_name_are_seen_together(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (conversations, played, _):
        played.unread = [actors.UnreadChanged(room=stored_room("den", True), unread=2)]
        await (await conversations.change(actors.MarkRoomSeen(room="den")))()
    seen = {each.room for each in played.asked if isinstance(each, actors.MarkRoomSeen)}
    assert seen == {"den", stored_room("den", True)}


async def test_a_plain_room_is_named_as_the_store_does(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (conversations, played, _):
        for command in (
            actors.MarkRoomSeen(room="harbour"),
            actors.Mute(room="den", muted=True),
            actors.Mute(peer=peer_text(1)),
        ):
            await (await conversations.change(command))()
    assert played.asked == [
        actors.MarkRoomSeen(room=stored_room("harbour", True), seen_ms=42),
        actors.Mute(room="den", muted=True),
        actors.Mute(peer=peer_text(1)),
    ]


async def test_other_front_ends_hear_what_is_muted(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as (conversations, _, told):
        await (await conversations.change(actors.Mute(room="harbour", muted=True)))()
        await (await conversations.change(actors.Mute(peer=peer_text(1))))()
    assert told == [
        actors.ConversationChanged(room="harbour", muted=True),
        actors.ConversationChanged(peer=peer_text(1)),
    ]


async def test_only_changes_of_what_is_unread_are_told(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as (conversations, _, told), trio.open_nursery() as nursery:
        nursery.start_soon(conversations.run)
        await trio.sleep(1)
        conversations.stir()
        await trio.sleep(1)
        assert told == [actors.UnreadChanged(room="den", unread=3)]
        await (await conversations.change(actors.MarkRoomSeen(room="den")))()
        await trio.sleep(1)
        assert told[1:] == [actors.UnreadChanged(room="den")]
        nursery.cancel_scope.cancel()
