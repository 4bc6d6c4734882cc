"""Keys of stored room messages: sorted as bytes, they are a room's history in order.

A history key is `room prefix | lamport, u64 big endian | id | sender | length of sender, u16`. The length at the end
makes two different messages have two different keys, however long a hostile id or sender is.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from p2pchat.node.ports import RoomHead
from p2pchat.node.protocol.room_message import MAX_AHEAD_MS
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

HEAD_IDS = 3  # newest ids in a RoomHead: a new message names that many parents at most

_ID_BYTES = 16
_LAMPORT = struct.Struct(">Q")
_SENDER_LENGTH = struct.Struct(">H")
_ROOM_LENGTH = struct.Struct(">I")


def room_prefix(room: str) -> bytes:
    """What all history keys of a room begin with, and those of no other room."""
    name = room.encode()
    return _ROOM_LENGTH.pack(len(name)) + name


def room_end(room: str) -> bytes:
    """Greater than every history key of the room, and than no key of a room after it."""
    prefix = room_prefix(room)
    # Does not overflow: the last byte is one of UTF-8 (never 0xff), or the 0 of an empty name's length.
    return prefix[:-1] + bytes([prefix[-1] + 1])


def history_key(record: records.RoomRecord) -> bytes:
    """Where a message stands in its room's history, which is ordered by (lamport, id, sender).

    A Lamport time far ahead counts as a day after it was received: nobody owns the end of a room for ever.
    """
    message = record.message
    return b"".join(
        (
            room_prefix(message.room),
            _LAMPORT.pack(min(message.lamport, record.received_at_ms + MAX_AHEAD_MS)),
            message.id,
            message.sender,
            _SENDER_LENGTH.pack(len(message.sender) & 0xFFFF),
        )
    )


def identity_key(message: wire.RoomMessage) -> bytes:
    """Equal for a repeated (sender, id) of the room, whatever else the message says."""
    sender = message.sender
    return room_prefix(message.room) + _ROOM_LENGTH.pack(len(sender)) + sender + message.id


def head_of(room: str, newest: Sequence[bytes]) -> RoomHead:
    """What the newest history keys of a room, newest first, say about it."""
    if not newest:
        return RoomHead(0, ())
    start = len(room_prefix(room))
    lamport: int = _LAMPORT.unpack_from(newest[0], start)[0]
    at = start + _LAMPORT.size
    return RoomHead(lamport, tuple(key[at : at + _ID_BYTES] for key in newest))
