"""One open RocksDB: rocksdict as `RocksdbDatabase` uses it, and with which options. Raises what rocksdict raises."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    # 10 MB of shared library: loaded when a database opens, not when the module is imported.
    from rocksdict import ColumnFamily, Options, Rdict

DELETION_WINDOW = (
    1024  # neighbouring entries of a table file; half of them deleted make it be compacted
)

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


class Handle:
    """rocksdict keeps it open until every object on it is closed or gone."""

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        limits: Limits,
        former: Sequence[str] = (),
        *,
        read_only: bool = False,
    ) -> None:
        """Opens or creates `names`; of the `former` ones those that exist.

        `read_only`: as it was at this moment, without the lock; all of `names` must exist, nothing is written.
        """
        from rocksdict import AccessType, Rdict, WriteBatch

        options = _options(limits)
        access = AccessType.read_only() if read_only else AccessType.read_write()
        # All that exist have to be named, also those of a newer schema.
        existing = Rdict.list_cf(str(path), options) if (path / "CURRENT").exists() else []
        families = dict.fromkeys((*names, *existing), options)
        families.pop("default", None)
        self._new_batch = WriteBatch
        self._root = Rdict(str(path), options, families, access)
        self._families: dict[str, Rdict] = {}
        self._handles: dict[str, ColumnFamily] = {}
        for name in (*names, *(name for name in former if name in existing)):
            self._families[name] = self._root.get_column_family(name)
            self._handles[name] = self._root.get_column_family_handle(name)

    def families(self) -> Sequence[str]:
        return tuple(self._families)

    def drop(self, names: Sequence[str]) -> None:
        """Delete these column families, as far as they exist."""
        for name in names:
            if name in self._families:
                del self._handles[name]
                self._families.pop(name).close()
                self._root.drop_column_family(name)

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

    def newest(
        self, family: str, start: bytes, end: bytes, limit: int, max_bytes: int | None
    ) -> list[Pair]:
        found: list[Pair] = []
        size = 0
        cursor = self._families[family].iter()
        try:
            cursor.seek_for_prev(end)
            if cursor.valid() and cursor.key() == end:
                cursor.prev()
            while len(found) < limit and cursor.valid() and (key := cursor.key()) >= start:
                value = cursor.value()
                size += len(value)
                if max_bytes is not None and size > max_bytes and found:
                    break
                found.append((key, value))
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

    def keys(self, family: str, start: bytes, end: bytes, limit: int) -> list[bytes]:
        found: list[bytes] = []
        cursor = self._families[family].iter()
        try:
            cursor.seek(start)
            while len(found) < limit and cursor.valid():
                key = cursor.key()
                if end and key >= end:
                    break
                found.append(key)
                cursor.next()
            cursor.status()
            return found
        finally:
            del cursor

    def begun(self, family: str, prefixes: Sequence[bytes]) -> list[bool]:
        found: list[bool] = []
        cursor = self._families[family].iter()
        try:
            for prefix in prefixes:
                cursor.seek(prefix)
                found.append(cursor.valid() and cursor.key().startswith(prefix))
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

    def checkpoint(self, path: Path) -> None:
        """The database as it is now, in a new folder on the same disk: its table files as links to the same ones."""
        from rocksdict import Checkpoint

        # It would do the same, but holds the interpreter lock meanwhile: 0.4 s of a busy mailbox, and so 10 to 30 ms.
        for family in self._families.values():
            family.flush(wait=True)
        Checkpoint(self._root).create_checkpoint(str(path))

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
