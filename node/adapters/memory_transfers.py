"""The file transfers of `MemoryStore`."""

from __future__ import annotations

from collections.abc import Sequence

from p2pchat.node.adapters.direct_keys import transfer_key
from p2pchat.proto import records_pb2 as records


class MemoryTransfers:
    """Holds serialized records, so that no caller shares an object with the store."""

    def __init__(self) -> None:
        self._records: dict[bytes, bytes] = {}

    def all(self) -> list[records.TransferRecord]:
        return [records.TransferRecord.FromString(v) for _, v in sorted(self._records.items())]

    def save(self, record: records.TransferRecord) -> None:
        self._records[transfer_key(record)] = record.SerializeToString()

    def delete(self, gone: Sequence[records.TransferRecord]) -> None:
        for record in gone:
            self._records.pop(transfer_key(record), None)
