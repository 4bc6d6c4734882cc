"""`MessageStore` on RocksDB, through rocksdict in its raw bytes mode.

Column families: `history` (history key -> RoomRecord), `by_id` (identity key -> history key, for exact deduplication)
and `meta` (schema version, profile). The keys are in `history_keys.py`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from p2pchat.node.adapters.history_keys import (
    HEAD_IDS,
    head_of,
    history_key,
    identity_key,
    room_end,
    room_prefix,
)
from p2pchat.node.errors import StoreError, StoreInUseError, StoreTooNewError
from p2pchat.node.ports import HistorySlice, RoomHead, StoreInfo
from p2pchat.proto import records_pb2 as records

if TYPE_CHECKING:
    # 10 MB of shared library: loaded when a store opens, not when the module is imported.
    from rocksdict import ColumnFamily, Options, Rdict

SCHEMA_VERSION = 1

# Small on purpose: a chat's working set is its last pages, and the whole node aims at 90 MB of memory.
BLOCK_CACHE = 4 << 20  # bytes, for all column families together, indexes and filters included
WRITE_BUFFER = 2 << 20  # bytes for each column family
WRITE_BUFFERS = 4 << 20  # bytes in all; a fuller one is written out as a table file
MAX_WAL = 4 << 20  # bytes; bounds what is replayed when the store opens after a crash
MAX_OPEN_FILES = 64  # with a bound, open() does not open every table file
MAX_LOG = 256 << 10  # bytes of RocksDB's own text log, kept twice

ROOM_TO_MEND = 8 << 20  # bytes that must be free before a store that failed is opened again

HISTORY, BY_ID, META = "history", "by_id", "meta"
_FAMILIES = (HISTORY, BY_ID, META)
_SCHEMA_KEY = b"schema_version"  # u32 big endian
_PROFILE_KEY = b"profile"

Entry = tuple[str, bytes, bytes | None]  # column family, key, value; None: delete


class RocksdbStore:
    """The store in one folder. Every write is on the disk when its method returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_open = False
        self._database: _Database | None = None
        # After a failed write: what takes it back, should it have reached the log after all.
        self._undo: list[Entry] = []

    def open(self) -> None:
        self.close()  # an actor that crashed could not
        with _in_plain_words(self._path):
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._reopen()
        self._is_open = True

    def close(self) -> None:
        self._is_open = False
        if self._database is not None:
            self._database.close()
            self._database = None

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        with _in_plain_words(self._path):
            self._mend()
            fresh, entries = self._sift(batch)
            if entries:
                self._commit(entries, [(family, key, None) for family, key, _ in entries])
            return fresh

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        with _in_plain_words(self._path):
            end = room_end(room)
            page = self._ready().newest(room_prefix(room), min(before or end, end), limit)
            page.reverse()
            found = [records.RoomRecord.FromString(value) for _, value in page]
            return HistorySlice(found, page[0][0] if page else b"")

    def room_head(self, room: str) -> RoomHead:
        with _in_plain_words(self._path):
            page = self._ready().newest(room_prefix(room), room_end(room), HEAD_IDS)
            return head_of(room, [key for key, _ in page])

    def load_profile(self) -> records.Profile:
        with _in_plain_words(self._path):
            stored = self._ready().get(META, [_PROFILE_KEY])[0]
            return records.Profile.FromString(stored or b"")

    def save_profile(self, profile: records.Profile) -> None:
        with _in_plain_words(self._path):
            self._mend()
            previous = self._ready().get(META, [_PROFILE_KEY])[0]
            entry = (META, _PROFILE_KEY, profile.SerializeToString())
            self._commit([entry], [(META, _PROFILE_KEY, previous)])

    def describe(self) -> StoreInfo:
        with _in_plain_words(self._path):
            messages = self._ready().estimate(HISTORY)
            return StoreInfo(str(self._path), _size_of(self._path), messages, SCHEMA_VERSION)

    def _sift(self, batch: Sequence[records.RoomRecord]) -> tuple[list[bool], list[Entry]]:
        """Which records are new, and what to write for those."""
        ids = [identity_key(record.message) for record in batch]
        stored = self._ready().get(BY_ID, ids)
        known = {key for key, found in zip(ids, stored, strict=True) if found is not None}
        fresh: list[bool] = []
        entries: list[Entry] = []
        for record, known_as in zip(batch, ids, strict=True):
            fresh.append(known_as not in known)
            if fresh[-1]:
                known.add(known_as)
                key = history_key(record)
                entries.append((HISTORY, key, record.SerializeToString()))
                entries.append((BY_ID, known_as, key))
        return fresh, entries

    def _commit(self, entries: list[Entry], undo: list[Entry]) -> None:
        """Write durably. RocksDB refuses all writes after one that failed, so the second try opens it again."""
        try:
            self._write(entries, undo)
        except Exception:
            self._mend()
            self._write(entries, undo)

    def _write(self, entries: list[Entry], undo: list[Entry]) -> None:
        self._undo = undo
        self._ready().write(entries)
        self._undo = []

    def _ready(self) -> _Database:
        if not self._is_open:
            raise StoreError("The message store is not open.")
        return self._database or self._reopen()

    def _mend(self) -> None:
        """After a failed write, open again. Until there is room for that, what is open can still be read."""
        self._ready()
        if not self._undo:
            return
        if shutil.disk_usage(self._path).free < ROOM_TO_MEND:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._reopen()

    def _reopen(self) -> _Database:
        if self._database is not None:
            self._database.close()
            self._database = None
        self._database = _open_checked(self._path)
        self._database.write([entry for entry in self._undo if not self._database.has(entry)])
        self._undo = []
        return self._database


