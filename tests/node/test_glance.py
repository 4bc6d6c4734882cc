"""What can be seen of a store that a node may have open: read, never written, and nothing where nothing can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from p2pchat.node import glance
from p2pchat.node.adapters.rocksdb_database import META, SCHEMA_KEY
from p2pchat.node.adapters.rocksdb_store import FAMILIES, SCHEMA_VERSION, RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.glance import Glance
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record, sender_bytes
from tests.direct_builders import PEER, incoming


def filled(path: Path) -> RocksdbStore:
    """Open."""
    store = RocksdbStore(path)
    store.open()
    store.save_profile(
        records.Profile(name="Ada", rooms=[{"name": "attic", "plain": True}, {"name": ROOM}])
    )
    plain = room_record(3, room="attic")
    plain.plain = True
    store.append([room_record(1), room_record(2), plain])
    store.save_contact(records.Contact(peer=sender_bytes(1), last_message_ms=1))
    store.save_contact(records.Contact(peer=sender_bytes(0), last_message_ms=2, nick="Bob"))
    store.save_direct([incoming(4)])
    return store


def assert_all_is_there(seen: Glance) -> None:
    assert seen.profile.name == "Ada"
    assert [each.last_message_ms for each in seen.contacts] == [2, 1]
    assert [each.message.text for each in seen.rooms[ROOM]] == ["message 1", "message 2"]
    assert [each.message.text for each in seen.rooms["attic"]] == ["message 3"]
    assert [each.text for each in seen.people[PEER]] == ["message 4"]


def files(path: Path) -> dict[str, tuple[int, int]]:
    return {each.name: (each.stat().st_size, each.stat().st_mtime_ns) for each in path.iterdir()}


def set_schema(path: Path, version: int) -> None:
    options = Options(raw_mode=True)
    database = Rdict(str(path), options, dict.fromkeys((*FAMILIES, META), options))
    meta = database.get_column_family(META)
    meta[SCHEMA_KEY] = version.to_bytes(4, "big")
    meta.close()
    database.close()


def test_what_is_stored_is_seen_while_a_node_has_it_open_and_after(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    assert_all_is_there(glance.take(tmp_path / "store"))
    store.append([room_record(5)])  # the node's own handle is not disturbed
    store.close()
    assert len(glance.take(tmp_path / "store").rooms[ROOM]) == 3


def test_looking_writes_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "store").close()
    before = files(tmp_path / "store")
    assert_all_is_there(glance.take(tmp_path / "store"))
    assert files(tmp_path / "store") == before


def test_where_nothing_is_nothing_is_made(tmp_path: Path) -> None:
    assert glance.take(tmp_path / "store") == Glance()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_another_schema_is_left_to_the_node(tmp_path: Path, version: int) -> None:
    filled(tmp_path / "store").close()
    set_schema(tmp_path / "store", version)
    assert glance.take(tmp_path / "store") == Glance()


@pytest.mark.parametrize("damaged", ["CURRENT", "MANIFEST-*", "*.sst"])
@pytest.mark.parametrize("text", [b"", b"\xff" * 100])
def test_a_damaged_store_is_left_to_the_node(tmp_path: Path, damaged: str, text: bytes) -> None:
    filled(tmp_path / "store").close()
    for file in (tmp_path / "store").glob(damaged):
        file.write_bytes(text)
    assert glance.take(tmp_path / "store") == Glance()


def test_what_is_open_for_reading_cannot_be_written(tmp_path: Path) -> None:
    filled(tmp_path / "store").close()
    store = RocksdbStore(tmp_path / "store", read_only=True)
    store.open()
    try:
        with pytest.raises(StoreError, match="for reading only"):
            store.append([room_record(9)])
    finally:
        store.close()
