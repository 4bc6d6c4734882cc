"""`MessageStore` on RocksDB, through rocksdict in its raw bytes mode.

Column families of rooms: `history` (history key -> RoomRecord), `by_id` (identity key -> history key, for exact
deduplication); the keys are in `history_keys.py`. `meta` holds schema version, profile and own mailboxes. The families
of direct messages are in `rocksdb_direct.py`, how the database is kept in `rocksdb_database.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from p2pchat.node.adapters import rocksdb_direct
from p2pchat.node.adapters.history_keys import (
    HEAD_IDS,
    head_of,
    history_key,
    identity_key,
    room_end,
    room_prefix,
)
from p2pchat.node.adapters.rocksdb_database import META, Entry, RocksdbDatabase, deletions
from p2pchat.node.adapters.rocksdb_direct import RocksdbDirect
from p2pchat.node.ports import HistorySlice, RoomHead, StoreInfo
from p2pchat.proto import records_pb2 as records

SCHEMA_VERSION = 2  # 2: direct messages, in column families of their own; 1: rooms and profile

HISTORY, BY_ID = "history", "by_id"
FAMILIES = (HISTORY, BY_ID, *rocksdb_direct.FAMILIES)
_PROFILE_KEY = b"profile"
_OWN_MAILBOXES_KEY = b"own_mailboxes"


class RocksdbStore(RocksdbDirect):
    """The store in one folder. Every write is on the disk when its method returns."""

    def __init__(self, path: Path) -> None:
        super().__init__(RocksdbDatabase(path, FAMILIES, SCHEMA_VERSION))

    def open(self) -> None:
        self._database.open()
        self._rewind_queues()

    def close(self) -> None:
        self._database.close()

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self._database.mend()
        fresh, entries = self._sift(batch)
        self._database.commit(entries, deletions(entries))
        return fresh

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        end = room_end(room)
        page = self._database.newest(HISTORY, room_prefix(room), min(before or end, end), limit)
        page.reverse()
        with self._database.plain_words():
            found = [records.RoomRecord.FromString(value) for _, value in page]
        return HistorySlice(found, page[0][0] if page else b"")

    def room_head(self, room: str) -> RoomHead:
        page = self._database.newest(HISTORY, room_prefix(room), room_end(room), HEAD_IDS)
        return head_of(room, [key for key, _ in page])

    def load_own_mailboxes(self) -> records.OwnMailboxes:
        stored = self._database.get(META, [_OWN_MAILBOXES_KEY])[0]
        with self._database.plain_words():
            return records.OwnMailboxes.FromString(stored or b"")

    def save_own_mailboxes(self, own: records.OwnMailboxes) -> None:
        self._database.commit([(META, _OWN_MAILBOXES_KEY, own.SerializeToString())])

    def load_profile(self) -> records.Profile:
        stored = self._database.get(META, [_PROFILE_KEY])[0]
        with self._database.plain_words():
            return records.Profile.FromString(stored or b"")

    def save_profile(self, profile: records.Profile) -> None:
        self._database.commit([(META, _PROFILE_KEY, profile.SerializeToString())])

    def describe(self) -> StoreInfo:
        messages = sum(map(self._database.estimate, (HISTORY, rocksdb_direct.MESSAGES)))
        size = self._database.size_bytes()
        return StoreInfo(str(self._database.path), size, messages, SCHEMA_VERSION)

    def _sift(self, batch: Sequence[records.RoomRecord]) -> tuple[list[bool], list[Entry]]:
        """Which records are new, and what to write for those."""
        ids = [identity_key(record.message) for record in batch]
        stored = self._database.get(BY_ID, ids)
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
