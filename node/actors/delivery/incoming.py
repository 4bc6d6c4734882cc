"""The receiving half: opens, keeps, shows, and owes receipts for what came by way of a mailbox."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.delivery.altering import Altering
from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.errors import (
    ActorError,
    RequestRejectedError,
    StreamError,
)
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import conversation, file_notes, file_transfer, peer_id
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.protocol.envelope import EnvelopeRefusedError, Opened, Opener, envelope_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.limits import FRAME_LIMIT, MAX_BATCH
from p2pchat.node.protocol.strangers import MAX_STRANGERS, Strangers
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.node.runtime import ActorRef
from p2pchat.node.runtime.mailbox import ReplySlot
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

FRAMES_IN_HAND = 4  # frames of one stream that wait for their synced write; reading stops meanwhile
# Before other tasks get their turn: 1 ms. Handing over takes many turns for a frame, and goes on meanwhile; with 16 it
# was up to a third slower.
OPENS_AT_ONCE = 4
SPOOL_PAGE = 128  # sealed envelopes read from the store at once
RETRY = 5.0  # seconds until a store that failed is tried again
STRANGER_RATE, STRANGER_BURST = (
    100.0,
    1000.0,
)  # envelopes a second from somebody the owner did not choose
FRIEND_RATE, FRIEND_BURST = 20_000.0, 40_000.0  # and from a contact
BUCKETS = 1024  # peers whose rate is remembered


@dataclass(slots=True)
class _Batch:
    """What was in one frame, or in one page of the spool."""

    verdicts: list[wire.Verdict] = field(default_factory=list)
    saves: list[actors.DirectSave] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)  # of `saves`
    receipts: list[tuple[str, wire.Receipts]] = field(default_factory=list)
    notes: list[actors.FileNoteHeard] = field(default_factory=list)  # about files
    done: list[bytes] = field(default_factory=list)  # spooled envelopes of which nothing is kept


class Incoming:
    """Both ways in: streams of senders themselves, and the spool of what mailboxes handed over."""

    def __init__(
        self,
        *,
        opener: Opener,
        storage: ActorRef,
        ui: ActorRef,
        contacts: ContactBook,
        outgoing: Outgoing,
        altering: Altering,
        now_ms: Callable[[], int],
        files: ActorRef | None = None,
    ) -> None:
        """`files` hears of offered files and of notes about them; without it they are passed over."""
        self.counters: Counter[str] = Counter()
        self.received = 0  # messages, saved here
        self._files = files
        self._opener = opener
        self._storage = storage
        self._ui = ui
        self._contacts = contacts
        self._outgoing = outgoing
        self._altering = altering
        self._now_ms = now_ms
        self._spooled = Bell()
        self._buckets: dict[str, TokenBucket] = {}
        self._strangers = Strangers(trio.current_time())
        self._over = False  # whoever comes now has to try again with the next incarnation
        self._scopes: set[trio.CancelScope] = set()  # of the streams being served

    # ---- from the sender itself -----------------------------------------------------------------------

    async def serve(self, stream: Stream) -> None:
        """One sender's stream: frames are answered in order, each after its synced write.

        What is on its way to the disk when the stream breaks is shown all the same: it comes again as a duplicate only.
        """
        send, pending = trio.open_memory_channel[tuple[_Batch, ReplySlot | None]](FRAMES_IN_HAND)
        if self._over:
            raise StreamError("the delivery part of the node has stopped")
        scope = trio.CancelScope()
        self._scopes.add(scope)
        broken: StreamError | None = None
        try:
            with scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._answer, stream, pending)
                    async with send:
                        try:
                            while (body := await _next_frame(stream)) is not None:
                                batch = await self._open_frame(stream.peer, body)
                                await send.send((batch, await self._post(batch)))
                        except StreamError as error:
                            broken = error
        finally:
            self._scopes.discard(scope)
        if scope.cancel_called:
            raise StreamError("the delivery part of the node has stopped")
        if broken is not None:
            raise broken

    async def _open_frame(self, peer: str, body: bytes) -> _Batch:
        """Raises `StreamError` for what no sender sends."""
        try:
            envelopes = wire.Deliver.FromString(body).envelopes
        except Exception as error:  # protobuf's own, or one of text that is no text
            self.counters["malformed_frames"] += 1
            raise StreamError("not a Deliver frame") from error
        if not 0 < len(envelopes) <= MAX_BATCH:
            self.counters["malformed_frames"] += 1
            raise StreamError(f"a frame with {len(envelopes)} envelopes")
        batch = _Batch()
        for number, envelope in enumerate(envelopes):
            if number % OPENS_AT_ONCE == OPENS_AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
            self._open(batch, envelope, peer)
        return batch

    def _open(self, batch: _Batch, envelope: wire.Envelope, by: str) -> None:
        """Into the batch; `by` is who brought it, empty for a mailbox."""
        if by and not self._may(by):
            self.counters["rate_limited"] += 1
            batch.verdicts.append(wire.TRY_LATER)
            return
        spooled = b"" if by else envelope_id(envelope)
        try:
            # What a mailbox handed over is gone there: it is opened however late our clock says it is.
            opened = self._opener.open(envelope, self._now_ms() if by else 0)
        except EnvelopeRefusedError as error:
            name = wire.Verdict.Name(error.verdict).lower()
            self.counters[f"envelopes_{name}"] += 1
            log.info("an envelope was refused: %s", error)
            batch.verdicts.append(error.verdict)
            if spooled:
                batch.done.append(spooled)
            return
        sender = peer_id.to_text(opened.sender)
        if self._is_unwanted(sender, opened.content):
            batch.verdicts.append(wire.BLOCKED)
            if spooled:
                batch.done.append(spooled)
            return
        if by and not self._hears(sender):
            self.counters["strangers_limited"] += 1
            batch.verdicts.append(wire.TRY_LATER)
            return
        batch.verdicts.append(wire.ACCEPTED)
        if opened.content.HasField("receipts"):
            batch.receipts.append((sender, opened.content.receipts))
            batch.opened.append(opened)
            if spooled:
                batch.done.append(spooled)
            return
        name = self._contacts.label(sender)
        if note := file_notes.heard(sender, name, opened.content):
            batch.notes.append(note)
            batch.opened.append(opened)
            if spooled:
                batch.done.append(spooled)
            return
        record = conversation.record_of(opened.sender, opened.content, self._now_ms())
        # A sender hears from the answer on its own stream that the message has arrived.
        due = sender != by
        save = actors.DirectSave(record=record, receipt_due=due, spooled=spooled)
        if record.HasField("file"):
            save.transfer.CopyFrom(file_transfer.received(record))
        batch.saves.append(save)
        batch.opened.append(opened)

    def _is_unwanted(self, sender: str, content: wire.Content) -> bool:
        """Whether the owner has blocked the sender. Receipts are heard: what waits for them comes to its end.

        The verdict is final, and the sender's message becomes "refused". Without an answer it would be tried for a
        month, and an "accepted" would be a lie about a message that nobody is going to read. What a mailbox hands over
        is dropped without a receipt: there the message stays "stored" until its time is over.
        """
        unwanted = self._contacts.is_blocked(sender) and not content.HasField("receipts")
        self.counters["blocked"] += unwanted
        return unwanted

    def _hears(self, sender: str) -> bool:
        chosen = self._contacts.is_chosen(sender)
        return chosen or self._strangers.allows(sender, trio.current_time())

    def _may(self, peer: str) -> bool:
        bucket = self._buckets.get(peer)
        now = trio.current_time()
        if bucket is None:
            friend = self._contacts.is_chosen(peer)
            rate = (FRIEND_RATE, FRIEND_BURST) if friend else (STRANGER_RATE, STRANGER_BURST)
            bucket = self._buckets[peer] = TokenBucket(*rate, now)
            while len(self._buckets) > BUCKETS:
                del self._buckets[next(iter(self._buckets))]
        return bucket.allows(now)

    def choice_changed(self, peer: str) -> None:
        """The owner has made somebody a contact, or no longer."""
        self._buckets.pop(peer, None)
        self._strangers.forget(peer)
        self._outgoing.chosen(peer)

    async def _post(self, batch: _Batch) -> ReplySlot | None:
        """Begin to save, so that the next frame is opened meanwhile."""
        if not batch.saves:
            return None
        return await self._storage.post(actors.SaveDirect(saves=batch.saves))

    async def _answer(
        self, stream: Stream, pending: trio.MemoryReceiveChannel[tuple[_Batch, ReplySlot | None]]
    ) -> None:
        is_whole = True
        async for batch, slot in pending:
            await self._finish(batch, slot)
            if is_whole:
                is_whole = await _told(stream, wire.DeliverAnswer(verdicts=batch.verdicts))

    async def _finish(self, batch: _Batch, slot: ReplySlot | None) -> None:
        """What could not be saved is worth another try, and the verdicts say so."""
        if slot is not None:
            try:
                answer: Message | None = await slot.wait()
            except ActorError as error:
                log.warning("messages were not saved: %s", error)
                answer = None
            if isinstance(answer, actors.DirectSaved):
                await self._saved(batch, answer)
            else:
                _try_later(batch)
        for sender, heard in batch.receipts:
            try:
                await self._outgoing.receipted(sender, heard)
            except (RequestRejectedError, ActorError) as error:
                log.warning("receipts were not saved: %s", error)
                _try_later(batch)
        try:
            await self._pass_on(batch)
        except (RequestRejectedError, ActorError) as error:
            log.warning("words about files were not taken: %s", error)
            _try_later(batch)
        await self._learn(batch)

    # ---- from mailboxes -------------------------------------------------------------------------------

    async def spool(self, envelopes: Sequence[wire.Envelope]) -> ReplySlot:
        """Begin to keep what a mailbox handed over, still sealed: opening takes ten times as long.

        When the slot is answered with Done, call `spool_kept`: the mailbox may forget them.
        """
        return await self._storage.post(actors.Spool(envelopes=envelopes))

    def spool_kept(self) -> None:
        self._spooled.ring()

    async def run(self) -> None:
        """Open and keep what is in the spool, until cancelled; then no stream is served any more."""
        try:
            await self._open_spool()
        finally:
            self._over = True
            for scope in self._scopes:
                scope.cancel()

    async def _open_spool(self) -> None:
        while True:
            try:
                while await self._open_page():
                    pass
            except (RequestRejectedError, ActorError) as error:
                log.warning("messages wait in the spool: %s", error)
                await trio.sleep(RETRY)
                continue
            await self._spooled.wait()

    async def _open_page(self) -> bool:
        """Whether there was anything. Raises when the store fails: then it stays in the spool."""
        question = actors.ReadSpool(limit=SPOOL_PAGE)
        page = await self._storage.request(question, actors.SpoolPage)
        batch = _Batch()
        for number, envelope in enumerate(page.envelopes):
            if number % OPENS_AT_ONCE == OPENS_AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
            self._open(batch, envelope, "")
        if batch.saves:
            question_ = actors.SaveDirect(saves=batch.saves)
            answer = await self._storage.request(question_, actors.DirectSaved)
            await self._saved(batch, answer)
        for sender, heard in batch.receipts:
            await self._outgoing.receipted(sender, heard)
        await self._pass_on(batch)
        await self._learn(batch)
        if batch.done:
            await self._storage.request(actors.DropSpooled(ids=batch.done), actors.Done)
        return bool(page.envelopes)

    # ---- what follows ---------------------------------------------------------------------------------

    async def _pass_on(self, batch: _Batch) -> None:
        """What is said about files. Raises what `ActorRef.request` raises: then it has to come again."""
        if self._files is not None:
            for note in batch.notes:
                await self._files.request(note, actors.Done)

    async def _offered(self, save: actors.DirectSave, peer: str) -> None:
        """If this is not heard, the transfer is there at the next start: it was saved with its message."""
        if self._files is None or not save.HasField("transfer"):
            return
        chosen, name = self._contacts.is_chosen(peer), self._contacts.label(peer)
        offer = actors.FileOffered(record=save.transfer, chosen=chosen, name=name)
        await self._files.inform(offer)

    async def _saved(self, batch: _Batch, saved: actors.DirectSaved) -> None:
        """Show what is new, and owe receipts, also for what came again: the sender has not heard yet."""
        now = trio.current_time()
        shown: dict[str, list[records.DirectRecord]] = {}
        fresh = saved.fresh
        altered = {save.record.id for save in compress(batch.saves, saved.altered)}
        for save, is_fresh in zip(batch.saves, fresh, strict=True):
            peer = peer_id.to_text(save.record.peer)
            if save.receipt_due:
                self._outgoing.receipts.delivered(peer, [save.record.id], now)
            if is_fresh:
                shown.setdefault(peer, []).append(save.record)
        for peer, fresh_records in shown.items():
            name = await self._name(peer, fresh_records[-1].nick)
            said = await self._altering.arrived(peer, fresh_records, altered)
            self.received += len(said)
            arrived = actors.DirectArrived(peer=peer, name=name, records=said)
            if said:
                await self._ui.inform(arrived)
            await self._outgoing.conversations.accepted(peer, fresh_records)
        for save, is_fresh in zip(batch.saves, fresh, strict=True):
            if is_fresh:
                await self._offered(save, peer_id.to_text(save.record.peer))
        self._outgoing.work()

    async def _name(self, peer: str, nick: str) -> str:
        if peer not in self._contacts and self._contacts.strangers >= MAX_STRANGERS:
            return nick  # kept and shown, but nobody to remember
        contact = self._contacts.ensure(peer, 0)
        changed = self._contacts.learn_nick(contact, nick)
        await self._outgoing.keep_contact(peer, changed=changed)
        return self._contacts.label(peer)

    async def _learn(self, batch: _Batch) -> None:
        """Senders say in their messages where to answer them."""
        for opened in batch.opened:
            if opened.content.HasField("record"):
                peer = peer_id.to_text(opened.sender)
                await self._outgoing.learn_record(peer, opened.content.record)


def _try_later(batch: _Batch) -> None:
    batch.verdicts = [wire.TRY_LATER if v == wire.ACCEPTED else v for v in batch.verdicts]


async def _told(stream: Stream, answer: wire.DeliverAnswer) -> bool:
    """Whether the sender could be answered; if not, nothing more is read from it either."""
    try:
        await stream.write(frame(answer.SerializeToString()))
    except StreamError:
        await stream.reset()
        return False
    return True


async def _next_frame(stream: Stream) -> bytes | None:
    try:
        return await stream.read_frame(FRAME_LIMIT)
    except StreamError:
        return None
