"""Rooms on gossip: own texts are saved, shown and published; received ones are checked, saved and shown."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.errors import (
    ActorError,
    ActorStoppedError,
    NetworkDownError,
    NetworkError,
    PublishError,
    RequestRejectedError,
)
from p2pchat.node.ports import GossipMessage, Network, Subscription
from p2pchat.node.protocol import names, profiles
from p2pchat.node.protocol.rooms import Randomness, Room
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.runtime import Actor, ActorRef, handles, handles_batch
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

MAX_ROOMS = 64  # joined at a time
POSTS_PER_SAVE = 128  # queued texts that share one synced write
OUTGOING = 2048  # saved messages that wait for gossip; then posting waits
LAST_WORDS = 3.0  # seconds that leaving a room waits for what was said there to go out
REUNION = 5.0  # seconds that what was left over waits for neighbours to come back
REUNION_POLL = 0.1  # seconds
RETRY_SAVE = 1.0  # seconds until received messages that the store refused are tried again


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
        self_image: SelfImage,
        randomness: Randomness,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self._network = network
        self._author = author
        self._key = key
        self._storage = storage
        self._ui = ui
        self._self_image = self_image
        self._randomness = randomness
        self._now_ms = now_ms
        self._rooms: dict[str, Room] = {}
        self._readers: dict[str, trio.CancelScope] = {}
        self._outgoing = self_image.outgoing
        self._network_down = False
        self._changed = trio.Condition()

    async def started(self) -> None:
        if not self._self_image.settled:
            await self._settle_rooms()
        for name, plain in list(self._self_image.rooms.items()):
            self._ui.offer(await self._join(name, plain))
        self.spawn(self._publish, name="publisher")

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

    async def stopping(self) -> None:
        """Saved messages still go out and are read, as far as the stop's grace allows."""
        await self._all_published()
        await self._network.flush()

    @handles(actors.FlushRooms)
    async def _flush(self, _: actors.FlushRooms) -> actors.Done:
        await self._all_published()
        await self._network.flush()
        return actors.Done()

    async def _all_published(self) -> None:
        async with self._changed:
            while self._outgoing and not self._network_down:
                await self._changed.wait()

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
            return await self._join(command.room, command.plain)
        except (NetworkError, RequestRejectedError, ActorError) as error:
            detail = f"Could not join: {error}"
            return actors.Rejected(reason=actors.NETWORK_FAILED, detail=detail)

    @handles(actors.LeaveRoom)
    async def _leave_room(self, command: actors.LeaveRoom) -> actors.RoomLeft | actors.Rejected:
        if command.room not in self._rooms:
            return _not_joined(command.room)
        with trio.move_on_after(LAST_WORDS):
            async with self._changed:
                while any(message.room == command.room for message in self._outgoing):
                    await self._changed.wait()
        room = self._rooms.pop(command.room)
        self._self_image.rooms.pop(room.name, None)
        self._readers.pop(room.name).cancel()
        await self._network.unsubscribe(room.topic)
        return actors.RoomLeft(room=room.name)

    @handles(actors.ListRooms)
    async def _list_rooms(self, _: actors.ListRooms) -> actors.RoomList:
        listed = (
            room.describe(self._network.topic_peers(room.topic)) for room in self._rooms.values()
        )
        return actors.RoomList(rooms=listed)

    async def _join(self, name: str, plain: bool) -> actors.RoomJoined:
        room = Room(name, plain, self._author, self._key, self._randomness)
        state = await self._storage.ask(actors.ReadRoomState(room=name), actors.RoomState)
        room.resume(state.lamport, state.parents, self._now_ms())
        subscription = await self._network.subscribe(room.topic)
        self._rooms[name] = room
        self._self_image.rooms[name] = plain
        scope = self._readers[name] = trio.CancelScope()
        self.spawn(self._read, room, subscription, scope, name=f"room {name}")
        return actors.RoomJoined(room=name, plain=plain)

    # ---- own messages -------------------------------------------------------------------------------

    @handles_batch(actors.PostText, at_most=POSTS_PER_SAVE)
    async def _post_texts(
        self, posts: Sequence[actors.PostText]
    ) -> Sequence[actors.Posted | actors.Rejected]:
        replies = [self._compose(post) for post in posts]
        composed = [reply.record for reply in replies if isinstance(reply, actors.Posted)]
        if composed:
            try:
                await self._save(composed)
            except (RequestRejectedError, ActorError) as error:
                refused = actors.Rejected(reason=actors.STORE_FAILED, detail=f"Not sent: {error}")
                return [refused if isinstance(r, actors.Posted) else r for r in replies]
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

    async def _hand_over(self, composed: Sequence[records.RoomRecord]) -> None:
        """Show, and queue for gossip; waits while the queue is full, which makes posting wait."""
        for room, own in self._by_room(composed).items():
            await self._show(room, own)
        async with self._changed:
            self._outgoing.extend(record.message for record in composed)
            self._changed.notify_all()
            while len(self._outgoing) >= OUTGOING:
                await self._changed.wait()

    async def _publish(self) -> None:
        """What has gathered while the last publish was under way goes out together."""
        if self._outgoing:
            await self._wait_for_neighbours()
        try:
            while True:
                async with self._changed:
                    while not self._outgoing:
                        await self._changed.wait()
                await self._publish_some()
        except NetworkDownError:
            self._network_down = True  # the next incarnation goes on with what is left
            async with self._changed:
                self._changed.notify_all()

    async def _publish_some(self) -> None:
        name = self._outgoing[0].room
        room = self._rooms.get(name)
        waiting = [message for message in self._outgoing if message.room == name]
        if room is not None:
            if room.plain:  # said again after a crash they would be new messages to everybody
                waiting = waiting[:1]
            await self._publish_in(room, waiting)
        async with self._changed:
            sent = {id(message) for message in waiting}
            left = [message for message in self._outgoing if id(message) not in sent]
            self._outgoing.clear()
            self._outgoing.extend(left)
            self._changed.notify_all()

    async def _wait_for_neighbours(self) -> None:
        """After a restart of the network nobody is connected yet to hear what was left over."""
        with trio.move_on_after(REUNION):
            while not self._has_neighbours():  # noqa: ASYNC110
                await trio.sleep(REUNION_POLL)

    def _has_neighbours(self) -> bool:
        return any(self._network.topic_peers(room.topic) for room in self._rooms.values())

    async def _publish_in(self, room: Room, messages: Sequence[wire.RoomMessage]) -> None:
        for data in room.encode(messages):
            try:
                await self._network.publish(room.topic, data)
            except NetworkDownError:
                raise
            except PublishError as error:
                log.warning("a message stays unpublished: %s", error)
                text = f"Something said in #{room.name} was kept and not sent: {error}"
                self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    # ---- received messages --------------------------------------------------------------------------

    async def _read(self, room: Room, subscription: Subscription, scope: trio.CancelScope) -> None:
        with scope:
            async for gossip in subscription:
                await self._take_in(room, gossip)

    async def _take_in(self, room: Room, gossip: GossipMessage) -> None:
        now = self._now_ms()
        good = room.receive(gossip.source, gossip.data, now)
        if not good:
            return
        fresh = await self._save_patiently(good)
        new = [record for record, is_fresh in zip(good, fresh, strict=True) if is_fresh]
        room.counts["received"] += len(new)
        room.counts["duplicates"] += len(good) - len(new)
        room.accept(new, now)
        if new:
            await self._show(room, new)

    async def _save_patiently(self, received: Sequence[records.RoomRecord]) -> Sequence[bool]:
        """A full disk or a restarting store must not lose what others said: keep trying."""
        while True:
            try:
                return await self._save(received)
            except (RequestRejectedError, ActorError) as error:
                log.warning("received messages wait for the store: %s", error)
                await trio.sleep(RETRY_SAVE)

    async def _save(self, to_save: Sequence[records.RoomRecord]) -> Sequence[bool]:
        """Without a deadline: a save that was given up would be carried out all the same, and what it saved
        would count as known, and never be shown."""
        saved = await self._storage.request(
            actors.SaveRoomMessages(records=to_save), actors.RoomMessagesSaved
        )
        return saved.fresh

    async def _show(self, room: Room, fresh: Sequence[records.RoomRecord]) -> None:
        # Told, not offered: a stored message must be shown, and ui takes letters without waiting for us.
        with contextlib.suppress(
            ActorStoppedError
        ):  # at the end nobody looks any more; it still goes out
            await self._ui.tell(actors.RoomMessagesArrived(room=room.name, records=fresh))

    def _by_room(
        self, composed: Sequence[records.RoomRecord]
    ) -> dict[Room, list[records.RoomRecord]]:
        rooms: dict[Room, list[records.RoomRecord]] = {}
        for record in composed:
            rooms.setdefault(self._rooms[record.message.room], []).append(record)
        return rooms


def _not_joined(room: str) -> actors.Rejected:
    return actors.Rejected(reason=actors.NOT_JOINED, detail=f"You are not in #{room}.")
