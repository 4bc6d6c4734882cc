"""The contacts of `RocksdbStore`, and whom of them the owner has blocked.

contacts  binary peer id -> Contact
"""

from __future__ import annotations

import sys

from p2pchat.node.adapters.rocksdb_database import RocksdbDatabase
from p2pchat.node.protocol import peer_id
from p2pchat.proto import records_pb2 as records

CONTACTS = "contacts"
FAMILIES = (CONTACTS,)


class RocksdbContacts:
    """On an open database."""

    def __init__(self, database: RocksdbDatabase) -> None:
        self._database = database
        self._blocked: frozenset[bytes] | None = None  # None: to be looked up

    def contacts(self) -> list[records.Contact]:
        found = self._database.oldest(CONTACTS, b"", b"", sys.maxsize)
        with self._database.plain_words():
            return [records.Contact.FromString(value) for _, value in found]

    def save_contact(self, contact: records.Contact) -> None:
        self._blocked = None
        self._database.commit([(CONTACTS, contact.peer, contact.SerializeToString())])

    def delete_contact(self, peer: str) -> None:
        self._blocked = None
        self._database.commit([(CONTACTS, peer_id.from_text(peer), None)])

    def _forget_blocked(self) -> None:
        """To be called when the database was opened."""
        self._blocked = None

    def _blocked_peers(self) -> frozenset[bytes]:
        # After a write that failed and is not taken back yet, what is read may change once more.
        if self._blocked is None or self._database.failed:
            blocked = (contact.peer for contact in self.contacts() if contact.blocked_at_ms)
            self._blocked = frozenset(blocked)
        return self._blocked
