"""Rate limits for many peers, each with a bucket of its own."""

from __future__ import annotations

from p2pchat.node.protocol.token_bucket import TokenBucket

MAX_PEERS = 512  # remembered; of more the one that has been quiet longest begins anew


class Allowances:
    """Every peer may do something `burst` times at once, and `rate` times a second in the long run."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, TokenBucket] = {}  # the one that was used last stands last

    def __len__(self) -> int:
        return len(self._buckets)

    def allows(self, peer: str, now: float) -> bool:
        """Whether `peer` may do it at `now` (seconds of any monotonic clock)."""
        bucket = self._buckets.pop(peer, None) or TokenBucket(self._rate, self._burst, now)
        self._buckets[peer] = bucket
        if len(self._buckets) > MAX_PEERS:
            del self._buckets[next(iter(self._buckets))]
        return bucket.allows(now)
