"""Arrivals in RocksDB: sizes, failing disks, and the store's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.rocksdb_arrivals import PAGE_TEXTS
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.direct_builders import incoming
from tests.failing_disk import FailingSync

LARGE = 60_000  # bytes of a text


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksdbStore]:
    made = RocksdbStore(tmp_path / "store")
    made.open()
    made.arrivals.set_follower(b"index")
    yield made
    made.close()


def every(store: RocksdbStore) -> list[str]:
    found: list[str] = []
    while (page := store.arrivals.oldest(1000)).last:
        found += [("-" if change.deleted else "") + change.text for change in page.changes]
        store.arrivals.drop(page.last)
    return found


def test_long_messages_come_in_small_pages(store: RocksdbStore) -> None:
    for number in range(60):
        store.append([room_record(number, text=f"{number} " + "x" * LARGE)])
    page = store.arrivals.oldest(1000)
    assert sum(len(change.text) for change in page.changes) <= PAGE_TEXTS + 2 * LARGE
    assert page.waiting == 60 - len(page.changes)
    assert [int(text.split()[0]) for text in every(store)] == [*range(60)]


def test_a_scan_of_long_messages_has_small_pages(store: RocksdbStore) -> None:
    store.append([room_record(number, text="x" * LARGE) for number in range(60)])
    assert len(store.arrivals.scan(1000).changes) <= PAGE_TEXTS // LARGE


def test_a_write_that_failed_leaves_no_arrival(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingSync(monkeypatch, failures=2)  # reaches the log both times
    with pytest.raises(StoreError):
        store.append([room_record(1)])
    disk.failures = 2
    with pytest.raises(StoreError):
        store.save_direct([incoming(2)])
    assert store.append([room_record(3)]) == [True]
    assert every(store) == ["message 3"]


def test_a_write_that_went_well_at_the_second_try_arrives_once(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingSync(monkeypatch, failures=1)
    store.append([room_record(1)])
    disk.failures = 1
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=2))
    disk.failures = 1
    store.trim_room(ROOM, 10)
    assert every(store) == ["-message 1"]


def test_arrivals_stay_when_dropping_them_failed(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([room_record(1)])
    last = store.arrivals.oldest(10).last
    FailingSync(monkeypatch, failures=2)
    with pytest.raises(StoreError):
        store.arrivals.drop(last)
    store.append([room_record(2)])
    assert every(store) == ["message 1", "message 2"]


def test_arrivals_are_no_messages(store: RocksdbStore) -> None:
    store.append([room_record(number) for number in range(10)])
    assert store.describe().messages == 10
