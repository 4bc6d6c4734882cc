"""The SQLite index: damage, versions, full disks, Pythons without FTS5."""

from __future__ import annotations

import builtins
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from p2pchat.node.adapters import sqlite_index
from p2pchat.node.adapters.sqlite_index import SqliteIndex
from p2pchat.node.errors import SearchUnavailableError, StoreError
from p2pchat.node.ports import IndexState
from tests.failing_disk import no_file_longer_than
from tests.node.adapters.test_search_index_contract import gone, numbers, said


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "search.db"


@pytest.fixture
def made(path: Path) -> Iterator[SqliteIndex]:
    """With three messages, following a store, and closed."""
    found = SqliteIndex(path)
    found.begin(b"follower")
    found.apply([said(n, f"word {n}") for n in range(3)], None)
    found.close()
    yield found
    found.close()


def test_a_file_that_is_no_database_is_replaced(made: SqliteIndex, path: Path) -> None:
    path.write_bytes(b"this was never a database, " * 100)
    assert made.open() == IndexState()
    made.apply([said(1, "word")], None)
    assert numbers(made, "word") == [1]


def test_an_empty_file_is_a_new_index(made: SqliteIndex, path: Path) -> None:
    path.write_bytes(b"")
    assert made.open() == IndexState()


@pytest.mark.parametrize("version", [sqlite_index.SCHEMA_VERSION + 1, -1])
def test_an_index_of_another_version_is_replaced(
    made: SqliteIndex, path: Path, version: int
) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    assert made.open() == IndexState()
    assert numbers(made, "word") == []


def test_damage_inside_is_found_when_it_is_met_and_the_index_is_new(
    made: SqliteIndex, path: Path
) -> None:
    made.open()
    made.apply([said(n, f"word {n} " * 50) for n in range(10, 2000)], None)
    made.close()
    with path.open("r+b") as file:
        file.seek(8 * 4096)  # behind what is read when it opens
        file.write(b"\xaa" * (path.stat().st_size - 8 * 4096))
    assert made.open().messages == 1993
    with pytest.raises(StoreError, match="damaged, and is being built again"):
        numbers(made, "word")
        made.apply([said(n, "word") for n in range(3000, 4000)], None)
    assert made.open() == IndexState()
    made.apply([said(1, "word")], None)
    assert numbers(made, "word") == [1]


def test_a_full_disk_changes_nothing(made: SqliteIndex) -> None:
    before = made.open()
    with no_file_longer_than(1 << 16), pytest.raises(StoreError):
        made.apply([said(n, f"more {n} " * 500) for n in range(100, 400)], b"further")
    assert made.open() == before
    assert numbers(made, "more") == []
    assert made.apply([said(100, "more")], None).messages == 4
    assert numbers(made, "more") == [100]


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"failed|No right"):
        SqliteIndex(tmp_path / "file" / "search.db").open()


def test_sqlite_without_full_text_search(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = sqlite_index._DDL.replace("USING fts5", "USING fts5_that_is_not_there")
    monkeypatch.setattr(sqlite_index, "_DDL", lacking)
    with pytest.raises(SearchUnavailableError, match="FTS5"):
        SqliteIndex(path).open()


def test_a_python_without_sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def lacking(name: str, *args: Any) -> Any:
        if name == "sqlite3":
            raise ImportError(name)
        return found(name, *args)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(SearchUnavailableError, match="FTS5"):
        SqliteIndex(path).open()


def test_it_costs_nothing_before_it_is_opened(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from p2pchat.node.adapters.sqlite_index import SqliteIndex\n"
        f"SqliteIndex(Path({str(path)!r}))\n"
        "assert 'sqlite3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert not path.exists()


def test_words_whose_message_is_gone_are_no_hits(made: SqliteIndex) -> None:
    """A text that is forgotten by another text leaves words behind."""
    made.open()
    made.apply([gone(said(1, "something else"))], None)
    assert numbers(made, "word") == [2, 0]
    assert made.apply([said(1, "word 1")], None).messages == 3
    assert numbers(made, "word") == [2, 1, 0]


def test_a_time_that_is_full_takes_no_more(
    made: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_index, "_RANDOM_BITS", 6)
    monkeypatch.setattr(sqlite_index, "_CHOICES", 64)
    made.open()
    state = made.apply([said(n, "full", lamport=50) for n in range(70)], None)
    assert state.messages == 3 + 64
    assert len(numbers(made, "full")) == 64
