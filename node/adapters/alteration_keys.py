"""Keys of what has become of messages since, and of what is unread.

altered, room     room prefix | length of the id, u32 | id | sender: a message by somebody else is another one
altered, direct   message key of `direct_keys.py`
unread, room      "#" | room prefix | sender: of one who is blocked later nothing counts
unread, direct    "@" | peer prefix
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from p2pchat.node.adapters.direct_keys import peer_prefix
from p2pchat.node.adapters.history_keys import id_prefix, room_end, room_of, room_prefix
from p2pchat.node.protocol import peer_id

_COUNT = struct.Struct(">Q")
_LENGTH = struct.Struct(">I")
_ROOM, _PEER = b"#", b"@"


class Whose(NamedTuple):
    """Whose messages are unread: of `sender`, in a room or directly; the one of `room` and `peer` is empty."""

    room: str
    peer: str  # base58
    sender: bytes


def altered_key(room: bytes, sender: bytes, message_id: bytes) -> bytes:
    """`room` is the room's prefix."""
    return id_prefix(room, message_id) + sender


def unread_room(room: str, sender: bytes = b"") -> bytes:
    """Without a sender: what the keys of all of them begin with."""
    return _ROOM + room_prefix(room) + sender


def unread_room_end(room: str) -> bytes:
    """Greater than all of them, and than no key of another room after it."""
    return _ROOM + room_end(room)


def unread_peer(peer: bytes) -> bytes:
    return _PEER + peer_prefix(peer)


def count_value(count: int) -> bytes | None:
    """None: no entry, for nothing is unread."""
    return _COUNT.pack(count) if count > 0 else None


def count_of(value: bytes | None) -> int:
    found: int = _COUNT.unpack(value)[0] if value is not None else 0
    return found


def whose_unread(key: bytes) -> Whose:
    name = key[1:]
    if key[:1] == _ROOM:
        room = room_of(name)
        return Whose(room, "", name[len(room_prefix(room)) :])
    peer = name[_LENGTH.size :]
    return Whose("", peer_id.to_text(peer), peer)
