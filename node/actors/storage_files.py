"""What the storage actor does about file transfers."""

from __future__ import annotations

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import StoreActor
from p2pchat.node.runtime import handles
from p2pchat.proto import actors_pb2 as actors


class FileStorage(StoreActor):
    """Keeps how far files have come."""

    @handles(actors.SaveTransfer)
    async def _save_transfer(self, command: actors.SaveTransfer) -> Message:
        return await self._write(lambda: self._store.save_transfer(command.record))

    @handles(actors.DeleteTransfers)
    async def _delete_transfers(self, command: actors.DeleteTransfers) -> Message:
        return await self._write(lambda: self._store.delete_transfers(command.records))

    @handles(actors.ReadTransfers)
    async def _read_transfers(self, _: actors.ReadTransfers) -> Message:
        return await self._answer(lambda: actors.StoredTransfers(records=self._store.transfers()))
