"""`MessageStore` in memory: for simulations, tests and benchmarks. Keeps what it has while it is closed."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence

from p2pchat.node.adapters.history_keys import (
    HEAD_IDS,
    head_of,
    history_key,
    identity_key,
    room_end,
)
from p2pchat.node.adapters.memory_direct import MemoryDirect
from p2pchat.node.ports import HistorySlice, RoomHead, StoreInfo
from p2pchat.proto import records_pb2 as records

SCHEMA_VERSION = 2


class MemoryStore(MemoryDirect):
    """Holds serialized records, so that no caller shares an object with the store."""

    def __init__(self) -> None:
        super().__init__()
        self._records: dict[bytes, bytes] = {}  # history key -> RoomRecord
        self._known: set[bytes] = set()  # identity keys
        self._rooms: defaultdict[str, list[bytes]] = defaultdict(list)  # history keys, sorted
        self._profile = b""
        self._own_mailboxes = b""

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self._check_writable()
        return [self._keep(record) for record in batch]

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        self._check_open()
        keys = self._rooms.get(room, [])
        end = bisect_left(keys, before or room_end(room))
        page = keys[max(0, end - limit) : end]
        found = [records.RoomRecord.FromString(self._records[key]) for key in page]
        return HistorySlice(found, page[0] if page else b"")

    def room_head(self, room: str) -> RoomHead:
        self._check_open()
        newest = self._rooms.get(room, [])[: -HEAD_IDS - 1 : -1]
        return head_of(room, newest)

    def load_own_mailboxes(self) -> records.OwnMailboxes:
        self._check_open()
        return records.OwnMailboxes.FromString(self._own_mailboxes)

    def save_own_mailboxes(self, own: records.OwnMailboxes) -> None:
        self._check_writable()
        self._own_mailboxes = own.SerializeToString()

    def load_profile(self) -> records.Profile:
        self._check_open()
        return records.Profile.FromString(self._profile)

    def save_profile(self, profile: records.Profile) -> None:
        self._check_writable()
        self._profile = profile.SerializeToString()

    def describe(self) -> StoreInfo:
        self._check_open()
        size = sum(map(len, self._records.values())) + len(self._profile) + self._direct_size()
        count = len(self._records) + len(self._messages)
        return StoreInfo("memory", size, count, SCHEMA_VERSION)

    def _keep(self, record: records.RoomRecord) -> bool:
        known = identity_key(record.message)
        if known in self._known:
            return False
        key = history_key(record)
        self._known.add(known)
        self._records[key] = record.SerializeToString()
        insort(self._rooms[record.message.room], key)
        return True
