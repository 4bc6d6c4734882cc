"""Both stores of a mailbox, each as it is at one moment, for a backup of a mailbox that runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from google.protobuf.message import Message

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

AT_ONCE = 1  # a new checkpoint takes the place of the one before


class Checkpoints:
    """Asks `storage` (rooms) and then `mail_storage` (mail, and which rooms are kept) for a checkpoint each.

    In this order: a room that begins to be kept in between is noted and empty, and fills up from its members. The other
    way round it would lie there without a note, and be deleted.
    """

    def __init__(self, storage: ActorRef | None, mail_storage: ActorRef) -> None:
        self._storage = storage
        self._mail_storage = mail_storage

    async def begin(self, command: Message) -> Callable[[], Awaitable[Message]]:
        """For a lane."""

        async def made() -> Message:
            return await self._made(command)

        return made

    async def _made(self, command: Message) -> actors.CheckpointMade:
        if self._storage is None:
            raise RequestRejectedError(actors.UNAVAILABLE, "This mailbox keeps nothing on a disk.")
        # Without a deadline: it takes as long as the disk does.
        made = await self._storage.request(command, actors.CheckpointMade)
        mail = await self._mail_storage.request(command, actors.CheckpointMade)
        made.stores.update(mail.stores)
        return made
