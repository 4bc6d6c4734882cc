"""Which files of a data folder are in a backup, and under which names they come out of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

STORES = ("store", "mail")  # folders with a RocksDB in them; a mailbox has both
IDENTITY = "identity.key"
MARK = "p2pchat-backup"  # the first member: which form the rest has
FORM = 1
MAX_SMALL = 16 << 20  # bytes of a file outside the stores; a larger one is none of ours
MAX_FILES = 100_000  # in one backup; 64 MiB of a store are one file

# Safe on every file system, and inside the folder: at most one folder deep, and nothing begins with a dot.
_NAME = re.compile(rf"(?:(?:{'|'.join(STORES)})/)?[A-Za-z0-9][A-Za-z0-9._-]{{0,99}}")
# What belongs to a process that runs, what is made again by itself, and what is about to become something.
_LEFT_OUT = re.compile(
    r".*\.(?:sock|lock|pid|new|tmp)|.*\.log(?:\.[0-9]+)?|search\.db.*|p2pchat-backup", re.IGNORECASE
)
_LEFT_OUT_OF_STORES = re.compile(r"LOCK|LOG(?:\.old\.[0-9]+)?|.*\.dbtmp")


def is_safe_name(name: str) -> bool:
    """Whether a member may be called that."""
    return bool(_NAME.fullmatch(name)) and name not in STORES


def small_files(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """The files beside the stores, by name: identity and what else a node keeps in its folder."""
    for path in sorted(data_dir.iterdir()):
        fits = is_safe_name(path.name) and not _LEFT_OUT.fullmatch(path.name)
        if fits and path.is_file() and path.stat().st_size <= MAX_SMALL:
            yield path.name, path


def store_files(stores: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """The files of the stores, by the names that they have in a backup; `stores`: name to folder."""
    for store, folder in stores.items():
        for path in sorted(folder.iterdir()):
            name = f"{store}/{path.name}"
            if is_safe_name(name) and not _LEFT_OUT_OF_STORES.fullmatch(path.name):
                yield name, path
