"""`MessageStore` on RocksDB, through rocksdict in its raw bytes mode.

The column family `meta` holds schema version, profile, own mailboxes and known peers. Those of rooms are in
`rocksdb_room_entries.py`, those of direct messages in `rocksdb_direct.py`, what has become of both since in
`rocksdb_alterations.py`; how the database is kept is in
`rocksdb_database.py`.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from google.protobuf.message import DecodeError

from p2pchat.node.adapters import (
    rocksdb_alterations,
    rocksdb_arrivals,
    rocksdb_direct,
    rocksdb_direct_alterations,
    rocksdb_room_entries,
)
from p2pchat.node.adapters.rocksdb_arrivals import RocksdbArrivals
from p2pchat.node.adapters.rocksdb_database import META, RocksdbDatabase
from p2pchat.node.adapters.rocksdb_direct import RocksdbDirect
from p2pchat.node.adapters.rocksdb_migration import FORMER, migrate
from p2pchat.node.adapters.rocksdb_rooms import RocksdbRooms
from p2pchat.node.adapters.rocksdb_transfers import TRANSFERS, RocksdbTransfers
from p2pchat.node.ports import StoreInfo
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

# 4: edits, retractions and what is unread, in column families of their own; 3: rooms by item, with cells;
# 2: direct messages, in column families of their own; 1: rooms and profile
SCHEMA_VERSION = 4

FAMILIES = (
    *rocksdb_room_entries.FAMILIES,
    *rocksdb_direct.FAMILIES,
    *rocksdb_alterations.FAMILIES,
    rocksdb_arrivals.ARRIVALS,
    TRANSFERS,  # a program that does not know it leaves it alone
)
_TEXTS = (rocksdb_room_entries.ROOM_MESSAGES, rocksdb_direct_alterations.MESSAGES)
_PROFILE_KEY = b"profile"
_OWN_MAILBOXES_KEY = b"own_mailboxes"
_KNOWN_PEERS_KEY = b"known_peers"  # a program that does not know it leaves it alone


class RocksdbStore(RocksdbRooms, RocksdbDirect, RocksdbTransfers):
    """The store in one folder. Every write is on the disk when its method returns."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only`: what is stored at the moment of opening, also while a node has the store open."""
        database = RocksdbDatabase(
            path, FAMILIES, SCHEMA_VERSION, former=FORMER, migrate=migrate, read_only=read_only
        )
        self._read_only = read_only
        arrivals = RocksdbArrivals(database, *_TEXTS)
        RocksdbRooms.__init__(self, database, arrivals, self._blocked_peers)
        RocksdbDirect.__init__(self, database, arrivals)
        RocksdbTransfers.__init__(self, database)

    def open(self) -> None:
        """Only the first time after an older schema it costs by how much is stored."""
        self._database.open()
        if not self._read_only:
            self._database.forget_checkpoint()
        self.arrivals.rewind()
        self._rewind_rooms()
        self._rewind_direct()

    def close(self) -> None:
        self._database.close()

    def checkpoint(self) -> Path:
        return self._database.checkpoint()

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

    def load_known_peers(self) -> records.KnownPeers:
        stored = self._database.get(META, [_KNOWN_PEERS_KEY])[0]
        try:
            return records.KnownPeers.FromString(stored or b"")
        except DecodeError as error:
            # Only a hint: without it others have to say where people are, and it is written anew.
            log.warning("the known peers cannot be read, and are forgotten: %s", error)
            return records.KnownPeers()

    def save_known_peers(self, known: records.KnownPeers) -> None:
        self._database.commit([(META, _KNOWN_PEERS_KEY, known.SerializeToString())])

    def describe(self) -> StoreInfo:
        messages = sum(map(self._database.estimate, _TEXTS))
        size = self._database.size_bytes()
        with self._database.plain_words():
            free = shutil.disk_usage(self._database.path).free
        return StoreInfo(str(self._database.path), size, messages, SCHEMA_VERSION, free)
