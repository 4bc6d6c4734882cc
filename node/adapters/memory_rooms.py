"""One room of `MemoryStore`."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from p2pchat.node.adapters.history_keys import HEAD_IDS
from p2pchat.node.adapters.newest_messages import newest_that_fit
from p2pchat.node.ports import HistorySlice, RoomHead
from p2pchat.node.ports.store import MOST_PASSED
from p2pchat.node.protocol import alterations
from p2pchat.node.protocol.items import bound_at, item_of, lamport_of
from p2pchat.node.protocol.room_message import is_alteration
from p2pchat.node.protocol.summary import LEVELS, Cell, CellSet, cells_of, floor_for
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

Name = tuple[bytes, bytes]  # sender and message id


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
        self._marks: dict[
            Name, records.Alteration
        ] = {}  # what has become of messages, there or not
        self._unread: Counter[bytes] = Counter()  # by sender

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
        if is_alteration(record.message):
            new = alterations.of_room_message(record.message)
            name = _about(record.message)
            self._marks[name] = alterations.folded(self._marks.get(name), new)
        elif record.unseen:
            self._unread[record.message.sender] += 1
        return True

    def trim(self, limit: int) -> tuple[int, bool]:
        below = bisect_left(self._items, bound_at(self.settings.floor))
        old = self._items[: min(limit, below)]
        del self._items[: len(old)]
        lost = [self._record(item) for item in old]
        for item in old:
            self._drop(item)
        deleted = {name for name, mark in self._marks.items() if mark.deleted}
        for record in lost:
            self._forget_mark(record)
            if not is_alteration(record.message) and _about(record.message) not in deleted:
                self._uncount(record)
        return len(old), below > len(old)

    def save(self, settings: records.RoomSettings) -> None:
        muted, seen_ms = self.settings.muted, self.settings.seen_ms
        self.settings.CopyFrom(settings)
        self.settings.muted, self.settings.seen_ms = muted, seen_ms

    def mark_seen(self, seen_ms: int) -> None:
        self.settings.seen_ms = max(self.settings.seen_ms, seen_ms)
        self._unread.clear()

    # ---- what has become of messages ------------------------------------------------------------------

    def said(self, message: wire.RoomMessage) -> bool:
        """Whether a message's own text is what is to be read now, there or in what it is about."""
        mark = self._marks.get(_about(message))
        if is_alteration(message):
            return alterations.counts(mark, message.id, message.text)
        return alterations.is_as_said(mark)

    def current(self) -> dict[bytes, records.RoomRecord]:
        """The messages whose text is to be read now, by item."""
        every = ((item, self._record(item)) for item in self._items)
        return {item: record for item, record in every if self.said(record.message)}

    def named(
        self, names: Sequence[Name], blocked: Collection[bytes] = ()
    ) -> list[records.RoomRecord]:
        found = (
            self._shown(item, blocked)
            for sender, id_ in names
            for item in sorted(self._by_id.get(id_, ()))
            if self._record(item).message.sender == sender
        )
        return [record for record in found if record is not None]

    def found(self, items: Sequence[bytes], blocked: Collection[bytes]) -> list[records.RoomRecord]:
        said = [r.message for r in self.messages(items) if self.said(r.message)]
        return self.named([_about(message) for message in said], blocked)

    def altered(self, record: records.RoomRecord) -> bool:
        return _about(record.message) in self._marks and not is_alteration(record.message)

    def delete(self, name: Name) -> bool:
        mark = self._marks.get(name)
        found = self.named([name])
        if not found or (mark is not None and mark.deleted):
            return False
        self._marks[name] = alterations.deleted(mark)
        for record in found:
            self._uncount(record)
        return True

    def unread_but_of(self, blocked: Collection[bytes]) -> int:
        return sum(count for sender, count in self._unread.items() if sender not in blocked)

    def _uncount(self, record: records.RoomRecord) -> None:
        sender = record.message.sender
        self._unread[sender] = max(0, self._unread[sender] - self._is_unread(record))

    def _is_unread(self, record: records.RoomRecord) -> bool:
        return record.unseen and record.received_at_ms > self.settings.seen_ms

    def _forget_mark(self, lost: records.RoomRecord) -> None:
        """With the message; without one, with what has altered it."""
        name = _about(lost.message)
        is_there = any(
            self._record(item).message.sender == name[0] for item in self._by_id.get(name[1], ())
        )
        if not is_alteration(lost.message) or not is_there:
            self._marks.pop(name, None)

    def _shown(self, item: bytes, blocked: Collection[bytes]) -> records.RoomRecord | None:
        record = self._record(item)
        if is_alteration(record.message) or record.message.sender in blocked:
            return None
        alterations.join_room(record, self._marks.get(_about(record.message)))
        return None if record.alteration.deleted else record

    # ---- reading ----------------------------------------------------------------------------------

    def history(self, limit: int, before: bytes, blocked: Collection[bytes]) -> HistorySlice:
        """`before` is an item, or empty."""
        end = bisect_left(self._items, before) if before else len(self._items)
        page: list[tuple[bytes, records.RoomRecord]] = []
        passed = 0
        while len(page) < limit and end > 0 and passed < MOST_PASSED:
            end -= 1
            record = self._shown(self._items[end], blocked)
            if record is not None:
                page.append((self._items[end], record))
            else:
                passed += 1
        first = page[-1][0] if page else b""
        if passed >= MOST_PASSED and end:
            first = self._items[end]
        return HistorySlice([record for _, record in reversed(page)], first)

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


def _about(message: wire.RoomMessage) -> Name:
    """The message, or the one that it is about."""
    return message.sender, message.target or message.id
