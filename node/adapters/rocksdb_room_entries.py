"""What the messages of rooms write: themselves, their ids, and the cells that they are in.

Column families, with the keys and small values of `history_keys.py`:

    room_messages   message key -> RoomRecord
    room_ids        id key -> Lamport time, u64 big endian; exact deduplication, and whether an id is known
    room_cells      cell key -> count, size and sum of `protocol.summary.Cell`; none for a cell without items
    room_settings   room prefix -> RoomSettings
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from p2pchat.node.adapters.history_keys import (
    cell_key,
    cell_of,
    cell_value,
    id_key,
    room_prefix,
)
from p2pchat.node.adapters.rocksdb_database import Entry, deletions
from p2pchat.node.protocol.items import LAMPORT_BYTES, item_of
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.summary import Cell, cells_of
from p2pchat.proto import records_pb2 as records

ROOM_MESSAGES, ROOM_IDS = "room_messages", "room_ids"
ROOM_CELLS, ROOM_SETTINGS = "room_cells", "room_settings"
FAMILIES = (ROOM_MESSAGES, ROOM_IDS, ROOM_CELLS, ROOM_SETTINGS)


_Amend = Callable[[bytes | None, Cell], bytes | None]  # a cell's value, by what comes or goes


class Reader(Protocol):
    def get(self, family: str, keys: list[bytes]) -> list[bytes | None]: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A message and where it belongs."""

    record: records.RoomRecord
    room: bytes  # the room's prefix
    item: bytes
    id_key: bytes

    @classmethod
    def of(cls, record: records.RoomRecord) -> Placed:
        message = record.message
        room = room_prefix(stored_room(message.room, record.plain))
        item = item_of(message)
        return cls(record, room, item, id_key(room, message.id, item))


@dataclass(frozen=True, slots=True)
class Change:
    """The entries of one write, and those that take it back."""

    entries: list[Entry]
    undo: list[Entry]

    def __add__(self, other: Change) -> Change:
        return Change(self.entries + other.entries, self.undo + other.undo)


def unknown(reader: Reader, batch: Sequence[Placed]) -> list[bool]:
    """For each whether it is neither stored nor earlier in the batch."""
    keys = [placed.id_key for placed in batch]
    stored = reader.get(ROOM_IDS, keys)
    known = {key for key, found in zip(keys, stored, strict=True) if found is not None}
    answers: list[bool] = []
    for key in keys:
        answers.append(key not in known)
        known.add(key)
    return answers


def added(reader: Reader, new: Sequence[Placed]) -> Change:
    """What messages write that are not there yet, each of them once. Raises `struct.error` for a damaged cell."""
    entries = _own_entries(new)
    return Change(entries, deletions(entries)) + _cells_changed(reader, new, _with)


def removed(reader: Reader, old: Sequence[Placed]) -> Change:
    """What deleting messages writes that are there. Raises `struct.error` for a damaged cell."""
    entries = _own_entries(old)
    return Change(deletions(entries), entries) + _cells_changed(reader, old, _without)


def _cells_changed(reader: Reader, messages: Sequence[Placed], amend: _Amend) -> Change:
    # The cells are read anew each time: remembering those written last made appending no faster.
    parts = _cells_by_key(messages)
    keys = [*parts]
    before = dict(zip(keys, reader.get(ROOM_CELLS, keys), strict=True))
    entries = [(ROOM_CELLS, key, amend(before[key], part)) for key, part in parts.items()]
    return Change(entries, [(ROOM_CELLS, key, value) for key, value in before.items()])


def _own_entries(messages: Iterable[Placed]) -> list[Entry]:
    entries: list[Entry] = []
    for placed in messages:
        value = placed.record.SerializeToString()
        entries.append((ROOM_MESSAGES, placed.room + placed.item, value))
        entries.append((ROOM_IDS, placed.id_key, placed.item[:LAMPORT_BYTES]))
    return entries


def _cells_by_key(messages: Iterable[Placed]) -> dict[bytes, Cell]:
    """What the messages make up, by cell key."""
    rooms: dict[bytes, list[tuple[bytes, int]]] = {}
    for placed in messages:
        sized = placed.item, placed.record.message.ByteSize()
        rooms.setdefault(placed.room, []).append(sized)
    return {
        cell_key(room, cell.level, cell.bucket): cell
        for room, sized in rooms.items()
        for cell in cells_of(sized)
    }


def _with(value: bytes | None, part: Cell) -> bytes:
    return cell_value(part if value is None else cell_of(part.level, part.bucket, value) + part)


def _without(value: bytes | None, part: Cell) -> bytes | None:
    rest = cell_of(part.level, part.bucket, value or b"") - part
    return cell_value(rest) if rest.count else None
