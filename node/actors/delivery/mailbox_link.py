"""Keeps a session with one mailbox for as long as it is needed: one of the owner's for ever."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

import trio

from p2pchat.node.actors.bell import Bell
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
from p2pchat.node.protocol.own_mailboxes import OwnMailboxes
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox

log = logging.getLogger(__name__)

RETRY = Backoff(first=1.0, most=120.0)  # seconds
ASK_AGAIN = 600.0  # seconds until a mailbox that refused is asked again
RESET_TIMEOUT = 0.2  # seconds to give a stream up
FAREWELL = 2.0  # seconds for a mailbox to hear that it is left
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
        self._now_ms = now_ms
        self._rng = rng
        self._session: MailboxSession | None = None
        self._bell = Bell()
        self._record = Bell()
        self._scope = trio.CancelScope()

    def record_changed(self) -> None:
        """The own record is another one: the mailbox is to know."""
        self._record.ring()

    def wake(self) -> None:
        """There is something to leave, or the mailbox is there (again)."""
        self._bell.ring()
        if self._session is not None:
            self._session.wake()

    async def farewell(self) -> None:
        """Tell the mailbox that we leave, as far as it can be reached: who still writes there shall hear it."""
        if self._session is not None:
            with trio.move_on_after(FAREWELL), contextlib.suppress(StreamError):
                await self._session.unregister()
        self.cancel()

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
                    if not self._is_own():
                        return
                except (StreamError, RequestRejectedError, ActorError) as error:
                    steady = trio.current_time() - began > STEADY
                    failures = 1 if steady else failures + 1
                    await self._unreachable(error)
                if not self._is_own() and not self._has_work():
                    return
                await self._rest(failures)

    def _is_own(self) -> bool:
        return self._peer in self._own

    def _has_work(self) -> bool:
        outbox = self._outgoing.outbox
        return any(self._peer in outbox.mailboxes(peer) for peer in outbox.peers())

    async def _unreachable(self, error: P2pchatError) -> None:
        log.info("no session with mailbox …%s: %s", peer_id.short(self._peer), error)
        self.status.problem = f"It cannot be reached: {error}"
        self.settled.set()
        await self._outgoing.mailbox_failed(self._peer)

    async def _rest(self, failures: int) -> None:
        """A mailbox that comes by itself is taken at once, but not faster than it can fail."""
        delay = RETRY.delay(max(failures, 1), self._rng)
        shortest = min(delay, RETRY.first)
        await trio.sleep(shortest)
        await self._bell.wait_until(trio.current_time() + delay - shortest)

    async def _visit(self) -> None:
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
        )
        self.status.connected = True
        self.status.problem = ""
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
            self.status.connected = self.status.collecting = False

    async def _introduce(self, session: MailboxSession) -> None:
        """Register at one of the owner's mailboxes, and again whenever the record has changed."""
        while True:
            if self._is_own() and (record := self._outgoing.envelopes.own_record) is not None:
                await session.register(self._own.get(self._peer).token, record)
            again = None if self.status.registered else trio.current_time() + ASK_AGAIN
            await self._record.wait_until(again)

    async def _registered(self, terms: mailbox.Registered) -> None:
        self.status.registered = True
        self.status.problem = ""
        self.status.quota_bytes = terms.quota_bytes
        self.status.quota_count = terms.quota_count
        self.status.retention_ms = terms.retention_ms
        if self._session is not None and not self._session.collecting:
            await self._session.collect()
            self.status.collecting = True
        await self._on_agreed(self._peer)
        self.settled.set()

    async def _refused(self, refused: mailbox.Refused) -> None:
        self.status.registered = self.status.collecting = False
        self.status.problem = _WHY.get(
            refused.reason, "It refuses, and this version does not know why."
        )
        self.refusal = refused.reason
        if self._session is not None:
            self._session.collecting = False
        if not self.quiet:
            self._outgoing.warn(
                f"Your mailbox …{peer_id.short(self._peer)} refuses. {self.status.problem}"
            )
        if refused.reason in _FINAL:
            await self._on_turned_away(self._peer)
        self.settled.set()
