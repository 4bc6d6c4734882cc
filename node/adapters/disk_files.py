"""`Files` on a disk. Opens no symbolic link in the download folder, and overwrites nothing in it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from p2pchat.node.errors import FileChangedError, FileDamagedError, FileError
from p2pchat.node.ports import FileFacts
from p2pchat.node.protocol import file_names

PARTIAL_FOLDER = (
    ".partial"  # in the download folder, so that a finished file only gets another name
)
BLOCK = 1 << 20  # bytes read at once for hashing

# Opening a named pipe must not wait for somebody at its other end.
_READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)
_OWN = os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFiles:
    """`folder` is made when it is needed. `owner`: whose it is, so that several nodes may share it."""

    def __init__(self, folder: Path, owner: str = "") -> None:
        self._folder = folder
        self._partials = folder / (f"{PARTIAL_FOLDER}-{owner}" if owner else PARTIAL_FOLDER)

    # ---- own files ------------------------------------------------------------------------------------

    def describe(self, path: str) -> FileFacts:
        with _sentences(f"{path} cannot be read"):
            real = os.path.realpath(path)
            with _opened(real, _READ) as handle:
                found = _regular(handle, path)
                digest = _digest_of(handle, found.st_size)
                after = os.fstat(handle)
        if (after.st_size, after.st_mtime_ns) != (found.st_size, found.st_mtime_ns):
            raise FileChangedError(f"{path} is being changed; it can be sent when that is over.")
        name = file_names.to_offer(os.path.basename(path) or os.path.basename(real))
        return FileFacts(real, name, found.st_size, found.st_mtime_ns, digest)

    def read(self, facts: FileFacts, offset: int, length: int) -> bytes:
        gone = f"{facts.path} is not there any more, or cannot be read"
        try:
            with _sentences(gone), _opened(facts.path, _READ) as handle:
                data = os.pread(handle, length, offset)
                found = _regular(handle, facts.path)
        except FileError as error:
            raise FileChangedError(str(error)) from error
        is_same = (found.st_size, found.st_mtime_ns) == (facts.size, facts.modified_ns)
        if not is_same or len(data) != min(length, max(facts.size - offset, 0)):
            raise FileChangedError(f"{facts.path} has changed since it was offered.")
        return data

    # ---- files that are being taken -------------------------------------------------------------------

    def free_bytes(self) -> int:
        with _sentences("The download folder cannot be used"):
            self._make_folders()
            return shutil.disk_usage(self._folder).free

    def write(self, partial: str, offset: int, data: bytes, *, sync: bool) -> None:
        with _sentences("A file that is being taken cannot be written"):
            self._make_folders()
            with _opened(self._partial(partial), os.O_WRONLY | os.O_CREAT | _OWN) as handle:
                _regular(handle, partial)
                rest = memoryview(data)
                while rest:
                    written = os.pwrite(handle, rest, offset)
                    offset, rest = offset + written, rest[written:]
                if sync:
                    os.fsync(handle)

    def partial_size(self, partial: str) -> int:
        try:
            return self._partial(partial).lstat().st_size
        except OSError:
            return 0

    def partials(self) -> Sequence[str]:
        if self._partials.is_symlink():  # nothing elsewhere is ours to delete
            return ()
        try:
            return os.listdir(self._partials)
        except OSError:
            return ()

    def digest(self, partial: str, size: int) -> bytes:
        with (
            _sentences("A file that was taken cannot be read"),
            _opened(self._partial(partial), os.O_RDWR | _OWN) as handle,
        ):
            found = _regular(handle, partial)
            if found.st_size < size:
                raise FileDamagedError("Some of a file that is being taken has vanished.")
            if found.st_size > size:
                os.ftruncate(handle, size)
            digest = _digest_of(handle, size)
            os.fsync(handle)
            return digest

    def free_path(self, name: str) -> str:
        with _sentences("The download folder cannot be read"):
            self._make_folders()
            return str(self._folder / file_names.unique(name, os.listdir(self._folder)))

    def publish(self, partial: str, path: str) -> bool:
        source, target = self._partial(partial), Path(path)
        with _sentences("A file that was taken cannot be put into the download folder"):
            if not source.exists() and stat.S_ISREG(target.lstat().st_mode):
                return True  # done before a crash
            placed = _link(source, target)
            if placed:
                _sync_folder(self._folder)
        return placed

    def drop(self, partial: str) -> None:
        with contextlib.suppress(OSError):
            self._partial(partial).unlink()

    def _partial(self, name: str) -> Path:
        if os.path.basename(name) != name or name in ("", ".", ".."):
            raise ValueError(f"no name of a partial: {name!r}")
        return self._partials / name

    def _make_folders(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._partials.mkdir(mode=0o700, exist_ok=True)
        if self._partials.is_symlink():
            raise FileError(f"{self._partials} leads elsewhere; it has to be a folder.")


def _link(source: Path, target: Path) -> bool:
    """Whether `source` stands at `target` now: a second name, then the first one goes, so that nothing is overwritten
    and a crash in between is seen."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        if not target.is_symlink() and source.samefile(target):
            source.unlink()
            return True
        return False
    except OSError:  # a file system without second names
        return _claim(source, target)
    source.unlink()
    return True


def _claim(source: Path, target: Path) -> bool:
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OWN, 0o600))
    except FileExistsError:
        return False
    os.replace(source, target)
    return True


@contextmanager
def _opened(path: str | Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _regular(handle: int, path: str) -> os.stat_result:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path} is no regular file.")
    return found


def _digest_of(handle: int, size: int) -> bytes:
    digest = hashlib.sha256()
    offset = 0
    while offset < size and (data := os.pread(handle, min(BLOCK, size - offset), offset)):
        digest.update(data)
        offset += len(data)
    return digest.digest()


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk as well."""
    with contextlib.suppress(OSError), _opened(folder, os.O_RDONLY | os.O_CLOEXEC) as handle:
        os.fsync(handle)


@contextmanager
def _sentences(what: str) -> Iterator[None]:
    """The operating system's errors in plain words."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise FileError("The disk is full.") from error
        raise FileError(f"{what}: {error.strerror or error}.") from error
    except ValueError as error:  # a null character in a path
        raise FileError(f"{what}: {error}.") from error
