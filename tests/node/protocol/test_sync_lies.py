"""Sides that do not keep to the protocol."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.protocol.items import (
    bound_at,
    pack_bound,
)
from p2pchat.node.protocol.sync import SyncError, answer, compare
from p2pchat.proto import sync_pb2 as sync
from tests.node.protocol.sync_sides import (
    HORIZON,
    LIST,
    NOTHING,
    MemoryItems,
    Session,
    UnevenItems,
    all_bounds,
    bounds_of,
    few,
    fingerprint,
    honestly,
    listed,
    pairs,
    ranges,
    ranges_of,
    room,
)

ASKED = ranges(100, fingerprint(0), 200, NOTHING, 300, fingerprint(9), 400, LIST, 500)
TRUTHS = {
    "nothing": ranges(100, NOTHING, 500),
    "lists": ranges(100, listed(), 200, NOTHING, 300, listed(300, 399), 400, listed(), 500),
    "fingerprints": ranges(100, fingerprint(9), 200, NOTHING, 300, fingerprint(1), 301, fingerprint(1),
        400, fingerprint(1), 499, fingerprint(9), 500),
    "a floor in the first": ranges(100, NOTHING, 150, fingerprint(1), 200, NOTHING, 300, listed(), 400, NOTHING, 500),
    "a floor in the second": ranges(100, NOTHING, 350, fingerprint(1), 360, fingerprint(1), 400, NOTHING, 500),
    "a floor in the last": ranges(100, NOTHING, 499, listed(499), 500),
}  # fmt: skip
LIES = {
    "no ranges": sync.Ranges(),
    "begins later": ranges(101, NOTHING, 500),
    "ends earlier": ranges(100, NOTHING, 499),
    "ends later": ranges(100, NOTHING, 501),
    "never ends": ranges(100, *(x for n in range(5000) for x in (fingerprint(1), 101 + n))),
    "many nothings": ranges(100, NOTHING, 300, NOTHING, 500),
    "an empty range": ranges(100, listed(), 100, NOTHING, 500),
    "a list where nothing was asked": ranges(100, NOTHING, 200, listed(), 300, NOTHING, 500),
    "a list over two ranges": ranges(100, NOTHING, 300, listed(), 500),
    "half a list": ranges(100, NOTHING, 300, listed(), 350, NOTHING, 500),
    "two lists": ranges(100, NOTHING, 300, listed(), 350, listed(), 400, NOTHING, 500),
    "a question": ranges(100, NOTHING, 400, LIST, 500),
    "the whole again": ranges(100, NOTHING, 300, fingerprint(99), 400, NOTHING, 500),
    "the whole instead of a list": ranges(100, NOTHING, 400, fingerprint(99), 500),
    "parts for somebody with nothing": ranges(100, fingerprint(1), 150, fingerprint(1), 200, NOTHING, 500),
    "a list beside fingerprints": ranges(100, NOTHING, 300, fingerprint(1), 350, listed(), 400, NOTHING, 500),
    "a hole": ranges(100, NOTHING, 300, fingerprint(1), 310, NOTHING, 320, fingerprint(1), 400, NOTHING, 500),
    "17 parts": ranges(100, NOTHING, *(x for n in range(17) for x in (300 + n, fingerprint(1))), 400, NOTHING, 500),
    "a second floor": ranges(100, listed(), 200, NOTHING, 350, listed(), 400, NOTHING, 500),
    "a floor within a Lamport time": ranges_of([bound_at(100), bound_at(150) + b"x", bound_at(200), bound_at(500)],
        [NOTHING, listed(), NOTHING]),
    "a short hash": ranges(100, fingerprint(9, 15), 200, NOTHING, 500),
    "a long hash": ranges(100, fingerprint(9, 17), 200, NOTHING, 500),
    "a count of nothing": ranges(100, fingerprint(0), 200, NOTHING, 500),
    "too great a count": ranges(100, fingerprint(2**40 + 1), 200, NOTHING, 500),
    "too great a sum": ranges(100, fingerprint(2**40), 200, NOTHING, 300, fingerprint(1), 350, fingerprint(1), 400,
        NOTHING, 500),
    "an item below": ranges(100, listed(99), 200, NOTHING, 500),
    "an item above": ranges(100, listed(200), 200, NOTHING, 500),
    "too long a list": ranges(100, listed(*range(100, 133)), 200, NOTHING, 500),
    "an item twice": ranges(100, sync.Range(items=sync.Items(steps=[100, 0], tags=bytes(32))), 200, NOTHING, 500),
    "half an item": ranges(100, sync.Range(items=sync.Items(steps=[100], tags=bytes(15))), 200, NOTHING, 500),
    "a bound above all": sync.Ranges(lower=pack_bound(bound_at(100)), ranges=[sync.Range(step=2**64 - 1)]),
    "too long a bound": sync.Ranges(lower=pack_bound(bound_at(100)), ranges=[sync.Range(step=400, tag=bytes(17))]),
}  # fmt: skip


@pytest.mark.parametrize("reply", TRUTHS.values(), ids=TRUTHS)
def test_what_an_honest_side_says_is_believed(reply: sync.Ranges) -> None:
    compare(MemoryItems(), ASKED, reply, 0, HORIZON)


@pytest.mark.parametrize("reply", LIES.values(), ids=LIES)
def test_what_no_honest_side_says_is_refused(reply: sync.Ranges) -> None:
    with pytest.raises(SyncError):
        compare(MemoryItems(), ASKED, reply, 0, HORIZON)


def test_a_true_hash_with_a_false_count_is_refused() -> None:
    items = MemoryItems([bound_at(100) + bytes(16)])
    reply = ranges(100, fingerprint(2), 200, NOTHING, 500)
    reply.ranges[0].fingerprint.hash = items.summarize(bound_at(100), bound_at(200)).hash
    with pytest.raises(SyncError):
        compare(items, ASKED, reply, 0, HORIZON)


MALFORMED = {
    "no ranges": sync.Ranges(),
    "257 ranges": ranges(0, *(x for n in range(257) for x in (LIST, n + 1))),
    "bounds out of order": ranges(5, LIST, 5),
    "a list": ranges(0, listed(), 9),
    "no list": ranges(0, sync.Range(list=False), 9),
    "a short hash": ranges(0, fingerprint(1, 15), 9),
    "too long a bound": sync.Ranges(ranges=[sync.Range(step=1, tag=bytes(17), list=True)]),
    "a bound above all": sync.Ranges(ranges=[sync.Range(step=2**64 - 1, list=True)]),
}


@pytest.mark.parametrize("asked", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_is_refused(asked: sync.Ranges) -> None:
    with pytest.raises(SyncError):
        answer(MemoryItems(), asked, 0)


def flip_a_bit(reply: sync.Ranges, seeded: random.Random) -> sync.Ranges:
    data = bytearray(reply.SerializeToString())
    data[seeded.randrange(len(data))] ^= 1 << seeded.randrange(8)
    try:
        return sync.Ranges.FromString(bytes(data))
    except DecodeError:
        return reply


def swap(reply: sync.Ranges, seeded: random.Random) -> sync.Ranges:
    parts = list(reply.ranges)
    seeded.shuffle(parts)
    return sync.Ranges(lower=reply.lower, ranges=parts)


def drop(reply: sync.Ranges, seeded: random.Random) -> sync.Ranges:
    del reply.ranges[seeded.randrange(len(reply.ranges))]
    return reply


def repeat(reply: sync.Ranges, seeded: random.Random) -> sync.Ranges:
    times = seeded.choice([2, 5000])
    return sync.Ranges(lower=reply.lower, ranges=[seeded.choice(reply.ranges)] * times)


def alter(reply: sync.Ranges, seeded: random.Random) -> sync.Ranges:
    """In one range: another step, count, hash, item or kind."""
    part = seeded.choice(reply.ranges)
    match seeded.randrange(5):
        case 0:
            part.step = seeded.choice([0, 1, 2**53, 2**64 - 1])
        case 1 if part.HasField("fingerprint"):
            part.fingerprint.count = seeded.choice([0, 1, 5, 10**6, 2**64 - 1])
        case 2 if part.HasField("fingerprint"):
            part.fingerprint.hash = seeded.randbytes(seeded.choice([0, 16]))
        case 3 if part.HasField("items") and part.items.steps:
            part.items.steps[0] += seeded.choice([1, 2**53])
        case _:
            content = seeded.choice([listed(), listed(1, 2), fingerprint(5), LIST])
            part.ClearField(part.WhichOneof("content") or "list")
            part.MergeFrom(content)
    return reply


@settings(max_examples=300)
@given(pairs(), st.integers(0, 1 << 32), st.sampled_from([flip_a_bit, swap, drop, repeat, alter]))
def test_a_spoilt_reply_is_refused_or_harmless(
    sets: tuple[set[bytes], set[bytes]],
    seed: int,
    spoil: Callable[[sync.Ranges, random.Random], sync.Ranges],
) -> None:
    """`Session` looks whether anything found is outside what was asked, and at the rounds."""
    seeded = random.Random(seed)

    def spoilt(session: Session, asked: sync.Ranges) -> sync.Ranges:
        reply = honestly(session, asked)
        return spoil(reply, seeded) if seeded.random() < 0.7 else reply

    with suppress(SyncError):
        Session(MemoryItems(sets[0]), MemoryItems(sets[1]), answer=spoilt).run()


@settings(max_examples=200)
@given(few(), st.integers(0, 1 << 32), few())
def test_a_spoilt_request_is_refused_or_answered_in_bounds(
    items: list[bytes], seed: int, others: list[bytes]
) -> None:
    seeded = random.Random(seed)

    def spoilt(session: Session, asked: sync.Ranges) -> sync.Ranges:
        request = seeded.choice([flip_a_bit, swap, drop, repeat, alter])(asked, seeded)
        reply = answer(session.theirs, request, session.their_floor)
        assert bounds_of(reply) == bounds_of(request)
        return reply

    with suppress(SyncError):
        Session(MemoryItems(items), MemoryItems(others), answer=spoilt).run()


class Liar:
    """Says in well-formed answers that everything differs, and puts all of the asker's items into one part."""

    def __init__(self, counts: Sequence[int], parts: int) -> None:
        self.counts = itertools.cycle(counts)
        self.parts = parts

    def __call__(self, session: Session, asked: sync.Ranges) -> sync.Ranges:
        asked_bounds = all_bounds(asked)
        bounds, contents = asked_bounds[:1], []
        for part, upper in zip(asked.ranges, asked_bounds[1:], strict=True):
            cuts, said = self.about(part, bounds[-1], upper)
            bounds += [*cuts, upper]
            contents += said
        return ranges_of(bounds, contents)

    def about(
        self, part: sync.Range, lower: bytes, upper: bytes
    ) -> tuple[list[bytes], list[sync.Range]]:
        if not part.WhichOneof("content"):
            return [], [NOTHING]
        if part.HasField("fingerprint") and not part.fingerprint.count:
            return [], [fingerprint(next(self.counts))]
        cuts = self.cuts(lower, upper)
        parts = [fingerprint(next(self.counts)) for _ in range(len(cuts) + 1)]
        return cuts, parts if cuts else [listed()]

    def cuts(self, lower: bytes, upper: bytes) -> list[bytes]:
        longer = [lower + bytes(n) for n in range(1, 24 - len(lower) + 1)][: self.parts - 1]
        return [bound for bound in longer if bound < upper]


@pytest.mark.parametrize("counts", [[1], [1000], [1, 1000], [1000, 1000, 1]])
@pytest.mark.parametrize("parts", [2, 16])
@pytest.mark.parametrize("kind", [MemoryItems, UnevenItems])
def test_a_liar_comes_to_an_end(kind: type[MemoryItems], parts: int, counts: list[int]) -> None:
    own = kind(room(300, seed=7))
    session = Session(own, MemoryItems(), answer=Liar(counts, parts), max_rounds=2 * 300)
    session.run()
    assert session.ranges <= 2 * 3 * 300 * session.rounds  # as many between them
    if kind is MemoryItems:
        assert session.rounds <= 20
