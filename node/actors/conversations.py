"""For front ends: rooms and people with what is unread, and what the owner does with single messages here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.parts import ask_part, fill_in
from p2pchat.node.protocol import names, peer_id
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

GATHER = 0.1  # seconds in which changes of what is unread are gathered
RETRY = 1.0  # seconds until a store that did not answer is asked again

Key = tuple[str, str]  # room, or peer; the other one is empty


class Conversations:
    """Asks the actors that know; `emit` tells front ends of what has changed."""

    def __init__(
        self,
        *,
        storage: ActorRef,
        pubsub: ActorRef,
        delivery: ActorRef,
        emit: Callable[[Message], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._storage = storage
        self._pubsub = pubsub
        self._delivery = delivery
        self._emit = emit
        self._now_ms = now_ms
        self._told: dict[Key, int] = {}
        self._bell = Bell()

    # ---- what is unread -------------------------------------------------------------------------------

    def stir(self) -> None:
        """Something came, was seen or was deleted."""
        self._bell.ring()

    async def run(self) -> None:
        """Tells what is unread whenever that has changed. Many messages at once are told together."""
        while True:
            counts = await ask_part(self._storage, actors.ReadUnread(), actors.UnreadCounts)
            if counts is None:  # the store is slow, or is not there: once more
                await trio.sleep(RETRY)
                continue
            self._tell(counts)
            await self._bell.wait()
            await trio.sleep(GATHER)

    def _tell(self, counts: actors.UnreadCounts) -> None:
        now = _by_key(counts)
        for key in self._told.keys() | now.keys():
            if now.get(key, 0) != self._told.get(key, 0):
                room, peer = key
                self._emit(actors.UnreadChanged(room=room, peer=peer, unread=now.get(key, 0)))
        self._told = now

    # ---- the list -------------------------------------------------------------------------------------

    async def list(self) -> Message:
        """Of an actor that is restarting its part is left out."""
        profile, joined, people = records.Profile(), actors.RoomList(), actors.ContactStatusList()
        stored, unread = actors.RoomUsageList(), actors.UnreadCounts()
        async with trio.open_nursery() as nursery:
            for ref, question, part in (
                (self._storage, actors.ReadProfile(), profile),
                (self._storage, actors.ListStoredRooms(), stored),
                (self._storage, actors.ReadUnread(), unread),
                (self._pubsub, actors.ListRooms(), joined),
                (self._delivery, actors.ListContacts(), people),
            ):
                nursery.start_soon(fill_in, ref, question, part)
        rooms = list(_rooms(profile, joined, stored))
        found = [*rooms, *_people(people)]
        counts = _by_key(unread)
        for each in found:
            each.unread = counts.get((each.room, each.peer), 0)
        return actors.ConversationList(conversations=found)

    # ---- what the owner does --------------------------------------------------------------------------

    async def change(self, message: Message) -> Callable[[], Awaitable[Message]]:
        """To be worked off one after the other."""
        match message:
            case actors.MarkRoomSeen():
                return partial(self._mark_seen, message)
            case actors.Mute():
                return partial(self._mute, message)
            case _:
                assert isinstance(message, actors.DeleteMessage)
                return partial(self._delete, message)

    async def _mark_seen(self, message: actors.MarkRoomSeen) -> Message:
        """Both rooms of that name, if there are two: they count together."""
        now_ms = self._now_ms()
        counts = await self._storage.ask(actors.ReadUnread(), actors.UnreadCounts)
        unread = {c.room for c in counts.counts if names.shown_room(c.room) == message.room}
        for room in sorted({await self._stored(message.room), *unread}):
            command = actors.MarkRoomSeen(room=room, seen_ms=now_ms)
            await self._storage.ask(command, actors.Done)
        self.stir()
        return actors.Done()

    async def _mute(self, message: actors.Mute) -> Message:
        if message.peer:
            done = await self._delivery.ask(message, actors.Done)
        else:
            command = actors.Mute(room=await self._stored(message.room), muted=message.muted)
            done = await self._storage.ask(command, actors.Done)
        told = actors.ConversationChanged(room=message.room, peer=message.peer, muted=message.muted)
        self._emit(told)  # for the other front ends
        return done

    async def _delete(self, message: actors.DeleteMessage) -> Message:
        command = actors.DeleteMessage()
        command.CopyFrom(message)
        if message.room:
            command.room = await self._stored(message.room)
        done = await self._storage.ask(command, actors.Done)
        self._emit(_gone(message))
        self.stir()
        return done

    async def _stored(self, room: str) -> str:
        """What the store calls a room. Of two of one name it is the joined one, else the one that is kept."""
        joined = await ask_part(self._pubsub, actors.ListRooms(), actors.RoomList)
        for each in joined.rooms if joined is not None else ():
            if each.name == room:
                return names.stored_room(room, each.plain)
        stored = await ask_part(self._storage, actors.ListStoredRooms(), actors.RoomUsageList)
        usage = stored.rooms if stored is not None else ()
        kept = {each.room for each in usage if each.messages}
        plain = names.stored_room(room, True)
        return plain if plain in kept and room not in kept else room


def _by_key(counts: actors.UnreadCounts) -> dict[Key, int]:
    """By the names that front ends use. Two rooms of one name cannot be joined at a time: they count together."""
    found: dict[Key, int] = {}
    for each in counts.counts:
        key = (names.shown_room(each.room), each.peer)
        found[key] = found.get(key, 0) + each.unread
    return found


def _rooms(
    profile: records.Profile, joined: actors.RoomList, stored: actors.RoomUsageList
) -> Iterator[actors.ConversationStatus]:
    """Joined ones in the profile's order, the last one used last; then others of which something is kept."""
    order = {entry.name: place for place, entry in enumerate(profile.rooms)}
    usage = {each.room: each for each in stored.rooms}
    listed = sorted(joined.rooms, key=lambda room: order.get(room.name, len(order)))
    for room in listed:
        kept = usage.pop(names.stored_room(room.name, room.plain), actors.RoomUsage())
        yield _room(room.name, room.plain, kept, joined=True)
    known = {room.name for room in listed}
    for name, kept in usage.items():
        shown = names.shown_room(name)
        if kept.messages and shown not in known:
            known.add(shown)
            yield _room(shown, shown != name, kept, joined=False)


