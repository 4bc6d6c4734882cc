from __future__ import annotations

import os
from pathlib import Path

import pytest

from p2pchat.node.backup import making
from p2pchat.node.backup.failing import BackupError
from p2pchat.node.backup.still import held_still, the_only_backup
from p2pchat.node.errors import ConfigError, StoreInUseError
from p2pchat.node.protocol import age
from tests import store_process
from tests.node.backup.folders import MADE_AT_MS, MARK, PASSPHRASE, make_node, members, stores


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "WORK_FACTOR", 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_node(tmp_path / "node")
    return tmp_path / "node"


def make(folder: Path, target: Path, *, replace: bool = False) -> int:
    return making.make(
        folder, stores(folder), target, PASSPHRASE, made_at_ms=MADE_AT_MS, replace=replace
    )


def test_it_holds_identity_store_and_small_files_and_nothing_of_a_process(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "control.token").write_text("secret")
    left_out = ("p2pchat.log", "p2pchat.log.1", "search.db", "search.db-wal", "x.lock", ".hidden")
    for name in left_out:
        (folder / name).write_text("x")
    (folder / "downloads").mkdir()
    (folder / "downloads" / "film").write_text("x")
    make(folder, tmp_path / "b.age")
    found = members(tmp_path / "b.age")
    beside = {name for name in found if "/" not in name}
    assert beside == {MARK[0], "identity.key", "control.token"}
    assert found[MARK[0]] == MARK[1]
    assert found["identity.key"] == (folder / "identity.key").read_bytes()
    in_store = {name.partition("/")[2] for name in found if "/" in name}
    on_disk = {path.name for path in (folder / "store").iterdir()}
    assert on_disk - in_store == {n for n in on_disk if n == "LOCK" or n.startswith("LOG")}


def test_it_is_for_its_owner_only_and_its_size_is_told(folder: Path, tmp_path: Path) -> None:
    size = make(folder, tmp_path / "b.age")
    made = (tmp_path / "b.age").stat()
    assert made.st_mode & 0o777 == 0o600
    assert made.st_size == size
    assert os.listdir(tmp_path).count("b.age") == len(os.listdir(tmp_path)) - 1


def test_what_is_there_is_written_over_only_when_that_is_wanted(
    folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "b.age"
    target.write_text("something dear")
    with pytest.raises(ConfigError, match="--replace"):
        make(folder, target)
    assert target.read_text() == "something dear"
    make(folder, target, replace=True)
    assert "identity.key" in members(target)


def test_a_folder_without_an_identity_has_nothing_to_back_up(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no node has run there"):
        make(tmp_path / "empty", tmp_path / "b.age")


def test_when_the_store_goes_away_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    gone = {"store": tmp_path / "gone"}
    with pytest.raises(BackupError, match="No such file"):
        making.make(folder, gone, tmp_path / "b.age", PASSPHRASE, made_at_ms=MADE_AT_MS)
    assert os.listdir(tmp_path) == ["node"]


def test_what_cannot_be_looked_at_is_said_in_words(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="too long"):
        make(folder, tmp_path / ("x" * 300))
    (folder / "store" / "LOCK").unlink()
    (folder / "store" / "LOCK").mkdir()
    with pytest.raises(BackupError, match="Is a directory"), held_still(folder):
        pass


def test_a_store_that_a_program_has_open_is_not_read(folder: Path) -> None:
    with store_process.start("hold", folder / "store") as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(StoreInUseError), held_still(folder):
            pass
        child.stdin.close()
    with held_still(folder) as found:
        assert found == {"store": folder / "store"}


def test_while_a_store_is_read_no_program_can_open_it(folder: Path) -> None:
    with held_still(folder), store_process.start("hold", folder / "store") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == ""
    assert child.returncode != 0


def test_a_running_node_is_backed_up_once_at_a_time(folder: Path) -> None:
    with (
        the_only_backup(folder),
        pytest.raises(StoreInUseError, match="Another"),
        the_only_backup(folder),
    ):
        pass
    with the_only_backup(folder):
        pass
