"""The sealed envelopes of own messages: made when they are needed, kept between saving and sending."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import trio

from p2pchat.node.protocol import conversation, file_notes, peer_id, receipts
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.protocol.envelope import Sealer
from p2pchat.node.protocol.outbox import Item
from p2pchat.node.protocol.seal import SealError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

CACHED = 2048  # envelopes in memory; others are read from the store
SEALS_AT_ONCE = 16  # before other tasks get their turn

Key = tuple[str, bytes]  # recipient in base58, message id


class Envelopes:
    """`own_record` goes into envelopes for whoever is not known to have it."""

    def __init__(
        self,
        *,
        storage: ActorRef,
        contacts: ContactBook,
        sealer: Sealer,
        nick: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self.own_record: wire.MailboxRecord | None = None
        self._storage = storage
        self._contacts = contacts
        self._sealer = sealer
        self._nick = nick
        self._now_ms = now_ms
        self._cache: OrderedDict[Key, wire.Envelope] = OrderedDict()
        self._inside: dict[Key, int] = {}  # sequence of the own record inside
        # The own record that a recipient has, as far as this run knows: told once in each run, because what
        # the other side has forgotten since (a new store, a contact removed) nobody hears of.
        self._told: dict[str, int] = {}
        self._resealed: set[Key] = set()

    def seal(self, peer: str, record: records.DirectRecord) -> tuple[wire.Envelope, int]:
        """The envelope, and the sequence of the own record inside (0: none). Raises `SealError`."""
        own = self._record_for(peer)
        content = conversation.content_of(record, own)
        envelope = self._seal(peer, content, record.expires_at_ms)
        return envelope, own.sequence if own is not None else 0

    def remember(
        self, peer: str, message_id: bytes, envelope: wire.Envelope, sequence: int
    ) -> None:
        self._cache[peer, message_id] = envelope
        if sequence:
            self._inside[peer, message_id] = sequence
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)

    def of(self, item: Item) -> wire.Envelope | None:
        """Ready to be sent; None for a message whose envelope has to be fetched. Raises `SealError`."""
        if item.note is not None:
            content = file_notes.content_of(item.note, self._nick(), self._now_ms())
        elif item.receipts is not None:
            content = receipts.content_of(item.receipts, item.id, self._nick(), self._now_ms())
        else:
            return self._cache.get((item.peer, item.id))
        if own := self._record_for(item.peer):
            content.record.CopyFrom(own)
        return self._seal(item.peer, content, item.expires_at_ms)

    async def fetch(self, peer: str, ids: Sequence[bytes]) -> list[bytes]:
        """Have these in memory, from the store or sealed now. Returns the ids that the store does not have any more.

        Raises `SealError` and what `ActorRef.request` raises.
        """
        question = actors.ReadOutboxEntries(peer=peer, ids=ids)
        found = await self._storage.request(question, actors.OutboxEntries)
        sealed = []
        for number, entry in enumerate(found.entries):
            stored, key = entry.outbox, (peer, entry.outbox.id)
            if stored.HasField("envelope") and key not in self._resealed:
                self.remember(*key, stored.envelope, stored.record_sequence)
                continue
            if number % SEALS_AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
            envelope, sequence = self.seal(peer, entry.record)
            self.remember(*key, envelope, sequence)
            update = actors.OutboxUpdate(
                peer=peer, id=stored.id, envelope=envelope, record_sequence=sequence
            )
            sealed.append(update)
        if sealed:
            kept = actors.UpdateOutbox(updates=sealed)
            await self._storage.request(kept, actors.OutboxUpdated)
        there = {entry.outbox.id for entry in found.entries}
        return [message_id for message_id in ids if message_id not in there]

    def seal_again(self, peer: str, ids: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
        """The recipient could not open these: which are worth another seal, and which had one already."""
        again: list[bytes] = []
        hopeless: list[bytes] = []
        for message_id in ids:
            key = (peer, message_id)
            (hopeless if key in self._resealed else again).append(message_id)
            self._cache.pop(key, None)
            self._resealed.add(key)
        return again, hopeless

    def finished(self, peer: str, message_id: bytes, *, has_it: bool) -> None:
        """Forget one; if the recipient `has_it`, it has the own record that was inside, too."""
        key = (peer, message_id)
        self._cache.pop(key, None)
        self._resealed.discard(key)
        sequence = self._inside.pop(key, 0)
        if has_it and sequence > self._told.get(peer, 0):
            self._told[peer] = sequence

    def _seal(self, peer: str, content: wire.Content, expires_at_ms: int) -> wire.Envelope:
        """After a `SealError` the key counts as unknown: a signed key need not be a good one."""
        key = self._contacts.seal_key(peer)
        try:
            return self._sealer.seal(content, peer_id.from_text(peer), key, expires_at_ms)
        except SealError:
            self._contacts.spoil_key(peer)
            raise

    def _record_for(self, peer: str) -> wire.MailboxRecord | None:
        """The own record, unless the recipient is known to have it."""
        own = self.own_record
        return own if own is not None and own.sequence > self._told.get(peer, 0) else None
