"""The direct messages of `RocksdbStore`.

Column families, with the keys and small values of `direct_keys.py`:

    direct_messages   position key -> DirectRecord, without what changes
    direct_states     message key -> State: deduplication, delivery or read mark, number in one of the queues
    outbox            number -> OutboxRecord, without envelope and delivery
    outbox_envelopes  the same number -> Envelope
    receipts          number -> what is due, and the message key
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress

from p2pchat.node.adapters import rocksdb_contacts, rocksdb_spool
from p2pchat.node.adapters.direct_keys import (
    DELIVERED_DUE,
    READ,
    READ_DUE,
    State,
    conversation_head,
    goes_forward,
    message_key,
    message_of,
    number_key,
    peer_prefix,
    position_key,
    prefix_end,
    stands,
    stands_at,
)
from p2pchat.node.adapters.history_keys import HEAD_IDS
from p2pchat.node.adapters.rocksdb_alterations import newest_listed, unread_counts
from p2pchat.node.adapters.rocksdb_arrivals import RocksdbArrivals
from p2pchat.node.adapters.rocksdb_contacts import RocksdbContacts
from p2pchat.node.adapters.rocksdb_database import Entry, Pair, RocksdbDatabase, deletions
from p2pchat.node.adapters.rocksdb_direct_alterations import (
    MESSAGES,
    STATES,
    RocksdbDirectAlterations,
    is_alteration,
    key_of,
)
from p2pchat.node.adapters.rocksdb_queue import RocksdbQueue
from p2pchat.node.adapters.rocksdb_spool import RocksdbSpool
from p2pchat.node.adapters.rocksdb_transfers import transfer_entry
from p2pchat.node.ports import RoomHead
from p2pchat.node.protocol import peer_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

OUTBOX, ENVELOPES = "outbox", "outbox_envelopes"
RECEIPTS = "receipts"
FAMILIES = (
    MESSAGES,
    STATES,
    OUTBOX,
    ENVELOPES,
    RECEIPTS,
    *rocksdb_spool.FAMILIES,
    *rocksdb_contacts.FAMILIES,
)

_QUEUED = records.Delivery(stage=records.QUEUED).SerializeToString()


class RocksdbDirect(RocksdbContacts, RocksdbSpool):
    """What `MessageStore` says about direct messages, on an open database."""

    def __init__(self, database: RocksdbDatabase, arrivals: RocksdbArrivals) -> None:
        self._database = database
        self.arrivals = arrivals
        self._outbox = RocksdbQueue(database, OUTBOX)
        self._receipts = RocksdbQueue(database, RECEIPTS)
        RocksdbContacts.__init__(self, database)
        RocksdbSpool.__init__(self, database)
        self._altered_direct = RocksdbDirectAlterations(database, arrivals)

    def _rewind_direct(self) -> None:
        """To be called when the database was opened."""
        self._forget_blocked()
        self._rewind_spool()
        for queue in (self._outbox, self._receipts):
            queue.rewind()

    # ---- messages ---------------------------------------------------------------------------------

    def save_direct(self, saves: Sequence[actors.DirectSave]) -> list[bool]:
        self._database.mend()
        keys = [message_key(s.record.peer, s.record.outgoing, s.record.id) for s in saves]
        before, states = self._states(keys)
        fresh: list[bool] = []
        changed: dict[bytes, State] = {}
        entries: list[Entry] = []  # with keys that are not there yet
        new: list[tuple[bytes, records.DirectRecord]] = []
        for save, key in zip(saves, keys, strict=True):
            fresh.append(key not in states)
            if fresh[-1]:
                changed[key] = states[key] = self._add(save, entries)
                new.append((stands(save.record), save.record))
            if save.receipt_due and not save.record.outgoing and not states[key].number:
                changed[key] = self._owe(key, states[key], entries)
        dropped = self._spool_deletions(save.spooled for save in saves if save.spooled)
        altered = self._altered_direct.came(new)
        undo = deletions(entries) + [(STATES, key, before[key]) for key in changed]
        undo += self._database.current(dropped) + altered.undo
        entries += altered.entries
        entries += [(STATES, key, state.pack()) for key, state in changed.items()]
        self._database.commit(entries + dropped, undo)
        return fresh

    def direct_history(
        self, peer: str, limit: int, before: bytes = b""
    ) -> actors.DirectHistoryPage:
        prefix = peer_prefix(peer_id.from_text(peer))
        end = prefix_end(prefix)
        below = min(before or end, end)
        found, first = newest_listed(self._database, MESSAGES, prefix, below, limit, self._listed)
        return actors.DirectHistoryPage(records=found[::-1], first=first)

    def _listed(self, page: Sequence[Pair]) -> list[tuple[bytes, records.DirectRecord]]:
        """Those that are to be shown."""
        joined = self._joined(value for _, value in page)
        shown = self._altered_direct.listed(joined)
        keys = (key for key, _ in page)
        return [*compress(zip(keys, joined, strict=True), shown)]

    def found_direct_messages(self, peer: str, keys: Sequence[bytes]) -> list[records.DirectRecord]:
        prefix = peer_prefix(peer_id.from_text(peer))
        values = self._database.get(MESSAGES, [prefix + key for key in keys])
        with self._database.plain_words():
            found = [
                records.DirectRecord.FromString(value) for value in values if value is not None
            ]
        return self._direct_at(self._altered_direct.found(found))

    def named_direct_messages(
        self, peer: str, names: Sequence[tuple[bool, bytes]]
    ) -> list[records.DirectRecord]:
        binary = peer_id.from_text(peer)
        keys = [message_key(binary, outgoing, id_) for outgoing, id_ in names]
        return self._direct_at([*filter(None, self._altered_direct.positions(keys))])

    def altered_direct(self, batch: Sequence[records.DirectRecord]) -> list[bool]:
        marks = self._altered_direct.read(map(key_of, batch)).before
        return [key_of(record) in marks for record in batch]

    def delete_direct_message(self, peer: str, outgoing: bool, message_id: bytes) -> bool:
        self._database.mend()
        key = message_key(peer_id.from_text(peer), outgoing, message_id)
        change = self._altered_direct.delete(key)
        if change is None:
            return False
        self._database.commit(change.entries, change.undo)
        return True

    def unread(self) -> list[actors.UnreadChanged]:
        return unread_counts(self._database, self._blocked_peers())

    def _direct_at(self, positions: Sequence[bytes]) -> list[records.DirectRecord]:
        """The messages at these position keys that are to be shown."""
        values = self._database.get(MESSAGES, list(positions))
        found = self._joined(value for value in values if value is not None)
        return [*compress(found, self._altered_direct.listed(found))]

    def conversation_head(self, peer: str) -> RoomHead:
        binary = peer_id.from_text(peer)
        prefix = peer_prefix(binary)
        page = self._database.newest(MESSAGES, prefix, prefix_end(prefix), HEAD_IDS)
        return conversation_head(binary, [key for key, _ in page])

    def mark_read(self, peer: str, ids: Sequence[bytes], receipt_due: bool) -> list[bytes]:
        sender = peer_id.from_text(peer)
        self._database.mend()
        keys = {message_key(sender, False, id_): id_ for id_ in ids}
        _, states = self._states(keys)
        unread = {key: state for key, state in states.items() if state.body != READ}
        entries: list[Entry] = []
        for key, state in unread.items():
            state.body = READ
            if receipt_due:
                self._owe(key, state, entries, READ_DUE)
            entries.append((STATES, key, state.pack()))
        entries += self._altered_direct.read_by_owner(sender, len(unread)).entries
        self._database.commit(entries)
        return [keys[key] for key in unread]

    def _add(self, save: actors.DirectSave, entries: list[Entry]) -> State:
        """What a new message writes, but for its state."""
        record = save.record
        state = State(stands_at(record))
        if record.outgoing:
            state.body = record.delivery.SerializeToString() or _QUEUED
            if not save.past:
                state.number = self._send(save, entries)
        elif record.read or is_alteration(record):
            state.body = READ  # what is not listed is not unread
        if save.HasField("transfer"):
            entries.append(transfer_entry(save.transfer))
        if record.HasField("delivery") or record.read:
            whole, record = record, records.DirectRecord()
            record.CopyFrom(whole)
            record.ClearField("delivery")
            record.ClearField("read")
        position = position_key(record.peer, record.outgoing, record.id, state.lamport)
        entries.append((MESSAGES, position, record.SerializeToString()))
        return state

    def _states(
        self, keys: Iterable[bytes]
    ) -> tuple[dict[bytes, bytes | None], dict[bytes, State]]:
        """What is stored of each message, and the states of those that are there."""
        wanted = list(dict.fromkeys(keys))
        stored = dict(zip(wanted, self._database.get(STATES, wanted), strict=True))
        with self._database.plain_words():
            states = {k: State.unpack(value) for k, value in stored.items() if value is not None}
        return stored, states

    def _joined(self, values: Iterable[bytes]) -> list[records.DirectRecord]:
        """Stored messages with delivery or read mark."""
        with self._database.plain_words():
            found = [records.DirectRecord.FromString(value) for value in values]
            keys = [message_key(record.peer, record.outgoing, record.id) for record in found]
            _, states = self._states(keys)
            for record, key in zip(found, keys, strict=True):
                state = states.get(key)
                if state and record.outgoing:
                    record.delivery.ParseFromString(state.body)
                elif state:
                    record.read = state.body == READ
        return found

    # ---- outbox -----------------------------------------------------------------------------------

    def update_outbox(self, updates: Sequence[actors.OutboxUpdate]) -> list[bool]:
        keys = [message_key(peer_id.from_text(update.peer), True, update.id) for update in updates]
        self._database.mend()
        before, states = self._states(keys)
        sealed: dict[bytes, actors.OutboxUpdate] = {}
        gone: list[Entry] = []
        finished: dict[bytes, State] = {}
        changed: list[bool] = []
        for update, key in zip(updates, keys, strict=True):
            state = states.get(key)
            changed.append(state is not None and self._advance(state, update))
            if state is None:
                continue
            if state.number and update.HasField("envelope"):
                sealed[number_key(state.number)] = update
            if state.number and update.finished:
                number = number_key(state.number)
                gone += [(OUTBOX, number, None), (ENVELOPES, number, None)]
                finished[key] = state
                state.number = 0
        entries = self._seal(sealed) + gone + self._altered_direct.finished(finished)
        undo = self._database.current(entries) + [(STATES, key, before[key]) for key in states]
        packed = {key: state.pack() for key, state in states.items()}
        entries += [(STATES, key, value) for key, value in packed.items() if value != before[key]]
        self._database.commit(entries, undo)
        return changed

    def outbox(self, limit: int, after: bytes = b"") -> actors.OutboxPage:
        found = self._outbox.oldest(limit + 1, after)
        page = found[:limit]
        with self._database.plain_words():
            entries = [records.OutboxRecord.FromString(value) for _, value in page]
            keys = [message_key(entry.peer, True, entry.id) for entry in entries]
            _, states = self._states(keys)
            for entry, key in zip(entries, keys, strict=True):
                if key in states:
                    entry.delivery.ParseFromString(states[key].body)
        last = page[-1][0] if page and len(found) > limit else b""
        return actors.OutboxPage(records=entries, last=last)

    def outbox_entries(self, peer: str, ids: Sequence[bytes]) -> list[actors.OutboxEntry]:
        binary = peer_id.from_text(peer)
        wanted = {message_key(binary, True, id_): id_ for id_ in ids}
        _, known = self._states(wanted)
        states = {key: state for key, state in known.items() if state.number}
        numbers = [number_key(state.number) for state in states.values()]
        positions = [
            position_key(binary, True, wanted[key], state.lamport) for key, state in states.items()
        ]
        rows = zip(
            self._database.get(OUTBOX, numbers),
            self._database.get(ENVELOPES, numbers),
            self._database.get(MESSAGES, positions),
            states.values(),
            strict=True,
        )
        with self._database.plain_words():
            return [_outbox_entry(*row) for row in rows]

    def _send(self, save: actors.DirectSave, entries: list[Entry]) -> int:
        """Put a new message into the outbox; returns its number there."""
        record = save.record
        number = self._outbox.new_number()
        kept = records.OutboxRecord(
            peer=record.peer,
            id=record.id,
            lamport=record.lamport,
            expires_at_ms=record.expires_at_ms,
            record_sequence=save.record_sequence,
            alteration=is_alteration(record),
        )
        entries.append((OUTBOX, number_key(number), kept.SerializeToString()))
        if save.HasField("envelope"):
            entries.append((ENVELOPES, number_key(number), save.envelope.SerializeToString()))
        return number

    def _advance(self, state: State, update: actors.OutboxUpdate) -> bool:
        """Whether the update brings the delivery forward."""
        if not update.HasField("delivery"):
            return False
        with self._database.plain_words():
            forward = goes_forward(records.Delivery.FromString(state.body), update.delivery)
        if forward:
            state.body = update.delivery.SerializeToString()
        return forward

    def _seal(self, sealed: dict[bytes, actors.OutboxUpdate]) -> list[Entry]:
        """What envelopes write that are for messages in the outbox, by their number keys there."""
        entries: list[Entry] = []
        stored = self._database.get(OUTBOX, list(sealed))
        for (number, update), value in zip(sealed.items(), stored, strict=True):
            with self._database.plain_words():
                kept = records.OutboxRecord.FromString(value or b"")
            kept.record_sequence = update.record_sequence
            entries.append((OUTBOX, number, kept.SerializeToString()))
            entries.append((ENVELOPES, number, update.envelope.SerializeToString()))
        return entries

    # ---- receipts ---------------------------------------------------------------------------------

    def due_receipts(self, limit: int) -> list[actors.PeerReceipts]:
        page = self._receipts.oldest(limit)
        due: dict[bytes, actors.PeerReceipts] = {}
        with self._database.plain_words():
            for _, value in page:
                peer, id_ = message_of(value[1:])
                if peer not in due:
                    due[peer] = actors.PeerReceipts(peer=peer_id.to_text(peer))
                (due[peer].read if value[:1] == READ_DUE else due[peer].delivered).append(id_)
        return list(due.values())

    def settle_receipts(self, receipts: actors.PeerReceipts) -> None:
        peer = peer_id.from_text(receipts.peer)
        self._database.mend()
        read = {message_key(peer, False, id_) for id_ in receipts.read}
        wanted = [*read, *(message_key(peer, False, id_) for id_ in receipts.delivered)]
        before, known = self._states(wanted)
        states = {key: state for key, state in known.items() if state.number}
        numbers = [number_key(state.number) for state in states.values()]
        due = self._database.get(RECEIPTS, numbers)
        entries: list[Entry] = []
        undo: list[Entry] = []
        for (key, state), number, value in zip(states.items(), numbers, due, strict=True):
            # What has become due as read meanwhile is not settled by having been sent as delivered.
            if key in read or value is None or value[:1] == DELIVERED_DUE:
                state.number = 0
                entries += [(RECEIPTS, number, None), (STATES, key, state.pack())]
                undo += [(RECEIPTS, number, value), (STATES, key, before[key])]
        self._database.commit(entries, undo)

    def _owe(
        self, key: bytes, state: State, entries: list[Entry], what: bytes = DELIVERED_DUE
    ) -> State:
        """Note that a receipt is due for an incoming message, instead of the one that is due already."""
        state.number = state.number or self._receipts.new_number()
        entries.append((RECEIPTS, number_key(state.number), what + key))
        return state


def _outbox_entry(
    outbox: bytes | None, envelope: bytes | None, message: bytes | None, state: State
) -> actors.OutboxEntry:
    entry = actors.OutboxEntry()
    entry.outbox.ParseFromString(outbox or b"")
    entry.record.ParseFromString(message or b"")
    for delivery in (entry.outbox.delivery, entry.record.delivery):
        delivery.ParseFromString(state.body)
    if envelope is not None:
        entry.outbox.envelope.ParseFromString(envelope)
    return entry
