"""What a start should know about its data folder before it touches anything."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from p2pchat.node.config import NodeConfig


def concerns(config: NodeConfig) -> list[str]:
    """Sentences for the user; ask before an identity is made."""
    key = config.identity_path
    found = []
    if not os.path.lexists(key) and _has_store(config.store_path):
        found.append(
            f"There was no identity.key beside {config.store_path}: a new identity was made, and others see "
            "you as somebody else. The old messages are kept."
        )
    if _is_open_to_others(key):
        path = shlex.quote(str(key))
        found.append(f"Others on this computer may read {key}, which is you: chmod 600 {path}")
    return found


def is_a_node_s(config: NodeConfig, mail: Path) -> bool:
    """Whether the folder holds rooms and no mail: a mailbox would delete what is older than it archives.

    A mailbox makes its `mail` folder first, so this does not mean one whose first start has failed half-way.
    """
    return _has_store(config.store_path) and not mail.is_dir()


def is_a_mailbox_s(folder: Path) -> bool:
    """Whether there is mail."""
    return _has_store(folder / "mail")


def further_workers(folder: Path) -> list[Path]:
    """The data folders of a mailbox's workers besides the first, which has the folder itself."""
    return sorted(path.parent for path in folder.glob("workers/*/identity.key"))


def worker_number(folder: Path) -> int:
    """Which worker of a mailbox has its data there, by the name of the folder; 0: the first one, or none."""
    is_one = folder.parent.name == "workers" and folder.name.isdecimal()
    return int(folder.name) if is_one else 0


def is_in_use(store: Path) -> bool:
    """Whether a node has the store open: RocksDB holds a lock on the file LOCK in it."""
    import fcntl

    try:
        file = (store / "LOCK").open("r+b")
    except OSError:
        return False
    with file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # closing the file gives it back
        except OSError:
            return True
    return False


def _has_store(store: Path) -> bool:
    return (store / "CURRENT").exists()  # what RocksDB opens a database by


def _is_open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
