"""Counts a stored room again, message by message, and compares that with its cells."""

from __future__ import annotations

from collections.abc import Iterator

from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.items import ITEM_BYTES, START, item_of
from p2pchat.node.protocol.summary import LEVELS, Cell, CellSet, cells_of, summary_of
from p2pchat.proto import records_pb2 as records

END = b"\xff" * (ITEM_BYTES + 1)  # above every item


def all_messages(store: MessageStore, room: str) -> list[records.RoomRecord]:
    """A room's whole history, oldest first."""
    found: list[records.RoomRecord] = []
    page = store.history(room, 1000)
    while page.records:
        found[:0] = page.records
        page = store.history(room, 1000, page.first)
    return found


def stored_cells(store: MessageStore, room: str) -> list[Cell]:
    return [*_cells(store, room)]


def _cells(store: MessageStore, room: str) -> Iterator[Cell]:
    items = store.item_set(room)
    assert isinstance(items, CellSet)
    for level, bits in enumerate(LEVELS):
        yield from items._source.cells(level, 0, 1 << (64 - bits))


def assert_sums_are_right(store: MessageStore, room: str) -> list[bytes]:
    """Returns the room's items."""
    found = all_messages(store, room)
    items = [item_of(record.message) for record in found]
    assert items == sorted(set(items))
    sized = zip(items, (record.message.ByteSize() for record in found), strict=True)
    wanted = sorted(cells_of(sized), key=lambda cell: (cell.level, cell.bucket))
    assert stored_cells(store, room) == wanted
    assert store.item_set(room).summarize(START, END) == summary_of(items)
    assert [*store.item_set(room).items(START, END, len(items) + 1)] == items
    assert store.unknown(room, [record.message.id for record in found]) == []
    return items