class _Database:
    """One open RocksDB. rocksdict keeps it open until every handle on it is closed."""

    def __init__(self, path: Path) -> None:
        from rocksdict import Rdict, WriteBatch

        options = _options()
        # All that exist have to be named, also those of a newer schema.
        existing = Rdict.list_cf(str(path), options) if (path / "CURRENT").exists() else []
        families = dict.fromkeys((*_FAMILIES, *existing), options)
        families.pop("default", None)
        self._new_batch = WriteBatch
        self._root = Rdict(str(path), options=options, column_families=families)
        self._families: dict[str, Rdict] = {}
        self._handles: dict[str, ColumnFamily] = {}
        for name in _FAMILIES:
            self._families[name] = self._root.get_column_family(name)
            self._handles[name] = self._root.get_column_family_handle(name)

    def close(self) -> None:
        self._handles.clear()
        for database in (*self._families.values(), self._root):
            # Everything written was synced before: a close that fails loses nothing.
            with contextlib.suppress(Exception):
                database.close()

    def get(self, family: str, keys: list[bytes]) -> list[bytes | None]:
        found: list[bytes | None] = self._families[family].get(keys)  # type: ignore[arg-type, assignment]
        return found

    def has(self, entry: Entry) -> bool:
        """Whether writing the entry would change nothing."""
        family, key, value = entry
        return self.get(family, [key]) == [value]

    def newest(self, prefix: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` history entries with that prefix and keys below `end`, newest first."""
        found: list[tuple[bytes, bytes]] = []
        cursor = self._families[HISTORY].iter()
        cursor.seek_for_prev(end)
        if cursor.valid() and cursor.key() == end:
            cursor.prev()
        while len(found) < limit and cursor.valid() and cursor.key().startswith(prefix):
            found.append((cursor.key(), cursor.value()))
            cursor.prev()
        cursor.status()  # raises if it ended because of a damaged file
        return found

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


def _options() -> Options:
    from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options

    tables = BlockBasedOptions()
    tables.set_block_cache(Cache(BLOCK_CACHE))
    tables.set_cache_index_and_filter_blocks(True)
    tables.set_bloom_filter(10, False)  # bits for each key: 1 % false positives
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_block_based_table_factory(tables)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(WRITE_BUFFER)
    options.set_db_write_buffer_size(WRITE_BUFFERS)
    options.set_max_total_wal_size(MAX_WAL)
    options.set_max_open_files(MAX_OPEN_FILES)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_max_log_file_size(MAX_LOG)
    options.set_keep_log_file_num(2)
    return options


def _open_checked(path: Path) -> _Database:
    """An open database whose schema this program knows."""
    database = _Database(path)
    try:
        _check_schema(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _check_schema(database: _Database, path: Path) -> None:
    stored = database.get(META, [_SCHEMA_KEY])[0]
    if stored is None:
        database.write([(META, _SCHEMA_KEY, SCHEMA_VERSION.to_bytes(4, "big"))])
        return
    version = int.from_bytes(stored, "big")
    if version > SCHEMA_VERSION:
        raise StoreTooNewError(
            f"The message store in {path} was written by a newer version of p2pchat (schema {version}, this "
            f"program knows up to {SCHEMA_VERSION}). Update p2pchat to use it."
        )


def _size_of(folder: Path) -> int:
    """Bytes of all files in it; RocksDB may delete some meanwhile."""
    size = 0
    with os.scandir(folder) as files:
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                size += file.stat().st_size
    return size


@contextmanager
def _in_plain_words(path: Path) -> Iterator[None]:
    """Translate what RocksDB and the file system raise into `StoreError`s for the user."""
    try:
        yield
    except OSError as error:
        raise _explain(os.strerror(error.errno or errno.EIO), path) from error
    except DecodeError as error:
        raise _explain(f"Corruption: {error}", path) from error
    except Exception as error:
        # rocksdict raises nothing but Exception itself, so bugs of ours pass through.
        if type(error) is not Exception:
            raise
        raise _explain(str(error), path) from error


_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_IN_USE = ("lock hold by current process", "While lock file")
_FORBIDDEN = ("Permission denied", "Read-only file system", "Operation not permitted")
_DAMAGED = ("Corruption", "Invalid argument", "Not implemented", "No such file or directory")


def _explain(text: str, path: Path) -> StoreError:
    """A sentence for RocksDB's status text, which is all that tells its errors apart."""
    if any(sign in text for sign in _IN_USE):
        return StoreInUseError(
            f"The message store in {path} is in use by another process. Stop the other node, or use another "
            "data folder."
        )
    if any(sign in text for sign in _FULL):
        return StoreError(
            f"The disk is full: nothing can be saved in {path} until there is space again."
        )
    if any(sign in text for sign in _FORBIDDEN):
        return StoreError(f"No right to write to the message store in {path} ({text}).")
    if any(sign in text for sign in _DAMAGED):
        return StoreError(
            f"The message store in {path} is damaged ({text}). Restore the folder from a backup, or move it "
            "away to start with an empty one: the history in it is lost then, your identity stays."
        )
    return StoreError(f"The message store in {path} failed: {text}.")
