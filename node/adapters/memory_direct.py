"""The direct messages of `MemoryStore`."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from p2pchat.node.adapters.direct_keys import (
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
from p2pchat.node.adapters.memory_arrivals import MemoryArrivals, direct_change
from p2pchat.node.adapters.memory_transfers import MemoryTransfers
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import RoomHead
from p2pchat.node.ports.store import MOST_PASSED
from p2pchat.node.protocol import alterations, peer_id
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

SPOOL_PAGE = 8 << 20  # bytes of envelopes in one page of the spool


@dataclass(slots=True)
class _Message:
    """One message: serialized, so that no caller shares an object with the store."""

    content: bytes  # DirectRecord
    delivery: bytes = b""  # outgoing only
    outbox: bytes | None = None  # OutboxRecord with its envelope; None: finished or incoming
    number: int = 0  # in the outbox
    read: bool = False

    def record(self) -> records.DirectRecord:
        found = records.DirectRecord.FromString(self.content)
        found.ClearField("delivery")
        if found.outgoing:
            found.delivery.ParseFromString(self.delivery)
        found.read = self.read
        return found

    def entry(self) -> records.OutboxRecord:
        found = records.OutboxRecord.FromString(self.outbox or b"")
        found.delivery.ParseFromString(self.delivery)
        return found


class MemoryDirect:
    """What `MessageStore` says about direct messages, and whether the store is open and writable."""

    def __init__(self, arrivals: MemoryArrivals) -> None:
        self.arrivals = arrivals
        self.failure: StoreError | None = None  # set it to play a full disk: every write raises it
        self._is_open = False
        self._messages: dict[bytes, _Message] = {}  # by message key
        self._positions: dict[bytes, bytes] = {}  # position key -> message key
        self._conversations: defaultdict[bytes, list[bytes]] = defaultdict(list)  # sorted
        self._sent = 0  # messages that have entered the outbox
        self._due: dict[bytes, bool] = {}  # message key -> whether read; else delivered
        self._spool: dict[bytes, bytes] = {}  # envelope id -> Envelope
        self._contacts: dict[bytes, bytes] = {}
        self._marks: dict[bytes, records.Alteration] = {}  # by message key, there or not
        self._transfers = MemoryTransfers()

    # ---- messages ---------------------------------------------------------------------------------

    def save_direct(self, saves: Sequence[actors.DirectSave]) -> list[bool]:
        self._check_writable()
        if not any(save.record.target for save in saves):
            return [self._save(save) for save in saves]
        before = [*self._said_directly()]
        fresh = [self._save(save) for save in saves]
        self.arrivals.changed(before, self._said_directly())
        return fresh

    def direct_history(
        self, peer: str, limit: int, before: bytes = b""
    ) -> actors.DirectHistoryPage:
        self._check_open()
        binary = peer_id.from_text(peer)
        positions = self._conversations.get(binary, [])
        end = bisect_left(positions, before or prefix_end(peer_prefix(binary)))
        page: list[tuple[bytes, records.DirectRecord]] = []
        passed = 0
        while len(page) < limit and end > 0 and passed < MOST_PASSED:
            end -= 1
            some = self._shown([self._positions[positions[end]]])
            page += ((positions[end], record) for record in some)
            passed += not some
        first = page[-1][0] if page else b""
        if passed >= MOST_PASSED and end:
            first = positions[end]
        found = [record for _, record in reversed(page)]
        return actors.DirectHistoryPage(records=found, first=first)

    def found_direct_messages(self, peer: str, keys: Sequence[bytes]) -> list[records.DirectRecord]:
        self._check_open()
        positions = [peer_prefix(peer_id.from_text(peer)) + key for key in keys]
        found = (self._positions.get(position) for position in positions)
        every = [self._messages[key].record() for key in found if key is not None]
        return self._shown([_about(record) for record in every if self._is_said(record)])

    def named_direct_messages(
        self, peer: str, names: Sequence[tuple[bool, bytes]]
    ) -> list[records.DirectRecord]:
        self._check_open()
        binary = peer_id.from_text(peer)
        return self._shown([message_key(binary, outgoing, id_) for outgoing, id_ in names])

    def altered_direct(self, batch: Sequence[records.DirectRecord]) -> list[bool]:
        self._check_open()
        keys = (message_key(record.peer, record.outgoing, record.id) for record in batch)
        return [key in self._marks for key in keys]

    def delete_direct_message(self, peer: str, outgoing: bool, message_id: bytes) -> bool:
        self._check_writable()
        key = message_key(peer_id.from_text(peer), outgoing, message_id)
        if not self._shown([key]):
            return False
        before = [*self._said_directly()]
        self._marks[key] = alterations.deleted(self._marks.get(key))
        message = self._messages[key]
        message.read = True
        for each in (message, *self._edits_of(key)):
            if each.outbox is None and stands(each.record()) in self._positions:
                self._remove(each)
        self.arrivals.changed(before, self._said_directly())
        return True

    def _edits_of(self, key: bytes) -> list[_Message]:
        every = ((message, message.record()) for message in self._messages.values())
        return [each for each, record in every if record.target and _about(record) == key]

    def _remove(self, message: _Message) -> None:
        """It stays known, so that it is not taken for new when it comes again."""
        position = stands(message.record())
        self._positions.pop(position, None)
        there = self._conversations[message.record().peer]
        del there[bisect_left(there, position)]

    def _shown(self, keys: Iterable[bytes]) -> list[records.DirectRecord]:
        """Those of the messages with these keys that are to be shown."""
        every = (self._messages[key].record() for key in keys if key in self._messages)
        found = [record for record in every if not record.target]
        for record in found:
            alterations.join_direct(record, self._marks.get(_about(record)))
        return [record for record in found if not record.alteration.deleted]

    def _is_said(self, record: records.DirectRecord) -> bool:
        """Whether its own text is what is to be read now, there or in what it is about."""
        mark = self._marks.get(_about(record))
        if record.target:
            return alterations.counts(mark, record.id, record.text)
        return alterations.is_as_said(mark)

    def _said_directly(self) -> Iterator[index.Change]:
        for position, key in self._positions.items():
            record = self._messages[key].record()
            if self._is_said(record):
                yield direct_change(record, position)

    def _unread_directly(self, blocked: Collection[bytes]) -> Iterator[actors.UnreadChanged]:
        every = (message.record() for message in self._messages.values())
        unread = Counter(
            peer_id.to_text(record.peer)
            for record in every
            if not (record.outgoing or record.read or record.target or record.peer in blocked)
        )
        for peer, count in sorted(unread.items()):
            yield actors.UnreadChanged(peer=peer, unread=count)

    def conversation_head(self, peer: str) -> RoomHead:
        self._check_open()
        binary = peer_id.from_text(peer)
        return conversation_head(binary, self._conversations.get(binary, [])[: -HEAD_IDS - 1 : -1])

    def mark_read(self, peer: str, ids: Sequence[bytes], receipt_due: bool) -> list[bytes]:
        self._check_writable()
        sender = peer_id.from_text(peer)
        seen: list[bytes] = []
        for id_ in ids:
            key = message_key(sender, False, id_)
            message = self._messages.get(key)
            if message is None or message.read:
                continue
            message.read = True
            seen.append(id_)
            if receipt_due:
                self._due[key] = True
        return seen

    # ---- files ------------------------------------------------------------------------------------

    def transfers(self) -> list[records.TransferRecord]:
        self._check_open()
        return self._transfers.all()

    def save_transfer(self, record: records.TransferRecord) -> None:
        self._check_writable()
        self._transfers.save(record)

    def delete_transfers(self, gone: Sequence[records.TransferRecord]) -> None:
        self._check_writable()
        self._transfers.delete(gone)

    def _save(self, save: actors.DirectSave) -> bool:
        record = save.record
        key = message_key(record.peer, record.outgoing, record.id)
        fresh = key not in self._messages
        if fresh:
            self._add(key, save)
        if save.receipt_due and not record.outgoing:
            self._due.setdefault(key, False)
        if save.spooled:
            self._spool.pop(save.spooled, None)
        return fresh

    def _add(self, key: bytes, save: actors.DirectSave) -> None:
        record = save.record
        if save.HasField("transfer"):
            self._transfers.save(save.transfer)
        message = self._messages[key] = _Message(record.SerializeToString())
        if record.outgoing:
            queued = records.Delivery(stage=records.QUEUED)
            delivery = record.delivery if record.delivery.ByteSize() else queued
            message.delivery = delivery.SerializeToString()
            if not save.past:
                message.outbox = _outbox_record(save).SerializeToString()
                self._sent += 1
                message.number = self._sent
        else:
            message.read = record.read or bool(record.target)  # what is not listed is not unread
        if record.target:
            mark = self._marks.get(_about(record))
            self._marks[_about(record)] = alterations.folded(mark, alterations.of_direct(record))
        position = position_key(record.peer, record.outgoing, record.id, stands_at(record))
        self._positions[position] = key
        if not record.target and self._is_said(record):
            self.arrivals.came([direct_change(record, position)])
        insort(self._conversations[record.peer], position)

    # ---- outbox -----------------------------------------------------------------------------------

    def update_outbox(self, updates: Sequence[actors.OutboxUpdate]) -> list[bool]:
        self._check_writable()
        keys = [message_key(peer_id.from_text(update.peer), True, update.id) for update in updates]
        return [
            key in self._messages and self._update(self._messages[key], update)
            for key, update in zip(keys, updates, strict=True)
        ]

    def outbox(self, limit: int, after: bytes = b"") -> actors.OutboxPage:
        self._check_open()
        waiting = [message for message in self._messages.values() if message.outbox is not None]
        found = [message for message in waiting if number_key(message.number) > after]
        page = [message.entry() for message in found[:limit]]
        for entry in page:
            entry.ClearField("envelope")
        last = number_key(found[limit - 1].number) if page and len(found) > limit else b""
        return actors.OutboxPage(records=page, last=last)

    def outbox_entries(self, peer: str, ids: Sequence[bytes]) -> list[actors.OutboxEntry]:
        self._check_open()
        binary = peer_id.from_text(peer)
        keys = dict.fromkeys(message_key(binary, True, id_) for id_ in ids)
        found = (self._messages.get(key) for key in keys)
        return [
            actors.OutboxEntry(outbox=message.entry(), record=message.record())
            for message in found
            if message is not None and message.outbox is not None
        ]

    def _update(self, message: _Message, update: actors.OutboxUpdate) -> bool:
        stored = records.Delivery.FromString(message.delivery)
        forward = update.HasField("delivery") and goes_forward(stored, update.delivery)
        if forward:
            message.delivery = update.delivery.SerializeToString()
        if message.outbox is not None and update.HasField("envelope"):
            kept = records.OutboxRecord.FromString(message.outbox)
            kept.envelope.CopyFrom(update.envelope)
            kept.record_sequence = update.record_sequence
            message.outbox = kept.SerializeToString()
        if update.finished and message.outbox is not None:
            message.outbox = None
            mark = self._marks.get(_about(message.record()))
            if mark is not None and mark.deleted and not message.record().target:
                self._remove(message)
        return forward

    # ---- receipts ---------------------------------------------------------------------------------

    def due_receipts(self, limit: int) -> list[actors.PeerReceipts]:
        self._check_open()
        due: dict[bytes, actors.PeerReceipts] = {}
        for key in list(self._due)[:limit]:
            peer, id_ = message_of(key)
            if peer not in due:
                due[peer] = actors.PeerReceipts(peer=peer_id.to_text(peer))
            (due[peer].read if self._due[key] else due[peer].delivered).append(id_)
        return list(due.values())

    def settle_receipts(self, receipts: actors.PeerReceipts) -> None:
        self._check_writable()
        peer = peer_id.from_text(receipts.peer)
        for id_ in receipts.read:
            self._due.pop(message_key(peer, False, id_), None)
        for id_ in receipts.delivered:
            key = message_key(peer, False, id_)
            # What has become due as read meanwhile is not settled by having been sent as delivered.
            if self._due.get(key) is False:
                del self._due[key]

    # ---- spool ------------------------------------------------------------------------------------

    def spool(self, envelopes: Sequence[wire.Envelope]) -> None:
        self._check_writable()
        for envelope in envelopes:
            self._spool.setdefault(envelope_id(envelope), envelope.SerializeToString())

    def spooled(self, limit: int) -> list[wire.Envelope]:
        self._check_open()
        page: list[bytes] = []
        size = 0
        for envelope in list(self._spool.values())[:limit]:
            size += len(envelope)
            if page and size > SPOOL_PAGE:
                break
            page.append(envelope)
        return [wire.Envelope.FromString(envelope) for envelope in page]

    def drop_spooled(self, ids: Iterable[bytes]) -> None:
        self._check_writable()
        for id_ in ids:
            self._spool.pop(id_, None)

    # ---- contacts ---------------------------------------------------------------------------------

    def contacts(self) -> list[records.Contact]:
        self._check_open()
        return [records.Contact.FromString(value) for _, value in sorted(self._contacts.items())]

    def save_contact(self, contact: records.Contact) -> None:
        self._check_writable()
        self._contacts[contact.peer] = contact.SerializeToString()

    def delete_contact(self, peer: str) -> None:
        self._check_writable()
        self._contacts.pop(peer_id.from_text(peer), None)

    def _blocked_peers(self) -> frozenset[bytes]:
        return frozenset(c.peer for c in self.contacts() if c.blocked_at_ms)

    # ---- open or not ------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError("The message store is not open.")

    def _check_writable(self) -> None:
        self._check_open()
        if self.failure is not None:
            raise self.failure

    def _direct_size(self) -> int:
        """Bytes of content."""
        contents = (message.content for message in self._messages.values())
        return sum(map(len, (*contents, *self._spool.values(), *self._contacts.values())))


def _about(record: records.DirectRecord) -> bytes:
    """The key of the message, or of the one that it is about."""
    return message_key(record.peer, record.outgoing, record.target or record.id)


def _outbox_record(save: actors.DirectSave) -> records.OutboxRecord:
    record = save.record
    return records.OutboxRecord(
        peer=record.peer,
        id=record.id,
        lamport=record.lamport,
        expires_at_ms=record.expires_at_ms,
        envelope=save.envelope if save.HasField("envelope") else None,
        record_sequence=save.record_sequence,
        alteration=bool(record.target),
    )
