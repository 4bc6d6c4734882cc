"""Keeps rooms within retention and quota, by way of the storage actor; and deletes those that nobody wants.

Everything here raises `RequestRejectedError` when the disk fails or is full, and `ActorError`. What was begun is
finished by the next call: a floor is saved before anything below it is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox.archive_floors import floor_of_age, shares
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.tally import Tally

SLICE = 1_000  # messages deleted at a time, so that what is said meanwhile is kept in between

Usages = Mapping[str, actors_pb2.RoomUsage]  # by room


class ArchiveTrimmer:
    """What it deletes is counted for the limit that asked for it. `now_ms` is the wall clock."""

    def __init__(
        self, config: MailboxConfig, storage: ActorRef, now_ms: Callable[[], int], tally: Tally
    ) -> None:
        self._config = config
        self._storage = storage
        self._now_ms = now_ms
        self._tally = tally

    async def usages(self) -> dict[str, actors_pb2.RoomUsage]:
        """Rooms of which something is stored."""
        question = actors_pb2.ListStoredRooms()
        listed = await self._storage.request(question, actors_pb2.RoomUsageList)
        return {usage.room: usage for usage in listed.rooms if usage.messages}

    async def prepare(self, room: str) -> None:
        """Before the room is joined, so that nobody sends what is too old to be kept."""
        state = await self._storage.request(
            actors_pb2.ReadRoomState(room=room), actors_pb2.RoomState
        )
        await self._raise(room, state.settings, self._age_floor())

    async def trim(self) -> None:
        """Every room: first what is too old, then what is too much."""
        await self._trim_by_age(await self.usages())
        await self._trim_by_size(await self.usages())

    async def delete(self, room: str) -> None:
        """Everything that is stored of a room in which the mailbox is not any more.

        Floors never fall: should the room be wanted again, it is kept from there on.
        """
        usage = (await self.usages()).get(room)
        if usage is not None:
            await self._raise(room, usage.settings, usage.newest_lamport + 1)
            await self._trim(room)

    async def _trim_by_age(self, usages: Usages) -> None:
        floor = self._age_floor()
        if not floor:
            return
        for room, usage in usages.items():
            await self._raise(room, usage.settings, floor)
            self._count("archive_days", await self._trim(room))

    async def _trim_by_size(self, usages: Usages) -> None:
        sizes = {room: usage.bytes for room, usage in usages.items()}
        too_much = shares(sizes, self._config.archive_bytes, self._config.max_archive_bytes)
        for room, (most, limit) in too_much.items():
            question = actors_pb2.FindFloor(room=room, bytes=most)
            found = await self._storage.request(question, actors_pb2.RoomFloor)
            await self._raise(room, usages[room].settings, found.floor)
            self._count(limit, await self._trim(room))

    async def _raise(self, room: str, settings: records.RoomSettings, floor: int) -> None:
        """A floor never falls, and never stands above now: what is said next would be refused."""
        floor = min(floor, self._now_ms())
        if floor > settings.floor:
            risen = records.RoomSettings()
            risen.CopyFrom(settings)
            risen.room, risen.floor = room, floor
            command = actors_pb2.SaveRoomSettings(settings=risen)
            await self._storage.request(command, actors_pb2.Done)

    async def _trim(self, room: str) -> int:
        """How many messages were below the floor."""
        command, count, more = actors_pb2.TrimRoom(room=room, limit=SLICE), 0, True
        while more:
            trimmed = await self._storage.request(command, actors_pb2.RoomTrimmed)
            count += trimmed.messages
            more = trimmed.more
        return count

    def _age_floor(self) -> int:
        return floor_of_age(self._now_ms(), self._config.archive_ms)

    def _count(self, limit: str, messages: int) -> None:
        self._tally.bite(limit, messages)
        self._tally.count("archived_messages_deleted", messages)
