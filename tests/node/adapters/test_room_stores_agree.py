"""Both stores do the same about rooms, whatever comes, and their cells stay what a recount says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.items import bound_at
from p2pchat.proto import records_pb2 as records
from tests.builders import room_record
from tests.failing_disk import FailingSync
from tests.room_recount import assert_sums_are_right, stored_cells

NOW = 1_790_000_000_000
ROOMS = ("", "a", "ab", "🦀")


@dataclass(frozen=True)
class Trim:
    room: str
    floor: int
    limit: int


@dataclass(frozen=True)
class Failing:
    """The disk fails so often during the next step."""

    times: int  # 1: the second try goes well; 3: the step fails


LAMPORTS = st.one_of(
    st.integers(NOW, NOW + 3000),
    st.integers(NOW, NOW + 10**10),
    st.sampled_from([0, 1, NOW, 2**53 - 1, 2**64 - 1]),
)
ROOM = st.sampled_from(ROOMS)
RECORDS = st.builds(
    room_record,
    st.integers(0, 30),
    lamport=LAMPORTS,
    room=ROOM,
    sender=st.integers(0, 1),
    text=st.text(max_size=3),
)
STEPS = st.lists(
    st.one_of(
        st.lists(RECORDS, max_size=8),
        st.builds(Trim, ROOM, LAMPORTS, st.integers(1, 5)),
        st.builds(Failing, st.sampled_from([1, 3])),
        st.just("reopen"),
    ),
    max_size=20,
)
Step = list[records.RoomRecord] | Trim | Failing | str


@settings(max_examples=40, deadline=None, database=None)
@given(STEPS)
def test_both_stores_do_the_same(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        memory, rocksdb = MemoryStore(), RocksdbStore(Path(folder))
        disk = FailingSync(patch, failures=0)
        memory.open()
        rocksdb.open()
        for step in steps:
            if isinstance(step, Failing):
                disk.failures = step.times
                continue
            assert perform_again(rocksdb, step, disk) == perform(memory, step)
        for store in (memory, rocksdb):
            for room in ROOMS:
                assert_sums_are_right(store, room)
        assert views(memory) == views(rocksdb)
        memory.close()
        rocksdb.close()


def perform_again(store: MessageStore, step: Step, disk: FailingSync) -> object:
    """Whatever fails is tried again when the disk works again, as if nothing had been."""
    try:
        return perform(store, step)
    except StoreError:
        disk.failures = 0
        return perform(store, step)


def perform(store: MessageStore, step: Step) -> object:
    match step:
        case list():
            return store.append(step)
        case Trim(room, floor, limit):
            store.save_room_settings(records.RoomSettings(room=room, floor=floor))
            return store.trim_room(room, limit)
        case _:
            store.close()
            store.open()
            return None


def views(store: MessageStore) -> list[object]:
    reads: list[Callable[[str], object]] = [
        store.room_head,
        store.room_settings,
        lambda room: store.history(room, 5),
        lambda room: stored_cells(store, room),
        lambda room: store.floor_for(room, 300),
        lambda room: store.newest_between(room, bound_at(1), bound_at(NOW + 2000), 4, 500),
        lambda room: list(store.item_set(room).cuts(b"", b"\xff" * 25, 4)),
    ]
    return [store.stored_rooms(), [[read(room) for read in reads] for room in ROOMS]]
