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
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from p2pchat.node.adapters.rocksdb_errors import plain_words
from p2pchat.node.errors import StoreError, StoreTooNewError

if TYPE_CHECKING:
    # 10 MB of shared library: loaded when a database opens, not when the module is imported.
    from rocksdict import ColumnFamily, Options, Rdict

DELETION_WINDOW = (
    1024  # neighbouring entries of a table file; half of them deleted make it be compacted
)

META = "meta"  # the column family that every database has
SCHEMA_KEY = b"schema_version"  # in META; u32 big endian

Entry: TypeAlias = tuple[str, bytes, bytes | None]  # column family, key, value; None: delete
Pair: TypeAlias = tuple[bytes, bytes]  # key, value


@dataclass(frozen=True, slots=True)
class Limits:
    """How much memory and disk one database may take, in bytes unless stated.

    Small on purpose: a chat's working set is its last pages, and the whole node aims at 90 MB of memory.
    """

    block_cache: int = 4 << 20  # for all column families together, indexes and filters included
    write_buffer: int = 2 << 20  # for each column family
    write_buffers: int = 4 << 20  # in all; a fuller one is written out as a table file
    max_wal: int = 4 << 20  # bounds what is replayed when it opens after a crash
    max_open_files: int = 64  # files; with a bound, open() does not open every table file
    max_log: int = 256 << 10  # of RocksDB's own text log, kept twice
    room_to_mend: int = 8 << 20  # must be free before a database that failed is opened again


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
    ) -> None:
        """Nothing is read or written before `open`.

        An older schema is brought forward by creating the column families that it lacks, a newer one is refused.
        `noun` and `contents` are for sentences: "The <noun> is damaged", "the <contents> in it is lost".
        """
        self.path = path
        self.schema_version = schema_version
        self._families = tuple(dict.fromkeys((*families, META)))
        self._noun = noun
        self._contents = contents
        self._limits = limits or Limits()
        self._is_open = False
        self._handle: _Handle | None = None
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

    def plain_words(self) -> AbstractContextManager[None]:
        """For what callers do with the values: one that cannot be parsed is damage."""
        return plain_words(self.path, self._noun, self._contents)

    # ---- reading ----------------------------------------------------------------------------------

    def get(self, family: str, keys: list[bytes]) -> list[bytes | None]:
        """The values of the keys, in their order; None for one that is not there."""
        with self.plain_words():
            return self._ready().get(family, keys)

    def newest(self, family: str, prefix: bytes, end: bytes, limit: int) -> list[Pair]:
        """Up to `limit` entries with that prefix and keys below `end`, the last one first."""
        with self.plain_words():
            return self._ready().newest(family, prefix, end, limit)

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

    def estimate(self, family: str) -> int:
        """How many entries the column family has, from RocksDB's counters; costs nothing."""
        with self.plain_words():
            return self._ready().estimate(family)

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

    def _ready(self) -> _Handle:
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

    def _reopen(self) -> _Handle:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        self._handle = self._open_checked()
        self._handle.write([entry for entry in self._undo if not self._handle.has(entry)])
        self._failed, self._undo = False, []
        return self._handle

    def _open_checked(self) -> _Handle:
        """An open handle on a schema that this program knows."""
        handle = _Handle(self.path, self._families, self._limits)
        try:
            self._check_schema(handle)
        except BaseException:
            handle.close()
            raise
        return handle

    def _check_schema(self, handle: _Handle) -> None:
        stored = handle.get(META, [SCHEMA_KEY])[0]
        version = 0 if stored is None else int.from_bytes(stored, "big")
        if version > self.schema_version:
            raise StoreTooNewError(
                f"The {self._noun} in {self.path} was written by a newer version of p2pchat (schema {version}, "
                f"this program knows up to {self.schema_version}). Update p2pchat to use it."
            )
        if version < self.schema_version:
            handle.write([(META, SCHEMA_KEY, self.schema_version.to_bytes(4, "big"))])


def deletions(entries: Sequence[Entry]) -> list[Entry]:
    """The `undo` of entries whose keys are not there yet."""
    return [(family, key, None) for family, key, _ in entries]


