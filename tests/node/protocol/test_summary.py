"""Cells against a plain sorted list: summaries, cuts and floors."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol.items import ITEM_BYTES, START, TAG_BYTES, bound_at, lamport_of
from p2pchat.node.protocol.room_message import MAX_LAMPORT
from p2pchat.node.protocol.summary import (
    EMPTY,
    LEVELS,
    Cell,
    CellSet,
    Summary,
    cells_of,
    floor_for,
    summary_of,
)

NOW = 1_790_000_000_000
MAX_U64 = 2**64 - 1
SIZE = 100  # bytes of a message, unless stated


class Plain:
    """A sorted list as a `CellSource`; counts what is read of it."""

    def __init__(self, items: Sequence[bytes], sizes: Sequence[int] = ()) -> None:
        self.all = sorted(items)
        self.read_cells = self.read_items = self.scans = 0
        sized = zip(self.all, sizes or [SIZE] * len(items), strict=True)
        self._cells = sorted(cells_of(sized), key=lambda cell: (cell.level, cell.bucket))

    def cells(self, level: int, first: int, end: int) -> Sequence[Cell]:
        found = [c for c in self._cells if c.level == level and first <= c.bucket < end]
        self.scans += 1
        self.read_cells += len(found)
        return found

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        found = self.between(lower, upper)[:limit]
        self.scans += 1
        self.read_items += len(found)
        return found

    def between(self, lower: bytes, upper: bytes) -> list[bytes]:
        return self.all[bisect_left(self.all, lower) : bisect_left(self.all, upper)]


def item(lamport: int, tag: int) -> bytes:
    return bound_at(lamport) + tag.to_bytes(TAG_BYTES, "big")


TAGS = st.integers(0, 3) | st.integers(0, 2**128 - 1)
LAMPORTS = st.one_of(
    st.integers(NOW, NOW + 5000),  # dense: a few finest cells
    st.integers(NOW, NOW + 10**10),  # sparse: four months
    st.integers(0, 40).map(lambda n: NOW + n * n * n * 100_000),  # clusters
    st.just(NOW),
    st.sampled_from([0, 1, 1023, 1024, 2**34 - 1, 2**34, MAX_LAMPORT, MAX_U64 - 1, MAX_U64]),
)
ITEMS = st.sets(st.builds(item, LAMPORTS, TAGS), max_size=60)
BOUNDS = st.one_of(
    st.just(START),
    st.builds(item, LAMPORTS, TAGS),
    st.builds(
        lambda whole, length: whole[:length], st.builds(item, LAMPORTS, TAGS), st.integers(0, 24)
    ),
    st.integers(0, 60).map(lambda n: bound_at(n << LEVELS[n % len(LEVELS)])),
    st.just(b"\xff" * (ITEM_BYTES + 1)),
)


@given(ITEMS, BOUNDS, BOUNDS)
def test_a_summary_is_that_of_the_items(items: set[bytes], lower: bytes, upper: bytes) -> None:
    plain = Plain([*items])
    assert CellSet(plain).summarize(lower, upper) == summary_of(plain.between(lower, upper))


@given(ITEMS, BOUNDS, BOUNDS, st.integers(2, 20))
def test_cuts_are_inside_and_their_parts_are_fair(
    items: set[bytes], lower: bytes, upper: bytes, parts: int
) -> None:
    plain = Plain([*items])
    total = len(plain.between(lower, upper))
    cuts = CellSet(plain).cuts(lower, upper, parts)
    if total < 2:
        assert not cuts
        return
    assert len(cuts) == min(total, parts) - 1
    bounds = [lower, *cuts, upper]
    assert all(earlier < later for earlier, later in pairwise(bounds))
    for cut in pairwise(bounds):
        assert_fair(len(plain.between(*cut)), total / parts)


def assert_fair(count: int, share: float) -> None:
    """From half a share to one and a half, give or take an item, and never nothing."""
    assert count >= max(1, share - max(1, share / 2))
    assert count <= share + max(1, share / 2)


def crowd(lamports: Sequence[int], seed: int = 1) -> Plain:
    rng = random.Random(seed)
    return Plain([bound_at(lamport) + rng.randbytes(TAG_BYTES) for lamport in lamports])


CROWDS = {
    "dense": crowd(range(NOW, NOW + 5000)),
    "sparse": crowd(range(NOW, NOW + 5000 * 600_000, 600_000)),
    "one lamport time": crowd([NOW] * 5000),
    "clusters": crowd([NOW + day * 86_400_000 + n for day in range(10) for n in range(500)]),
    "heavy among light": crowd([*range(NOW, NOW + 10**10, 5 * 10**6), *[NOW + 123] * 3000]),
}


@pytest.mark.parametrize("name", CROWDS)
@pytest.mark.parametrize("parts", [2, 4, 16])
def test_crowds_are_cut_into_fair_parts(name: str, parts: int) -> None:
    plain = CROWDS[name]
    cuts = CellSet(plain).cuts(START, bound_at(MAX_LAMPORT), parts)
    assert len(cuts) == parts - 1
    for lower, upper in pairwise([START, *cuts, bound_at(MAX_LAMPORT)]):
        assert_fair(len(plain.between(lower, upper)), len(plain.all) / parts)


@pytest.mark.parametrize("name", CROWDS)
def test_one_call_reads_little(name: str) -> None:
    plain = CROWDS[name]
    rng = random.Random(2)
    for _ in range(20):
        lower, upper = sorted(rng.sample(plain.all, 2))
        plain.read_cells = plain.read_items = plain.scans = 0
        CellSet(plain).summarize(lower, upper)
        assert plain.scans <= 2 * len(LEVELS) + 1
        assert plain.read_cells <= 126 * len(LEVELS)
        assert plain.read_items <= sum(
            len(plain.between(*second_around(bound))) for bound in (lower, upper)
        )


def second_around(bound: bytes) -> tuple[bytes, bytes]:
    bucket = lamport_of(bound) >> LEVELS[0]
    return bound_at(bucket << LEVELS[0]), bound_at((bucket + 1) << LEVELS[0])


def test_cuts_are_as_short_as_they_can_be() -> None:
    two = Plain([item(5, 0), item(6, 1 << 127)])
    assert CellSet(two).cuts(START, bound_at(9), 2) == [bound_at(6)]
    same = Plain([item(6, 0), item(6, 1 << 127)])
    assert CellSet(same).cuts(START, bound_at(9), 2) == [bound_at(6) + b"\x80"]


def test_items_come_in_order_up_to_a_limit() -> None:
    plain = CROWDS["dense"]
    assert CellSet(plain).items(START, bound_at(MAX_LAMPORT), 7) == plain.all[:7]


@given(ITEMS, ITEMS)
def test_cells_can_be_put_together_and_taken_apart(some: set[bytes], others: set[bytes]) -> None:
    others -= some
    whole = {(c.level, c.bucket): c for c in cells_of((i, len(i)) for i in some | others)}
    rest = dict(whole)
    for cell in cells_of((i, len(i)) for i in others):
        rest[cell.level, cell.bucket] -= cell
    left = {place: cell for place, cell in rest.items() if cell.count}
    assert left == {(c.level, c.bucket): c for c in cells_of((i, len(i)) for i in some)}
    assert all(cell.sum == cell.size == 0 for cell in rest.values() if not cell.count)
    for cell in cells_of((i, len(i)) for i in others):
        left[cell.level, cell.bucket] = cell + left.get(
            (cell.level, cell.bucket), Cell(cell.level, cell.bucket, 0, 0, 0)
        )
    assert left == whole


@given(ITEMS)
def test_every_level_has_all_items(items: set[bytes]) -> None:
    made = cells_of((i, 7) for i in items)
    for level in range(len(LEVELS)):
        cells = [cell for cell in made if cell.level == level]
        assert sum((Summary(c.count, c.sum) for c in cells), EMPTY) == summary_of([*items])
        assert sum(cell.size for cell in cells) == 7 * len(items)


@given(
    st.dictionaries(st.builds(item, LAMPORTS, TAGS), st.integers(1, 500), max_size=40),
    st.integers(0, 5000),
)
def test_what_is_above_the_floor_fits_and_hardly_more_would(
    sizes: dict[bytes, int], max_bytes: int
) -> None:
    floor = floor_for(Plain([*sizes], [sizes[item] for item in sorted(sizes)]), max_bytes)
    if sum(sizes.values()) <= max_bytes:
        assert floor == 0
        return
    kept = sum(size for item, size in sizes.items() if lamport_of(item) >= floor)
    if floor < MAX_U64:  # above that there is no floor
        assert kept <= max_bytes
    cell = floor - (1 << LEVELS[0]) if floor < MAX_U64 else floor >> LEVELS[0] << LEVELS[0]
    assert sum(size for item, size in sizes.items() if lamport_of(item) >= cell) > max_bytes
