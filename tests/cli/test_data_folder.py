from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from p2pchat.cli import data_folder
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig

HOLD = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another_process(lock: Path) -> Iterator[None]:
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.communicate()  # the end of its input ends it


def test_a_fresh_folder_is_no_concern(tmp_path: Path) -> None:
    config = NodeConfig(tmp_path)
    assert data_folder.concerns(config) == []
    identity.create(config.identity_path)
    assert data_folder.concerns(config) == []


def test_a_store_without_its_identity(tmp_path: Path) -> None:
    config = NodeConfig(tmp_path)
    config.store_path.mkdir()
    assert data_folder.concerns(config) == []
    (config.store_path / "CURRENT").touch()
    (concern,) = data_folder.concerns(config)
    assert "a new identity was made" in concern
    assert "old messages are kept" in concern
    identity.create(config.identity_path)
    assert data_folder.concerns(config) == []


def test_an_identity_that_others_may_read(tmp_path: Path) -> None:
    config = NodeConfig(tmp_path)
    identity.create(config.identity_path)
    config.identity_path.chmod(0o640)
    (concern,) = data_folder.concerns(config)
    assert f"chmod 600 {config.identity_path}" in concern


def test_whether_a_node_has_the_store_open(tmp_path: Path) -> None:
    assert not data_folder.is_in_use(tmp_path / "store")
    lock = tmp_path / "LOCK"
    lock.touch()
    assert not data_folder.is_in_use(tmp_path)
    with held_by_another_process(lock):
        assert data_folder.is_in_use(tmp_path)
    assert not data_folder.is_in_use(tmp_path)


def test_a_mailbox_whose_first_start_failed_half_way_is_no_node(tmp_path: Path) -> None:
    config = NodeConfig(tmp_path)
    config.store_path.mkdir()
    (config.store_path / "CURRENT").touch()
    assert data_folder.is_a_node_s(config, tmp_path / "mail")
    (tmp_path / "mail").mkdir()
    assert not data_folder.is_a_node_s(config, tmp_path / "mail")


def test_the_workers_of_a_mailbox_besides_its_first(tmp_path: Path) -> None:
    assert data_folder.further_workers(tmp_path) == []
    for number in range(3):
        (tmp_path / "workers" / str(number)).mkdir(parents=True)
    (tmp_path / "workers" / "0" / "node.sock").touch()
    for number in (2, 1):
        identity.create(tmp_path / "workers" / str(number) / "identity.key")
    assert data_folder.further_workers(tmp_path) == [
        tmp_path / "workers" / "1",
        tmp_path / "workers" / "2",
    ]
