"""What is about to become a file or a folder stands beside it, under a hidden name, until it is whole.

A process that is killed leaves such a thing behind. It holds a lock on what it is making, so the next one can tell
what nobody makes any more, and takes it away.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".unfinished-"

# What file systems say that have no second names (FAT, on most sticks), or cannot sync a folder.
_NOT_POSSIBLE = frozenset(
    {errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
)


@contextlib.contextmanager
def file_beside(target: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file (mode 0600) that becomes `target` when the block ends, whole or not at all. Raises `OSError`."""
    clear_away(target)
    descriptor, name = tempfile.mkstemp(prefix=_prefix(target), dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _hold(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
            if replace:
                os.replace(name, target)
            else:
                _rename_to_new(name, target)
        sync_folder(target.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


@contextlib.contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """A folder (mode 0700) that becomes `target`, which must be empty or not there, when the block ends.

    Raises `OSError`.
    """
    clear_away(target)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            _hold(descriptor)
            yield folder
            for each in (*_folders_in(folder), folder):
                sync_folder(each)
            os.rename(folder, target)  # takes the place of an empty folder, and of nothing else
        finally:
            os.close(descriptor)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_away(target: Path) -> None:
    """Whatever earlier processes have left of `target` and do not hold any more."""
    for left in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        with contextlib.suppress(OSError), _locked(left):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()


def sync_folder(folder: Path) -> None:
    """So that a new name in it survives a power cut, where the file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_POSSIBLE:
            raise
    finally:
        os.close(descriptor)


def _rename_to_new(name: str, target: Path) -> None:
    """Raises `FileExistsError` when somebody was first."""
    try:
        os.link(name, target)
    except OSError as error:
        if error.errno not in _NOT_POSSIBLE:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(name, target)


def _hold(descriptor: int) -> None:
    """Without locks, as on some network drives, what a killed process leaves is left to its owner."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Raises `BlockingIOError` when another process has it."""
    # In a shared folder anything may have this name: a pipe, too, which nobody writes to.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _prefix(target: Path) -> str:
    return f".{target.name}{UNFINISHED}"


def _folders_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]
