"""One RocksDB in a folder, for stores to build on: schema version, synced writes, and errors in plain words.

Keys and values are bytes (rocksdict's raw mode), in named column families. A write that RocksDB refuses, on a full
disk for example, puts it into a state in which it refuses every further one: so it is opened again, and what
may have reached the log without the caller being told so is taken back first.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from p2pchat.node.adapters.rocksdb_errors import plain_words
from p2pchat.node.adapters.rocksdb_handle import Entry, Handle, Limits, Pair
from p2pchat.node.adapters.rocksdb_mirror import Mirror
from p2pchat.node.errors import StoreError, StoreTooNewError

__all__ = [
    "META",
    "Entry",
    "Limits",
    "Migration",
    "OpenDatabase",
    "Pair",
    "RocksdbDatabase",
    "deletions",
]

META = "meta"  # the column family that every database has
SCHEMA_KEY = b"schema_version"  # in META; u32 big endian


class OpenDatabase(Protocol):
    """What a migration works on, as `RocksdbDatabase` but for what is said here."""

    def families(self) -> Sequence[str]:
        """Those that can be used: the database's own, and the former ones that exist."""
        ...

    def get(self, family: str, keys: list[bytes]) -> list[bytes | None]: ...

    def oldest(
        self, family: str, start: bytes, end: bytes, limit: int, max_bytes: int | None
    ) -> list[Pair]: ...

    def estimate(self, family: str) -> int: ...

    def write(self, entries: Sequence[Entry]) -> None:
        """All of it or nothing; on the disk when it returns."""
        ...


# Brings what is stored forward from an older schema, given with its version (0: a new database). It may end anywhere,
# with an error or the whole process, and is called again then.
Migration: TypeAlias = Callable[[OpenDatabase, int], None]


