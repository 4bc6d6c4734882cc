"""Edits, retractions, local deletes and unread messages of the conversations of `RocksdbStore`.

Edits and retractions are messages like others there: they are acknowledged, and own ones wait in the outbox. What a
message says now is kept beside it (`rocksdb_alterations.py`). A message that the owner has deleted is gone but for its
state, by which it is known when it comes again; one that is not delivered yet stays until then, unlisted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from p2pchat.node.adapters.alteration_keys import unread_peer
from p2pchat.node.adapters.direct_keys import (
    READ,
    State,
    is_outgoing,
    message_key,
    message_of,
    peer_prefix,
    position_key,
    prefix_end,
)
from p2pchat.node.adapters.rocksdb_alterations import (
    DIRECT_ALTERATIONS,
    Marks,
    counted,
    read_marks,
)
from p2pchat.node.adapters.rocksdb_arrivals import RocksdbArrivals
from p2pchat.node.adapters.rocksdb_database import Entry, RocksdbDatabase
from p2pchat.node.adapters.rocksdb_room_entries import Change
from p2pchat.node.protocol import alterations
from p2pchat.proto import records_pb2 as records

MESSAGES, STATES = "direct_messages", "direct_states"
MOST_SOUGHT, BYTES_SOUGHT = (
    50_000,
    32 << 20,
)  # messages behind a deleted one that are looked through for edits of it


class RocksdbDirectAlterations:
    """On an open database."""

    def __init__(self, database: RocksdbDatabase, arrivals: RocksdbArrivals) -> None:
        self._database = database
        self.arrivals = arrivals
        arrivals.only(MESSAGES, self._are_said)

    def read(self, keys: Iterable[bytes]) -> Marks:
        """By message keys."""
        return read_marks(self._database, DIRECT_ALTERATIONS, keys)

    def listed(self, found: Sequence[records.DirectRecord]) -> list[bool]:
        """For each whether it is to be shown, with its alteration joined in."""
        keys = [key_of(record) for record in found]
        marks = self.read(keys).before
        for record, key in zip(found, keys, strict=True):
            alterations.join_direct(record, marks.get(key))
        return [not (is_alteration(record) or record.alteration.deleted) for record in found]

    def found(self, found: Sequence[records.DirectRecord]) -> list[bytes]:
        """Of messages whose words were found: the positions of those that they are about, as far as they are said
        still."""
        marks = self.read(map(target_key, found)).before
        current = [record for record in found if says_so(record, marks.get(target_key(record)))]
        keys = [target_key(record) for record in current]
        return [position for position in self.positions(keys) if position]

    def _are_said(self, values: Sequence[bytes]) -> list[bool]:
        """For each stored message whether its own text is to be read still."""
        with self._database.plain_words():
            found = [records.DirectRecord.FromString(value) for value in values]
        marks = self.read(map(target_key, found)).before
        return [says_so(record, marks.get(target_key(record))) for record in found]

    def positions(self, keys: Sequence[bytes]) -> list[bytes]:
        """Where the messages with these keys stand; empty for one that was never there."""
        states = self._database.get(STATES, list(keys))
        with self._database.plain_words():
            return [
                b"" if value is None else _position(key, State.unpack(value))
                for key, value in zip(keys, states, strict=True)
            ]

    # ---- what a write has to write besides ------------------------------------------------------------

    def came(self, new: Sequence[tuple[bytes, records.DirectRecord]]) -> Change:
        """For messages that are going to be stored at these positions."""
        marks = self.read(target_key(record) for _, record in new)
        for _, record in new:
            if is_alteration(record):
                marks.fold(target_key(record), alterations.of_direct(record))
        unread = Counter(unread_peer(record.peer) for _, record in new if is_unread(record))
        change = marks.change() + counted(self._database, unread)
        if not self.arrivals.follower():
            return change
        current = [
            position
            for position, record in new
            if says_so(record, marks.after.get(target_key(record)))
        ]
        gone = [
            words for key in marks.changed for words in self._superseded(key, marks.before.get(key))
        ]
        return change + self.arrivals.told(MESSAGES, current, gone)

    def read_by_owner(self, peer: bytes, messages: int) -> Change:
        return counted(self._database, {unread_peer(peer): -messages})

    def delete(self, key: bytes) -> Change | None:
        """By the owner; None when there is no such message, or none any more."""
        stored = self._database.get(STATES, [key])[0]
        marks = self.read([key])
        before = marks.before.get(key)
        if stored is None or (before is not None and before.deleted) or not self._is_said(key):
            return None
        marks.delete(key)
        told = self.arrivals.told(MESSAGES, [], [*self._superseded(key, before)])
        change = marks.change() + self._emptied(key, stored) + told
        return change + self._edits_emptied(key) if before is not None else change

    def finished(self, states: Mapping[bytes, State]) -> list[Entry]:
        """For own messages that wait no longer, by their keys: what was deleted meanwhile goes."""
        marks = self.read(states).before
        return [
            (MESSAGES, _position(key, states[key]), None)
            for key, mark in marks.items()
            if mark.deleted
        ]

    def _is_said(self, key: bytes) -> bool:
        """Whether it is there, and no edit."""
        value = self._database.get(MESSAGES, self.positions([key]))[0]
        with self._database.plain_words():
            return value is not None and not is_alteration(records.DirectRecord.FromString(value))

    def _edits_emptied(self, key: bytes) -> Change:
        """Their words go as well, but for own ones that still have to be sent; sought up to some time after them."""
        prefix = peer_prefix(message_of(key)[0])
        [start] = self.positions([key])
        page = self._database.oldest(MESSAGES, start, prefix_end(prefix), MOST_SOUGHT, BYTES_SOUGHT)
        with self._database.plain_words():
            found = [(at, value, records.DirectRecord.FromString(value)) for at, value in page]
            edits = [
                each for each in found if is_alteration(each[2]) and target_key(each[2]) == key
            ]
            states = self._database.get(STATES, [key_of(record) for _, _, record in edits])
            undo: list[Entry] = [
                (MESSAGES, at, value)
                for (at, value, _), state in zip(edits, states, strict=True)
                if not (is_outgoing(key) and State.unpack(state or b"").number)
            ]
        return Change([(MESSAGES, at, None) for _, at, _ in undo], undo)

    def _emptied(self, key: bytes, stored: bytes) -> Change:
        """What remains of a message: that it has been here."""
        with self._database.plain_words():
            state = State.unpack(stored)
        peer, _ = message_of(key)
        change = Change([], [])
        if not is_outgoing(key) and state.body != READ:
            state.body = READ
            change += Change([(STATES, key, state.pack())], [(STATES, key, stored)])
            change += self.read_by_owner(peer, 1)
        if is_outgoing(key) and state.number:
            return change  # it still has to be sent
        position = _position(key, state)
        value = self._database.get(MESSAGES, [position])[0]
        return change + Change([(MESSAGES, position, None)], [(MESSAGES, position, value)])

    def _superseded(
        self, key: bytes, before: records.Alteration | None
    ) -> Iterator[tuple[bytes, str]]:
        """Where the message's words stood until now, with the words."""
        if before is not None and (before.retracted or before.deleted):
            return
        peer, _ = message_of(key)
        name = key if before is None else message_key(peer, is_outgoing(key), before.id)
        for position in filter(None, self.positions([name])):
            value = self._database.get(MESSAGES, [position])[0]
            with self._database.plain_words():
                record = records.DirectRecord.FromString(value or b"")
            if value is not None and says_so(record, before):
                yield position, record.text


def is_alteration(record: records.DirectRecord) -> bool:
    return bool(record.target)


def is_unread(record: records.DirectRecord) -> bool:
    return not (record.outgoing or record.read or is_alteration(record))


def key_of(record: records.DirectRecord) -> bytes:
    return message_key(record.peer, record.outgoing, record.id)


def target_key(record: records.DirectRecord) -> bytes:
    """Of the message, or of the one that it is about."""
    return message_key(record.peer, record.outgoing, record.target or record.id)


def says_so(record: records.DirectRecord, mark: records.Alteration | None) -> bool:
    """Whether a stored message's own text is what is to be read now, there or in what it is about."""
    if is_alteration(record):
        return alterations.counts(mark, record.id, record.text)
    return alterations.is_as_said(mark)


def _position(key: bytes, state: State) -> bytes:
    peer, message_id = message_of(key)
    return position_key(peer, is_outgoing(key), message_id, state.lamport)
