"""What mailboxes have handed over to `RocksdbStore` and is not opened yet.

spool        number -> Envelope
spool_by_id  envelope id -> number
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p2pchat.node.adapters.direct_keys import number_key
from p2pchat.node.adapters.rocksdb_database import Entry, RocksdbDatabase, deletions
from p2pchat.node.adapters.rocksdb_queue import RocksdbQueue
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import wire_pb2 as wire

SPOOL, SPOOL_BY_ID = "spool", "spool_by_id"
FAMILIES = (SPOOL, SPOOL_BY_ID)

SPOOL_PAGE = 8 << 20  # bytes of envelopes in one page of the spool; one of them may be 256 KiB


class RocksdbSpool:
    """On an open database."""

    def __init__(self, database: RocksdbDatabase) -> None:
        self._database = database
        self._spool = RocksdbQueue(database, SPOOL)

    def _rewind_spool(self) -> None:
        """To be called when the database was opened."""
        self._spool.rewind()

    def spool(self, envelopes: Sequence[wire.Envelope]) -> None:
        self._database.mend()
        offered: dict[bytes, wire.Envelope] = {}
        for envelope in envelopes:
            offered.setdefault(envelope_id(envelope), envelope)
        known = self._database.get(SPOOL_BY_ID, list(offered))
        entries: list[Entry] = []
        for (id_, envelope), found in zip(offered.items(), known, strict=True):
            if found is None:
                number = number_key(self._spool.new_number())
                entries.append((SPOOL, number, envelope.SerializeToString()))
                entries.append((SPOOL_BY_ID, id_, number))
        self._database.commit(entries, deletions(entries))

    def spooled(self, limit: int) -> list[wire.Envelope]:
        page = self._spool.oldest(limit, max_bytes=SPOOL_PAGE)
        with self._database.plain_words():
            return [wire.Envelope.FromString(value) for _, value in page]

    def drop_spooled(self, ids: Sequence[bytes]) -> None:
        self._database.mend()
        self._database.commit(self._spool_deletions(ids))

    def _spool_deletions(self, ids: Iterable[bytes]) -> list[Entry]:
        wanted = list(ids)
        entries: list[Entry] = []
        for id_, number in zip(wanted, self._database.get(SPOOL_BY_ID, wanted), strict=True):
            if number is not None:
                entries += [(SPOOL, number, None), (SPOOL_BY_ID, id_, None)]
        return entries
