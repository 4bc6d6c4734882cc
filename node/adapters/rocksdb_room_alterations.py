"""Edits, retractions, local deletes and unread messages of the rooms of `RocksdbStore`.

All signed messages stay as they came, edits and retractions too: members compare rooms by them. What they say of each
other is kept beside them (`rocksdb_alterations.py`), and decides what is listed and found. A message that the owner has
deleted stays in the same way, until it is older than what is kept: if it went, it would be fetched again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from p2pchat.node.adapters.alteration_keys import altered_key, unread_room, unread_room_end
from p2pchat.node.adapters.history_keys import id_prefix, item_at, room_of, room_prefix
from p2pchat.node.adapters.rocksdb_alterations import (
    ROOM_ALTERATIONS,
    UNREAD,
    counted,
    newest_listed,
    read_marks,
)
from p2pchat.node.adapters.rocksdb_arrivals import RocksdbArrivals
from p2pchat.node.adapters.rocksdb_database import Entry, Pair, RocksdbDatabase
from p2pchat.node.adapters.rocksdb_room_entries import (
    ROOM_IDS,
    ROOM_MESSAGES,
    ROOM_SETTINGS,
    Change,
    Placed,
)
from p2pchat.node.protocol import alterations
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.room_message import is_alteration
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

# Messages with one id, of which honest people make one: looked through together, until those by a sender are found. So
# nobody who repeats the id of somebody else's message hides it, and nobody who repeats his own has them all read.
SAME_ID, MOST_OF_ONE_ID = 32, 1024

Blocked = Callable[[], frozenset[bytes]]


class RocksdbRoomAlterations:
    """On an open database. `blocked` are senders of whom nothing is shown."""

    def __init__(
        self, database: RocksdbDatabase, arrivals: RocksdbArrivals, blocked: Blocked
    ) -> None:
        self._database = database
        self.arrivals = arrivals
        self._blocked = blocked
        arrivals.only(ROOM_MESSAGES, self._are_said)

    # ---- what is listed -------------------------------------------------------------------------------

    def listed(
        self, prefix: bytes, end: bytes, limit: int
    ) -> tuple[list[records.RoomRecord], bytes]:
        """The newest messages of a room below `end` that are to be shown, as `newest_listed` gives them."""
        shown = partial(self._shown, prefix)
        return newest_listed(self._database, ROOM_MESSAGES, prefix, end, limit, shown)

    def found_at(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        """What a search index has found at these items: for an edit the message that it is about.

        Nothing for what is not said there any more.
        """
        prefix = room_prefix(room)
        keys = [prefix + item for item in items]
        values = self._database.get(ROOM_MESSAGES, keys)
        pairs = [(k, v) for k, v in zip(keys, values, strict=True) if v is not None]
        return [record for key, value in pairs for record in self._found(prefix, key, value)]

    def named(self, room: str, names: Sequence[tuple[bytes, bytes]]) -> list[records.RoomRecord]:
        """The messages with these senders and ids that are to be shown."""
        prefix = room_prefix(room)
        pairs = [pair for sender, id_ in names for pair in self.locate(prefix, sender, id_)]
        return [record for _, record in self._shown(prefix, pairs)]

    def altered(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        keys = [
            altered_key(
                room_prefix(stored_room(record.message.room, record.plain)),
                record.message.sender,
                record.message.id,
            )
            for record in batch
        ]
        marks = read_marks(self._database, ROOM_ALTERATIONS, keys)
        return [
            key in marks.before and not is_alteration(record.message)
            for key, record in zip(keys, batch, strict=True)
        ]

    def _are_said(self, values: Sequence[bytes]) -> list[bool]:
        """For each stored message whether its own text is to be read still."""
        with self._database.plain_words():
            placed = [_placed(value) for value in values]
        marks = read_marks(self._database, ROOM_ALTERATIONS, map(mark_key, placed)).before
        return [says_so(each.record.message, marks.get(mark_key(each))) for each in placed]

    def _shown(self, prefix: bytes, page: Sequence[Pair]) -> list[tuple[bytes, records.RoomRecord]]:
        with self._database.plain_words():
            parsed = [(key, records.RoomRecord.FromString(value)) for key, value in page]
        blocked = self._blocked()
        listed = [
            (key, record, altered_key(prefix, record.message.sender, record.message.id))
            for key, record in parsed
            if not is_alteration(record.message) and record.message.sender not in blocked
        ]
        marks = read_marks(self._database, ROOM_ALTERATIONS, [name for _, _, name in listed])
        for _, record, name in listed:
            alterations.join_room(record, marks.before.get(name))
        return [(key, record) for key, record, _ in listed if not record.alteration.deleted]

    def _found(self, prefix: bytes, key: bytes, value: bytes) -> Iterator[records.RoomRecord]:
        with self._database.plain_words():
            message = records.RoomRecord.FromString(value).message
        name = altered_key(prefix, message.sender, message.target or message.id)
        mark = read_marks(self._database, ROOM_ALTERATIONS, [name]).before.get(name)
        if not says_so(message, mark):
            return
        pairs = [(key, value)]
        if is_alteration(message):
            pairs = self.locate(prefix, message.sender, message.target)
        yield from (record for _, record in self._shown(prefix, pairs))

    def locate(self, prefix: bytes, sender: bytes, message_id: bytes) -> list[Pair]:
        """The stored messages with that sender and id, by their keys. One, of honest people; of others not all."""
        start = id_prefix(prefix, message_id)
        end = start + b"\xff" * 17
        for _ in range(0, MOST_OF_ONE_ID, SAME_ID):
            ids = self._database.keys(ROOM_IDS, start, end, SAME_ID)
            if found := self._by_sender(prefix, sender, ids):
                return found
            if len(ids) < SAME_ID:
                break
            start = ids[-1] + b"\x00"
        return []

    def _by_sender(self, prefix: bytes, sender: bytes, ids: list[bytes]) -> list[Pair]:
        lamports = self._database.get(ROOM_IDS, ids)
        keys = [prefix + item_at(k, v or b"") for k, v in zip(ids, lamports, strict=True)]
        found = zip(keys, self._database.get(ROOM_MESSAGES, keys), strict=True)
        with self._database.plain_words():
            return [
                (key, value)
                for key, value in found
                if value and records.RoomRecord.FromString(value).message.sender == sender
            ]

    # ---- what a write has to write besides ------------------------------------------------------------

    def came(self, new: Sequence[Placed]) -> Change:
        """For messages that are going to be stored."""
        keys = {id(placed): mark_key(placed) for placed in new}
        marks = read_marks(self._database, ROOM_ALTERATIONS, keys.values())
        about = {}
        for placed in new:
            if is_alteration(placed.record.message):
                about[keys[id(placed)]] = placed
                new_mark = alterations.of_room_message(placed.record.message)
                marks.fold(keys[id(placed)], new_mark)
        change = marks.change() + self._unread(new, 1)
        if not self.arrivals.follower():
            return change
        current = [
            placed.room + placed.item
            for placed in new
            if says_so(placed.record.message, marks.after.get(keys[id(placed)]))
        ]
        gone = [
            text
            for key in marks.changed
            for text in self._superseded(
                about[key].room,
                about[key].record.message.sender,
                about[key].record.message.target,
                marks.before.get(key),
            )
        ]
        return change + self.arrivals.told(ROOM_MESSAGES, current, gone)

    def went(self, old: Sequence[Placed]) -> Change:
        """For messages that are going to be deleted because they are too old.

        What an edit has made of a message goes with the message; without one, with the edit.
        """
        lost = {placed.room + placed.item for placed in old}
        keys: list[bytes] = []
        for placed in old:
            message = placed.record.message
            if not is_alteration(message) or all(
                key in lost for key, _ in self.locate(placed.room, message.sender, message.target)
            ):
                keys.append(mark_key(placed))
        wanted = list(dict.fromkeys(keys))
        stored = self._database.get(ROOM_ALTERATIONS, wanted)
        undo: list[Entry] = [
            (ROOM_ALTERATIONS, key, value)
            for key, value in zip(wanted, stored, strict=True)
            if value is not None
        ]
        deleted = {key for _, key, value in undo if _is_deleted(value)}
        counted_still = [placed for placed in old if mark_key(placed) not in deleted]
        change = Change([(f, key, None) for f, key, _ in undo], undo)
        return change + self._unread(counted_still, -1)

    def delete(self, room: str, sender: bytes, message_id: bytes) -> Change | None:
        """By the owner; None when there is no such message, or none any more."""
        prefix = room_prefix(room)
        with self._database.plain_words():
            lost = [
                placed
                for _, value in self.locate(prefix, sender, message_id)
                if not is_alteration((placed := _placed(value)).record.message)
            ]
        key = altered_key(prefix, sender, message_id)
        marks = read_marks(self._database, ROOM_ALTERATIONS, [key])
        before = marks.before.get(key)
        if not lost or (before is not None and before.deleted):
            return None
        marks.delete(key)
        gone = [*self._superseded(prefix, sender, message_id, before)]
        told = self.arrivals.told(ROOM_MESSAGES, [], gone)
        return marks.change() + self._unread(lost, -1) + told

    def seen(self, room: str) -> Change:
        """Nothing is unread any more."""
        found = self._database.oldest(UNREAD, unread_room(room), unread_room_end(room), sys.maxsize)
        undo: list[Entry] = [(UNREAD, key, value) for key, value in found]
        return Change([(UNREAD, key, None) for key, _ in found], undo)

    def _unread(self, messages: Sequence[Placed], by: int) -> Change:
        changes: Counter[bytes] = Counter()
        rooms = {placed.room for placed in messages if placed.record.unseen}
        seen = self._seen(rooms) if by < 0 else {}
        for placed in messages:
            record = placed.record
            if not record.unseen or is_alteration(record.message):
                continue
            if by > 0 or record.received_at_ms > seen[placed.room]:
                changes[unread_room(room_of(placed.room), record.message.sender)] += by
        return counted(self._database, changes)

    def _seen(self, rooms: Iterable[bytes]) -> dict[bytes, int]:
        """Up to when each room's messages have been seen."""
        wanted = list(rooms)
        stored = self._database.get(ROOM_SETTINGS, wanted)
        with self._database.plain_words():
            return {
                room: records.RoomSettings.FromString(value or b"").seen_ms
                for room, value in zip(wanted, stored, strict=True)
            }

    def _superseded(
        self, room: bytes, sender: bytes, target: bytes, before: records.Alteration | None
    ) -> Iterator[tuple[bytes, str]]:
        """Where the message's words stood until now, with the words."""
        if before is not None and (before.retracted or before.deleted):
            return
        name = target if before is None else before.id
        for key, value in self.locate(room, sender, name):
            with self._database.plain_words():
                message = records.RoomRecord.FromString(value).message
            if says_so(message, before):
                yield key, message.text


def _placed(value: bytes) -> Placed:
    return Placed.of(records.RoomRecord.FromString(value))


def _is_deleted(mark: bytes | None) -> bool:
    return records.Alteration.FromString(mark or b"").deleted


def mark_key(placed: Placed) -> bytes:
    """Of the message, or of the one that it is about."""
    message = placed.record.message
    return altered_key(placed.room, message.sender, message.target or message.id)


def says_so(message: wire.RoomMessage, mark: records.Alteration | None) -> bool:
    """Whether a stored message's own text is what is to be read now, there or in what it is about."""
    if is_alteration(message):
        return alterations.counts(mark, message.id, message.text)
    return alterations.is_as_said(mark)
