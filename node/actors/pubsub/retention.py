"""How long messages of rooms are kept here: raises the floors of rooms, and has what is below deleted."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

import trio

from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

EVERY = 3600.0  # seconds between two looks at what has become too old
PATIENCE = 5.0  # seconds that somebody waits for a deletion; the rest is deleted later
TRIM_AT_ONCE = 1_000  # messages in one write


@dataclass(slots=True)
class _Deletion:
    """How far it is."""

    messages: int = 0
    done: bool = False


class Retention:
    """`room_days` holds for rooms without a setting of their own; 0: for ever."""

    def __init__(self, storage: ActorRef, room_days: int, now_ms: Callable[[], int]) -> None:
        self._storage = storage
        self._room_days = room_days
        self._now_ms = now_ms
        self._turn = trio.Lock()  # settings are read, changed and saved as a whole

    async def keep(self, room: str, days: int | None) -> records.RoomSettings:
        """A setting of the room's own; None: the node's. Deletes what is too old then."""
        async with self._turn:
            settings = (await self._state(room)).settings
            settings.room = room
            if days is None:
                settings.ClearField("keep_days")
            else:
                settings.keep_days = days
            await self._save(settings)
        await self.trim(room)
        return settings

    async def forget(self, room: str) -> actors.RoomTrimmed:
        """Delete what is stored; `more`: it takes longer, and somebody has to call `trim_all` for the rest.

        What is dated ahead of our clock stays: a floor above now would refuse what is said next.
        """
        async with self._turn:
            return await self._forget(room)

    async def _forget(self, room: str) -> actors.RoomTrimmed:
        state = await self._state(room)
        if not state.lamport:
            return actors.RoomTrimmed()
        now_ms = self._now_ms()
        floor = min(state.lamport, now_ms) + 1
        deleting = _Deletion()
        with trio.move_on_after(PATIENCE):
            await self._raise_floor(room, state, floor, deleting)
        return actors.RoomTrimmed(
            messages=deleting.messages, more=not deleting.done, ahead=state.lamport > now_ms
        )

    async def rectify(self, room: str, state: actors.RoomState) -> bool:
        """Lower a floor that a wrong clock has put ahead of now; whether there was one."""
        if state.settings.floor <= self._now_ms() + 1:
            return False
        async with self._turn:
            state.settings.room = room
            state.settings.floor = self._now_ms()
            await self._save(state.settings)
        return True

    async def trim(self, room: str) -> None:
        """Delete what is too old."""
        async with self._turn:
            await self._trim(room)

    async def _trim(self, room: str) -> None:
        state = await self._state(room)
        own = state.settings.HasField("keep_days")
        days = state.settings.keep_days if own else self._room_days
        floor = self._now_ms() - days * DAY_MS if days else 0
        if max(floor, state.settings.floor):
            await self._raise_floor(room, state, floor, _Deletion())

    async def trim_all(self) -> None:
        """Every stored room, joined or not; a full disk is tried again the next time."""
        with contextlib.suppress(RequestRejectedError, ActorError):
            listed = await self._storage.ask(actors.ListStoredRooms(), actors.RoomUsageList)
            for usage in listed.rooms:
                await self.trim(usage.room)

    async def _raise_floor(
        self, room: str, state: actors.RoomState, floor: int, deleting: _Deletion
    ) -> None:
        if floor > state.settings.floor:
            state.settings.room = room
            state.settings.floor = floor
            await self._save(state.settings)
        command = actors.TrimRoom(room=room, limit=TRIM_AT_ONCE)
        while not deleting.done:
            trimmed = await self._storage.ask(command, actors.RoomTrimmed)
            deleting.messages += trimmed.messages
            deleting.done = not trimmed.more
        if deleting.messages:
            log.info("deleted %d old messages of a room", deleting.messages)
            await self._remember_last(room, state)

    async def _remember_last(self, room: str, before: actors.RoomState) -> None:
        after = await self._state(room)
        if not after.lamport:
            after.settings.forgotten[:] = before.parents
            await self._save(after.settings)

    async def _state(self, room: str) -> actors.RoomState:
        return await self._storage.ask(actors.ReadRoomState(room=room), actors.RoomState)

    async def _save(self, settings: records.RoomSettings) -> None:
        await self._storage.ask(actors.SaveRoomSettings(settings=settings), actors.Done)
