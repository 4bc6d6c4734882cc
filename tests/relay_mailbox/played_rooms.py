"""Pubsub and storage that are played: rooms joined, and messages as pairs of Lamport time and size."""

from __future__ import annotations

import trio
from google.protobuf.message import Message

from p2pchat.node.runtime import Actor, handles
from p2pchat.proto import actors_pb2
from p2pchat.proto import records_pb2 as records

FULL = actors_pb2.Rejected(reason=actors_pb2.STORE_FAILED, detail="The disk is full.")
DOWN = actors_pb2.Rejected(reason=actors_pb2.NETWORK_FAILED, detail="The network is down.")


class PlayedRooms:
    """What outlives the actors: `history` by room, and the floors."""

    def __init__(self) -> None:
        self.joined: dict[str, list[str]] = {}  # room -> others in it
        self.history: dict[str, list[tuple[int, int]]] = {}  # room -> Lamport time, bytes
        self.settings: dict[str, records.RoomSettings] = {}
        self.floors_at_joining: dict[str, int] = {}
        self.done: list[str] = []  # "join x", "leave x", in order
        self.trims: list[int] = []  # messages deleted by each TrimRoom
        self.disk_is_full = False
        self.network_is_down = False
        self.busy = 0.0  # seconds that pubsub takes to list its rooms

    def say(self, room: str, *lamports: int, size: int = 100) -> None:
        self.history.setdefault(room, []).extend((lamport, size) for lamport in lamports)

    def kept(self, room: str) -> list[int]:
        return [lamport for lamport, _ in self.history.get(room, [])]

    def floor(self, room: str) -> int:
        return self.settings[room].floor if room in self.settings else 0


class PlayedPubsub(Actor):
    """Joins whatever it is told, unless the network is down."""

    def __init__(self, rooms: PlayedRooms) -> None:
        self._rooms = rooms

    @handles(actors_pb2.JoinRoom)
    async def _join(self, command: actors_pb2.JoinRoom) -> Message:
        if self._rooms.network_is_down:
            return DOWN
        self._rooms.joined.setdefault(command.room, [])
        self._rooms.floors_at_joining[command.room] = self._rooms.floor(command.room)
        self._rooms.done.append(f"join {command.room}")
        return actors_pb2.RoomJoined(room=command.room)

    @handles(actors_pb2.LeaveRoom)
    async def _leave(self, command: actors_pb2.LeaveRoom) -> Message:
        del self._rooms.joined[command.room]
        self._rooms.done.append(f"leave {command.room}")
        return actors_pb2.RoomLeft(room=command.room)

    @handles(actors_pb2.ListRooms)
    async def _list(self, _: actors_pb2.ListRooms) -> Message:
        await trio.sleep(self._rooms.busy)
        listed = actors_pb2.RoomList()
        for room, others in self._rooms.joined.items():
            listed.rooms.add(name=room, subscribers=others)
        return listed


class PlayedStorage(Actor):
    """Keeps rooms; a full disk takes nothing, and deletes nothing."""

    def __init__(self, rooms: PlayedRooms) -> None:
        self._rooms = rooms

    @handles(actors_pb2.ListStoredRooms)
    async def _list(self, _: actors_pb2.ListStoredRooms) -> Message:
        listed = actors_pb2.RoomUsageList()
        for room in sorted({*self._rooms.history, *self._rooms.settings}):
            history = self._rooms.history.get(room, [])
            listed.rooms.add(
                room=room,
                messages=len(history),
                bytes=sum(size for _, size in history),
                settings=self._rooms.settings.get(room),
                newest_lamport=max((lamport for lamport, _ in history), default=0),
            )
        return listed

    @handles(actors_pb2.ReadRoomState)
    async def _state(self, query: actors_pb2.ReadRoomState) -> Message:
        return actors_pb2.RoomState(settings=self._rooms.settings.get(query.room))

    @handles(actors_pb2.SaveRoomSettings)
    async def _save(self, command: actors_pb2.SaveRoomSettings) -> Message:
        if self._rooms.disk_is_full:
            return FULL
        assert command.settings.floor >= self._rooms.floor(command.settings.room)
        self._rooms.settings[command.settings.room] = command.settings
        return actors_pb2.Done()

    @handles(actors_pb2.FindFloor)
    async def _find_floor(self, query: actors_pb2.FindFloor) -> Message:
        left = query.bytes
        for lamport, size in sorted(self._rooms.history[query.room], reverse=True):
            left -= size
            if left < 0:
                return actors_pb2.RoomFloor(floor=lamport + 1)
        return actors_pb2.RoomFloor()

    @handles(actors_pb2.TrimRoom)
    async def _trim(self, command: actors_pb2.TrimRoom) -> Message:
        if self._rooms.disk_is_full:
            return FULL
        floor = self._rooms.floor(command.room)
        history = sorted(self._rooms.history.get(command.room, []))
        below = sum(lamport < floor for lamport, _ in history)
        deleted = min(below, command.limit)
        self._rooms.history[command.room] = history[deleted:]
        self._rooms.trims.append(deleted)
        return actors_pb2.RoomTrimmed(messages=deleted, more=below > deleted)
