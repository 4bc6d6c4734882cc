"""Rooms on gossip: own texts are saved, shown and published; received ones are checked, saved and shown."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message

from p2pchat.node.actors.lanes import Desk
from p2pchat.node.actors.pubsub.altering import Altering
from p2pchat.node.actors.pubsub.open_room import OpenRoom
from p2pchat.node.actors.pubsub.publisher import Publisher
from p2pchat.node.actors.pubsub.retention import EVERY, Retention
from p2pchat.node.errors import ActorError, NetworkError, RequestRejectedError
from p2pchat.node.ports import Network
from p2pchat.node.protocol import names, peer_id, profiles
from p2pchat.node.protocol.room_tally import RoomTally
from p2pchat.node.protocol.rooms import Randomness, Room
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.runtime import Actor, ActorRef, handles, handles_batch
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

MAX_ROOMS = 64  # joined at a time
POSTS_PER_SAVE = 128  # queued texts that share one synced write
LAST_WORDS = 3.0  # seconds that leaving a room waits for what was said there to go out
FAREWELL = 0.5  # seconds that a stop or leaving waits for the goodbye to go out
MAX_NAMES = 1_000  # of peers, remembered
SYNCS_AT_ONCE = 16  # portions from sync being saved; more wait


CLOCK_BEHIND = (
    "the clock of this computer is behind the time since which the room is kept here; is it right?"
)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class PubsubActor(Actor):
    """Owns the joined rooms. Nothing is shown that is not stored."""

    mailbox_size = 256

    def __init__(
        self,
        network: Network,
        *,
        author: bytes,
        key: Ed25519PrivateKey,
        storage: ActorRef,
        ui: ActorRef,
        sync: ActorRef,
        self_image: SelfImage,
        randomness: Randomness,
        rng: random.Random,
        room_days: int = 0,
        announce: bool = True,
        now_ms: Callable[[], int] = _now_ms,
        discovery: ActorRef | None = None,
    ) -> None:
        """`room_days`: see `Retention`. Without `announce` nobody is told in which rooms this node is. `discovery`
        hears it, to find others who are there."""
        self._network = network
        self._author = author
        self._key = key
        self._storage = storage
        self._ui = ui
        self._sync = sync
        self._self_image = self_image
        self._randomness = randomness
        self._rng = rng
        self._announce = announce
        self._now_ms = now_ms
        self._discovery = discovery
        self._open: dict[str, OpenRoom] = {}
        self._names: dict[str, str] = {}  # as connected peers have called themselves
        self._blocked: frozenset[bytes] = frozenset()  # binary peer ids
        self._rooms: dict[str, Room] = {}  # of `_open`
        self._publisher = Publisher(network, ui, self._rooms, self_image.outgoing)
        self._tally = RoomTally()
        self._retention = Retention(storage, room_days, now_ms)
        self._desk = Desk(on_unheard=lambda rejected: log.debug("%s", rejected.detail))
        self._synced = self._desk.lane(self._begin_take_in, SYNCS_AT_ONCE)
        self._cleaning = self._desk.lane(self._begin_cleaning, 1)

    async def receive(self, letters: Sequence[Letter]) -> None:
        kind = type(letters[0].message)
        if kind is actors.TakeIn:
            for letter in letters:
                self._synced.put(letter)
        elif kind in (actors.KeepRoom, actors.ForgetRoom):
            for letter in letters:
                self._cleaning.put(letter)
        else:
            await super().receive(letters)

    async def started(self) -> None:
        await self._read_blocked()
        if not self._self_image.settled:
            await self._settle_rooms()
        for name, plain in list(self._self_image.rooms.items()):
            self._ui.offer(await self._join(name, plain))
        await self._tell_rooms()
        self.spawn(self._publisher.run, name="publisher")
        self.spawn(self._desk.run, name="pubsub desk")
        self.spawn(self._clean_up, name="retention")

    async def _settle_rooms(self) -> None:
        """A node comes back to the rooms it was in, those of this start's command line included."""
        profile = await self._storage.ask(actors.ReadProfile(), records.Profile)
        self._self_image.settle_rooms({entry.name: entry.plain for entry in profile.rooms})
        if [(e.name, e.plain) for e in profile.rooms] == list(self._self_image.rooms.items()):
            return
        for name, plain in self._self_image.rooms.items():
            profile = profiles.with_room(profile, name, plain=plain)
        with contextlib.suppress(RequestRejectedError):  # a full disk is no reason not to chat
            await self._storage.ask(actors.SaveProfile(profile=profile), actors.Done)

    async def _read_blocked(self) -> None:
        """Who is blocked before the delivery actor says so: nothing of theirs is shown meanwhile."""
        with contextlib.suppress(RequestRejectedError):
            listed = await self._storage.ask(actors.ReadContacts(), actors.ContactList)
            self._blocked = frozenset(c.peer for c in listed.contacts if c.blocked_at_ms)

    @handles(actors.BlocksChanged)
    async def _blocks_changed(self, event: actors.BlocksChanged) -> None:
        self._blocked = frozenset(map(peer_id.from_text, event.peers))

    async def stopping(self) -> None:
        """Saved messages still go out and are read, as far as the stop's grace allows."""
        await self._publisher.all_published()
        with trio.move_on_after(FAREWELL):
            for room in self._open.values():
                await room.say_goodbye()
        await self._network.flush()

    @handles(actors.FlushRooms)
    async def _flush(self, _: actors.FlushRooms) -> actors.Done:
        await self._publisher.all_published()
        await self._network.flush()
        return actors.Done()

    # ---- rooms --------------------------------------------------------------------------------------

    @handles(actors.JoinRoom)
    async def _join_room(self, command: actors.JoinRoom) -> actors.RoomJoined | actors.Rejected:
        if known := self._rooms.get(command.room):
            if command.plain and not known.plain:
                detail = (
                    f"You are in #{known.name} already, as a room of signed messages: "
                    f"/leave {known.name} first, then join it with --plain."
                )
                return actors.Rejected(reason=actors.INVALID, detail=detail)
            return actors.RoomJoined(room=known.name, already=True, plain=known.plain)
        if problem := names.room_problem(command.room):
            return actors.Rejected(reason=actors.INVALID, detail=problem)
        if len(self._rooms) >= MAX_ROOMS:
            detail = f"You are in {MAX_ROOMS} rooms already; /leave one first."
            return actors.Rejected(reason=actors.TOO_MANY, detail=detail)
        try:
            joined = await self._join(command.room, command.plain)
        except (NetworkError, RequestRejectedError, ActorError) as error:
            detail = f"Could not join: {error}"
            return actors.Rejected(reason=actors.NETWORK_FAILED, detail=detail)
        await self._tell_rooms()
        return joined

    @handles(actors.LeaveRoom)
    async def _leave_room(self, command: actors.LeaveRoom) -> actors.RoomLeft | actors.Rejected:
        if command.room not in self._rooms:
            return _not_joined(command.room)
        with trio.move_on_after(LAST_WORDS):
            await self._publisher.published(command.room)
        room = self._open.pop(command.room)
        with trio.move_on_after(FAREWELL):
            await room.say_goodbye()
        self._tally.left(self._rooms.pop(command.room))
        self._self_image.rooms.pop(command.room, None)
        room.close()
        await self._sync.tell(actors.RoomClosed(room=command.room))
        await self._network.unsubscribe(room.room.topic)
        await self._tell_rooms()
        return actors.RoomLeft(room=command.room)

    @handles(actors.ListRooms)
    async def _list_rooms(self, _: actors.ListRooms) -> actors.RoomList:
        listed = (
            room.describe(self._network.topic_peers(room.topic)) for room in self._rooms.values()
        )
        return actors.RoomList(rooms=listed)

    @handles(actors.DescribePubsub)
    async def _describe(self, _: actors.DescribePubsub) -> actors.PubsubDescription:
        rooms = self._rooms.values()
        neighbours = sum(len(self._network.topic_peers(room.topic)) for room in rooms)
        return self._tally.describe(rooms, neighbours)

    @handles(actors.ListMembers)
    async def _list_members(self, query: actors.ListMembers) -> actors.MemberList | actors.Rejected:
        room = self._open.get(query.room)
        return actors.MemberList(members=room.members()) if room else _not_joined(query.room)

    @handles(actors.PeerNamed)
    async def _peer_named(self, event: actors.PeerNamed) -> None:
        self._names[event.peer] = event.name
        if len(self._names) > MAX_NAMES:
            del self._names[next(iter(self._names))]

    @handles(actors.RoomCompared)
    async def _compared(self, event: actors.RoomCompared) -> None:
        if room := self._open.get(event.room):
            self.spawn(room.intake.compared, event.began, name=f"compared {event.room}")

    async def _join(self, name: str, plain: bool) -> actors.RoomJoined:
        room = Room(name, plain, self._author, self._key, self._randomness)
        question = actors.ReadRoomState(room=names.stored_room(name, plain))
        state = await self._storage.ask(question, actors.RoomState)
        await self._mind_floor(question.room, state)
        # Not below the floor, or what is said here would not be kept here.
        room.resume(max(state.lamport, state.settings.floor), state.parents, self._now_ms())
        subscription = await self._network.subscribe(room.topic)
        opened = OpenRoom(
            room,
            subscription,
            network=self._network,
            storage=self._storage,
            ui=self._ui,
            sync=self._sync,
            author=self._author,
            key=self._key,
            known=[*state.parents, *state.settings.forgotten],
            self_image=self._self_image,
            called=self._names,
            announce=self._announce and not plain,
            rng=self._rng,
            now_ms=self._now_ms,
            is_blocked=lambda sender: sender in self._blocked,
        )
        self._open[name], self._rooms[name] = opened, room
        self._self_image.rooms[name] = plain
        self.spawn(opened.run, name=f"room {name}")
        if not plain:
            self._sync.offer(actors.RoomOpened(room=name))
        return actors.RoomJoined(room=name, plain=plain)

    async def _tell_rooms(self) -> None:
        """Discovery never waits for this actor, so waiting for its mailbox is no danger."""
        if self._discovery is None:
            return
        rooms = [
            actors.RoomTopic(room=names.stored_room(room.name, room.plain), topic=room.topic)
            for room in self._rooms.values()
        ]
        with contextlib.suppress(ActorError):  # it stops, and so does this node
            await self._discovery.tell(actors.RoomsChanged(rooms=rooms))

    async def _mind_floor(self, stored: str, state: actors.RoomState) -> None:
        if await self._retention.rectify(stored, state):
            text = (
                f"#{names.shown_room(stored)} was set to keep nothing from before a time that has not come yet: "
                "the clock of this computer was ahead. From now on it keeps what is said."
            )
            self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    # ---- own messages -------------------------------------------------------------------------------

    @handles_batch(actors.PostText, at_most=POSTS_PER_SAVE)
    async def _post_texts(
        self, posts: Sequence[actors.PostText]
    ) -> Sequence[actors.Posted | actors.Rejected]:
        replies = [self._compose(post) for post in posts]
        composed = [reply.record for reply in replies if isinstance(reply, actors.Posted)]
        if composed:
            saving = self._open[composed[0].message.room].intake.save
            try:
                kept = await saving(composed)
            except (RequestRejectedError, ActorError) as error:
                self._take_back(composed)
                return [_refused(reply, str(error)) for reply in replies]
            if not all(kept):  # below the floor of its room
                self._take_back(composed)
                return [_refused(reply, CLOCK_BEHIND) for reply in replies]
            await self._hand_over(composed)
        return replies

    def _compose(self, post: actors.PostText) -> actors.Posted | actors.Rejected:
        room = self._rooms.get(post.room)
        if room is None:
            return _not_joined(post.room)
        if problem := names.text_problem(post.text):
            return actors.Rejected(reason=actors.TOO_LONG, detail=problem)
        record = room.compose(post.text, self._self_image.name, self._now_ms())
        return actors.Posted(record=record, listeners=len(self._network.topic_peers(room.topic)))

    @handles(actors.AlterMessage)
    async def _alter(self, command: actors.AlterMessage) -> actors.Done | actors.Rejected:
        room = self._rooms.get(command.room)
        if room is None:
            return _not_joined(command.room)
        altering = Altering(self._storage, room, self._author)
        try:
            if problem := await altering.problem(command):
                return actors.Rejected(reason=actors.INVALID, detail=problem)
            record = altering.compose(command, self._self_image.name, self._now_ms())
            kept = await self._save_composed(record)
        except (RequestRejectedError, ActorError) as error:
            return actors.Rejected(reason=actors.STORE_FAILED, detail=f"Not changed: {error}")
        if not kept:
            return actors.Rejected(
                reason=actors.STORE_FAILED, detail=f"Not changed: {CLOCK_BEHIND}"
            )
        await self._hand_over([record])
        return actors.Done()

    async def _save_composed(self, record: records.RoomRecord) -> bool:
        """False: it stands below the floor of its room. Raises what the store answers."""
        kept = False
        try:
            kept = all(await self._open[record.message.room].intake.save([record]))
        finally:
            if not kept:
                self._take_back([record])
        return kept

    def _take_back(self, composed: Sequence[records.RoomRecord]) -> None:
        for record in composed:
            self._rooms[record.message.room].take_back(record.message.id)

    async def _hand_over(self, composed: Sequence[records.RoomRecord]) -> None:
        """Show, and queue for gossip; waits while the queue is full, which makes posting wait."""
        by_room: dict[str, list[records.RoomRecord]] = {}
        for record in composed:
            by_room.setdefault(record.message.room, []).append(record)
        for name, own in by_room.items():
            await self._open[name].intake.posted(own)
        await self._publisher.put([record.message for record in composed])

    # ---- from sync ----------------------------------------------------------------------------------

    async def _begin_take_in(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.TakeIn)
        return partial(self._take_in, message)

    async def _take_in(self, message: actors.TakeIn) -> Message:
        room = self._open.get(message.room)
        if room is None:
            return _not_joined(message.room)
        return actors.TakenIn(fresh=await room.intake.synced(message.messages))

    # ---- what is kept -------------------------------------------------------------------------------

    async def _begin_cleaning(self, message: Message) -> Callable[[], Awaitable[Message]]:
        return partial(self._clean, message)

    async def _clean(self, message: Message) -> Message:
        assert isinstance(message, (actors.KeepRoom, actors.ForgetRoom))
        room = self._rooms.get(message.room)
        stored = names.stored_room(message.room, plain=room is not None and room.plain)
        if isinstance(message, actors.KeepRoom):
            days = message.keep_days if message.HasField("keep_days") else None
            return await self._retention.keep(stored, days)
        trimmed = await self._retention.forget(stored)
        if trimmed.more:
            self.spawn(self._retention.trim_all, name="deleting")
        return trimmed

    async def _clean_up(self) -> None:
        while True:
            await trio.sleep(self._rng.uniform(0.5, 1.0) * EVERY)
            with contextlib.suppress(ActorError):
                await self._retention.trim_all()


def _refused(reply: actors.Posted | actors.Rejected, why: str) -> actors.Rejected:
    if isinstance(reply, actors.Rejected):
        return reply
    return actors.Rejected(reason=actors.STORE_FAILED, detail=f"Not sent: {why}")


def _not_joined(room: str) -> actors.Rejected:
    return actors.Rejected(reason=actors.NOT_JOINED, detail=f"You are not in #{room}.")
