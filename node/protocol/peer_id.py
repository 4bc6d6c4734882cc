"""libp2p peer ids of Ed25519 keys, without libp2p.

Source: the libp2p peer id specification. An Ed25519 key is short enough to stand in the id itself: identity
multihash (0x00, length 0x24) of the protobuf PublicKey {type 1: Ed25519, data: 32 bytes}.
"""

from __future__ import annotations

from functools import lru_cache

import base58

_PREFIX = bytes.fromhex("002408011220")
ED25519_ID_BYTES = len(_PREFIX) + 32


def from_public_key(public_key: bytes) -> bytes:
    """Binary peer id of a raw 32-byte Ed25519 public key."""
    if len(public_key) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return _PREFIX + public_key


def public_key_of(peer: bytes) -> bytes | None:
    """The raw Ed25519 key inside a binary peer id; None for ids that only hash their key."""
    if len(peer) != ED25519_ID_BYTES or not peer.startswith(_PREFIX):
        return None
    return peer[len(_PREFIX) :]


@lru_cache(maxsize=4096)
def to_text(peer: bytes) -> str:
    """Base58 as everybody writes it: "12D3KooW..."."""
    return base58.b58encode(peer).decode("ascii")


@lru_cache(maxsize=4096)
def from_text(peer: str) -> bytes:
    """Raises `ValueError` when it is no peer id."""
    decoded = base58.b58decode(peer)
    is_multihash = (
        len(decoded) > 2 and decoded[0] in (0x00, 0x12) and decoded[1] == len(decoded) - 2
    )
    if not is_multihash:
        raise ValueError(f"{peer!r} is not a peer id")
    return decoded


def short(peer: str) -> str:
    """The few characters that tell peers apart at a glance: the end, because the start is always equal."""
    return peer[-6:]
