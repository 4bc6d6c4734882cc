from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from p2pchat.node.backup.beside import UNFINISHED, clear_away, file_beside, folder_beside


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "b"
    with file_beside(target, replace=False) as file:
        file.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["b"]


def test_a_file_system_without_second_names_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with file_beside(tmp_path / "b", replace=False) as file:
        file.write(b"whole")
    with pytest.raises(FileExistsError), file_beside(tmp_path / "b", replace=False) as file:
        file.write(b"late")
    assert (tmp_path / "b").read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["b"]


def test_of_a_failure_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_beside(tmp_path / "b", replace=False):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), folder_beside(tmp_path / "c") as folder:
        (folder / "x").write_text("x")
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_somebody_who_was_faster_is_not_written_over(tmp_path: Path) -> None:
    target = tmp_path / "b"
    with pytest.raises(FileExistsError), file_beside(target, replace=False) as file:
        file.write(b"late")
        target.write_text("first")
    assert target.read_text() == "first"
    with pytest.raises(OSError, match="not empty"), folder_beside(tmp_path / "c"):
        (tmp_path / "c").mkdir()
        (tmp_path / "c" / "first").write_text("x")
    assert os.listdir(tmp_path / "c") == ["first"]
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]


def test_what_a_killed_process_has_left_is_taken_away_and_what_a_living_one_makes_is_not(
    tmp_path: Path,
) -> None:
    dead, folder, alive = (tmp_path / f".b{UNFINISHED}{number}" for number in range(3))
    folder.mkdir()
    (folder / "x").write_text("x")
    dead.write_text("x")
    with alive.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        clear_away(tmp_path / "b")
        assert os.listdir(tmp_path) == [alive.name]
    clear_away(tmp_path / "b")
    assert os.listdir(tmp_path) == []


def test_a_pipe_of_that_name_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f".b{UNFINISHED}1")
    clear_away(tmp_path / "b")
    assert os.listdir(tmp_path) == []


def test_names_with_signs_of_patterns_are_names(tmp_path: Path) -> None:
    left = tmp_path / f".[b]*{UNFINISHED}1"
    other = tmp_path / f".b{UNFINISHED}1"
    left.write_text("x")
    other.write_text("x")
    clear_away(tmp_path / "[b]*")
    assert os.listdir(tmp_path) == [other.name]
