"""The file transfers of `RocksdbStore`: column family `transfers`, message key of the offer -> TransferRecord."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from p2pchat.node.adapters.direct_keys import transfer_key
from p2pchat.node.adapters.rocksdb_database import Entry, RocksdbDatabase
from p2pchat.proto import records_pb2 as records

TRANSFERS = "transfers"


class RocksdbTransfers:
    """What `MessageStore` says about transfers, on an open database."""

    def __init__(self, database: RocksdbDatabase) -> None:
        self._database = database

    def transfers(self) -> list[records.TransferRecord]:
        found = self._database.oldest(TRANSFERS, b"", b"", sys.maxsize)
        with self._database.plain_words():
            return [records.TransferRecord.FromString(value) for _, value in found]

    def save_transfer(self, record: records.TransferRecord) -> None:
        self._database.commit([transfer_entry(record)])

    def delete_transfers(self, gone: Sequence[records.TransferRecord]) -> None:
        self._database.commit([(TRANSFERS, transfer_key(record), None) for record in gone])


def transfer_entry(record: records.TransferRecord) -> Entry:
    return TRANSFERS, transfer_key(record), record.SerializeToString()
