"""Direct messages on a real disk: the older schema, and what a failed write leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.rocksdb_store import SCHEMA_VERSION, RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.direct_builders import PEER, envelope, incoming, message_id, outgoing, update
from tests.failing_disk import FailingSync, no_file_longer_than
from tests.old_schemas import write_old_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksdbStore]:
    made = RocksdbStore(tmp_path / "store")
    made.open()
    yield made
    made.close()


def numbers(store: RocksdbStore) -> list[int]:
    return [int.from_bytes(record.id, "big") for record in store.direct_history(PEER, 100).records]


def waiting(store: RocksdbStore) -> list[int]:
    return [int.from_bytes(record.id, "big") for record in store.outbox(100).records]


def test_a_store_of_schema_1_gets_direct_messages_and_keeps_its_history(tmp_path: Path) -> None:
    write_old_store(tmp_path, [room_record(1)], version=1)
    store = RocksdbStore(tmp_path)
    store.open()
    assert list(store.history(ROOM, 10).records) == [room_record(1)]
    assert store.append([room_record(1), room_record(2)]) == [False, True]
    assert store.load_profile().name == "Ada"
    assert store.describe().schema_version == SCHEMA_VERSION
    assert store.save_direct([incoming(1), outgoing(2)]) == [True, True]
    store.close()
    store.open()
    assert numbers(store) == [1, 2]
    assert list(store.history(ROOM, 10).records) == [room_record(1), room_record(2)]
    store.close()


def test_nothing_of_a_batch_that_does_not_fit_is_kept(store: RocksdbStore) -> None:
    store.spool([envelope(1)])
    store.save_direct([incoming(1), outgoing(2)])
    large = [outgoing(n, envelope=envelope(n, size=60_000)) for n in range(3, 40)]
    large.append(incoming(1, receipt_due=True, spooled=envelope_id(envelope(1))))
    with no_file_longer_than(1 << 20):
        for _ in range(2):
            with pytest.raises(StoreError, match="The disk is full"):
                store.save_direct(large)
            with pytest.raises(StoreError, match="The disk is full"):
                store.spool([envelope(n, size=60_000) for n in range(3, 40)])
        assert (numbers(store), waiting(store)) == ([1, 2], [2])
        assert store.spooled(100) == [envelope(1)]
        assert store.due_receipts(100) == []
        assert store.save_direct([incoming(50)]) == [True]
    assert store.save_direct(large) == [True] * 37 + [False]
    store.close()
    store.open()
    assert numbers(store) == [*range(1, 40), 50]
    assert waiting(store) == [*range(2, 40)]
    assert store.spooled(100) == []


def test_a_save_whose_sync_failed_is_taken_back_whole(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.spool([envelope(1), envelope(2)])
    sync = FailingSync(monkeypatch, failures=3)
    save = [incoming(1, receipt_due=True, spooled=envelope_id(envelope(1))), outgoing(2)]
    with pytest.raises(StoreError, match="Input/output error"):
        store.save_direct(save)
    # What is seen until the write is taken back must not make the spool forget its first envelope.
    store.spooled(10)
    store.outbox(10)
    store.due_receipts(10)
    sync.failures = 0
    store.save_contact(records.Contact(peer=b"p"))
    assert (numbers(store), waiting(store), store.due_receipts(9)) == ([], [], [])
    assert store.spooled(10) == [envelope(1), envelope(2)]
    assert store.save_direct(save) == [True, True]
    assert store.spooled(10) == [envelope(2)]


def test_updates_whose_sync_failed_are_taken_back(
    store: RocksdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_direct(
        [outgoing(1, envelope=envelope(1)), outgoing(2), incoming(3, receipt_due=True)]
    )
    sync = FailingSync(monkeypatch, failures=3)
    with pytest.raises(StoreError, match="Input/output error"):
        store.update_outbox(
            [update(1, stage=records.DELIVERED, finished=True), update(2, envelope=envelope(2))]
        )
    sync.failures = 3
    with pytest.raises(StoreError, match="Input/output error"):
        store.mark_read(PEER, [message_id(3)], True)
    sync.failures = 0
    assert store.mark_read(PEER, [message_id(99)], True) == []
    first, second = store.outbox_entries(PEER, [message_id(1), message_id(2)])
    assert first.outbox.envelope == envelope(1)
    assert first.record.delivery.stage == records.QUEUED
    assert not second.outbox.HasField("envelope")
    assert not store.direct_history(PEER, 1).records[0].read
    assert [list(due.delivered) for due in store.due_receipts(9)] == [[message_id(3)]]


def test_a_message_that_cannot_be_parsed_is_damage(store: RocksdbStore) -> None:
    store.save_direct([outgoing(1)])
    first = store.direct_history(PEER, 1).first
    store._database.commit([("direct_messages", first, b"\xff\xff\xff")])
    with pytest.raises(StoreError, match="is damaged"):
        store.direct_history(PEER, 1)
    with pytest.raises(StoreError, match="is damaged"):
        store.outbox_entries(PEER, [message_id(1)])


def test_a_state_that_cannot_be_parsed_is_damage(store: RocksdbStore) -> None:
    store.save_direct([outgoing(1)])
    (key,) = (key for key, _ in store._database.oldest("direct_states", b"", b"", 9))
    store._database.commit([("direct_states", key, b"short")])
    with pytest.raises(StoreError, match="is damaged"):
        store.direct_history(PEER, 1)
    with pytest.raises(StoreError, match="is damaged"):
        store.save_direct([outgoing(1)])
