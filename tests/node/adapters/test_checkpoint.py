"""The store as it is at one moment, while it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from p2pchat.node.actors.storage import StorageActor, inline
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from tests.builders import ROOM, room_record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksdbStore]:
    made = RocksdbStore(tmp_path / "store")
    made.open()
    yield made
    made.close()


def texts(path: Path) -> list[str]:
    """Of the store that a checkpoint is; a name as a store has it, for opening looks beside it."""
    store = RocksdbStore(path)
    store.open()
    try:
        return [record.message.text for record in store.history(ROOM, 100).records]
    finally:
        store.close()


def test_it_holds_what_was_stored_until_then_and_nothing_later(store: RocksdbStore) -> None:
    store.append([room_record(1), room_record(2)])
    path = store.checkpoint()
    store.append([room_record(3)])
    assert texts(path) == ["message 1", "message 2"]
    assert [r.message.text for r in store.history(ROOM, 9).records][-1] == "message 3"


def test_a_new_one_takes_the_place_of_the_old_one(store: RocksdbStore) -> None:
    store.append([room_record(1)])
    old = store.checkpoint()
    store.append([room_record(2)])
    assert store.checkpoint() == old
    assert texts(old) == ["message 1", "message 2"]


def test_what_is_left_of_one_is_deleted_at_the_next_start(store: RocksdbStore) -> None:
    path = store.checkpoint()
    assert path.is_dir()
    store.open()
    assert not path.exists()


def test_a_store_that_is_not_open_has_none(store: RocksdbStore) -> None:
    store.close()
    with pytest.raises(StoreError):
        store.checkpoint()


async def test_storage_answers_with_its_place(store: RocksdbStore) -> None:
    cell = ActorCell.of("storage", StorageActor, lambda: StorageActor(store, inline))
    root = Supervisor("root", [cell], root=True)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(root.run)
            made = await cell.ref.ask(actors.MakeCheckpoint(), actors.CheckpointMade)
            assert (Path(made.path) / "CURRENT").exists()
            root.request_stop()


def test_what_is_in_memory_cannot_be_backed_up() -> None:
    store = MemoryStore()
    store.open()
    with pytest.raises(StoreError, match="nothing on a disk"):
        store.checkpoint()
