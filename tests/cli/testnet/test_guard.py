"""Who outlives the driver, alone. With real members it is in tests/integration/test_testnet.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from p2pchat.cli.testnet.guard import Guard


def _made(folder: Path) -> Path:
    folder.mkdir()
    (folder / "store").write_text("of the run")
    return folder


def test_it_ends_the_processes_and_deletes_the_folder(tmp_path: Path) -> None:
    folder = _made(tmp_path / "run")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        guard = Guard(folder)
        guard.watch(process.pid)
        guard.close()
        assert process.wait() < 0
    assert not folder.exists()


def test_what_is_to_be_kept_is_kept(tmp_path: Path) -> None:
    folder = _made(tmp_path / "run")
    Guard(None).close()
    assert (folder / "store").exists()


def test_another_folder_of_the_same_name_is_not_deleted(tmp_path: Path) -> None:
    folder = _made(tmp_path / "run")
    guard = Guard(folder)
    folder.rename(tmp_path / "moved")
    _made(folder)
    guard.close()
    assert (folder / "store").exists()
    assert (tmp_path / "moved" / "store").exists()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    folder, other = _made(tmp_path / "run"), _made(tmp_path / "other")
    guard = Guard(folder)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(other)
    guard.close()
    assert (other / "store").exists()
