"""The only actor that touches the message store: each call runs in a worker thread, one at a time."""

from __future__ import annotations

from google.protobuf.message import Message

from p2pchat.node.actors.storage_alterations import AlterationStorage
from p2pchat.node.actors.storage_calls import (
    MAX_PAGE,
    SAVES_PER_COMMIT,
    Runner,
    in_thread,
    inline,
)
from p2pchat.node.actors.storage_direct import DirectStorage
from p2pchat.node.actors.storage_files import FileStorage
from p2pchat.node.actors.storage_rooms import RoomStorage
from p2pchat.node.protocol.address_book import MAX_KNOWN
from p2pchat.node.runtime import handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

__all__ = ["MAX_PAGE", "SAVES_PER_COMMIT", "Runner", "StorageActor", "in_thread", "inline"]

STORE_NAME = "store"  # in the data folder: `NodeConfig.store_path`
MAILBOX_SIZE = 256  # letters; askers wait for space when the disk does not keep up


class StorageActor(RoomStorage, DirectStorage, AlterationStorage, FileStorage):
    """Keeps history and profile, direct messages, and who is where. A failing disk is answered with `Rejected`, and
    is no crash."""

    mailbox_size = MAILBOX_SIZE

    @handles(actors.ReadProfile)
    async def _read_profile(self, _: actors.ReadProfile) -> Message:
        return await self._answer(self._store.load_profile)

    @handles(actors.SaveProfile)
    async def _save_profile(self, command: actors.SaveProfile) -> Message:
        return await self._write(lambda: self._store.save_profile(command.profile))

    @handles(actors.ReadKnownPeers)
    async def _read_known_peers(self, _: actors.ReadKnownPeers) -> Message:
        return await self._answer(self._store.load_known_peers)

    @handles(actors.SaveKnownPeers)
    async def _save_known_peers(self, command: actors.SaveKnownPeers) -> Message:
        known = records.KnownPeers(peers=command.known.peers[:MAX_KNOWN])
        return await self._write(lambda: self._store.save_known_peers(known))

    @handles(actors.MakeCheckpoint)
    async def _make_checkpoint(self, _: actors.MakeCheckpoint) -> Message:
        return await self._answer(self._checkpoint)

    @handles(actors.DescribeStore)
    async def _describe_store(self, _: actors.DescribeStore) -> Message:
        return await self._answer(self._description)

    # What runs in the worker thread.

    def _checkpoint(self) -> actors.CheckpointMade:
        path = str(self._store.checkpoint())
        return actors.CheckpointMade(path=path, stores={STORE_NAME: path})

    def _description(self) -> actors.StoreDescription:
        info = self._store.describe()
        return actors.StoreDescription(
            path=info.path,
            size_bytes=info.size_bytes,
            messages=info.messages,
            schema_version=info.schema_version,
            free_bytes=info.free_bytes,
            commits=self._commits.describe(),
        )
