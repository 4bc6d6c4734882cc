"""Rooms of the older schemas come forward whole, however often the start is interrupted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from p2pchat.node.adapters import rocksdb_migration
from p2pchat.node.adapters.alteration_keys import unread_peer
from p2pchat.node.adapters.rocksdb_handle import Entry, Handle
from p2pchat.node.adapters.rocksdb_store import SCHEMA_VERSION, RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.protocol.items import item_of
from p2pchat.node.protocol.room_message import ACCEPT_AHEAD_MS
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record, sender_bytes
from tests.direct_builders import PEER, incoming, message_id, outgoing, peer_text
from tests.old_schemas import families_of, put_raw, write_old_store
from tests.room_recount import all_messages, assert_sums_are_right

NOW = 1_790_000_000_000
PAGE = 7


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rocksdb_migration, "PAGE", PAGE)


def hostile() -> list[records.RoomRecord]:
    """Entries as a hostile peer could make them before: odd lengths, times, and ids of other senders."""
    far = room_record(1, lamport=2**64 - 1, text="from the end of time")
    start = room_record(2, lamport=0)
    twin = room_record(3, lamport=NOW, sender=1)
    other_twin = room_record(3, lamport=NOW, sender=2)
    odd = [room_record(4 + n, lamport=NOW) for n in range(4)]
    odd[0].message.id = b""
    odd[1].message.id = b"x" * 300
    odd[2].message.sender = b"y" * 70_000
    odd[3].message.parents.extend([b"", b"z" * 99])
    return [far, start, twin, other_twin, *odd]


def rooms() -> dict[str, list[records.RoomRecord]]:
    return {
        ROOM: [room_record(n, lamport=NOW + n * 700) for n in range(30)],
        "": hostile(),
        "a\x00": [room_record(n, lamport=NOW, room="a\x00") for n in range(10)],
    }


def old_messages() -> list[records.RoomRecord]:
    found = []
    for room, messages in rooms().items():
        for record in messages:
            record.message.room = room
            record.received_at_ms = NOW
            found.append(record)
    return found


def assert_everything_is_there(store: RocksdbStore, messages: Sequence[records.RoomRecord]) -> None:
    """But for what is dated years ahead: nobody takes that any more."""
    for room in rooms():
        wanted = sorted(
            (record for record in messages if record.message.room == room and not _is_far(record)),
            key=lambda record: item_of(record.message),
        )
        assert all_messages(store, room) == wanted
        assert_sums_are_right(store, room)
    assert store.load_profile().name == "Ada"


def _is_far(record: records.RoomRecord) -> bool:
    return record.message.lamport > record.received_at_ms + ACCEPT_AHEAD_MS


@pytest.mark.parametrize("version", [1, 2])
def test_every_message_comes_forward(tmp_path: Path, version: int) -> None:
    write_old_store(tmp_path, old_messages(), version)
    store = RocksdbStore(tmp_path)
    for _ in range(2):
        store.open()
        assert_everything_is_there(store, old_messages())
        assert not families_of(tmp_path) & {"history", "by_id"}
        kept = [record for record in old_messages() if not _is_far(record)]
        assert len(kept) == len(old_messages()) - 1
        assert store.append(kept) == [False] * len(kept)
        assert store.describe().schema_version == SCHEMA_VERSION
        store.close()


class StopError(BaseException):
    """Ends the migration where it is, as the death of the process would."""


@pytest.mark.parametrize("written", [True, False])
def test_it_may_be_interrupted_at_every_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    write_old_store(tmp_path, old_messages())
    original = Handle.write
    left = 0

    def write(handle: Handle, entries: Sequence[Entry]) -> None:
        nonlocal left
        if entries and left == 0:
            if written:
                original(handle, entries)
            raise StopError
        left -= bool(entries)
        original(handle, entries)

    monkeypatch.setattr(Handle, "write", write)
    store = RocksdbStore(tmp_path)
    stops = 0
    while True:
        left = 0 if written else 1
        try:
            store.open()
        except StopError:
            stops += 1
        else:
            break
    assert stops >= len(old_messages()) // PAGE + 1, "each start comes one write further"
    assert_everything_is_there(store, old_messages())
    store.close()


def test_what_was_left_to_drop_is_dropped_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old_store(tmp_path, old_messages())

    def stop(handle: Handle, names: Sequence[str]) -> None:
        raise StopError

    store = RocksdbStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Handle, "drop", stop)
        with pytest.raises(StopError):
            store.open()
    assert families_of(tmp_path) >= {"history", "by_id"}
    store.open()
    assert not families_of(tmp_path) & {"history", "by_id"}
    assert_everything_is_there(store, old_messages())
    store.close()


def test_what_the_older_program_adds_in_between_comes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old_store(tmp_path, old_messages())
    pages = 0

    def copy(*args: object) -> None:
        nonlocal pages
        pages += 1
        if pages == 4:
            raise StopError
        original(*args)  # type: ignore[arg-type]

    original = rocksdb_migration._copy
    store = RocksdbStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(rocksdb_migration, "_copy", copy)
        with pytest.raises(StopError):
            store.open()
    added = [*old_messages(), room_record(99, lamport=NOW - 1), room_record(98, lamport=NOW + 1)]
    write_old_store(tmp_path, added)
    store.open()
    assert_everything_is_there(store, added)
    store.close()


def test_a_full_disk_stops_it_and_it_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old_store(tmp_path, old_messages())

    def write(handle: Handle, entries: Sequence[Entry]) -> None:
        raise Exception("IO error: No space left on device: While appending to file")

    store = RocksdbStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Handle, "write", write)
        with pytest.raises(StoreError, match="The disk is full"):
            store.open()
    store.open()
    assert_everything_is_there(store, old_messages())
    store.close()


def test_a_damaged_message_does_not_keep_the_store_shut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_old_store(tmp_path, old_messages())
    put_raw(tmp_path, {"history": {b"\x00\x00\x00\x01b" + b"\x00" * 8: b"\xff\xff\xff"}})
    store = RocksdbStore(tmp_path)
    store.open()
    assert "a damaged message is left behind" in caplog.text
    assert_everything_is_there(store, old_messages())
    store.close()


def test_a_store_without_rooms_has_nothing_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_old_store(tmp_path, [])
    store = RocksdbStore(tmp_path)
    store.open()
    assert store.save_direct([incoming(1)]) == [True]
    store.close()
    store.open()
    assert len(store.direct_history(PEER, 9).records) == 1
    assert store.stored_rooms() == []
    assert caplog.text == ""
    store.close()


def test_progress_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(rocksdb_migration, "REPORT", 20)
    write_old_store(tmp_path, old_messages())
    store = RocksdbStore(tmp_path)
    store.open()
    assert "21 of about 48 messages copied" in caplog.text
    assert "all 48 messages copied" in caplog.text
    store.close()


def test_direct_messages_that_nobody_has_seen_are_unread_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "store"
    store = RocksdbStore(path)
    store.open()
    store.save_direct([incoming(1), incoming(2), outgoing(3), incoming(1, peer=1)])
    store.mark_read(PEER, [message_id(1)], False)
    store.append([room_record(1)])
    store.close()
    wrong = {unread_peer(sender_bytes(number)): (9).to_bytes(8, "big") for number in (0, 1)}
    put_raw(path, {"unread": wrong, "meta": {b"schema_version": (3).to_bytes(4, "big")}})
    store.open()
    assert store.describe().schema_version == SCHEMA_VERSION
    assert {each.peer: each.unread for each in store.unread()} == {PEER: 1, peer_text(1): 1}
    store.close()
