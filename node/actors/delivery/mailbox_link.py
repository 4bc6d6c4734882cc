"""Keeps a session with one mailbox for as long as it is needed: one of the owner's for ever."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.delivery import archive_requests
from p2pchat.node.actors.delivery.incoming import Incoming
from p2pchat.node.actors.delivery.mailbox_session import MailboxSession
from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import (
    ActorError,
    P2pchatError,
    RequestRejectedError,
    StreamError,
    one_error,
)
from p2pchat.node.ports import Network
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.limits import MAILBOX_PROTOCOL
from p2pchat.node.protocol.outbox import Route
from p2pchat.node.protocol.own_mailboxes import OwnMailboxes
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox

log = logging.getLogger(__name__)

RETRY = Backoff(first=1.0, most=120.0)  # seconds
ASK_AGAIN = 60.0  # seconds until a mailbox that refused is asked again ...
ASK_SOON = 5.0  # ... one that asks for patience
RESET_TIMEOUT = 0.2  # seconds to give a stream up
STEADY = 60.0  # seconds of a session after which the next failure is the first one again

_WHY = {
    mailbox.FULL: "It takes no more people.",
    mailbox.BLOCKED: "It has blocked you.",
    mailbox.BAD_INVITE: "It wants an invite, and this link has none, or one that is unknown, used up or taken back.",
    mailbox.NOT_REGISTERED: "It does not know you (any more).",
    mailbox.MALFORMED: "It does not understand this version of p2pchat.",
    mailbox.RATE_LIMITED: "It asks for patience.",
}
_FINAL = frozenset({mailbox.BLOCKED, mailbox.BAD_INVITE, mailbox.NOT_REGISTERED})


class MailboxLink:
    """`status` says how it stands, in words where there is a problem."""

    def __init__(
        self,
        peer: str,
        *,
        network: Network,
        transport: ActorRef,
        outgoing: Outgoing,
        incoming: Incoming,
        own: OwnMailboxes,
        addresses: Callable[[], list[str]],
        on_agreed: Callable[[str], Awaitable[None]],
        on_turned_away: Callable[[str], Awaitable[None]],
        on_left: Callable[[str], Awaitable[None]],
        on_unreachable: Callable[[str], Awaitable[None]],
        now_ms: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self.status = actors.MailboxStatus(peer=peer)
        self.quiet = False  # whoever waits for `settled` tells the owner what came out
        self.settled = trio.Event()  # the first attempt has come to a result
        self.refusal = mailbox.REFUSAL_UNSPECIFIED
        self._peer = peer
        self._network = network
        self._transport = transport
        self._outgoing = outgoing
        self._incoming = incoming
        self._own = own
        self._addresses = addresses
        self._on_agreed = on_agreed
        self._on_turned_away = on_turned_away
        self._on_left = on_left
        self._on_unreachable = on_unreachable
        self._now_ms = now_ms
        self._rng = rng
        self._session: MailboxSession | None = None
        self._moved = False  # since this visit began, the mailbox has got a better connection
        self._said = ""  # the refusal that the owner has heard of
        self._bell = Bell()
        self._record = Bell()
        self._scope = trio.CancelScope()

    def record_changed(self) -> None:
        """The own record is another one: the mailbox is to know."""
        self._record.ring()

    def wake(self) -> None:
        """There is something to leave here."""
        if self._session is not None:
            self._session.wake()

    def seen(self) -> None:
        """The mailbox has connected by itself: there is no reason to wait any longer."""
        self._bell.ring()

    def moved(self) -> None:
        """There is a better connection: the next visit goes over it, as soon as this one has come to a clean end."""
        self._moved = True
        if self._session is not None:
            self._session.moved()

    async def archive(self, room: str, *, stop: bool) -> actors.ArchiveStatus.Answer:
        """Ask the mailbox to archive a room, or no longer. It must be connected and have registered us."""
        if self._session is None:
            return archive_requests.problem_at(self._peer, archive_requests.NOT_CONNECTED)
        if not self.status.registered:
            return archive_requests.problem_at(self._peer, archive_requests.NOT_REGISTERED)
        return await self._session.archive(room, stop=stop)

    def cancel(self) -> None:
        self._scope.cancel()

    async def run(self) -> None:
        with self._scope:
            failures = 0
            while True:
                began = trio.current_time()
                try:
                    with one_error():
                        await self._visit()
                    if not self._is_own() and not self._moved:
                        return
                except (StreamError, RequestRejectedError, ActorError) as error:
                    if not self._moved:
                        steady = trio.current_time() - began > STEADY
                        failures = 1 if steady else failures + 1
                        await self._unreachable(error)
                if not self._is_own() and not self._has_work():
                    return
                if not self._moved:
                    await self._rest(failures)

    def _is_own(self) -> bool:
        return self._peer in self._own

    def _has_work(self) -> bool:
        outbox = self._outgoing.outbox
        return any(outbox.has_work(Route(peer, self._peer)) for peer in outbox.peers())

    async def _unreachable(self, error: P2pchatError) -> None:
        log.info("no session with mailbox …%s: %s", peer_id.short(self._peer), error)
        self.status.problem = f"It cannot be reached: {error}"
        self.status.connected = self.status.collecting = False
        await self._on_unreachable(self._peer)
        self.settled.set()
        await self._outgoing.mailbox_failed(self._peer)

    async def _rest(self, failures: int) -> None:
        """A mailbox that comes by itself is taken at once, but not faster than it can fail."""
        delay = RETRY.delay(max(failures, 1), self._rng)
        shortest = min(delay, RETRY.first)
        await trio.sleep(shortest)
        await self._bell.wait_until(trio.current_time() + delay - shortest)

    async def _visit(self) -> None:
        self._moved = False
        connect = actors.Connect(peer=self._peer, addresses=self._addresses())
        await self._transport.request(connect, actors.Done)
        stream = await self._network.open_stream(self._peer, MAILBOX_PROTOCOL)
        self._session = MailboxSession(
            self._peer,
            stream,
            self._outgoing,
            self._incoming,
            now_ms=self._now_ms,
            on_registered=self._registered,
            on_refused=self._refused,
            on_leaving=self._leaving,
        )
        self.status.connected = True
        self.status.collecting = False
        self.status.problem = ""
        if self._moved:
            self._session.moved()  # this stream may still be one over the old connection
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._introduce, self._session)
                await self._session.run(lasting=self._is_own)
                nursery.cancel_scope.cancel()
            await stream.close()
        except BaseException:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + RESET_TIMEOUT):
                await stream.reset()
            raise
        finally:
            self._session = None
            if not self._moved:  # else it is there, and visited again at once
                self.status.connected = self.status.collecting = False

    async def _introduce(self, session: MailboxSession) -> None:
        """Say what the mailbox is to us, and again whenever that or the record has changed."""
        while True:
            record = self._outgoing.envelopes.own_record
            if record is not None and self._own.is_leaving(self._peer):
                await session.unregister(record)
                await self._collect(session)
            elif record is not None and self._is_own():
                entry = self._own.get(self._peer)
                await session.register(entry.token, record)
                if entry.registered:
                    await self._collect(session)
            await self._until_to_be_said_again()

    async def _until_to_be_said_again(self) -> None:
        """The record is another one, or it is time to ask a mailbox that has refused once more."""
        said, looks = trio.current_time(), 1
        while not await self._record.wait_until(said + looks * ASK_SOON):
            pause = ASK_SOON if self.refusal == mailbox.RATE_LIMITED else ASK_AGAIN
            if not self.status.registered and looks * ASK_SOON >= pause:
                return
            looks += 1

    async def _collect(self, session: MailboxSession) -> None:
        if not session.collecting:
            await session.collect()
            self.status.collecting = True

    async def _leaving(self) -> None:
        """Done when everything is collected, and those who know only this mailbox are led to another one."""
        session, record = self._session, self._outgoing.envelopes.own_record
        if session is None or record is None or not self._own.is_leaving(self._peer):
            return
        if session.caught_up and session.unregistered and record.mailboxes:
            await self._on_left(self._peer)

    async def _registered(self, terms: mailbox.Registered) -> None:
        self.status.registered = True
        self.refusal = mailbox.REFUSAL_UNSPECIFIED
        self.status.problem = self._said = ""
        self.status.quota_bytes = terms.quota_bytes
        self.status.quota_count = terms.quota_count
        self.status.retention_ms = terms.retention_ms
        if self._session is not None:
            await self._collect(self._session)
        await self._on_agreed(self._peer)
        self.settled.set()

    async def _refused(self, refused: mailbox.Refused) -> None:
        self.status.registered = False
        if refused.request == mailbox.Refused.COLLECT and self._session is not None:
            self._session.collecting = self.status.collecting = False
        if self._own.is_leaving(self._peer):
            if refused.reason == mailbox.NOT_REGISTERED:  # then nothing of ours is there
                await self._on_left(self._peer)
            return
        before = self._said
        self._said = self.status.problem = _WHY.get(
            refused.reason, "It refuses, and this version does not know why."
        )
        self.refusal = refused.reason
        if not self.quiet and self._said != before:
            self._outgoing.warn(
                f"Your mailbox …{peer_id.short(self._peer)} refuses. {self.status.problem}"
            )
        if refused.reason in _FINAL:
            await self._on_turned_away(self._peer)
        self.settled.set()
