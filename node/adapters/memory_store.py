"""`MessageStore` in memory: for simulations, tests and benchmarks. Keeps what it has while it is closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

from p2pchat.node.adapters.memory_arrivals import MemoryArrivals, direct_change, room_change
from p2pchat.node.adapters.memory_direct import MemoryDirect
from p2pchat.node.adapters.memory_rooms import MemoryRoom
from p2pchat.node.ports import HistorySlice, RoomHead, StoreInfo
from p2pchat.node.protocol.items import ITEM_BYTES, START
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.summary import CellSet
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records

SCHEMA_VERSION = 3
FREE_BYTES = 1 << 40  # as if there was a disk that nobody fills

_END = b"\xff" * (ITEM_BYTES + 1)  # above every item


class MemoryStore(MemoryDirect):
    """Holds serialized messages, so that no caller shares an object with the store."""

    def __init__(self) -> None:
        super().__init__(MemoryArrivals(self._texts))
        self._rooms: dict[str, MemoryRoom] = {}
        self._profile = b""
        self._own_mailboxes = b""
        self._known_peers = b""

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    # ---- rooms ------------------------------------------------------------------------------------

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self._check_writable()
        fresh = [
            self._room_to_write(stored_room(record.message.room, record.plain)).keep(record)
            for record in batch
        ]
        self.arrivals.came_to_rooms(compress(batch, fresh))
        return fresh

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        return self._room(room).history(limit, before)

    def room_head(self, room: str) -> RoomHead:
        return self._room(room).head()

    def unknown(self, room: str, ids: Sequence[bytes]) -> list[bytes]:
        return self._room(room).unknown(ids)

    def item_set(self, room: str) -> CellSet:
        return self._room(room).item_set()

    def room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        return self._room(room).messages(items)

    def newest_between(
        self, room: str, lower: bytes, upper: bytes, limit: int, max_bytes: int
    ) -> tuple[list[records.RoomRecord], bool]:
        return self._room(room).newest_between(lower, upper, limit, max_bytes)

    def room_settings(self, room: str) -> records.RoomSettings:
        settings = records.RoomSettings()
        settings.CopyFrom(self._room(room).settings)
        return settings

    def save_room_settings(self, settings: records.RoomSettings) -> None:
        self._check_writable()
        self._room_to_write(settings.room).save(settings)

    def trim_room(self, room: str, limit: int) -> tuple[int, bool]:
        self._check_writable()
        self.arrivals.going(self._room(room), limit)
        return self._room(room).trim(limit)

    def floor_for(self, room: str, max_bytes: int) -> int:
        return self._room(room).floor_for(max_bytes)

    def stored_rooms(self) -> list[actors.RoomUsage]:
        self._check_open()
        return [room.usage() for _, room in sorted(self._rooms.items())]

    def _room(self, name: str) -> MemoryRoom:
        """An empty one, which is not kept, if there is none."""
        self._check_open()
        return self._rooms[name] if name in self._rooms else MemoryRoom(name)

    def _room_to_write(self, name: str) -> MemoryRoom:
        if name not in self._rooms:
            self._rooms[name] = MemoryRoom(name)
        return self._rooms[name]

    # ---- the owner --------------------------------------------------------------------------------

    def load_own_mailboxes(self) -> records.OwnMailboxes:
        self._check_open()
        return records.OwnMailboxes.FromString(self._own_mailboxes)

    def save_own_mailboxes(self, own: records.OwnMailboxes) -> None:
        self._check_writable()
        self._own_mailboxes = own.SerializeToString()

    def load_profile(self) -> records.Profile:
        self._check_open()
        return records.Profile.FromString(self._profile)

    def save_profile(self, profile: records.Profile) -> None:
        self._check_writable()
        self._profile = profile.SerializeToString()

    def load_known_peers(self) -> records.KnownPeers:
        self._check_open()
        return records.KnownPeers.FromString(self._known_peers)

    def save_known_peers(self, known: records.KnownPeers) -> None:
        self._check_writable()
        self._known_peers = known.SerializeToString()

    def describe(self) -> StoreInfo:
        self._check_open()
        rooms = self._rooms.values()
        size = sum(room.size_bytes() for room in rooms) + len(self._profile) + self._direct_size()
        count = sum(map(len, rooms)) + len(self._messages)
        return StoreInfo("memory", size, count, SCHEMA_VERSION, FREE_BYTES)

    def _texts(self) -> Iterator[index.Change]:
        self._check_open()
        for room in self._rooms.values():
            for record in room.messages(room.items(START, _END, len(room))):
                yield room_change(record)
        for position, key in self._positions.items():
            yield direct_change(self._messages[key].record(), position)
