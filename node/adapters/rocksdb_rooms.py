"""The rooms of `RocksdbStore`: their messages, cells and settings. What is stored is in `rocksdb_room_entries.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

from p2pchat.node.adapters.history_keys import (
    HEAD_IDS,
    bucket_of,
    cell_key,
    cell_of,
    id_prefix,
    room_end,
    room_of,
    room_prefix,
)
from p2pchat.node.adapters.newest_messages import newest_that_fit
from p2pchat.node.adapters.rocksdb_arrivals import RocksdbArrivals
from p2pchat.node.adapters.rocksdb_database import RocksdbDatabase
from p2pchat.node.adapters.rocksdb_room_alterations import Blocked, RocksdbRoomAlterations
from p2pchat.node.adapters.rocksdb_room_entries import (
    ROOM_CELLS,
    ROOM_IDS,
    ROOM_MESSAGES,
    ROOM_SETTINGS,
    Change,
    Placed,
    added,
    removed,
    unknown,
)
from p2pchat.node.ports import HistorySlice, RoomHead
from p2pchat.node.protocol.items import bound_at, lamport_of
from p2pchat.node.protocol.summary import LEVELS, Cell, CellSet, floor_for
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ALL = sys.maxsize  # entries
CHUNK = 32  # messages read at a time; a text has up to 64 KiB
TRIM_BYTES = 8 << 20  # of messages in one write of `trim_room`


class RocksdbRooms:
    """What `MessageStore` says about rooms, on an open database."""

    def __init__(
        self, database: RocksdbDatabase, arrivals: RocksdbArrivals, blocked: Blocked
    ) -> None:
        """Of `blocked` senders nothing is shown."""
        self._database = database
        self.arrivals = arrivals
        self._altered = RocksdbRoomAlterations(database, arrivals, blocked)
        # By room: no message below the floor stands before this key. RocksDB is slow to pass over what was deleted.
        self._trimmed: dict[str, bytes] = {}

    def _rewind_rooms(self) -> None:
        """To be called when the database was opened."""
        self._trimmed.clear()

    # ---- messages ---------------------------------------------------------------------------------

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self._database.mend()
        placed = [Placed.of(record) for record in batch]
        fresh = self._fresh(placed)
        with self._database.plain_words():
            new = [*compress(placed, fresh)]
            change = added(self._database, new) + self._altered.came(new)
        self._database.commit(change.entries, change.undo)
        return fresh

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        prefix = room_prefix(room)
        end = prefix + before if before else room_end(room)
        found, first = self._altered.listed(prefix, end, limit)
        return HistorySlice(found[::-1], first[len(prefix) :])

    def room_head(self, room: str) -> RoomHead:
        prefix = room_prefix(room)
        page = self._database.newest(ROOM_MESSAGES, prefix, room_end(room), HEAD_IDS)
        newest = self._parsed(value for _, value in page)
        if not newest:
            return RoomHead(0, ())
        return RoomHead(newest[0].message.lamport, tuple(record.message.id for record in newest))

    def unknown(self, room: str, ids: Sequence[bytes]) -> list[bytes]:
        prefix = room_prefix(room)
        found = self._database.begun(ROOM_IDS, [id_prefix(prefix, id_) for id_ in ids])
        return [id_ for id_, known in zip(ids, found, strict=True) if not known]

    def item_set(self, room: str) -> CellSet:
        return CellSet(_StoredRoom(self._database, room))

    def room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        prefix = room_prefix(room)
        found = self._database.get(ROOM_MESSAGES, [prefix + item for item in items])
        return self._parsed(value for value in found if value is not None)

    def newest_between(
        self, room: str, lower: bytes, upper: bytes, limit: int, max_bytes: int
    ) -> tuple[list[records.RoomRecord], bool]:
        return newest_that_fit(self._backward(room, lower, upper), limit, max_bytes)

    def _fresh(self, batch: Sequence[Placed]) -> list[bool]:
        """For each whether it is to be stored."""
        floors = self._floors(placed.room for placed in batch)
        is_new = unknown(self._database, batch)
        return [
            new and placed.item >= floors[placed.room]
            for placed, new in zip(batch, is_new, strict=True)
        ]

    def _backward(self, room: str, lower: bytes, upper: bytes) -> Iterator[records.RoomRecord]:
        """The messages of a range, the newest first."""
        prefix = room_prefix(room)
        start, end = prefix + lower, prefix + upper
        while page := self._database.newest(ROOM_MESSAGES, start, end, CHUNK):
            yield from self._parsed(value for _, value in page)
            end = page[-1][0]

    def _parsed(self, values: Iterable[bytes]) -> list[records.RoomRecord]:
        with self._database.plain_words():
            return [records.RoomRecord.FromString(value) for value in values]

    # ---- what has become of them --------------------------------------------------------------------

    def altered(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        return self._altered.altered(batch)

    def found_room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        return self._altered.found_at(room, items)

    def named_room_messages(
        self, room: str, names: Sequence[tuple[bytes, bytes]]
    ) -> list[records.RoomRecord]:
        return self._altered.named(room, names)

    def delete_room_message(self, room: str, sender: bytes, message_id: bytes) -> bool:
        self._database.mend()
        change = self._altered.delete(room, sender, message_id)
        if change is None:
            return False
        self._database.commit(change.entries, change.undo)
        return True

    # ---- settings and size --------------------------------------------------------------------------

    def room_settings(self, room: str) -> records.RoomSettings:
        stored = self._database.get(ROOM_SETTINGS, [room_prefix(room)])[0]
        if stored is None:
            return records.RoomSettings(room=room)
        with self._database.plain_words():
            return records.RoomSettings.FromString(stored)

    def save_room_settings(self, settings: records.RoomSettings) -> None:
        self._database.mend()
        stored = self.room_settings(settings.room)
        changed = records.RoomSettings()
        changed.CopyFrom(settings)
        changed.muted, changed.seen_ms = stored.muted, stored.seen_ms
        self._save_settings(changed, Change([], []))

    def mute_room(self, room: str, muted: bool) -> None:
        self._database.mend()
        settings = self.room_settings(room)
        settings.muted = muted
        self._save_settings(settings, Change([], []))

    def mark_room_seen(self, room: str, seen_ms: int) -> None:
        self._database.mend()
        settings = self.room_settings(room)
        settings.seen_ms = max(settings.seen_ms, seen_ms)
        self._save_settings(settings, self._altered.seen(room))

    def _save_settings(self, settings: records.RoomSettings, also: Change) -> None:
        entry = (ROOM_SETTINGS, room_prefix(settings.room), settings.SerializeToString())
        self._database.commit([entry, *also.entries])

    def trim_room(self, room: str, limit: int) -> tuple[int, bool]:
        self._database.mend()
        prefix = room_prefix(room)
        end = prefix + bound_at(self.room_settings(room).floor)
        start = self._trimmed.get(room, prefix)
        page = self._database.oldest(ROOM_MESSAGES, start, end, limit, TRIM_BYTES)
        old = [Placed.of(record) for record in self._parsed(value for _, value in page)]
        with self._database.plain_words():
            change = removed(self._database, old) + self._altered.went(old)
            change += self.arrivals.of(change)
        self._database.commit(change.entries, change.undo)
        if page:
            start = page[-1][0] + b"\x00"
        rest = self._database.keys(ROOM_MESSAGES, start, end, 1)
        self._trimmed[room] = rest[0] if rest else end
        return len(page), bool(rest)

    def floor_for(self, room: str, max_bytes: int) -> int:
        return floor_for(_StoredRoom(self._database, room), max_bytes)

    def stored_rooms(self) -> list[actors.RoomUsage]:
        with_settings = self._database.keys(ROOM_SETTINGS, b"", b"", ALL)
        names = {*map(room_of, with_settings), *self._rooms_with_messages()}
        return [self._usage(name) for name in sorted(names)]

    def _rooms_with_messages(self) -> Iterator[str]:
        start = b""
        while found := self._database.keys(ROOM_CELLS, start, b"", 1):
            name = room_of(found[0])
            yield name
            start = room_end(name)

    def _usage(self, room: str) -> actors.RoomUsage:
        coarsest = len(LEVELS) - 1
        cells = _StoredRoom(self._database, room).cells(coarsest, 0, 1 << (64 - LEVELS[coarsest]))
        prefix = room_prefix(room)
        newest = self._database.newest(ROOM_MESSAGES, prefix, room_end(room), 1)
        return actors.RoomUsage(
            room=room,
            messages=sum(cell.count for cell in cells),
            bytes=sum(cell.size for cell in cells),
            settings=self.room_settings(room),
            newest_lamport=lamport_of(newest[0][0][len(prefix) :]) if newest else 0,
        )

    def _floors(self, rooms: Iterable[bytes]) -> dict[bytes, bytes]:
        """The lowest item that is kept, by the rooms' prefixes."""
        wanted = list(dict.fromkeys(rooms))
        stored = self._database.get(ROOM_SETTINGS, wanted)
        with self._database.plain_words():
            return {
                room: bound_at(records.RoomSettings.FromString(value or b"").floor)
                for room, value in zip(wanted, stored, strict=True)
            }


class _StoredRoom:
    """The cells and items of one room, for `CellSet`."""

    def __init__(self, database: RocksdbDatabase, room: str) -> None:
        self._database = database
        self._prefix = room_prefix(room)

    def cells(self, level: int, first: int, end: int) -> Sequence[Cell]:
        start, upper = (cell_key(self._prefix, level, bucket) for bucket in (first, end))
        pairs = self._database.oldest(ROOM_CELLS, start, upper, ALL)
        with self._database.plain_words():
            return [cell_of(level, bucket_of(key), value) for key, value in pairs]

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        start, end = self._prefix + lower, self._prefix + upper
        keys = self._database.keys(ROOM_MESSAGES, start, end, limit)
        return [key[len(self._prefix) :] for key in keys]
