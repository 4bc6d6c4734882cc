"""The only actor that touches the message store: each call runs in a worker thread, one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import MAX_PAGE, Runner, in_thread, inline, length_of_page
from p2pchat.node.actors.storage_direct import SAVES_PER_COMMIT, DirectStorage
from p2pchat.node.runtime import handles, handles_batch
from p2pchat.proto import actors_pb2 as actors

__all__ = ["MAX_PAGE", "SAVES_PER_COMMIT", "Runner", "StorageActor", "in_thread", "inline"]

MAILBOX_SIZE = 256  # letters; askers wait for space when the disk does not keep up


class StorageActor(DirectStorage):
    """Keeps history and profile, and direct messages. A failing disk is answered with `Rejected`, and is no crash."""

    mailbox_size = MAILBOX_SIZE

    @handles_batch(actors.SaveRoomMessages, at_most=SAVES_PER_COMMIT)
    async def _save_room_messages(
        self, commands: Sequence[actors.SaveRoomMessages]
    ) -> Sequence[Message]:
        saved = await self._save_together([c.records for c in commands], self._store.append)
        if isinstance(saved, actors.Rejected):
            return [saved] * len(commands)
        return [actors.RoomMessagesSaved(fresh=fresh) for fresh in saved]

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
        return await self._write(lambda: self._store.save_profile(command.profile))

    @handles(actors.DescribeStore)
    async def _describe_store(self, _: actors.DescribeStore) -> Message:
        return await self._answer(self._description)

    # What runs in the worker thread.

    def _page(self, query: actors.ReadHistory) -> actors.HistoryPage:
        page = self._store.history(query.room, length_of_page(query.limit), query.before)
        return actors.HistoryPage(records=page.records, first=page.first)

    def _room_state(self, room: str) -> actors.RoomState:
        head = self._store.room_head(room)
        return actors.RoomState(lamport=head.lamport, parents=head.parents)

    def _description(self) -> actors.StoreDescription:
        info = self._store.describe()
        return actors.StoreDescription(
            path=info.path,
            size_bytes=info.size_bytes,
            messages=info.messages,
            schema_version=info.schema_version,
        )
