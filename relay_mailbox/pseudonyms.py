"""What a log calls a recipient: the same name all day, and nobody can tell whose it was."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from p2pchat.node.protocol.limits import DAY_MS

KEY_BYTES = 32


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
