"""To one mailbox: mail is left there for others, and, at one of the owner's, collected."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.delivery.archive_requests import ArchiveRequests
from p2pchat.node.actors.delivery.deliver_link import frames_of
from p2pchat.node.actors.delivery.incoming import Incoming
from p2pchat.node.actors.delivery.outgoing import Outgoing, Parcel
from p2pchat.node.errors import ActorError, StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import custody, peer_id
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.limits import (
    CLOCK_GRACE_MS,
    FRAME_LIMIT,
    MAX_BATCH,
    MAX_WINDOW,
    WINDOW,
)
from p2pchat.node.protocol.outbox import Change, Route
from p2pchat.node.runtime.mailbox import ReplySlot
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

REPLY_TIMEOUT = 30.0  # seconds until a mailbox that does not answer is taken for dead
MOVE_TIMEOUT = 5.0  # seconds to finish what is under way; a needless circuit lives `RETIRE_AFTER`, which is longer
IDLE = 30.0  # seconds without work until the stream to somebody else's mailbox is closed
MAX_DETAIL = 200  # characters of a mailbox's own words
PAUSE, LONGEST_PAUSE = 1.0, 600.0  # seconds to leave a recipient's queue alone that is full

# Trying again changes nothing about these.
_FOR_GOOD = {
    mailbox.TOO_LARGE: "it is too large for the mailbox",
    mailbox.EXPIRED: "the mailbox says that its time is over",
    mailbox.UNKNOWN_RECIPIENT: "the mailbox does not know the recipient (any more)",
    mailbox.BLOCKED: "the mailbox has blocked you",
    mailbox.MALFORMED: "the mailbox does not understand it",
}


class MailboxSession:
    """One stream to a mailbox, from opening to end."""

    def __init__(
        self,
        peer: str,
        stream: Stream,
        outgoing: Outgoing,
        incoming: Incoming,
        *,
        now_ms: Callable[[], int],
        on_registered: Callable[[mailbox.Registered], Awaitable[None]],
        on_refused: Callable[[mailbox.Refused], Awaitable[None]],
        on_leaving: Callable[[], Awaitable[None]],
    ) -> None:
        """The callbacks get what becomes of `register` and `collect`, and hear that leaving has come further."""
        self._peer = peer
        self._stream = stream
        self._outgoing = outgoing
        self._incoming = incoming
        self._now_ms = now_ms
        self._on_registered = on_registered
        self._on_refused = on_refused
        self._on_leaving = on_leaving
        self._writing = trio.Lock()
        self._bell = Bell()
        self._answers = Bell()
        self._deposited: dict[
            bytes, tuple[Route, bytes]
        ] = {}  # envelope id -> where from, message id
        self._resume: dict[Route, float] = {}
        self._looked_up: set[str] = set()
        self._asked_at = 0.0
        self._expecting = 0  # answers to Register and Lookup
        self._taking_in = False  # a reply is being looked into, and perhaps on its way to the disk
        self._moved = trio.Event()
        self.collecting = False
        self.caught_up = False  # everything that was there has been collected
        self.unregistered = False  # the mailbox has understood the newest `unregister`
        # As many as a window may hold: reading must never wait for writing, or both sides wait for each other.
        self._send_acks, self._acks = trio.open_memory_channel[tuple[ReplySlot, list[bytes]]](
            MAX_WINDOW
        )
        self._unacknowledged = 0
        self._archiving = ArchiveRequests()

    def wake(self) -> None:
        self._bell.ring()

    def moved(self) -> None:
        """There is a better connection: what is under way is finished on this stream, then it ends."""
        self._moved.set()
        self._bell.ring()

    async def run(self, *, lasting: Callable[[], bool]) -> None:
        """Until there is nothing to do, unless it is `lasting`, or it has moved. Raises `StreamError`."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                nursery.start_soon(self._acknowledge)
                nursery.start_soon(self._watch_answers)
                nursery.start_soon(self._send_archive_requests)
                nursery.start_soon(self._limit_moving, nursery.cancel_scope)
                await self._deposit(lasting)
                nursery.cancel_scope.cancel()
        finally:
            self._archiving.end()
            for route, message_id in self._deposited.values():
                self._outgoing.outbox.give_back(route, [message_id])

    # ---- requests -------------------------------------------------------------------------------------

    async def register(self, token: str, record: wire.MailboxRecord) -> None:
        self._expect()
        await self._request(
            mailbox.MailboxRequest(register=mailbox.Register(token=token, record=record))
        )

    async def unregister(self, record: wire.MailboxRecord) -> None:
        """No more mail shall go there; the record leads others to where it shall go."""
        self.unregistered = False
        await self._request(mailbox.MailboxRequest(unregister=mailbox.Unregister(record=record)))

    async def collect(self) -> None:
        self.collecting = True
        await self._request(mailbox.MailboxRequest(collect=mailbox.Collect(window=MAX_WINDOW)))

    async def archive(self, room: str, *, stop: bool) -> actors.ArchiveStatus.Answer:
        """What the mailbox says to that, or why it says nothing."""
        return await self._archiving.ask(self._peer, mailbox.Archive(room=room, stop=stop))

    async def _send_archive_requests(self) -> None:
        while True:
            wish = await self._archiving.next()
            await self._request(mailbox.MailboxRequest(archive=wish))

    async def _look_up(self, peers: Sequence[str]) -> None:
        """Ask once where mail for these can be left: what we know may be old."""
        for peer in peers:
            if peer not in self._looked_up:
                self._looked_up.add(peer)
                self._expect()
                question = mailbox.Lookup(peer=peer_id.from_text(peer))
                await self._request(mailbox.MailboxRequest(lookup=question))

    async def _request(self, *requests: mailbox.MailboxRequest) -> None:
        encoded = b"".join(frame(request.SerializeToString()) for request in requests)
        async with self._writing:
            await self._stream.write(encoded)
        self._bell.ring()  # for whoever waits for the end of what is under way

    def _expect(self) -> None:
        self._expecting += 1
        self._asked()

    def _asked(self) -> None:
        self._asked_at = trio.current_time()
        self._answers.ring()

    # ---- deposits -------------------------------------------------------------------------------------

    async def _deposit(self, lasting: Callable[[], bool]) -> None:
        idle_since = trio.current_time()
        while not self._moved.is_set():
            now = trio.current_time()
            peers = self._served(now)
            if peers:
                idle_since = now
                await self._look_up(peers)
            if await self._deposit_some(peers, now):
                continue
            if not self._deposited and not lasting() and now - idle_since >= IDLE:
                return
            await self._bell.wait_until(self._next_look(now, peers))
        while self._is_busy():
            await self._bell.wait()

    def _is_busy(self) -> bool:
        """Something is under way, in whichever direction."""
        owed = self._deposited or self._expecting or self._archiving.is_waiting
        return bool(owed or self._unacknowledged or self._taking_in or self._writing.locked())

    async def _limit_moving(self, session: trio.CancelScope) -> None:
        """What is not answered by then is sent once more, over the better connection; mailboxes know such copies."""
        await self._moved.wait()
        await trio.sleep(MOVE_TIMEOUT)
        session.cancel()

    def _served(self, now: float) -> list[str]:
        """The recipients for whom something may be left here now."""
        outgoing = self._outgoing
        return [
            peer
            for peer in outgoing.outbox.peers()
            if self._peer in outgoing.outbox.mailboxes(peer)
            and outgoing.courier.may_use_mailboxes(peer, now)
            and outgoing.outbox.has_work(Route(peer, self._peer))
        ]

    def _next_look(self, now: float, peers: Sequence[str]) -> float:
        pauses = [
            until for peer in peers if (until := self._resume.get(Route(peer, self._peer), 0)) > now
        ]
        return min([now + IDLE, *pauses])

    async def _deposit_some(self, peers: Sequence[str], now: float) -> bool:
        """Whether anything was sent."""
        sent = False
        for peer in peers:
            route = Route(peer, self._peer)
            room = WINDOW - len(self._deposited)
            if room < MAX_BATCH or self._resume.get(route, 0.0) > now:
                continue
            parcels = await self._outgoing.parcels(route, MAX_BATCH)
            if parcels:
                await self._send(route, parcels)
                sent = True
        return sent

    async def _send(self, route: Route, parcels: Sequence[Parcel]) -> None:
        requests = []
        for batch in frames_of(parcels):
            for parcel in batch:
                self._deposited[envelope_id(parcel.envelope)] = (route, parcel.item.id)
            deposit = mailbox.Deposit(envelopes=[parcel.envelope for parcel in batch])
            requests.append(mailbox.MailboxRequest(deposit=deposit))
        self._asked()
        await self._request(*requests)

    async def _watch_answers(self) -> None:
        """A mailbox that owes answers and gives none is as good as gone."""
        while True:
            while not self._deposited and not self._expecting:
                await self._answers.wait()
            await trio.sleep_until(self._asked_at + REPLY_TIMEOUT)
            owes = self._deposited or self._expecting
            if owes and trio.current_time() >= self._asked_at + REPLY_TIMEOUT:
                raise StreamError(f"no answer within {REPLY_TIMEOUT:g} s")

    # ---- replies --------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            reply = _parse(await self._stream.read_frame(FRAME_LIMIT))
            self._asked_at = trio.current_time()
            self._taking_in = True
            await self._take_in(reply)
            self._taking_in = False
            self._bell.ring()

    async def _take_in(self, reply: mailbox.MailboxReply) -> None:
        match reply.WhichOneof("reply"):
            case "custody":
                await self._custody(reply.custody)
            case "refused":
                await self._refused(reply.refused)
            case "hand_over":
                await self._handed_over(reply.hand_over)
            case "registered":
                self._expecting = max(0, self._expecting - 1)
                await self._on_registered(reply.registered)
            case "caught_up":
                self.caught_up = True
                await self._on_leaving()
            case "unregistered":
                self.unregistered = True
                await self._on_leaving()
            case "archived":
                self._archive_answered(reply.archived)
            case "found":
                self._expecting = max(0, self._expecting - 1)
                await self._found(reply.found)

    async def _custody(self, given: mailbox.Custody) -> None:
        if not custody.verify(given, peer_id.from_text(self._peer)):
            raise StreamError("a custody receipt with a bad signature")
        now_ms = self._now_ms()
        until = dict(zip(given.ids, given.stored_until_ms, strict=True))
        over = [one for one in given.ids if until[one] + CLOCK_GRACE_MS < now_ms]
        await self._settle_over(over)
        changes: list[Change] = []
        kept = {key: self._deposited[key][1] for key in given.ids if key in self._deposited}
        by_message = {message_id: until[key] for key, message_id in kept.items()}
        for route, ids in self._answered(given.ids).items():
            changes += self._outgoing.outbox.stored(route, ids, now_ms, by_message)
        await self._outgoing.settle(changes)

    async def _settle_over(self, ids: Sequence[bytes]) -> None:
        """A promise for a time that has passed is none."""
        changes: list[Change] = []
        for route, some in self._answered(ids).items():
            self._resume[route] = trio.current_time() + LONGEST_PAUSE
            reason = (
                "The recipient's mailbox keeps nothing for longer than a moment; it is tried again."
            )
            changes += self._outgoing.outbox.put_off(route, some, reason, self._now_ms())
        await self._outgoing.settle(changes)

    def _archive_answered(self, answer: mailbox.Archived | mailbox.Refused) -> None:
        if not self._archiving.answered(answer):
            raise StreamError("an answer about a room that nobody asked about")

    async def _refused(self, refused: mailbox.Refused) -> None:
        if refused.request == mailbox.Refused.ARCHIVE:
            self._archive_answered(refused)
            return
        if refused.request != mailbox.Refused.DEPOSIT:
            if refused.request == mailbox.Refused.REGISTER:
                self._expecting = max(0, self._expecting - 1)
            await self._on_refused(refused)
            return
        changes: list[Change] = []
        for route, ids in self._answered(refused.ids).items():
            changes += self._refusal(route, ids, refused)
        await self._outgoing.settle(changes)

    def _refusal(self, route: Route, ids: list[bytes], refused: mailbox.Refused) -> list[Change]:
        name = mailbox.Refusal.Name(refused.reason).lower() if refused.reason <= 9 else "unknown"
        self._outgoing.counters[f"deposits_{name}"] += len(ids)
        outbox, now_ms = self._outgoing.outbox, self._now_ms()
        if why := _FOR_GOOD.get(refused.reason):
            return outbox.refused(route, ids, f"A mailbox refuses it: {why}.", now_ms)
        seconds = min(max(refused.retry_after_ms / 1000, PAUSE), LONGEST_PAUSE)
        self._resume[route] = trio.current_time() + seconds
        what = refused.detail[:MAX_DETAIL] or "It cannot take it now."
        reason = f"The recipient's mailbox says: {what} It is tried again."
        return outbox.put_off(route, ids, reason, now_ms)

    def _answered(self, ids: Sequence[bytes]) -> dict[Route, list[bytes]]:
        found: dict[Route, list[bytes]] = {}
        for one in ids:
            if known := self._deposited.pop(one, None):
                found.setdefault(known[0], []).append(known[1])
        return found

    async def _found(self, found: mailbox.Found) -> None:
        if found.HasField("record") and found.record.peer == found.peer:
            await self._outgoing.learn_record(peer_id.to_text(found.peer), found.record)

    # ---- collecting -----------------------------------------------------------------------------------

    async def _handed_over(self, handed: mailbox.HandOver) -> None:
        if not self.collecting or not 0 < len(handed.envelopes) <= MAX_BATCH:
            raise StreamError("handed over what nobody asked for")
        self._unacknowledged += len(handed.envelopes)
        if self._unacknowledged > MAX_WINDOW:
            raise StreamError("handed over more than the window")
        ids = [envelope_id(envelope) for envelope in handed.envelopes]
        slot = await self._incoming.spool(handed.envelopes)
        await self._send_acks.send((slot, ids))

    async def _acknowledge(self) -> None:
        """Each batch once it is on the disk here; the mailbox deletes it then."""
        async for slot, ids in self._acks:
            try:
                answer = await slot.wait()
            except ActorError as error:
                raise StreamError(f"what was handed over could not be kept: {error}") from error
            if not isinstance(answer, actors.Done):
                # Not acknowledged, so it is handed over again with the next session.
                raise StreamError("what was handed over could not be kept")
            self._incoming.spool_kept()
            self._unacknowledged -= len(ids)
            await self._request(mailbox.MailboxRequest(ack=mailbox.Ack(ids=ids)))


def _parse(body: bytes) -> mailbox.MailboxReply:
    try:
        return mailbox.MailboxReply.FromString(body)
    except Exception as error:
        raise StreamError("not a MailboxReply") from error
