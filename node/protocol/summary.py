"""What a range of a room's items amounts to: its count and its fingerprint, without looking at every item.

Items are counted and summed up in cells: at each level a cell covers the Lamport times that agree above its lowest
bits. A Lamport time is at least the author's Unix milliseconds, so the cells of the lowest level cover about a second.

A call on `CellSet` reads the cells at both ends of its range that fill no coarser one, up to 126 at each level, and all
that the range has of the coarsest (two for each year). Items are read one by one only at the two ends, up to those of
one finest cell each: about a second of the room. Neighbouring ranges read no item twice.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol

from p2pchat.node.protocol.items import ITEM_BYTES, LAMPORT_BYTES, bound_at, lamport_of

HASH_BYTES = 16
SUM_BYTES = 32
LEVELS = (10, 16, 22, 28, 34)  # bits of Lamport time: about 1 s, 1 min, 70 min, 3 days, half a year

_FINEST, _COARSEST = 0, len(LEVELS) - 1
_LAMPORT_BITS = 8 * LAMPORT_BYTES
_ABOVE_ALL = b"\xff" * (ITEM_BYTES + 1)  # no item is that great
_NO_LIMIT = sys.maxsize  # items
_MODULUS = 1 << (8 * SUM_BYTES)


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a range of items."""

    count: int
    sum: int  # of `weight` over the items, modulo 2^256

    @property
    def hash(self) -> bytes:
        """Equal for equal ranges: SHA-256 over sum and count, shortened, after the manner of negentropy (NIP-77)."""
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


@dataclass(frozen=True, slots=True)
class Cell:
    """What the items amount to whose Lamport times, without their lowest `LEVELS[level]` bits, are `bucket`."""

    level: int  # index in LEVELS
    bucket: int
    count: int
    size: int  # bytes of their messages, as they are sent
    sum: int  # as in Summary

    def __add__(self, other: Cell) -> Cell:
        """Of the same cell: with the other's items as well."""
        return self._changed(other, 1)

    def __sub__(self, other: Cell) -> Cell:
        """Of the same cell: without the other's items."""
        return self._changed(other, -1)

    def _changed(self, other: Cell, sign: int) -> Cell:
        return Cell(
            self.level,
            self.bucket,
            self.count + sign * other.count,
            self.size + sign * other.size,
            (self.sum + sign * other.sum) % _MODULUS,
        )


_Amounts = tuple[int, int, int]  # count, size, sum


def cells_of(sized: Iterable[tuple[bytes, int]]) -> list[Cell]:
    """The cells, of all levels, that different items make up, each given with the size of its message in bytes."""
    made: list[Cell] = []
    # Only the finest cells look at items: the others are put together from those below.
    level = _gathered(
        (lamport_of(item) >> LEVELS[0], 1, size, weight(item)) for item, size in sized
    )
    for index, bits in enumerate(LEVELS):
        if index:
            shift = bits - LEVELS[index - 1]
            level = _gathered((bucket >> shift, *amounts) for bucket, amounts in level.items())
        made += (Cell(index, bucket, *amounts) for bucket, amounts in level.items())
    return made


def _gathered(parts: Iterable[tuple[int, int, int, int]]) -> dict[int, _Amounts]:
    """What falls into each bucket, of (bucket, count, size, sum)."""
    gathered: dict[int, _Amounts] = {}
    for bucket, count, size, total in parts:
        if known := gathered.get(bucket):
            count, size = count + known[0], size + known[1]
            total = (total + known[2]) % _MODULUS
        gathered[bucket] = (count, size, total)
    return gathered


# ---- reading through cells ------------------------------------------------------------------------


class CellSource(Protocol):
    """Where the cells and items of one room are kept."""

    def cells(self, level: int, first: int, end: int) -> Sequence[Cell]:
        """Those with items in them, from bucket `first` up to below `end`, ascending."""
        ...

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        """The first `limit` items from `lower` up to below `upper`, ascending."""
        ...


_Run = Sequence[bytes]  # consecutive items
_Piece = tuple[
    bytes, bytes, int
]  # what stands below (empty: no matter), begin and number of some items


