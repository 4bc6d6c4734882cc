"""Safety numbers: what two people compare over another way, to know that nobody stands between them.

In the manner of Signal's numeric fingerprints (libsignal, `rust/protocol/src/fingerprint.rs`): SHA-512 over version,
key and identifier, hashed again with the key until there are 5,200 rounds; six groups of five bytes of it, each taken
modulo 100,000, are the 30 digits of one side. The two halves stand in ascending order, so that both sides see the
same 60 digits. Somebody who wants another key with the same half has to try some 10^30, at 5,200 hashes each.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from p2pchat.node.protocol import peer_id

VERSION = 1  # a change of the computation raises it, and gives every pair another number
ROUNDS = 5200  # hashes; as Signal's
DIGITS = 60  # of both sides together
GROUP = 5  # digits that are read out in one breath

_GROUPS_PER_SIDE = DIGITS // 2 // GROUP
_GROUP_BYTES = 5  # 40 bits make 100,000 remainders that are as good as equally frequent
_REMEMBERED = 64  # halves; one costs some milliseconds


def safety_number(one: bytes, other: bytes) -> str:
    """The 60 digits of two binary peer ids, whichever comes first.

    Raises `ValueError` for a peer id without an Ed25519 key in it.
    """
    return "".join(sorted((_half(one), _half(other))))


def in_groups(digits: str) -> list[str]:
    """The digits as people read them out: twelve groups of five."""
    return [digits[start : start + GROUP] for start in range(0, len(digits), GROUP)]


@lru_cache(maxsize=_REMEMBERED)
def _half(peer: bytes) -> str:
    key = peer_id.public_key_of(peer)
    if key is None:
        raise ValueError("no Ed25519 key is in this peer id")
    digest = hashlib.sha512(bytes([VERSION]) + key + peer).digest()
    for _ in range(ROUNDS - 1):
        digest = hashlib.sha512(digest + key).digest()
    chunks = (
        digest[start : start + _GROUP_BYTES]
        for start in range(0, _GROUPS_PER_SIDE * _GROUP_BYTES, _GROUP_BYTES)
    )
    return "".join(f"{int.from_bytes(chunk, 'big') % 10**GROUP:0{GROUP}}" for chunk in chunks)
