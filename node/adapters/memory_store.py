"""`MessageStore` in memory: for simulations, tests and benchmarks. Keeps what it has while it is closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

from p2pchat.node.adapters.memory_arrivals import MemoryArrivals, room_change
from p2pchat.node.adapters.memory_direct import MemoryDirect
from p2pchat.node.adapters.memory_rooms import MemoryRoom
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import HistorySlice, RoomHead, StoreInfo
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.room_message import is_alteration
from p2pchat.node.protocol.summary import CellSet
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records

SCHEMA_VERSION = 4
FREE_BYTES = 1 << 40  # as if there was a disk that nobody fills


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

    def checkpoint(self) -> Path:
        raise StoreError("This node keeps nothing on a disk that could be backed up.")

    # ---- rooms ------------------------------------------------------------------------------------

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self._check_writable()
        rooms = [self._room_to_write(_room_of(record)) for record in batch]
        some_alter = any(is_alteration(record.message) for record in batch)
        before = [change for room in _each(rooms) for change in _said(room)] if some_alter else []
        fresh = [room.keep(record) for room, record in zip(rooms, batch, strict=True)]
        if some_alter:
            self.arrivals.changed(before, (c for room in _each(rooms) for c in _said(room)))
        else:
            new = compress(zip(rooms, batch, strict=True), fresh)
            self.arrivals.came(room_change(r) for room, r in new if room.said(r.message))
        return fresh

    def altered(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        return [self._room(_room_of(record)).altered(record) for record in batch]

    def found_room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        return self._room(room).found(items, self._blocked_peers())

    def named_room_messages(
        self, room: str, names: Sequence[tuple[bytes, bytes]]
    ) -> list[records.RoomRecord]:
        return self._room(room).named(names, self._blocked_peers())

    def delete_room_message(self, room: str, sender: bytes, message_id: bytes) -> bool:
        self._check_writable()
        found = self._room(room)
        before = [*_said(found)]
        deleted = found.delete((sender, message_id))
        self.arrivals.changed(before, _said(found))
        return deleted

    def mute_room(self, room: str, muted: bool) -> None:
        self._check_writable()
        self._room_to_write(room).settings.muted = muted

    def mark_room_seen(self, room: str, seen_ms: int) -> None:
        self._check_writable()
        self._room_to_write(room).mark_seen(seen_ms)

    def unread(self) -> list[actors.UnreadChanged]:
        self._check_open()
        blocked = self._blocked_peers()
        rooms = (
            actors.UnreadChanged(room=name, unread=count)
            for name, room in sorted(self._rooms.items())
            if (count := room.unread_but_of(blocked))
        )
        return [*rooms, *self._unread_directly(blocked)]

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        return self._room(room).history(limit, before, self._blocked_peers())

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
            yield from _said(room)
        yield from self._said_directly()


def _room_of(record: records.RoomRecord) -> str:
    return stored_room(record.message.room, record.plain)


def _each(rooms: Sequence[MemoryRoom]) -> list[MemoryRoom]:
    return list({id(room): room for room in rooms}.values())


def _said(room: MemoryRoom) -> Iterator[index.Change]:
    return map(room_change, room.current().values())
