"""The only actor that touches the message store: each call runs in a worker thread, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore
from p2pchat.node.runtime import Actor, handles, handles_batch
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

MAILBOX_SIZE = 256  # letters; askers wait for space when the disk does not keep up
SAVES_PER_COMMIT = 128  # queued saves that share one synced write; half of the mailbox
MAX_PAGE = 1000  # messages in one page of history

T = TypeVar("T")


class Runner(Protocol):
    """How a call on the store is made."""

    async def __call__(self, call: Callable[[], T], /) -> T: ...


async def in_thread(call: Callable[[], T]) -> T:
    """Never abandoned: a call that went on behind the next one would break "one at a time"."""
    return await trio.to_thread.run_sync(call, abandon_on_cancel=False)


async def inline(call: Callable[[], T]) -> T:
    """At once: for stores that never block, and for virtual time, which does not wait for threads."""
    return call()


class StorageActor(Actor):
    """Keeps history and profile. A failing disk is answered with `Rejected`, and is no crash."""

    mailbox_size = MAILBOX_SIZE

    def __init__(self, store: MessageStore, run: Runner | None = None) -> None:
        """`run` performs one call on the store; by default in a worker thread."""
        self._store = store
        self._run = run or in_thread

    async def started(self) -> None:
        await self._run(self._store.open)

    async def stopping(self) -> None:
        await self._run(self._store.close)

    @handles_batch(actors.SaveRoomMessages, at_most=SAVES_PER_COMMIT)
    async def _save_room_messages(
        self, saves: Sequence[actors.SaveRoomMessages]
    ) -> Sequence[Message]:
        batch = [record for save in saves for record in save.records]
        try:
            fresh = iter(await self._run(lambda: self._store.append(batch)))
        except StoreError as error:
            return [rejection_of(error)] * len(saves)
        return [
            actors.RoomMessagesSaved(fresh=[next(fresh) for _ in save.records]) for save in saves
        ]

    @handles(actors.ReadHistory)
    async def _read_history(self, query: actors.ReadHistory) -> Message:
        return await self._answer(lambda: self._page(query))

    @handles(actors.ReadRoomState)
    async def _read_room_state(self, query: actors.ReadRoomState) -> Message:
        return await self._answer(lambda: self._room_state(query.room))

    @handles(actors.ReadProfile)
    async def _read_profile(self, _: actors.ReadProfile) -> Message:
        return await self._answer(self._store.load_profile)

    @handles(actors.SaveProfile)
    async def _save_profile(self, command: actors.SaveProfile) -> Message:
        return await self._answer(lambda: self._keep_profile(command.profile))

    @handles(actors.DescribeStore)
    async def _describe_store(self, _: actors.DescribeStore) -> Message:
        return await self._answer(self._description)

    async def _answer(self, read: Callable[[], Message]) -> Message:
        try:
            return await self._run(read)
        except StoreError as error:
            return rejection_of(error)

    # What runs in the worker thread.

    def _page(self, query: actors.ReadHistory) -> actors.HistoryPage:
        limit = min(max(query.limit, 1), MAX_PAGE)
        page = self._store.history(query.room, limit, query.before)
        return actors.HistoryPage(records=page.records, first=page.first)

    def _room_state(self, room: str) -> actors.RoomState:
        head = self._store.room_head(room)
        return actors.RoomState(lamport=head.lamport, parents=head.parents)

    def _keep_profile(self, profile: records.Profile) -> actors.Done:
        self._store.save_profile(profile)
        return actors.Done()

    def _description(self) -> actors.StoreDescription:
        info = self._store.describe()
        return actors.StoreDescription(
            path=info.path,
            size_bytes=info.size_bytes,
            messages=info.messages,
            schema_version=info.schema_version,
        )
