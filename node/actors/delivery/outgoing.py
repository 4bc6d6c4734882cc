"""The sending half: composes, seals, keeps, hands out to the links, and tells what became of it."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import trio

from p2pchat.node.actors.delivery import problems
from p2pchat.node.actors.delivery.conversations import Conversations
from p2pchat.node.actors.delivery.envelopes import Envelopes
from p2pchat.node.actors.delivery.file_notes import FileNotes
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import peer_id, receipts, uuid7
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.protocol.courier import Courier
from p2pchat.node.protocol.delivery_progress import DeliveryProgress
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.protocol.outbox import Change, Item, Outbox, Route, lasting, restored
from p2pchat.node.protocol.seal import SealError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

RECEIPTS_LIFETIME_MS = 30 * DAY_MS
CONTACT_STALE_MS = 60_000  # how far the time of a contact's last message may lag behind on disk
PAGE = 1000  # records read at once when resuming


@dataclass(frozen=True, slots=True)
class Parcel:
    """An item, ready to be handed over."""

    item: Item
    envelope: wire.Envelope


class Outgoing:
    """Owns the outbox, the courier and the receipts that are due; shared by the actor and its links."""

    def __init__(
        self,
        *,
        peer: str,
        storage: ActorRef,
        ui: ActorRef,
        contacts: ContactBook,
        courier: Courier,
        envelopes: Envelopes,
        lifetime_ms: int,
        nick: Callable[[], str],
        randomness: Callable[[int], bytes],
        now_ms: Callable[[], int],
        on_work: Callable[[], None],
        files: ActorRef | None = None,
    ) -> None:
        """`on_work` is called when something new waits to be sent. `files` hears what became of notes about files."""
        self.outbox = Outbox()
        self.receipts = receipts.DueReceipts()
        self.courier = courier
        self.contacts = contacts
        self.counters: Counter[str] = Counter()
        self.progress = DeliveryProgress()
        self.conversations = Conversations(storage, randomness, now_ms)
        self.envelopes = envelopes
        self.notes = FileNotes(files, now_ms)
        self._peer = peer
        self._storage = storage
        self._ui = ui
        self._lifetime_ms = lifetime_ms
        self._nick = nick
        self._randomness = randomness
        self._now_ms = now_ms
        self._on_work = on_work

    async def resume(self) -> None:
        """What was on its way when the program ended."""
        after = b""
        while True:
            question = actors.ReadOutbox(limit=PAGE, after=after)
            page = await self._storage.request(question, actors.OutboxPage)
            for record in page.records:
                self._add(restored(record))
            after = page.last
            if not after:
                break
        every = actors.ReadDueReceipts(limit=100_000)
        due = await self._storage.request(every, actors.DueReceipts)
        for batch in due.peers:
            self.receipts.delivered(batch.peer, batch.delivered, trio.current_time())
            self.receipts.read(batch.peer, batch.read, trio.current_time())

    # ---- composing ------------------------------------------------------------------------------------

    async def send(
        self, posts: Sequence[actors.SendDirect]
    ) -> list[actors.DirectSent | actors.Rejected]:
        """Save all of them in one write, then show and send them."""
        replies: list[actors.DirectSent | actors.Rejected] = []
        saves = []
        for post in posts:
            if problem := problems.of_text(post, self._peer, self.contacts, len(self.outbox)):
                replies.append(problem)
                continue
            try:
                save = await self._compose(post)
            except (RequestRejectedError, ActorError) as error:
                replies.append(problems.not_saved(error))
                continue
            saves.append((post.peer, save))
            replies.append(actors.DirectSent(record=save.record))
        if saves:
            question = actors.SaveDirect(saves=[save for _, save in saves])
            try:
                await self._storage.request(question, actors.DirectSaved)
            except (RequestRejectedError, ActorError) as error:
                for peer, _ in saves:
                    self.conversations.not_saved(peer)
                refused = problems.not_saved(error)
                return [refused if isinstance(r, actors.DirectSent) else r for r in replies]
            await self._enter(saves)
        return replies

    async def _compose(self, post: actors.SendDirect) -> actors.DirectSave:
        self.contacts.ensure(post.peer, 0)  # with the key that it told us, if it is connected
        talk = await self.conversations.of(post.peer)
        record = talk.compose(post.text, self._nick(), self._now_ms(), self._lifetime_ms)
        save = actors.DirectSave(record=record)
        if post.HasField("transfer"):
            save.transfer.CopyFrom(post.transfer)
            save.transfer.offer.transfer = record.id
            save.record.file.CopyFrom(save.transfer.offer)
        if self.contacts.seal_key(post.peer):
            with contextlib.suppress(SealError):  # it waits for a key that can be used
                envelope, save.record_sequence = self.envelopes.seal(post.peer, save.record)
                save.envelope.CopyFrom(envelope)
        return save

    async def _enter(self, saves: Sequence[tuple[str, actors.DirectSave]]) -> None:
        shown: dict[str, list[records.DirectRecord]] = {}
        for peer, save in saves:
            if save.HasField("envelope"):
                self.envelopes.remember(peer, save.record.id, save.envelope, save.record_sequence)
            self._add(Item(peer, save.record.id, save.record.expires_at_ms))
            shown.setdefault(peer, []).append(save.record)
        self.progress.written(len(saves))
        for peer, own in shown.items():
            await self.keep_contact(peer, chosen=True)
            name = self.contacts.label(peer)
            await self._ui.inform(actors.DirectArrived(peer=peer, name=name, records=own))
        self._on_work()

    def _add(self, item: Item) -> None:
        self._use_mailboxes(item.peer)
        self.outbox.add(item)

    def enter(self, item: Item) -> None:
        """Something that is no message is to be sent as well."""
        self._add(item)
        self._on_work()

    def _use_mailboxes(self, peer: str) -> None:
        """For strangers nobody is dialled and no mailbox visited, or anybody could have us knock anywhere: what they
        are owed goes out when they are connected, or the owner has answered them."""
        if self.contacts.is_chosen(peer):
            mailboxes = [peer_id.to_text(m.peer) for m in self.contacts.mailboxes(peer)]
            self.outbox.set_mailboxes(peer, mailboxes)

    async def keep_contact(self, peer: str, *, changed: bool = False, chosen: bool = False) -> None:
        """Somebody with whom messages are exchanged is a contact from then on, and one of the owner's choice
        when the owner writes."""
        now_ms = self._now_ms()
        contact = self.contacts.ensure(peer, 0)
        changed |= chosen and not contact.added
        contact.added |= chosen
        if changed:
            self._use_mailboxes(peer)
            self._ui.offer(actors.ContactChanged(peer=peer))
        if changed or now_ms - contact.last_message_ms > CONTACT_STALE_MS:
            contact.last_message_ms = now_ms
            await self.save_contact(contact)

    async def save_contact(self, contact: records.Contact) -> None:
        """A contact is no reason to hold up messages: a failing disk is logged, and it is saved another time."""
        try:
            await self._storage.request(actors.SaveContact(contact=contact), actors.Done)
        except (RequestRejectedError, ActorError) as error:
            log.warning("a contact was not saved: %s", error)

    async def learn_record(self, peer: str, record: wire.MailboxRecord) -> None:
        """Somebody says where mail for `peer` can be left. What waits may get further by it."""
        contact = self.contacts.get(peer)
        if contact is None or not self.contacts.learn_record(contact, record):
            return
        await self.save_contact(contact)
        self.chosen(peer)

    def chosen(self, peer: str) -> None:
        """The owner has chosen somebody, or it has told where mail for it goes."""
        self._use_mailboxes(peer)
        self._on_work()

    def work(self) -> None:
        """Something may be due: wake whoever sends."""
        self._on_work()

    # ---- handing out ----------------------------------------------------------------------------------

    async def parcels(self, route: Route, limit: int) -> list[Parcel]:
        """The next for a route, sealed; empty when nothing waits or the recipient's key is not known."""
        if not self.contacts.seal_key(route.peer) or not self.outbox.has_work(route):
            return []
        items = self.outbox.take(route, limit)
        parcels: list[Parcel] = []
        try:
            await self._tell(self.outbox.begun(items, self._now_ms()))
            await self._fetch(route.peer, items)
            found = [(item, self.envelopes.of(item)) for item in items]
            parcels = [Parcel(item, envelope) for item, envelope in found if envelope]
        except SealError as error:
            log.info("cannot seal for %s: %s", route.peer, error)
        finally:
            ready = {parcel.item.id for parcel in parcels}
            self.outbox.give_back(route, [item.id for item in items if item.id not in ready])
        return parcels

    async def _fetch(self, peer: str, items: Sequence[Item]) -> None:
        """What the store does not have any more was finished by somebody else meanwhile."""
        missing = [item.id for item in items if item.is_message and self.envelopes.of(item) is None]
        if missing:
            for lost in await self.envelopes.fetch(peer, missing):
                self.outbox.forget(peer, lost)

    # ---- results --------------------------------------------------------------------------------------

    async def settle(self, changes: Sequence[Change]) -> None:
        """Keep what has changed, then tell it."""
        for change in changes:
            if change.item.receipts is not None and change.finished:
                await self._settle_receipts(change.item.receipts)
            if change.item.note is not None and change.finished:
                await self.notes.settled(change)
        own = [change for change in changes if change.item.is_message]
        if not own:
            return
        self._note_told(own)
        changed = await self._keep(own)
        await self._tell(self.progress.news(own, changed, self._now_ms()))

    async def _keep(self, changes: Sequence[Change]) -> Sequence[bool]:
        """A state that cannot be saved is true all the same: after a restart it is found out again."""
        update = actors.UpdateOutbox(
            updates=[
                actors.OutboxUpdate(
                    peer=c.item.peer,
                    id=c.item.id,
                    delivery=lasting(c.delivery),
                    finished=c.finished,
                )
                for c in changes
            ]
        )
        try:
            return (await self._storage.request(update, actors.OutboxUpdated)).changed
        except (RequestRejectedError, ActorError) as error:
            log.warning("delivery states were not saved: %s", error)
            return [True] * len(changes)

    async def _tell(self, changes: Sequence[Change]) -> None:
        """As it stands now: two links may have come further while each waited for the disk."""
        now_ms = self._now_ms()
        by_peer: dict[str, list[actors.DeliveryChange]] = {}
        for change in changes:
            now = self.outbox.delivery_of(change.item, now_ms)
            if change.item.alteration:
                self._tell_of_alteration(change.item.peer, now)
                continue
            one = actors.DeliveryChange(id=change.item.id, delivery=now)
            by_peer.setdefault(change.item.peer, []).append(one)
        for peer, some in by_peer.items():
            name = self.contacts.label(peer)
            told = actors.DeliveriesChanged(peer=peer, name=name, changes=some)
            await self._ui.inform(told)
            await self.notes.pass_on(told)

    def _tell_of_alteration(self, peer: str, now: records.Delivery) -> None:
        """Only what went wrong: the message that it is about has marks of its own."""
        if now.stage in (records.REFUSED, records.EXPIRED):
            name = self.contacts.label(peer)
            self.warn(f"{name} has not got your change of an earlier message. {now.reason}".strip())

    def _note_told(self, changes: Iterable[Change]) -> None:
        """Who has read a message with our record inside need not be sent it again."""
        for change in changes:
            if change.finished:
                has_it = change.delivery.stage >= records.DELIVERED
                self.envelopes.finished(change.item.peer, change.item.id, has_it=has_it)

    async def _settle_receipts(self, settled: actors.PeerReceipts) -> None:
        try:
            await self._storage.request(actors.SettleReceipts(receipts=settled), actors.Done)
        except (RequestRejectedError, ActorError) as error:
            log.warning("receipts will be sent again: %s", error)

    def warn(self, text: str) -> None:
        """Say something to the owner that no command asked for."""
        self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=text))

    # ---- receipts and time ----------------------------------------------------------------------------

    def post_due_receipts(self) -> None:
        now_ms = self._now_ms()
        for batch in self.receipts.due(trio.current_time()):
            message_id = uuid7.make(now_ms, self._randomness(10))
            expires = now_ms + RECEIPTS_LIFETIME_MS
            self._add(Item(batch.peer, message_id, expires, receipts=batch))

    async def explain(self, peer: str) -> None:
        """Say why what waits for `peer` is nowhere yet: it cannot be reached, and no mailbox took it."""
        name, mailboxes = self.contacts.label(peer), self.outbox.mailboxes(peer)
        if not mailboxes:
            reason = f"{name} cannot be reached now, and has no mailbox that you know of; it is tried again."
        elif not self.contacts.seal_key(peer):
            reason = (
                f"The key of {name} is not known yet: neither {name} nor a mailbox was reached."
            )
        else:
            reason = f"Neither {name} nor a mailbox can be reached now; it is tried again."
        await self.settle(self.outbox.explain(peer, reason, self._now_ms()))

    async def mailbox_failed(self, mailbox: str) -> None:
        """A mailbox could not be reached."""
        for peer in self.outbox.peers():
            if mailbox in self.outbox.mailboxes(peer) and not self.courier.is_connected(peer):
                await self.explain(peer)

    async def expire(self) -> None:
        now_ms = self._now_ms()
        await self.settle(self.outbox.expire(now_ms) + self.outbox.lapse(now_ms))

    async def receipted(self, peer: str, heard: wire.Receipts) -> None:
        """The recipient says what it has and what was read. Raises what `ActorRef.request` raises when that
        could not be saved: then the receipts must come again.

        Of somebody to whom the owner never wrote there is nothing to hear.
        """
        if not self.contacts.is_chosen(peer):
            self.counters["receipts_ignored"] += 1
            return
        stages = ((heard.delivered, records.DELIVERED), (heard.read, records.READ))
        now_ms = self._now_ms()
        updates = [
            actors.OutboxUpdate(
                peer=peer,
                id=message_id,
                delivery=records.Delivery(stage=stage, changed_at_ms=now_ms),
                finished=True,
            )
            for ids, stage in stages
            for message_id in ids
        ]
        question = actors.UpdateOutbox(updates=updates)
        kept = await self._storage.request(question, actors.OutboxUpdated)
        changes = self.outbox.delivered(peer, heard.delivered, now_ms)
        changes += self.outbox.read(peer, heard.read, now_ms)
        self._note_told(changes)
        await self._tell(self.progress.news(changes, kept.changed, now_ms))
