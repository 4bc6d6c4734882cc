"""What every `MessageStore` does about file transfers, real or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.direct_builders import direct_record


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = (
        MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path / "data" / "store")
    )
    made.open()
    yield made
    made.close()


def offering(number: int, *, outgoing: bool = False) -> actors.DirectSave:
    """A message that offers a file."""
    record = direct_record(number, outgoing=outgoing)
    record.text = ""
    record.file.CopyFrom(wire.FileOffer(name="a.txt", size=7, transfer=record.id))
    transfer = records.TransferRecord(
        peer=record.peer, outgoing=outgoing, offer=record.file, state=records.OFFERED
    )
    return actors.DirectSave(record=record, transfer=transfer)


def test_a_transfer_is_kept_with_the_message_that_offers_it(store: MessageStore) -> None:
    save = offering(1)
    assert store.save_direct([save]) == [True]
    assert store.transfers() == [save.transfer]


def test_the_message_again_does_not_set_the_transfer_back(store: MessageStore) -> None:
    save = offering(1)
    store.save_direct([save])
    further = records.TransferRecord()
    further.CopyFrom(save.transfer)
    further.state = records.FINISHED
    store.save_transfer(further)
    assert store.save_direct([save]) == [False]
    assert store.transfers() == [further]


def test_both_directions_with_one_id_are_two(store: MessageStore) -> None:
    saves = [offering(1), offering(1, outgoing=True)]
    store.save_direct(saves)
    assert len(store.transfers()) == 2
    store.delete_transfers([saves[0].transfer])
    assert store.transfers() == [saves[1].transfer]
    store.delete_transfers([saves[0].transfer])


def test_transfers_are_there_after_a_restart(store: MessageStore) -> None:
    save = offering(1)
    store.save_direct([save])
    store.close()
    store.open()
    assert store.transfers() == [save.transfer]


def test_a_full_disk_keeps_neither_message_nor_transfer() -> None:
    store = MemoryStore()
    store.open()
    store.failure = StoreError("full")
    with pytest.raises(StoreError):
        store.save_direct([offering(1)])
    store.failure = None
    assert store.transfers() == []
