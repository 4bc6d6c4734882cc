"""What a range of a room's items amounts to: its count and its fingerprint, without looking at every item.

Items are counted and summed up in cells: at each level a cell covers the Lamport times that agree above its lowest
bits. A Lamport time is at least the author's Unix milliseconds, so the cells of the lowest level cover about a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

HASH_BYTES = 16
SUM_BYTES = 32
LEVELS = (10, 16, 22, 28, 34)  # bits of Lamport time: about 1 s, 1 min, 70 min, 3 days, half a year

_MODULUS = 1 << (8 * SUM_BYTES)


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a range of items."""

    count: int
    sum: int  # of `weight` over the items, modulo 2^256

    @property
    def hash(self) -> bytes:
        """Equal for equal ranges. As in negentropy (Nostr NIP-77): SHA-256 over sum and count, shortened."""
        data = self.sum.to_bytes(SUM_BYTES, "little") + self.count.to_bytes(8, "little")
        return hashlib.sha256(data).digest()[:HASH_BYTES]

    def __add__(self, other: Summary) -> Summary:
        return Summary(self.count + other.count, (self.sum + other.sum) % _MODULUS)

    def __sub__(self, other: Summary) -> Summary:
        return Summary(self.count - other.count, (self.sum - other.sum) % _MODULUS)


EMPTY = Summary(0, 0)


class ItemSet(Protocol):
    """A room's items. Ranges go from `lower` (included) to `upper` (not included)."""

    def summarize(self, lower: bytes, upper: bytes) -> Summary: ...

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        """The first `limit` items of the range, ascending."""
        ...

    def cuts(self, lower: bytes, upper: bytes, parts: int) -> Sequence[bytes]:
        """Bounds inside the range that cut it into up to `parts` non-empty parts of about as many items each,
        strictly ascending and above `lower`. At least one if the range has two items or more."""
        ...


def weight(item: bytes) -> int:
    return int.from_bytes(hashlib.sha256(item).digest(), "little")


def summary_of(items: Sequence[bytes]) -> Summary:
    return Summary(len(items), sum(map(weight, items)) % _MODULUS)
