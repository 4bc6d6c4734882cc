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
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import HistorySlice, RoomHead, StoreInfo
from p2pchat.proto import records_pb2 as records

SCHEMA_VERSION = 1


class MemoryStore:
    """Holds serialized records, so that no caller shares an object with the store."""

    def __init__(self) -> None:
        self.failure: StoreError | None = None  # set it to play a full disk: every write raises it
        self._is_open = False
        self._records: dict[bytes, bytes] = {}  # history key -> RoomRecord
        self._known: set[bytes] = set()  # identity keys
        self._rooms: defaultdict[str, list[bytes]] = defaultdict(list)  # history keys, sorted
        self._profile = b""

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        self._check_writable()
        return [self._add(record) for record in batch]

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

    def load_profile(self) -> records.Profile:
        self._check_open()
        return records.Profile.FromString(self._profile)

    def save_profile(self, profile: records.Profile) -> None:
        self._check_writable()
        self._profile = profile.SerializeToString()

    def describe(self) -> StoreInfo:
        self._check_open()
        size = sum(map(len, self._records.values())) + len(self._profile)
        return StoreInfo("memory", size, len(self._records), SCHEMA_VERSION)

    def _add(self, record: records.RoomRecord) -> bool:
        known = identity_key(record.message)
        if known in self._known:
            return False
        key = history_key(record)
        self._known.add(known)
        self._records[key] = record.SerializeToString()
        insort(self._rooms[record.message.room], key)
        return True

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError("The message store is not open.")

    def _check_writable(self) -> None:
        self._check_open()
        if self.failure is not None:
            raise self.failure
