"""Two sides of a room sync in memory, and sets of items for them."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, pairwise

from hypothesis import strategies as st

from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.items import (
    LAMPORT_BYTES,
    TAG_BYTES,
    bound_at,
    lamport_of,
    pack_bound,
    pack_items,
    unpack_bound,
    unpack_items,
)
from p2pchat.node.protocol.summary import EMPTY, Summary, weight
from p2pchat.node.protocol.sync import answer, compare
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import sync_pb2 as sync

HORIZON = rules.MAX_LAMPORT + 1

_weight = cache(weight)


class MemoryItems:
    """An `ItemSet` with a sum for each beginning of it."""

    def __init__(self, items: Iterable[bytes] = ()) -> None:
        self.add(items)

    def add(self, items: Iterable[bytes]) -> None:
        self.all = sorted({*getattr(self, "all", ()), *items})
        self._sums = list(accumulate(map(_weight, self.all), initial=0))

    def _slice(self, lower: bytes, upper: bytes) -> tuple[int, int]:
        return bisect_left(self.all, lower), bisect_left(self.all, upper)

    def summarize(self, lower: bytes, upper: bytes) -> Summary:
        start, end = self._slice(lower, upper)
        return EMPTY + Summary(end - start, self._sums[end] - self._sums[start])

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        start, end = self._slice(lower, upper)
        return self.all[start : min(end, start + limit)]

    def cuts(self, lower: bytes, upper: bytes, parts: int) -> Sequence[bytes]:
        start, end = self._slice(lower, upper)
        parts = min(parts, end - start)
        places = [start + (end - start) * part // parts for part in range(1, parts)]
        return [shortest_between(self.all[place - 1], self.all[place]) for place in places]


def shortest_between(lower: bytes, upper: bytes) -> bytes:
    return next(
        upper[:length] for length in range(LAMPORT_BYTES, len(upper) + 1) if upper[:length] > lower
    )


class UnevenItems(MemoryItems):
    """Cuts anywhere, as cells do when messages come in bursts."""

    def cuts(self, lower: bytes, upper: bytes, parts: int) -> Sequence[bytes]:
        start, end = self._slice(lower, upper)
        places = range(start + 1, end)
        taken = random.Random(end).sample(places, min(len(places), parts - 1))
        return [shortest_between(self.all[p - 1], self.all[p]) for p in sorted(taken)]


Answer = Callable[["Session", sync.Ranges], sync.Ranges]


def honestly(session: Session, asked: sync.Ranges) -> sync.Ranges:
    reply = answer(session.theirs, asked, session.their_floor)
    assert reply.ByteSize() < 500 * 1024
    return reply


@dataclass
class Session:
    """Both sides, what travels between them, and what it comes to."""

    ours: MemoryItems
    theirs: MemoryItems
    our_floor: int = 0
    their_floor: int = 0
    answer: Answer = honestly
    max_rounds: int = 40
    sent: int = 0  # bytes in both directions, with a room's name and frames
    rounds: int = 0  # the requests of one round do not wait for each other
    requests: int = 0
    ranges: int = 0  # that were asked
    need: set[bytes] = field(default_factory=set)
    have: set[bytes] = field(default_factory=set)
    intervals: int = 0

    def run(self) -> Session:
        ask = list(compare(self.ours, None, None, self.our_floor, HORIZON).ask)
        while ask:
            self.rounds += 1
            assert self.rounds <= self.max_rounds
            ask = [request for asked in ask for request in self._step(asked).ask]
        return self

    def _step(self, asked: sync.Ranges) -> actors.RangesCompared:
        self.requests += 1
        self.ranges += len(asked.ranges)
        request = sync.SyncRequest(room="general", compare=asked).SerializeToString()
        arrived = sync.SyncRequest.FromString(request).compare
        reply = sync.SyncReply(compared=self.answer(self, arrived)).SerializeToString()
        assert len(request) <= 256 * 1024
        self.sent += len(frame(request)) + len(frame(reply))
        compared = sync.SyncReply.FromString(reply).compared
        found = compare(self.ours, asked, compared, self.our_floor, HORIZON)
        assert_within(
            found, max(bound_at(self.our_floor), bounds_of(asked)[0]), bounds_of(asked)[1]
        )
        self._note(found)
        return found

    def _note(self, found: actors.RangesCompared) -> None:
        self.need |= {*unpack_items(found.need), *inside(self.theirs, found.need_all)}
        self.have |= {*unpack_items(found.have), *inside(self.ours, found.have_all)}
        self.intervals += len(found.need_all) + len(found.have_all)


def all_bounds(ranges: sync.Ranges) -> list[bytes]:
    lamports = accumulate((part.step for part in ranges.ranges), initial=ranges.lower.lamport)
    tags = [ranges.lower.tag, *(part.tag for part in ranges.ranges)]
    return [bound_at(lamport) + tag for lamport, tag in zip(lamports, tags, strict=True)]


def bounds_of(ranges: sync.Ranges) -> tuple[bytes, bytes]:
    bounds = all_bounds(ranges)
    return bounds[0], bounds[-1]


def ends_of(counted: actors.CountedInterval) -> tuple[bytes, bytes]:
    return unpack_bound(counted.interval.lower), unpack_bound(counted.interval.upper)


def inside(items: MemoryItems, intervals: Iterable[actors.CountedInterval]) -> Iterator[bytes]:
    for counted in intervals:
        yield from items.items(*ends_of(counted), limit=len(items.all))


def assert_within(found: actors.RangesCompared, lower: bytes, upper: bytes) -> None:
    assert all(lower <= item < upper for item in unpack_items(found.need))
    pairs = [*map(bounds_of, found.ask), *map(ends_of, [*found.need_all, *found.have_all])]
    assert all(lower <= start < end <= upper for start, end in pairs)


def ranges_of(bounds: Sequence[bytes], contents: Iterable[sync.Range]) -> sync.Ranges:
    packed = sync.Ranges(lower=pack_bound(bounds[0]))
    for (lower, upper), content in zip(pairwise(bounds), contents, strict=True):
        part = packed.ranges.add(step=lamport_of(upper) - lamport_of(lower))
        part.MergeFrom(content)
        part.tag = upper[LAMPORT_BYTES:]
    return packed


def fingerprint(count: int, size: int = 16) -> sync.Range:
    return sync.Range(fingerprint=sync.Fingerprint(count=count, hash=bytes(size)))


def listed(*lamports: int) -> sync.Range:
    return sync.Range(items=pack_items(bound_at(lamport) + bytes(16) for lamport in lamports))


LIST = sync.Range(list=True)
NOTHING = sync.Range()


def ranges(*parts: int | sync.Range) -> sync.Ranges:
    """Bounds are Lamport times; what is between them follows on the lower one."""
    bounds = [bound_at(part) for part in parts if isinstance(part, int)]
    return ranges_of(bounds, [part for part in parts if not isinstance(part, int)])


# ---- sets to reconcile ----------------------------------------------------------------------------

TAGS = st.sampled_from([b"", b"\x00", b"\x00" * 15, b"\xff" * 15, b"\xff" * 16, b"\x01", b"\x01\xff"]).map(
    lambda start: start.ljust(TAG_BYTES, b"\x00")
) | st.binary(min_size=TAG_BYTES, max_size=TAG_BYTES)  # fmt: skip
LAMPORTS = {
    "dense": st.integers(0, 40),
    "sparse": st.integers(0, rules.MAX_LAMPORT),
    "clustered": st.builds(int.__add__, st.sampled_from([0, 10**6, 1 << 52]), st.integers(0, 9)),
    "equal": st.just(rules.MAX_LAMPORT),
}


@st.composite
def few(draw: st.DrawFn) -> list[bytes]:
    """Up to 40 items, with every edge."""
    lamports = LAMPORTS[draw(st.sampled_from(sorted(LAMPORTS)))].map(bound_at)
    return sorted(draw(st.sets(st.builds(bytes.__add__, lamports, TAGS), max_size=40)))


@st.composite
def many(draw: st.DrawFn) -> list[bytes]:
    """Up to 1,000 items."""
    seeded = random.Random(draw(st.integers(0, 1 << 32)))
    spread = draw(st.sampled_from([1, 30, 10**6, rules.MAX_LAMPORT]))
    count = draw(st.integers(0, 1000))
    return sorted(bound_at(seeded.randrange(spread)) + seeded.randbytes(16) for _ in range(count))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[set[bytes], set[bytes]]:
    """Two sets that share most, some or none of their items."""
    items = draw(few() | many())
    seeded = random.Random(draw(st.integers(0, 1 << 32)))
    weights = draw(
        st.sampled_from([(1, 1, 98), (0, 5, 95), (1, 1, 1), (1, 0, 0), (1, 50, 0), (30, 1, 2)])
    )
    sides = seeded.choices(["ours", "theirs", "both"], weights, k=len(items))
    told = list(zip(items, sides, strict=True))
    return {i for i, side in told if side != "theirs"}, {i for i, side in told if side != "ours"}


def room(size: int, seed: int) -> list[bytes]:
    """So many messages in a month."""
    seeded = random.Random(seed)
    times = (1_790_000_000_000 + seeded.randrange(30 * 24 * 3_600_000) for _ in range(size))
    return sorted(bound_at(time) + seeded.randbytes(TAG_BYTES) for time in times)
