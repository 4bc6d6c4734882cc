"""How long messages of rooms are kept here: raises the floors of rooms, and has what is below deleted."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

import trio

from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

EVERY = 3600.0  # seconds between two looks at what has become too old
PATIENCE = 5.0  # seconds that somebody waits for a deletion; the rest is deleted later
TRIM_AT_ONCE = 1_000  # messages in one write


class Retention:
    """`room_days` holds for rooms without a setting of their own; 0: for ever."""

    def __init__(self, storage: ActorRef, room_days: int, now_ms: Callable[[], int]) -> None:
        self._storage = storage
        self._room_days = room_days
        self._now_ms = now_ms

    async def keep(self, room: str, days: int | None) -> records.RoomSettings:
        """A setting of the room's own; None: the node's. Deletes what is too old then."""
        settings = (await self._state(room)).settings
        settings.room = room
        if days is None:
            settings.ClearField("keep_days")
        else:
            settings.keep_days = days
        await self._save(settings)
        await self.trim(room)
        return settings

    async def forget(self, room: str, clock: int) -> actors.RoomTrimmed:
        """Delete everything up to the Lamport time `clock`; `more`: it takes longer, and the next look goes on."""
        state = await self._state(room)
        floor = max(clock, min(state.lamport, self._now_ms())) + 1
        before = await self._usage(room)
        with trio.move_on_after(PATIENCE):
            await self._raise_floor(room, state, floor)
        after = await self._usage(room)
        return actors.RoomTrimmed(messages=before - after, more=after > 0)

    async def trim(self, room: str) -> None:
        """Delete what is too old."""
        state = await self._state(room)
        own = state.settings.HasField("keep_days")
        days = state.settings.keep_days if own else self._room_days
        floor = self._now_ms() - days * DAY_MS if days else 0
        if max(floor, state.settings.floor):
            await self._raise_floor(room, state, floor)

    async def trim_all(self) -> None:
        """Every stored room, joined or not; a full disk is tried again the next time."""
        with contextlib.suppress(RequestRejectedError):
            listed = await self._storage.ask(actors.ListStoredRooms(), actors.RoomUsageList)
            for usage in listed.rooms:
                await self.trim(usage.room)

    async def _raise_floor(self, room: str, state: actors.RoomState, floor: int) -> int:
        if floor > state.settings.floor:
            state.settings.room = room
            state.settings.floor = floor
            await self._save(state.settings)
        deleted, more = 0, True
        while more:
            trimmed = await self._storage.ask(
                actors.TrimRoom(room=room, limit=TRIM_AT_ONCE), actors.RoomTrimmed
            )
            deleted, more = deleted + trimmed.messages, trimmed.more
        if deleted:
            log.info("deleted %d old messages of a room", deleted)
            await self._remember_last(room, state)
        return deleted

    async def _remember_last(self, room: str, before: actors.RoomState) -> None:
        after = await self._state(room)
        if not after.lamport:
            after.settings.forgotten[:] = before.parents
            await self._save(after.settings)

    async def _usage(self, room: str) -> int:
        listed = await self._storage.ask(actors.ListStoredRooms(), actors.RoomUsageList)
        return next((usage.messages for usage in listed.rooms if usage.room == room), 0)

    async def _state(self, room: str) -> actors.RoomState:
        return await self._storage.ask(actors.ReadRoomState(room=room), actors.RoomState)

    async def _save(self, settings: records.RoomSettings) -> None:
        await self._storage.ask(actors.SaveRoomSettings(settings=settings), actors.Done)