class RocksdbDatabase:
    """A RocksDB with a schema version. Not thread-safe: one call at a time.

    Every method raises `StoreError`, with a sentence for the user. A column family is one of those that the
    database was made with, or `META`.
    """

    def __init__(
        self,
        path: Path,
        families: Sequence[str],
        schema_version: int,
        *,
        noun: str = "message store",
        contents: str = "history",
        limits: Limits | None = None,
        former: Sequence[str] = (),
        migrate: Migration | None = None,
        read_only: bool = False,
    ) -> None:
        """Nothing is read or written before `open`.

        An older schema is brought forward by creating the column families that it lacks and by `migrate`, before its
        version is changed; a newer one is refused. `former` column families are only for `migrate`, and dropped then.
        `noun` and `contents` are for sentences: "The <noun> is damaged", "the <contents> in it is lost".
        `read_only`: whatever else has it open; what is there must be of this very schema, and stays as it was when it
        was opened.
        """
        self.path = path
        self.schema_version = schema_version
        self._families = tuple(dict.fromkeys((*families, META)))
        self._noun = noun
        self._contents = contents
        self._limits = limits or Limits()
        self._former = tuple(former)
        self._migrate = migrate
        self._read_only = read_only
        self._mirror: Mirror | None = None  # what is opened instead, for reading only
        self._is_open = False
        self._handle: Handle | None = None
        self._failed = False  # the last write did: nothing more can be written before mending
        self._undo: list[
            Entry
        ] = []  # takes that write back, should it have reached the log after all

    def open(self) -> None:
        """Make the folder (mode 0700) if need be; opening an open one opens it again.

        Raises `StoreInUseError`, `StoreTooNewError` or `StoreError`.
        """
        self.close()  # an actor that crashed could not
        try:
            with self.plain_words():
                if self._read_only:
                    self._mirror = Mirror(self.path)
                else:
                    self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._reopen()
        except BaseException:
            self.close()
            raise
        self._is_open = True

    def close(self) -> None:
        """Never raises; everything that was committed is on the disk already."""
        self._is_open = False
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        if self._mirror is not None:
            self._mirror.remove()
            self._mirror = None

    def plain_words(self) -> AbstractContextManager[None]:
        """For what callers do with the values: one that cannot be parsed is damage."""
        return plain_words(self.path, self._noun, self._contents)

    # ---- reading ----------------------------------------------------------------------------------

    def get(self, family: str, keys: list[bytes]) -> list[bytes | None]:
        """The values of the keys, in their order; None for one that is not there."""
        with self.plain_words():
            return self._ready().get(family, keys)

    def newest(
        self, family: str, start: bytes, end: bytes, limit: int, max_bytes: int | None = None
    ) -> list[Pair]:
        """Up to `limit` entries from `start` on (included) and below `end`, the last one first.

        `max_bytes` as in `oldest`.
        """
        with self.plain_words():
            return self._ready().newest(family, start, end, limit, max_bytes)

    def oldest(
        self,
        family: str,
        start: bytes,
        end: bytes,
        limit: int,
        max_bytes: int | None = None,
    ) -> list[Pair]:
        """Up to `limit` entries from `start` on (included) and below `end` (empty: no end), the first one first.

        `max_bytes` bounds the values together; the first entry comes however large it is. A scan steps over every
        entry that was deleted lately (100,000 of them: 70 ms), so a queue starts at its first live one.
        """
        with self.plain_words():
            return self._ready().oldest(family, start, end, limit, max_bytes)

    def keys(self, family: str, start: bytes, end: bytes, limit: int) -> list[bytes]:
        """As `oldest`, without the values."""
        with self.plain_words():
            return self._ready().keys(family, start, end, limit)

    def begun(self, family: str, prefixes: Sequence[bytes]) -> list[bool]:
        """For each whether a key begins with it."""
        with self.plain_words():
            return self._ready().begun(family, prefixes)

    def estimate(self, family: str) -> int:
        """How many entries the column family has, from RocksDB's counters; costs nothing."""
        with self.plain_words():
            return self._ready().estimate(family)

    def checkpoint(self) -> Path:
        """The database as it is now, in a folder beside it, in place of an earlier one. Costs no copying."""
        path = self._checkpoint_path
        with self.plain_words():
            self._mend()
            remove_tree(path)
            self._ready().checkpoint(path)
        return path

    def forget_checkpoint(self) -> None:
        """For a start: it holds disk space, and whoever made it is gone, or was disturbed by the restart."""
        with self.plain_words():
            remove_tree(self._checkpoint_path)

    @property
    def _checkpoint_path(self) -> Path:
        """Beside the database: on the same disk, where files can be linked."""
        return self.path.with_name(f"{self.path.name}.checkpoint")

    def size_bytes(self) -> int:
        """What the folder takes on the disk."""
        with self.plain_words():
            self._ready()
            return _size_of(self.path)

    # ---- writing ----------------------------------------------------------------------------------

    def mend(self) -> None:
        """To be called before reading what a write will rest on: takes a failed write back, if there was one.

        Costs nothing otherwise. Until there is room for mending it raises, and what is open can still be read.
        """
        with self.plain_words():
            self._mend()

    @property
    def failed(self) -> bool:
        """The last write failed and is not taken back yet: what is read now may be."""
        return self._failed

    def commit(self, entries: Sequence[Entry], undo: Sequence[Entry] | None = None) -> None:
        """Write all or nothing; on the disk when it returns. Of entries with one key the last counts.

        `undo` restores what the keys hold now; it is read (`current`) when it is not given. For keys that
        are known to be new, give `deletions`, which costs no reading.
        """
        if not entries:
            return
        if self._read_only:
            raise StoreError(f"The {self._noun} is open for reading only.")
        with self.plain_words():
            self._mend()
            taken_back = self.current(entries) if undo is None else list(undo)
            # RocksDB refuses all writes after one that failed, so the second try opens it again.
            try:
                self._write(entries, taken_back)
            except Exception:
                self._mend()
                self._write(entries, taken_back)

    def current(self, entries: Sequence[Entry]) -> list[Entry]:
        """Entries that restore what the keys of these ones hold now, for use as `undo`."""
        keys: dict[str, dict[bytes, None]] = {}
        for family, key, _ in entries:
            keys.setdefault(family, {})[key] = None
        return [
            (family, key, value)
            for family, wanted in keys.items()
            for key, value in zip(wanted, self.get(family, list(wanted)), strict=True)
        ]

    def _write(self, entries: Sequence[Entry], undo: list[Entry]) -> None:
        self._failed, self._undo = True, undo
        self._ready().write(entries)
        self._failed, self._undo = False, []

    def _ready(self) -> Handle:
        if not self._is_open:
            raise StoreError(f"The {self._noun} is not open.")
        return self._handle or self._reopen()

    def _mend(self) -> None:
        self._ready()
        if not self._failed:
            return
        if shutil.disk_usage(self.path).free < self._limits.room_to_mend:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._reopen()

    def _reopen(self) -> Handle:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        self._handle = self._open_checked()
        self._handle.write([entry for entry in self._undo if not self._handle.has(entry)])
        self._failed, self._undo = False, []
        return self._handle

    def _open_checked(self) -> Handle:
        """An open handle on a schema that this program knows."""
        former = () if self._read_only else self._former
        place = self._mirror.path if self._mirror is not None else self.path
        handle = Handle(place, self._families, self._limits, former, read_only=self._read_only)
        try:
            self._check_schema(handle)
            handle.drop(former)  # also what an earlier start did not come to
        except BaseException:
            handle.close()
            raise
        return handle

    def _check_schema(self, handle: Handle) -> None:
        stored = handle.get(META, [SCHEMA_KEY])[0]
        version = 0 if stored is None else int.from_bytes(stored, "big")
        if version > self.schema_version:
            raise StoreTooNewError(
                f"The {self._noun} in {self.path} was written by a newer version of p2pchat (schema {version}, "
                f"this program knows up to {self.schema_version}). Update p2pchat to use it."
            )
        if version < self.schema_version and self._read_only:
            raise StoreError(f"The {self._noun} in {self.path} is of an older schema.")
        if version < self.schema_version:
            if self._migrate is not None:
                self._migrate(handle, version)
            handle.write([(META, SCHEMA_KEY, self.schema_version.to_bytes(4, "big"))])


def deletions(entries: Sequence[Entry]) -> list[Entry]:
    """The `undo` of entries whose keys are not there yet."""
    return [(family, key, None) for family, key, _ in entries]


def remove_tree(folder: Path) -> None:
    """Raises `OSError`; that there is none is no error."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _size_of(folder: Path) -> int:
    """Bytes of all files in it; RocksDB may delete some meanwhile."""
    size = 0
    with os.scandir(folder) as files:
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                size += file.stat().st_size
    return size