class _Handle:
    """One open RocksDB. rocksdict keeps it open until every object on it is closed or gone."""

    def __init__(self, path: Path, names: Sequence[str], limits: Limits) -> None:
        from rocksdict import Rdict, WriteBatch

        options = _options(limits)
        # All that exist have to be named, also those of a newer schema.
        existing = Rdict.list_cf(str(path), options) if (path / "CURRENT").exists() else []
        families = dict.fromkeys((*names, *existing), options)
        families.pop("default", None)
        self._new_batch = WriteBatch
        self._root = Rdict(str(path), options=options, column_families=families)
        self._families: dict[str, Rdict] = {}
        self._handles: dict[str, ColumnFamily] = {}
        for name in names:
            self._families[name] = self._root.get_column_family(name)
            self._handles[name] = self._root.get_column_family_handle(name)

    def close(self) -> None:
        self._handles.clear()
        for database in (*self._families.values(), self._root):
            # Everything written was synced before: a close that fails loses nothing.
            with contextlib.suppress(Exception):
                database.close()

    def get(self, family: str, keys: list[bytes]) -> list[bytes | None]:
        if not keys:
            return []
        found: list[bytes | None] = self._families[family].get(keys)  # type: ignore[arg-type, assignment]
        return found

    def has(self, entry: Entry) -> bool:
        """Whether writing the entry would change nothing."""
        family, key, value = entry
        return self.get(family, [key]) == [value]

    def newest(self, family: str, prefix: bytes, end: bytes, limit: int) -> list[Pair]:
        found: list[Pair] = []
        cursor = self._families[family].iter()
        try:
            cursor.seek_for_prev(end)
            if cursor.valid() and cursor.key() == end:
                cursor.prev()
            while len(found) < limit and cursor.valid() and cursor.key().startswith(prefix):
                found.append((cursor.key(), cursor.value()))
                cursor.prev()
            cursor.status()  # raises if it ended because of a damaged file
            return found
        finally:
            del cursor  # keeps the database open for as long as it is in a traceback, too

    def oldest(
        self, family: str, start: bytes, end: bytes, limit: int, max_bytes: int | None
    ) -> list[Pair]:
        found: list[Pair] = []
        size = 0
        cursor = self._families[family].iter()
        try:
            cursor.seek(start)
            while len(found) < limit and cursor.valid():
                key, value = cursor.key(), cursor.value()
                size += len(value)
                too_much = max_bytes is not None and size > max_bytes and bool(found)
                if too_much or (end and key >= end):
                    break
                found.append((key, value))
                cursor.next()
            cursor.status()
            return found
        finally:
            del cursor

    def write(self, entries: Sequence[Entry]) -> None:
        """All of it or nothing; on the disk when it returns."""
        if not entries:
            return
        batch = self._new_batch(raw_mode=True)
        for family, key, value in entries:
            if value is None:
                batch.delete(key, self._handles[family])
            else:
                batch.put(key, value, self._handles[family])
        self._root.write(batch)
        # Not WriteOptions.sync: rocksdict holds the interpreter lock in write() but not in flush_wal(), and a
        # sync takes long enough on many disks to stop the node's event loop.
        self._root.flush_wal(sync=True)

    def estimate(self, family: str) -> int:
        return self._families[family].property_int_value("rocksdb.estimate-num-keys") or 0


def _options(limits: Limits) -> Options:
    from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options

    tables = BlockBasedOptions()
    tables.set_block_cache(Cache(limits.block_cache))
    tables.set_cache_index_and_filter_blocks(True)
    tables.set_bloom_filter(10, False)  # bits for each key: 1 % false positives
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(tables)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(limits.write_buffer)
    options.set_db_write_buffer_size(limits.write_buffers)
    options.set_max_total_wal_size(limits.max_wal)
    options.set_max_open_files(limits.max_open_files)
    # Queues delete what they held: table files full of that are compacted soon, for scans have to step over it.
    options.add_compact_on_deletion_collector_factory(DELETION_WINDOW, DELETION_WINDOW // 2, 0.5)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_max_log_file_size(limits.max_log)
    options.set_keep_log_file_num(2)
    return options


def _size_of(folder: Path) -> int:
    """Bytes of all files in it; RocksDB may delete some meanwhile."""
    size = 0
    with os.scandir(folder) as files:
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                size += file.stat().st_size
    return size
