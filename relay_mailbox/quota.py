"""How much is held for whom, how long, and how fast it may come in, as pure decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from p2pchat.node.protocol import limits
from p2pchat.proto import mailbox_actors_pb2 as actors


@dataclass(frozen=True, slots=True)
class Quota:
    """What may be held: for each recipient, and in all."""

    bytes: int  # of envelopes, for each recipient
    count: int  # envelopes, for each recipient
    total_bytes: int  # of envelopes, of all recipients together


@dataclass(slots=True)
class Usage:
    """What is held: for a recipient, of one sender for a recipient, or in all."""

    bytes: int = 0
    count: int = 0

    def add(self, size: int) -> None:
        self.bytes += size
        self.count += 1

    def remove(self, size: int) -> None:
        self.bytes -= size
        self.count -= 1


def shortage(
    quota: Quota, total: Usage, recipient: Usage, sender: Usage, size: int
) -> actors.Outcome | None:
    """Which limit one more envelope of `size` bytes from that sender would break; None: there is room.

    `sender` is the part of `recipient` that came from this sender. A sender may hold at most half of what the others
    have left: the first may fill a half, the second a quarter. So one peer id cannot shut out the others by itself,
    whether by mistake or for spite. It is no defence against somebody with many: peer ids cost nothing, and each
    new one halves what is left, so that 14 of them fill a quota of 10,000 envelopes. Nor is `total_bytes`
    shared: one peer id may leave its share with each of many recipients.
    """
    if total.bytes + size > quota.total_bytes:
        return actors.TOTAL_BYTES
    others_bytes = recipient.bytes - sender.bytes
    if 2 * (sender.bytes + size) > quota.bytes - others_bytes:
        return actors.QUOTA_BYTES if recipient.bytes + size > quota.bytes else actors.SHARE_BYTES
    others_count = recipient.count - sender.count
    if 2 * (sender.count + 1) > quota.count - others_count:
        return actors.QUOTA_COUNT if recipient.count >= quota.count else actors.SHARE_COUNT
    return None


ROUNDING = 1e-6  # tokens; a wait that was computed must be enough


class Allowance:
    """A token bucket from which several are taken at a time: `rate` a second, up to `burst` at once."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """How many of `wanted` may happen at `now` (seconds of any monotonic clock)."""
        self._refill(now)
        allowed = min(wanted, int(self._tokens + ROUNDING))
        self._tokens -= allowed
        return allowed

    def wait_ms(self, wanted: int, now: float) -> int:
        """Milliseconds until that many (at most a burst) can be taken; 1 or more."""
        self._refill(now)
        missing = min(wanted, self._burst) - self._tokens
        return max(1, math.ceil(1000 * missing / self._rate))

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


MAX_REMEMBERED = 4096  # allowances that are not full again; the least recently used makes room


class Allowances:
    """One allowance for each peer. Outlives connections, so that connecting again wins nothing."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._peers: dict[str, Allowance] = {}

    def of(self, peer: str, now: float) -> Allowance:
        allowance = self._peers.pop(peer, None) or Allowance(self._rate, self._burst, now)
        while len(self._peers) >= MAX_REMEMBERED:
            del self._peers[next(iter(self._peers))]
        self._peers[peer] = allowance
        return allowance


def is_expired(expires_at_ms: int, now_ms: int) -> bool:
    """Whether an envelope's time is over on every plausible clock: it was set by a stranger's."""
    return expires_at_ms + limits.CLOCK_GRACE_MS < now_ms


def stored_until(expires_at_ms: int, now_ms: int, retention_ms: int) -> int:
    """Until when an envelope is kept, on the mailbox's clock."""
    return min(now_ms + retention_ms, expires_at_ms + limits.CLOCK_GRACE_MS)
