"""The direct messages of `MemoryStore`."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
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
    stands_at,
)
from p2pchat.node.adapters.history_keys import HEAD_IDS
from p2pchat.node.adapters.memory_arrivals import MemoryArrivals
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import RoomHead
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import actors_pb2 as actors
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

    # ---- messages ---------------------------------------------------------------------------------

    def save_direct(self, saves: Sequence[actors.DirectSave]) -> list[bool]:
        self._check_writable()
        return [self._save(save) for save in saves]

    def direct_history(
        self, peer: str, limit: int, before: bytes = b""
    ) -> actors.DirectHistoryPage:
        self._check_open()
        binary = peer_id.from_text(peer)
        positions = self._conversations.get(binary, [])
        end = bisect_left(positions, before or prefix_end(peer_prefix(binary)))
        page = positions[max(0, end - limit) : end]
        found = [self._messages[self._positions[position]].record() for position in page]
        return actors.DirectHistoryPage(records=found, first=page[0] if page else b"")

    def direct_messages(self, peer: str, keys: Sequence[bytes]) -> list[records.DirectRecord]:
        self._check_open()
        positions = [peer_prefix(peer_id.from_text(peer)) + key for key in keys]
        found = (self._positions.get(position) for position in positions)
        return [self._messages[key].record() for key in found if key is not None]

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
        message = self._messages[key] = _Message(record.SerializeToString())
        if record.outgoing:
            queued = records.Delivery(stage=records.QUEUED)
            delivery = record.delivery if record.delivery.ByteSize() else queued
            message.delivery = delivery.SerializeToString()
            message.outbox = _outbox_record(save).SerializeToString()
            self._sent += 1
            message.number = self._sent
        else:
            message.read = record.read
        position = position_key(record.peer, record.outgoing, record.id, stands_at(record))
        self._positions[position] = key
        self.arrivals.came_directly(record, position)
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
        if update.finished:
            message.outbox = None
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


def _outbox_record(save: actors.DirectSave) -> records.OutboxRecord:
    record = save.record
    return records.OutboxRecord(
        peer=record.peer,
        id=record.id,
        lamport=record.lamport,
        expires_at_ms=record.expires_at_ms,
        envelope=save.envelope if save.HasField("envelope") else None,
        record_sequence=save.record_sequence,
    )
