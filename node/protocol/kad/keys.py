"""Where keys stand in the DHT, and which keys things have.

Source: the libp2p kad-dht specification, https://github.com/libp2p/specs/tree/master/kad-dht#distance
"""

from __future__ import annotations

import hashlib
import random

from p2pchat.node.protocol import peer_id

POSITION_BITS = 256
RECORD_NAMESPACE = "p2pchat"  # of mailbox records
# A random key that begins like a given one is found by trying: 2 ** bits hashes, 1 us each.
MOST_RANDOM_BITS = 12
_SHA2_256 = bytes.fromhex("1220")  # multihash: function, length
_MAX_PEER_BYTES = 64


def position(key: bytes) -> int:
    """Where a key, or a binary peer id, stands: SHA-256 as a number."""
    return int.from_bytes(hashlib.sha256(key).digest(), "big")


def distance(one: int, other: int) -> int:
    """Of two positions."""
    return one ^ other


def shared_bits(one: int, other: int) -> int:
    """How many leading bits two positions have in common, 0..256."""
    return POSITION_BITS - (one ^ other).bit_length()


def topic_key(topic: str) -> bytes:
    """What members of a topic are found under: the SHA-256 multihash of its UTF-8.

    go-libp2p's routing discovery takes the CID (version 1, raw) of it, and its DHT the multihash of the CID.
    """
    return _SHA2_256 + hashlib.sha256(topic.encode()).digest()


def record_key(peer: bytes) -> bytes:
    """Of the mailbox record of a binary peer id."""
    return f"/{RECORD_NAMESPACE}/{peer_id.to_text(peer)}".encode()


def is_peer_id(data: bytes) -> bool:
    """Whether it has the shape of a binary peer id: a multihash, identity or SHA-256."""
    return 2 < len(data) <= _MAX_PEER_BYTES and data[0] in (0x00, 0x12) and data[1] == len(data) - 2


def random_key(near: int, bits: int, rng: random.Random) -> bytes:
    """The peer id of nobody, whose position has exactly `bits` leading bits in common with `near`; `bits` is at
    most `MOST_RANDOM_BITS`."""
    while True:
        key = _SHA2_256 + rng.randbytes(32)
        if shared_bits(position(key), near) == bits:
            return key
