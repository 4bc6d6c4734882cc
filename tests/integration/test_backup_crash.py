"""`kill -9` in the middle of a backup or a restore: what was there is there, and nothing is half."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from p2pchat.node.protocol import age
from tests import backup_process
from tests.node.backup.folders import make_node, members, texts

WRITER = "p2pchat.node.backup.sealed_file:SealedWriter"
RESTORING = "p2pchat.node.backup.restoring"

IN_A_BACKUP = [
    (f"{WRITER}.write", 1),
    (f"{WRITER}.write", 5),
    (f"{WRITER}.finish", 1),
    ("os:fsync", 1),
    ("os:replace", 1),
]
IN_A_RESTORE = [
    (f"{RESTORING}:_write", 1),
    (f"{RESTORING}:_write", 3),
    (f"{RESTORING}:_settle", 1),
    ("p2pchat.node.adapters.rocksdb_store:RocksdbStore.save_own_mailboxes", 1),
    ("os:fsync", 2),
    ("os:rename", 1),
]


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "WORK_FACTOR", 4)


@pytest.mark.parametrize(("place", "times"), IN_A_BACKUP)
def test_a_killed_backup_leaves_the_last_one(place: str, times: int, tmp_path: Path) -> None:
    make_node(tmp_path / "node", messages=200)
    target = tmp_path / "b.age"
    backup_process.backup(tmp_path / "node", target)
    before = target.read_bytes()
    code = backup_process.run("backup", tmp_path / "node", target, place, times)
    assert code == -signal.SIGKILL
    assert target.read_bytes() == before
    backup_process.backup(tmp_path / "node", target)
    assert sorted(os.listdir(tmp_path)) == ["b.age", "node"]
    assert "identity.key" in members(target)


@pytest.mark.parametrize(("place", "times"), IN_A_RESTORE)
def test_a_killed_restore_leaves_no_folder(place: str, times: int, tmp_path: Path) -> None:
    make_node(tmp_path / "node")
    backup, target = tmp_path / "b.age", tmp_path / "new"
    backup_process.backup(tmp_path / "node", backup)
    assert backup_process.run("restore", backup, target, place, times) == -signal.SIGKILL
    assert not target.exists()
    backup_process.restore(backup, target)
    assert sorted(os.listdir(tmp_path)) == ["b.age", "new", "node"]
    assert texts(target) == texts(tmp_path / "node")
