"""One room of `MemoryStore`."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from p2pchat.node.adapters.history_keys import HEAD_IDS
from p2pchat.node.adapters.newest_messages import newest_that_fit
from p2pchat.node.ports import HistorySlice, RoomHead
from p2pchat.node.protocol.items import bound_at, item_of, lamport_of
from p2pchat.node.protocol.summary import LEVELS, Cell, CellSet, cells_of, floor_for
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records


class MemoryRoom:
    """Messages by item, and their cells. Holds serialized records, so that no caller shares an object with it."""

    def __init__(self, name: str) -> None:
        self.settings = records.RoomSettings(room=name)
        self._name = name
        self._items: list[bytes] = []  # sorted
        self._records: dict[bytes, bytes] = {}  # item -> RoomRecord
        self._by_id: dict[bytes, set[bytes]] = {}  # message id -> items
        self._cells: list[dict[int, Cell]] = [{} for _ in LEVELS]  # by level and bucket
        self._buckets: list[list[int]] = [[] for _ in LEVELS]  # the same buckets, sorted

    def __len__(self) -> int:
        return len(self._items)

    def keep(self, record: records.RoomRecord) -> bool:
        """Whether it was new."""
        item = item_of(record.message)
        if item in self._records or lamport_of(item) < self.settings.floor:
            return False
        self._records[item] = record.SerializeToString()
        self._by_id.setdefault(record.message.id, set()).add(item)
        insort(self._items, item)
        for cell in cells_of([(item, record.message.ByteSize())]):
            self._add(cell)
        return True

    def trim(self, limit: int) -> tuple[int, bool]:
        below = bisect_left(self._items, bound_at(self.settings.floor))
        old = self._items[: min(limit, below)]
        del self._items[: len(old)]
        for item in old:
            self._drop(item)
        return len(old), below > len(old)

    def save(self, settings: records.RoomSettings) -> None:
        self.settings.CopyFrom(settings)

    # ---- reading ----------------------------------------------------------------------------------

    def history(self, limit: int, before: bytes) -> HistorySlice:
        """`before` is an item, or empty."""
        end = bisect_left(self._items, before) if before else len(self._items)
        page = self._items[max(0, end - limit) : end]
        return HistorySlice([self._record(item) for item in page], page[0] if page else b"")

    def head(self) -> RoomHead:
        newest = [self._record(item).message for item in self._items[: -HEAD_IDS - 1 : -1]]
        if not newest:
            return RoomHead(0, ())
        return RoomHead(newest[0].lamport, tuple(message.id for message in newest))

    def unknown(self, ids: Sequence[bytes]) -> list[bytes]:
        return [id_ for id_ in ids if id_ not in self._by_id]

    def messages(self, items: Sequence[bytes]) -> list[records.RoomRecord]:
        return [self._record(item) for item in items if item in self._records]

    def newest_between(
        self, lower: bytes, upper: bytes, limit: int, max_bytes: int
    ) -> tuple[list[records.RoomRecord], bool]:
        return newest_that_fit(self._backward(lower, upper), limit, max_bytes)

    def floor_for(self, max_bytes: int) -> int:
        return floor_for(self, max_bytes)

    def usage(self) -> actors.RoomUsage:
        return actors.RoomUsage(
            room=self._name,
            messages=len(self._items),
            bytes=sum(cell.size for cell in self._cells[-1].values()),
            settings=self.settings,
            newest_lamport=lamport_of(self._items[-1]) if self._items else 0,
        )

    def size_bytes(self) -> int:
        return sum(map(len, self._records.values()))

    def item_set(self) -> CellSet:
        return CellSet(self)

    # ---- as the source of a CellSet -------------------------------------------------------------------

    def cells(self, level: int, first: int, end: int) -> Sequence[Cell]:
        buckets = self._buckets[level]
        found = buckets[bisect_left(buckets, first) : bisect_left(buckets, end)]
        return [self._cells[level][bucket] for bucket in found]

    def items(self, lower: bytes, upper: bytes, limit: int) -> Sequence[bytes]:
        start, end = (bisect_left(self._items, bound) for bound in (lower, upper))
        return self._items[start : min(end, start + limit)]

    # ---- inside -----------------------------------------------------------------------------------

    def _record(self, item: bytes) -> records.RoomRecord:
        return records.RoomRecord.FromString(self._records[item])

    def _backward(self, lower: bytes, upper: bytes) -> Iterator[records.RoomRecord]:
        start, end = (bisect_left(self._items, bound) for bound in (lower, upper))
        return (self._record(self._items[place]) for place in range(end - 1, start - 1, -1))

    def _drop(self, item: bytes) -> None:
        """All but its place in the order."""
        message = records.RoomRecord.FromString(self._records.pop(item)).message
        same = self._by_id[message.id]
        same.remove(item)
        if not same:
            del self._by_id[message.id]
        for cell in cells_of([(item, message.ByteSize())]):
            self._subtract(cell)

    def _add(self, part: Cell) -> None:
        cells = self._cells[part.level]
        if known := cells.get(part.bucket):
            cells[part.bucket] = known + part
        else:
            cells[part.bucket] = part
            insort(self._buckets[part.level], part.bucket)

    def _subtract(self, part: Cell) -> None:
        rest = self._cells[part.level][part.bucket] - part
        if rest.count:
            self._cells[part.level][part.bucket] = rest
        else:
            del self._cells[part.level][part.bucket]
            buckets = self._buckets[part.level]
            del buckets[bisect_left(buckets, part.bucket)]
