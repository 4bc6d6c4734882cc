"""Keyed hashes instead of peer ids.

A log calls a recipient by the same name all day, and nobody can tell whose it was. The store calls a depositor by the
same name for good, with a secret that lies in it: whoever reads the mail's rows without the secret learns nobody, and
whoever takes the whole disk can only try peer ids that he knows.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from p2pchat.node.protocol.limits import DAY_MS

KEY_BYTES = 32
DEPOSITOR_BYTES = 16  # of a hash; nobody gains much by a collision, which needs 2^64 peer ids


def depositor_name(secret: bytes, peer: bytes) -> bytes:
    """What a share of a recipient's quota is counted under, of a binary peer id."""
    return hmac.digest(secret, peer, "sha256")[:DEPOSITOR_BYTES]


class Pseudonyms:
    """Names by a keyed hash. The key is random, changes each day, and is never stored."""

    def __init__(self, randomness: Callable[[int], bytes]) -> None:
        """`randomness` gives so many secret random bytes, as `os.urandom` does."""
        self._randomness = randomness
        self._day = -1
        self._key = b""

    def of(self, peer: bytes, now_ms: int) -> str:
        """For example "peer-3f9a1c04"; of a binary peer id, on the day of `now_ms`."""
        if now_ms // DAY_MS != self._day:
            self._day, self._key = now_ms // DAY_MS, self._randomness(KEY_BYTES)
        return f"peer-{hmac.new(self._key, peer, hashlib.sha256).hexdigest()[:8]}"
