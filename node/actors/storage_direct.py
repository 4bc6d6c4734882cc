"""What the storage actor does about direct messages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from google.protobuf.message import Message

from p2pchat.node.actors.storage_calls import SAVES_PER_COMMIT, length_of_page, wrong_peer
from p2pchat.node.actors.storage_search import SearchStorage
from p2pchat.node.runtime import handles, handles_batch
from p2pchat.proto import actors_pb2 as actors

SPOOLS_PER_COMMIT = 16  # the same of Spool, each of which carries a frame of up to 384 KiB
MAX_RECEIPTS_PAGE = 100_000  # message ids in one page of due receipts


class DirectStorage(SearchStorage):
    """Keeps direct messages, the outbox, the spool, receipts, contacts and own mailboxes."""

    @handles_batch(actors.SaveDirect, at_most=SAVES_PER_COMMIT)
    async def _save_direct(self, commands: Sequence[actors.SaveDirect]) -> Sequence[Message]:
        batches = [c.saves for c in commands]
        saved = await self._save_together(batches, self._save_directly)
        if isinstance(saved, actors.Rejected):
            return [saved] * len(commands)
        return [
            actors.DirectSaved(fresh=(new for new, _ in each), altered=(late for _, late in each))
            for each in saved
        ]

    @handles_batch(actors.UpdateOutbox, at_most=SAVES_PER_COMMIT)
    async def _update_outbox(self, commands: Sequence[actors.UpdateOutbox]) -> Sequence[Message]:
        # A wrong one costs the others nothing.
        wrong = [wrong_peer([update.peer for update in c.updates]) for c in commands]
        batches = [() if bad else c.updates for c, bad in zip(commands, wrong, strict=True)]
        updated = await self._save_together(batches, self._store.update_outbox)
        if isinstance(updated, actors.Rejected):
            return [bad or updated for bad in wrong]
        return [
            bad or actors.OutboxUpdated(changed=changed)
            for bad, changed in zip(wrong, updated, strict=True)
        ]

    @handles_batch(actors.Spool, at_most=SPOOLS_PER_COMMIT)
    async def _spool(self, commands: Sequence[actors.Spool]) -> Sequence[Message]:
        envelopes = [envelope for command in commands for envelope in command.envelopes]
        return [await self._write(lambda: self._store.spool(envelopes))] * len(commands)

    @handles(actors.ReadSpool)
    async def _read_spool(self, query: actors.ReadSpool) -> Message:
        limit = length_of_page(query.limit)
        return await self._answer(lambda: actors.SpoolPage(envelopes=self._store.spooled(limit)))

    @handles(actors.DropSpooled)
    async def _drop_spooled(self, command: actors.DropSpooled) -> Message:
        return await self._write(lambda: self._store.drop_spooled(command.ids))

    @handles(actors.ReadOutbox)
    async def _read_outbox(self, query: actors.ReadOutbox) -> Message:
        return await self._answer(
            lambda: self._store.outbox(length_of_page(query.limit), query.after)
        )

    @handles(actors.ReadOutboxEntries)
    async def _read_outbox_entries(self, query: actors.ReadOutboxEntries) -> Message:
        return await self._answer_about(query.peer, lambda: self._outbox_entries(query))

    @handles(actors.ReadDirectHistory)
    async def _read_direct_history(self, query: actors.ReadDirectHistory) -> Message:
        return await self._answer_about(
            query.peer,
            lambda: self._store.direct_history(
                query.peer, length_of_page(query.limit), query.before
            ),
        )

    @handles(actors.ReadConversation)
    async def _read_conversation(self, query: actors.ReadConversation) -> Message:
        return await self._answer_about(query.peer, lambda: self._conversation(query.peer))

    @handles(actors.ReadDueReceipts)
    async def _read_due_receipts(self, query: actors.ReadDueReceipts) -> Message:
        limit = length_of_page(query.limit, MAX_RECEIPTS_PAGE)
        return await self._answer(lambda: actors.DueReceipts(peers=self._store.due_receipts(limit)))

    @handles(actors.SettleReceipts)
    async def _settle_receipts(self, command: actors.SettleReceipts) -> Message:
        receipts = command.receipts
        return await self._write_about(receipts.peer, lambda: self._store.settle_receipts(receipts))

    @handles(actors.MarkRead)
    async def _mark_read(self, command: actors.MarkRead) -> Message:
        return await self._answer_about(command.peer, lambda: self._marked_read(command))

    @handles(actors.ReadOwnMailboxes)
    async def _read_own_mailboxes(self, _: actors.ReadOwnMailboxes) -> Message:
        return await self._answer(self._store.load_own_mailboxes)

    @handles(actors.SaveOwnMailboxes)
    async def _save_own_mailboxes(self, command: actors.SaveOwnMailboxes) -> Message:
        return await self._write(lambda: self._store.save_own_mailboxes(command.own))

    @handles(actors.ReadContacts)
    async def _read_contacts(self, _: actors.ReadContacts) -> Message:
        return await self._answer(lambda: actors.ContactList(contacts=self._store.contacts()))

    @handles(actors.SaveContact)
    async def _save_contact(self, command: actors.SaveContact) -> Message:
        return await self._write(lambda: self._store.save_contact(command.contact))

    @handles(actors.DeleteContact)
    async def _delete_contact(self, command: actors.DeleteContact) -> Message:
        return await self._write_about(
            command.peer, lambda: self._store.delete_contact(command.peer)
        )

    # What runs in the worker thread.

    def _save_directly(self, saves: Sequence[actors.DirectSave]) -> list[tuple[bool, bool]]:
        """For each whether it was new, and whether it has been altered already."""
        fresh = self._store.save_direct(saves)
        new = [save.record for save in compress(saves, fresh)]
        altered = iter(self._store.altered_direct(new))
        return [(is_new, is_new and next(altered)) for is_new in fresh]

    def _outbox_entries(self, query: actors.ReadOutboxEntries) -> actors.OutboxEntries:
        return actors.OutboxEntries(entries=self._store.outbox_entries(query.peer, query.ids))

    def _conversation(self, peer: str) -> actors.RoomState:
        head = self._store.conversation_head(peer)
        return actors.RoomState(lamport=head.lamport, parents=head.parents)

    def _marked_read(self, command: actors.MarkRead) -> actors.MarkedRead:
        return actors.MarkedRead(
            ids=self._store.mark_read(command.peer, command.ids, command.receipt_due)
        )
