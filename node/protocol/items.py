"""Items name the messages of a room in the room's order; see `proto/sync.proto`.

An item is the Lamport time (8 bytes, big endian) and the tag (16 bytes) of a message. The tag is taken from everything
that the author's signature covers: whoever signs two messages with one id has written two messages, and all members
agree on that. Bounds are items or beginnings of items; both are compared as bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from itertools import pairwise

from p2pchat.node.protocol import room_message as rules
from p2pchat.proto import sync_pb2 as sync
from p2pchat.proto import wire_pb2 as wire

TAG_BYTES = 16
LAMPORT_BYTES = 8
ITEM_BYTES = LAMPORT_BYTES + TAG_BYTES
START = b""  # below every item

_LAMPORT = struct.Struct(">Q")


def item_of(message: wire.RoomMessage) -> bytes:
    return _LAMPORT.pack(message.lamport) + tag_of(message)


def tag_of(message: wire.RoomMessage) -> bytes:
    return hashlib.sha256(rules.signed_bytes(message)).digest()[:TAG_BYTES]


def lamport_of(item: bytes) -> int:
    """Also of a bound."""
    lamport: int = _LAMPORT.unpack(item[:LAMPORT_BYTES].ljust(LAMPORT_BYTES, b"\x00"))[0]
    return lamport


def bound_at(lamport: int) -> bytes:
    """Below every item of this Lamport time, and above all earlier ones."""
    return _LAMPORT.pack(lamport)


def pack_bound(bound: bytes) -> sync.Bound:
    return sync.Bound(lamport=lamport_of(bound), tag=bound[LAMPORT_BYTES:])


def unpack_bound(bound: sync.Bound) -> bytes:
    """Raises `ValueError` for a tag that is too long."""
    if len(bound.tag) > TAG_BYTES:
        raise ValueError("a bound with too long a tag")
    return bound_at(bound.lamport) + bound.tag


def pack_items(items: Iterable[bytes]) -> sync.Items:
    """`items` ascending."""
    listed = list(items)
    lamports = [0, *map(lamport_of, listed)]
    return sync.Items(
        steps=[later - earlier for earlier, later in pairwise(lamports)],
        tags=b"".join(item[LAMPORT_BYTES:] for item in listed),
    )


def unpack_items(packed: sync.Items) -> list[bytes]:
    """Raises `ValueError` unless they are whole and strictly ascending."""
    if len(packed.tags) != TAG_BYTES * len(packed.steps):
        raise ValueError("items with another number of tags")
    items = list(_unpacked(packed))
    if any(later <= earlier for earlier, later in pairwise(items)):
        raise ValueError("items out of order")
    return items


def _unpacked(packed: sync.Items) -> Iterator[bytes]:
    lamport = 0
    for index, step in enumerate(packed.steps):
        lamport += step
        if lamport > rules.MAX_LAMPORT:
            raise ValueError("an item with too great a Lamport time")
        yield bound_at(lamport) + packed.tags[TAG_BYTES * index : TAG_BYTES * (index + 1)]