class CellSet:
    """An `ItemSet` over cells. What its calls cost is said at the top of this module."""

    def __init__(self, source: CellSource) -> None:
        self._source = source

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        return self._source.items(lower, upper, limit)

    def summarize(self, lower: bytes, upper: bytes) -> Summary:
        count = total = 0
        for part in self._cover(lower, upper):
            count += _count_of(part)
            total += part.sum if isinstance(part, Cell) else sum(map(weight, part))
        return Summary(count, total % _MODULUS)

    def cuts(self, lower: bytes, upper: bytes, parts: int) -> Sequence[bytes]:
        """Each part has between half and one and a half of an equal share, give or take one item.

        Cells with more than half a share are opened as well, less than 2 x `parts` of each level: each has up to 64
        cells of the level below, or its items.
        """
        cover = list(self._cover(lower, upper))
        total = sum(map(_count_of, cover))
        return _cuts(self._pieces(cover, max(1, total // (2 * parts))), total, parts)

    def _cover(self, lower: bytes, upper: bytes) -> Iterator[Cell | _Run]:
        """What the range is made of, ascending: cells as coarse as fit, and the items before and behind them."""
        lower, upper = (bound.ljust(LAMPORT_BYTES, b"\x00") for bound in (lower, upper))
        first, end = (lamport_of(bound) >> LEVELS[_FINEST] for bound in (lower, upper))
        first += lower > _start(_FINEST, first)
        if first >= end:
            yield self._source.items(lower, upper, _NO_LIMIT)
            return
        if lower < _start(_FINEST, first):
            yield self._source.items(lower, _start(_FINEST, first), _NO_LIMIT)
        yield from self._cells(_FINEST, first, end)
        if _start(_FINEST, end) < upper:
            yield self._source.items(_start(_FINEST, end), upper, _NO_LIMIT)

    def _cells(self, level: int, first: int, end: int) -> Iterator[Cell]:
        """The buckets from `first` up to below `end`, ascending, in cells as coarse as fit."""
        if level < _COARSEST:
            shift = LEVELS[level + 1] - LEVELS[level]
            inner, outer = -(-first >> shift), end >> shift
            if inner < outer:
                yield from self._source.cells(level, first, inner << shift)
                yield from self._cells(level + 1, inner, outer)
                first = outer << shift
        yield from self._source.cells(level, first, end)

    def _pieces(self, cover: Iterable[Cell | _Run], grain: int) -> Iterator[_Piece]:
        """The same, with cells of more than `grain` items opened."""
        for part in cover:
            if not isinstance(part, Cell):
                yield from zip((b"", *part), part, repeat(1))
            elif part.count <= grain:
                yield b"", _start(part.level, part.bucket), part.count
            else:
                yield from self._pieces(self._opened(part), grain)

    def _opened(self, cell: Cell) -> Iterable[Cell | _Run]:
        level, bucket = cell.level, cell.bucket
        if level > _FINEST:
            return self._source.cells(level - 1, *_below(level, bucket))
        lower, upper = _start(level, bucket), _start(level, bucket + 1)
        return [self._source.items(lower, upper, _NO_LIMIT)]


def floor_for(source: CellSource, max_bytes: int) -> int:
    """From which Lamport time on the messages have at most `max_bytes` together; 0 when all of them have.

    It is the end of the newest finest cell that goes beyond. Reads the coarsest cells, and 64 of each other level.
    """
    left = max_bytes
    level, first, end = _COARSEST, 0, 1 << (_LAMPORT_BITS - LEVELS[_COARSEST])
    while True:
        for cell in reversed(source.cells(level, first, end)):
            if cell.size > left:
                break
            left -= cell.size
        else:
            return 0
        if level == _FINEST:
            return min((cell.bucket + 1) << LEVELS[_FINEST], (1 << _LAMPORT_BITS) - 1)
        first, end = _below(level, cell.bucket)
        level -= 1


def _cuts(pieces: Iterable[_Piece], total: int, parts: int) -> list[bytes]:
    """Where each part but the first begins: with the first piece that has its number of items before it."""
    cuts: list[bytes] = []
    before = 0
    for below, begin, count in pieces:
        if before and before * parts >= (len(cuts) + 1) * total:
            cuts.append(_shortest(below, begin))
        before += count
    return cuts


def _shortest(below: bytes, begin: bytes) -> bytes:
    """The shortest beginning of `begin` that is a bound above `below`."""
    length = LAMPORT_BYTES
    while begin[:length] <= below:
        length += 1
    return begin[:length]


def _start(level: int, bucket: int) -> bytes:
    """The bound at which a cell begins, and the one before it ends."""
    lamport = bucket << LEVELS[level]
    return bound_at(lamport) if lamport >> _LAMPORT_BITS == 0 else _ABOVE_ALL


def _below(level: int, bucket: int) -> tuple[int, int]:
    """The buckets of the next finer level that a cell is made of: the first, and the end."""
    shift = LEVELS[level] - LEVELS[level - 1]
    return bucket << shift, (bucket + 1) << shift


def _count_of(part: Cell | _Run) -> int:
    return part.count if isinstance(part, Cell) else len(part)
