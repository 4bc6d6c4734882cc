"""Keeps the stores of a data folder as they are while they are read."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from p2pchat.node.backup.contents import STORES
from p2pchat.node.backup.failing import in_words
from p2pchat.node.errors import StoreInUseError


@contextlib.contextmanager
def held_still(data_dir: Path) -> Iterator[dict[str, Path]]:
    """The stores that are there, by name. Nobody can open them meanwhile: RocksDB's own lock is on their file LOCK.

    What a program that was killed has left is a whole database as well: the next one to open it reads its log.
    Raises `StoreInUseError` when a node or a mailbox has one of them open.
    """
    with contextlib.ExitStack() as locks:
        with in_words(f"Cannot read {data_dir}"):
            found = {n: data_dir / n for n in STORES if (data_dir / n / "CURRENT").exists()}
            for folder in found.values():
                _lock(folder, locks.enter_context((folder / "LOCK").open("a+b")))
        yield found


def _lock(folder: Path, file: BinaryIO) -> None:
    try:
        # POSIX locks go when any descriptor of the file is closed: nothing else here may open it.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreInUseError(f"{folder} is in use by a program that runs.") from error


@contextlib.contextmanager
def the_only_backup(data_dir: Path) -> Iterator[None]:
    """A running node keeps one checkpoint at a time. Raises `StoreInUseError` while another backup reads it."""
    descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StoreInUseError(f"Another backup of {data_dir} is being made.") from error
    finally:
        os.close(descriptor)
