"""A database with families and a schema of its own: what `RocksdbStore` does not show of it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.message import DecodeError

from p2pchat.node.adapters.rocksdb_database import (
    Limits,
    OpenDatabase,
    RocksdbDatabase,
    deletions,
)
from p2pchat.node.errors import StoreError, StoreInUseError, StoreTooNewError
from tests.failing_disk import FailingSync
from tests.old_schemas import families_of

FAMILIES = ("letters", "numbers")


def mail_store(path: Path, schema_version: int = 3, **limits: int) -> RocksdbDatabase:
    return RocksdbDatabase(
        path, FAMILIES, schema_version, noun="mail store", contents="mail", limits=Limits(**limits)
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RocksdbDatabase]:
    made = mail_store(tmp_path / "mail")
    made.open()
    yield made
    made.close()


def keys(count: int) -> list[bytes]:
    return [b"%03d" % number for number in range(count)]


def test_what_is_committed_can_be_read_in_the_order_asked_for(database: RocksdbDatabase) -> None:
    database.commit([("letters", b"a", b"1"), ("numbers", b"a", b"2"), ("letters", b"b", b"")])
    assert database.get("letters", [b"b", b"x", b"a", b"b"]) == [b"", None, b"1", b""]
    assert database.get("numbers", [b"a", b"b"]) == [b"2", None]
    assert database.get("letters", []) == []
    database.commit([("letters", b"a", None), ("numbers", b"a", b"3"), ("numbers", b"a", b"4")])
    assert database.get("letters", [b"a"]) == [None]
    assert database.get("numbers", [b"a"]) == [b"4"]


def test_everything_is_there_after_closing_and_opening(database: RocksdbDatabase) -> None:
    database.commit([("letters", b"a", b"1")])
    database.open()
    assert database.get("letters", [b"a"]) == [b"1"]
    assert database.estimate("letters") == 1
    assert database.size_bytes() > 0


def test_oldest_scans_forward_between_two_keys(database: RocksdbDatabase) -> None:
    database.commit([("letters", key, key * 10) for key in keys(20)])
    assert [key for key, _ in database.oldest("letters", b"", b"", 3)] == keys(3)
    assert database.oldest("letters", b"005", b"007", 9) == [
        (b"005", b"005" * 10),
        (b"006", b"006" * 10),
    ]
    assert [key for key, _ in database.oldest("letters", b"018", b"", 9)] == [b"018", b"019"]
    assert database.oldest("letters", b"5", b"", 9) == []
    assert database.oldest("letters", b"", b"", 0) == []


def test_oldest_has_a_bound_in_bytes_but_never_stops_before_the_first(
    database: RocksdbDatabase,
) -> None:
    database.commit([("letters", key, key * 10) for key in keys(20)])
    lengths = [
        len(database.oldest("letters", b"", b"", 9, bound)) for bound in (0, 30, 89, 90, 999)
    ]
    assert lengths == [1, 1, 2, 3, 9]


def test_newest_scans_backward_inside_a_prefix(database: RocksdbDatabase) -> None:
    database.commit([("letters", key, b"") for key in (b"a1", b"a2", b"a3", b"b1")])
    assert [key for key, _ in database.newest("letters", b"a", b"b", 2)] == [b"a3", b"a2"]
    assert [key for key, _ in database.newest("letters", b"a", b"a3", 9)] == [b"a2", b"a1"]


def test_keys_are_those_of_oldest(database: RocksdbDatabase) -> None:
    database.commit([("letters", key, key * 10) for key in keys(20)])
    for bounds in [(b"", b"", 3), (b"005", b"007", 9), (b"018", b"", 9), (b"5", b"", 9)]:
        pairs = database.oldest("letters", *bounds)
        assert database.keys("letters", *bounds) == [key for key, _ in pairs]


def test_newest_ends_at_its_start(database: RocksdbDatabase) -> None:
    database.commit([("letters", key, b"") for key in keys(9)])
    assert [key for key, _ in database.newest("letters", b"003", b"006", 9)] == [
        b"005",
        b"004",
        b"003",
    ]
    assert database.newest("letters", b"006", b"003", 9) == []


def test_begun_finds_beginnings_of_keys(database: RocksdbDatabase) -> None:
    assert database.begun("letters", [b"a"]) == [False]
    database.commit([("letters", key, b"") for key in (b"a1", b"ab", b"c")])
    wanted = {b"a": True, b"ab": True, b"abc": False, b"b": False, b"c": True, b"d": False}
    assert database.begun("letters", [*wanted]) == [*wanted.values()]
    assert database.begun("letters", []) == []


def test_undo_restores_what_the_keys_held(database: RocksdbDatabase) -> None:
    before = [("letters", b"a", b"1"), ("letters", b"b", None), ("numbers", b"a", b"2")]
    database.commit(before)
    entries = [("letters", b"a", b"8"), ("numbers", b"a", None), ("letters", b"b", b"9")]
    assert sorted(database.current([*entries, *entries]), key=str) == sorted(before, key=str)
    assert deletions(entries) == [(family, key, None) for family, key, _ in entries]


@pytest.mark.parametrize("given", [True, False])
def test_a_write_that_failed_is_taken_back(
    database: RocksdbDatabase, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    database.commit([("letters", b"a", b"old")])
    FailingSync(monkeypatch, failures=3)
    entries = [("letters", b"a", b"new"), ("letters", b"b", b"new")]
    with pytest.raises(StoreError, match=r"The mail store in .* failed: IO error"):
        database.commit(entries, database.current(entries) if given else None)
    assert database.failed
    database.mend()
    assert database.get("letters", [b"a", b"b"]) == [b"old", None]


def test_a_write_with_nothing_to_undo_is_tried_again_as_well(
    database: RocksdbDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    FailingSync(monkeypatch, failures=1)
    database.commit([("letters", b"a", b"1")], undo=[])
    assert database.get("letters", [b"a"]) == [b"1"]


def test_mending_waits_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = mail_store(tmp_path, room_to_mend=1 << 60)
    database.open()
    database.commit([("letters", b"a", b"1")])
    FailingSync(monkeypatch, failures=1)
    for _ in range(2):
        with pytest.raises(StoreError, match="The disk is full"):
            database.commit([("letters", b"b", b"2")])
    assert database.get("letters", [b"a"]) == [b"1"]
    database.close()


def test_an_older_schema_gets_the_families_that_it_lacks(tmp_path: Path) -> None:
    old = RocksdbDatabase(tmp_path, ["letters"], 1)
    old.open()
    old.commit([("letters", b"a", b"1")])
    old.close()
    new = mail_store(tmp_path, 2)
    new.open()
    new.commit([("numbers", b"a", b"2")])
    assert new.get("letters", [b"a"]) == [b"1"]
    new.close()
    with pytest.raises(StoreTooNewError, match=r"schema 2, this program knows up to 1"):
        old.open()


def test_an_older_schema_is_migrated_before_its_number_changes(tmp_path: Path) -> None:
    old = RocksdbDatabase(tmp_path, ["letters", "notes"], 1)
    old.open()
    old.commit([("notes", b"a", b"1")])
    old.close()
    calls: list[int] = []

    def migrate(opened: OpenDatabase, version: int) -> None:
        calls.append(version)
        if "notes" in opened.families():
            pairs = opened.oldest("notes", b"", b"", 9, None)
            opened.write([("numbers", key, value) for key, value in pairs])
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "")

    new = RocksdbDatabase(tmp_path, FAMILIES, 2, former=["notes"], migrate=migrate)
    with pytest.raises(StoreError, match="The disk is full"):
        new.open()
    for _ in range(2):
        new.open()
        assert new.get("numbers", [b"a"]) == [b"1"]
        assert families_of(tmp_path) == {"default", "meta", *FAMILIES}
    assert calls == [1, 1]
    new.close()


def test_a_new_database_is_migrated_from_nothing(tmp_path: Path) -> None:
    calls: list[int] = []
    made = RocksdbDatabase(
        tmp_path, FAMILIES, 2, former=["notes"], migrate=lambda _, version: calls.append(version)
    )
    made.open()
    made.open()
    assert calls == [0]
    made.close()


def test_sentences_name_the_kind_of_store(database: RocksdbDatabase) -> None:
    with pytest.raises(StoreInUseError, match=r"The mail store in .* is in use"):
        mail_store(database.path).open()
    with pytest.raises(StoreError, match="The disk is full"), database.plain_words():
        raise OSError(errno.ENOSPC, "")
    with pytest.raises(StoreError, match="the mail in it is lost then"), database.plain_words():
        raise DecodeError("nonsense")
    with pytest.raises(KeyError), database.plain_words():
        raise KeyError("a bug")


def test_a_newer_one_that_was_refused_is_not_kept_in_use(tmp_path: Path) -> None:
    newer = mail_store(tmp_path, 4)
    newer.open()
    newer.close()
    older = mail_store(tmp_path, 3)
    for _ in range(2):
        with pytest.raises(StoreTooNewError):
            older.open()
    newer.open()
    newer.close()


def test_a_closed_one_says_so(database: RocksdbDatabase) -> None:
    database.close()
    calls: list[Callable[[], object]] = [
        lambda: database.get("letters", [b"a"]),
        lambda: database.oldest("letters", b"", b"", 1),
        lambda: database.newest("letters", b"", b"z", 1),
        lambda: database.commit([("letters", b"a", b"")]),
        lambda: database.size_bytes(),
        lambda: database.estimate("letters"),
        lambda: database.mend(),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="The mail store is not open"):
            call()
    database.close()


def test_a_scan_does_not_keep_a_closed_one_in_use(database: RocksdbDatabase) -> None:
    database.commit([("letters", b"a", b"1")])
    database.oldest("letters", b"", b"", 1)
    database.newest("letters", b"", b"z", 1)
    database.close()
    again = mail_store(database.path)
    again.open()
    again.close()
