"""The only actor that touches the message store: each call runs in a worker thread, one at a time."""

from __future__ import annotations

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import (
    MAX_PAGE,
    SAVES_PER_COMMIT,
    Runner,
    in_thread,
    inline,
)
from p2pchat.node.actors.storage_direct import DirectStorage
from p2pchat.node.actors.storage_rooms import RoomStorage
from p2pchat.node.runtime import handles
from p2pchat.proto import actors_pb2 as actors

__all__ = ["MAX_PAGE", "SAVES_PER_COMMIT", "Runner", "StorageActor", "in_thread", "inline"]

MAILBOX_SIZE = 256  # letters; askers wait for space when the disk does not keep up


class StorageActor(RoomStorage, DirectStorage):
    """Keeps history and profile, and direct messages. A failing disk is answered with `Rejected`, and is no crash."""

    mailbox_size = MAILBOX_SIZE

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

    def _description(self) -> actors.StoreDescription:
        info = self._store.describe()
        return actors.StoreDescription(
            path=info.path,
            size_bytes=info.size_bytes,
            messages=info.messages,
            schema_version=info.schema_version,
        )
