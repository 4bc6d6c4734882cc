"""Keys and small values of stored rooms; all numbers big endian.

    message   room prefix | item
    id        room prefix | length of the id, u32 | id | tag
    cell      room prefix | bits of its level, u8 | bucket, u64

The room prefix is the length of its name, u32, and the name. Sorted as bytes, message keys are a history in order.
A message has one item and one id, however hostile they are; several messages may have one id.
"""

from __future__ import annotations

import struct

from p2pchat.node.protocol.items import LAMPORT_BYTES, TAG_BYTES
from p2pchat.node.protocol.summary import LEVELS, SUM_BYTES, Cell

HEAD_IDS = 3  # newest ids in a RoomHead: a new message names that many parents at most

_LENGTH = struct.Struct(">I")
_PLACE = struct.Struct(">BQ")
_AMOUNTS = struct.Struct(f">QQ{SUM_BYTES}s")  # count, size, sum


def room_prefix(room: str) -> bytes:
    """What all keys of a room begin with, and those of no other room. It is the key of its settings."""
    name = room.encode()
    return _LENGTH.pack(len(name)) + name


def room_end(room: str) -> bytes:
    """Greater than every key of the room, and than no key of a room after it."""
    prefix = room_prefix(room)
    # Does not overflow: the last byte is one of UTF-8 (never 0xff), or the 0 of an empty name's length.
    return prefix[:-1] + bytes([prefix[-1] + 1])


def room_of(key: bytes) -> str:
    end = _LENGTH.size + _LENGTH.unpack_from(key)[0]
    return key[_LENGTH.size : end].decode()


def id_prefix(room: bytes, message_id: bytes) -> bytes:
    """What the id keys of all messages with that id begin with; `room` is the room's prefix."""
    return b"".join((room, _LENGTH.pack(len(message_id)), message_id))


def id_key(room: bytes, message_id: bytes, item: bytes) -> bytes:
    return id_prefix(room, message_id) + item[LAMPORT_BYTES:]


def item_at(id_entry: bytes, lamport: bytes) -> bytes:
    """Of an id key and its value."""
    return lamport + id_entry[-TAG_BYTES:]


def cell_key(room: bytes, level: int, bucket: int) -> bytes:
    return room + _PLACE.pack(LEVELS[level], bucket)


def cell_value(cell: Cell) -> bytes:
    return _AMOUNTS.pack(cell.count, cell.size, cell.sum.to_bytes(SUM_BYTES, "big"))


def cell_of(level: int, bucket: int, value: bytes) -> Cell:
    """Raises `struct.error` when the value is none of `cell_value`."""
    count, size, total = _AMOUNTS.unpack(value)
    return Cell(level, bucket, count, size, int.from_bytes(total, "big"))


def bucket_of(key: bytes) -> int:
    """Of a cell key."""
    bucket: int = _PLACE.unpack(key[-_PLACE.size :])[1]
    return bucket