def _room(
    name: str, plain: bool, kept: actors.RoomUsage, *, joined: bool
) -> actors.ConversationStatus:
    return actors.ConversationStatus(
        room=name,
        name=name,
        muted=kept.settings.muted,
        joined=joined,
        plain=plain,
        # A Lamport time is that of the clock of whoever wrote, as long as clocks are right.
        last_message_ms=kept.newest_lamport,
    )


def _people(contacts: actors.ContactStatusList) -> Iterator[actors.ConversationStatus]:
    for status in contacts.contacts:
        if not status.contact.blocked_at_ms:
            yield actors.ConversationStatus(
                peer=peer_id.to_text(status.contact.peer),
                name=status.name,
                muted=status.contact.muted,
                contact=status,
                last_message_ms=status.contact.last_message_ms,
            )


def _gone(message: actors.DeleteMessage) -> actors.MessagesAltered:
    """As much of a deleted message as front ends need to take it away."""
    alteration = records.Alteration(deleted=True)
    if message.room:
        named = wire.RoomMessage(room=message.room, sender=message.sender, id=message.id)
        record = records.RoomRecord(message=named, alteration=alteration)
        return actors.MessagesAltered(room=message.room, room_records=[record])
    peer = peer_id.from_text(message.peer)
    own = message.sender != peer
    direct = records.DirectRecord(peer=peer, outgoing=own, id=message.id, alteration=alteration)
    return actors.MessagesAltered(peer=message.peer, direct_records=[direct])
