"""The mailbox actor: keeps mail for registered peers and hands it over, on `/p2pchat/mailbox/1.0.0`.

Who a client is was proven by its connection: a stream registers, collects and acknowledges for its own peer only.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Sequence

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.errors import (
    P2pchatError,
    RequestRejectedError,
    StreamError,
)
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import limits, peer_id
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.relay_mailbox import refusal
from p2pchat.relay_mailbox.client import Client
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.deposit_desk import DepositDesk
from p2pchat.relay_mailbox.elsewhere import Elsewhere
from p2pchat.relay_mailbox.ports import Invites
from p2pchat.relay_mailbox.pseudonyms import Pseudonyms
from p2pchat.relay_mailbox.quota import Allowances
from p2pchat.relay_mailbox.refusal import Refusal
from p2pchat.relay_mailbox.registry import (
    FIRST_INVITE_LABEL,
    FIRST_INVITE_USES,
    NO_MORE_PEERS,
    Answer,
    OperatorError,
    Registry,
)
from p2pchat.relay_mailbox.tally import Tally

log = logging.getLogger(__name__)

SWEEP_EVERY = 60.0  # seconds between looks for mail whose time is over
SWEEP_SLICE = 1_000  # envelopes and tombstones deleted at a time, so that deposits come in between


class MailboxActor(Actor):
    """Owns the registry and the clients' streams. What must last is in the mail store before anybody hears of it."""

    def __init__(
        self,
        network: Network,
        config: MailboxConfig,
        *,
        key: Ed25519PrivateKey,
        storage: ActorRef,
        archive: ActorRef,
        now_ms: Callable[[], int],
        tally: Tally,
        randomness: Callable[[int], bytes] = os.urandom,
        invites: Invites | None = None,
    ) -> None:
        """`key` is the network's own. `storage` keeps mail, `archive` rooms; `now_ms` is the wall clock (Unix ms).

        `invites`: where they are kept; None: here.
        """
        self._network = network
        self._config = config
        self._storage = storage
        self._archive = archive
        self._now_ms = now_ms
        self._tally = tally
        self._randomness = randomness
        self._pseudonyms = Pseudonyms(randomness)
        allowed = [peer_id.from_text(peer) for peer in config.allowed_peers]
        self._registry = Registry(
            config.registration,
            allowed,
            config.max_registrations,
            keeps_invites=invites is None,
        )
        self._elsewhere = Elsewhere(self._registry, invites)
        self._changing = trio.Lock()  # one change of the registry after the other
        self._requests = Allowances(config.request_rate, config.request_burst)
        self._clients: dict[Client, None] = {}
        self._collecting: dict[bytes, Client] = {}  # by recipient
        self._desk = DepositDesk(
            config,
            self._registry,
            self._collecting,
            key=key,
            storage=storage,
            now_ms=now_ms,
            tally=tally,
        )
        self._is_serving = False

    async def started(self) -> None:
        stored = await self._storage.request(actors.ReadRegistry(), actors.RegistryRecords)
        self._registry.load(stored)
        if self._registry.needs_first_invite():
            with contextlib.suppress(RequestRejectedError):  # the operator can make one later
                first = self._new_invite(FIRST_INVITE_USES, FIRST_INVITE_LABEL)
                await self._change(lambda: first)
        self.spawn(self._desk.run, name="deposits")
        self.spawn(self._sweep, name="sweep")
        self.spawn(self._end_clients, name="clients")
        self._is_serving = True
        self._network.handle(limits.MAILBOX_PROTOCOL, self._serve)

    # ---- streams ----------------------------------------------------------------------------------

    async def _serve(self, stream: Stream) -> None:
        """Runs as a task of the network, not of this actor."""
        if not self._is_serving:
            raise StreamError("the mailbox is being restarted")
        client = Client(stream, self, self._storage, self._tally)
        open_now = sum(client.peer == other.peer for other in self._clients)
        if open_now >= self._config.max_streams_per_peer:
            self._tally.bite("max_streams_per_peer")
            raise StreamError("too many mailbox streams of one peer")
        self._clients[client] = None
        try:
            await client.run()
        finally:
            del self._clients[client]
            self._stop_collecting(client)

    async def _end_clients(self) -> None:
        """With this incarnation, its streams end: nobody would answer them."""
        try:
            await trio.sleep_forever()
        finally:
            self._is_serving = False
            for client in list(self._clients):
                client.reset()

    def collect(self, client: Client) -> Refusal | None:
        if self._registry.is_blocked(client.peer_bytes):
            return self._refused(refusal.BLOCKED)
        if not self._registry.hands_over_to(client.peer_bytes):
            return self._refused(refusal.NOT_REGISTERED)
        older = self._collecting.get(client.peer_bytes)
        self._collecting[client.peer_bytes] = client
        if older is not None and older is not client:
            self._tally.count("collects_superseded")
            older.reset()
        log.debug("%s collects", self._name_of(client))
        return None

    def _stop_collecting(self, client: Client) -> None:
        if self._collecting.get(client.peer_bytes) is client:
            del self._collecting[client.peer_bytes]

    async def admit(self, client: Client) -> None:
        now = trio.current_time()
        allowance = self._requests.of(client.peer, now)
        while not allowance.take(1, now):
            self._tally.bite("request_rate")
            await trio.sleep(allowance.wait_ms(1, now) / 1000)
            now = trio.current_time()

    def look_up(self, peer: bytes) -> mailbox.Found:
        return mailbox.Found(peer=peer, record=self._registry.record_of(peer))

    def now_ms(self) -> int:
        return self._now_ms()

    async def deposit(self, client: Client, deposit: mailbox.Deposit, size: int) -> None:
        await self._desk.take(client, deposit, size)

    def _refused(self, why: Refusal) -> Refusal:
        self._tally.refused(why)
        return why

    # ---- registration -----------------------------------------------------------------------------

    async def register(self, client: Client, request: mailbox.Register) -> mailbox.MailboxReply:
        # Not while the registry is locked: the answer comes from another process.
        why = await self._elsewhere.why_not(client.peer_bytes, request, self._now_ms())
        if why is not None:
            return self._not_registered(why)
        async with self._changing:
            try:
                answer = await self._admission(client, request)
                if isinstance(answer, actors.ChangeRegistry):
                    await self._store(answer)
            except RequestRejectedError:
                self._tally.count("disk_refusals")
                answer = refusal.DISK_FULL
        if isinstance(answer, Refusal):
            return self._not_registered(answer)
        if answer.HasField("registration"):
            log.info("%s has registered its record", self._name_of(client))
        registered = mailbox.Registered(
            quota_bytes=self._config.quota_bytes,
            quota_count=self._config.quota_count,
            retention_ms=self._config.retention_ms,
        )
        return mailbox.MailboxReply(registered=registered)

    def _not_registered(self, why: Refusal) -> mailbox.MailboxReply:
        return mailbox.MailboxReply(refused=self._refused(why).reply(mailbox.Refused.REGISTER))

    async def _admission(self, client: Client, request: mailbox.Register) -> Answer:
        """Somebody who has left, and for whom nothing is held, is forgotten when his place is needed."""
        answer = self._registry.register(
            client.peer_bytes, request, self._now_ms(), invited=self._elsewhere.decides
        )
        if isinstance(answer, actors.ChangeRegistry) and self._registry.is_crowded_by(answer):
            idle = await self._without_mail(self._registry.left())
            if not idle:
                return NO_MORE_PEERS
            answer.unregistered.append(idle[0])
        return answer

    async def unregister(
        self, client: Client, request: mailbox.Unregister
    ) -> mailbox.MailboxReply | None:
        """None when it could not be stored: then it still holds, and the client is not told otherwise."""
        try:
            await self._change(lambda: self._registry.unregister(client.peer_bytes, request))
        except RequestRejectedError:
            self._tally.count("disk_refusals")
            return None
        await self._end_wishes(client.peer_bytes)
        log.info("%s takes no more mail here", self._name_of(client))
        return mailbox.MailboxReply(unregistered=mailbox.Unregistered())

    async def archive(self, client: Client, request: mailbox.Archive) -> mailbox.MailboxReply:
        """Whether this is a client is known here, everything else by the archive."""
        why = self._registry.refusal_of(client.peer_bytes)
        if why is None:
            question = actors.AskForArchive(peer=client.peer_bytes, archive=request)
            try:
                return await self._archive.request(question, mailbox.MailboxReply)
            except RequestRejectedError:
                self._tally.count("disk_refusals")
                why = refusal.DISK_FULL
        refused = self._refused(why).reply(mailbox.Refused.ARCHIVE)
        return mailbox.MailboxReply(refused=refused)

    async def _end_wishes(self, peer: bytes) -> None:
        """Nothing is kept because of it any more. An archive that has stopped finds that out at its next start."""
        await self._archive.inform(actors.EndWishes(peer=peer))

    async def _change(self, decide: Callable[[], actors.ChangeRegistry]) -> None:
        async with self._changing:
            await self._store(decide())

    async def _store(self, change: actors.ChangeRegistry) -> None:
        """On the disk first. Without a deadline: what is kept must hold, and the other way round."""
        if change.ByteSize():
            await self._storage.request(change, actors_pb2.Done)
            self._registry.apply(change)

    async def _without_mail(self, peers: Sequence[bytes]) -> Sequence[bytes]:
        """Those of them for whom nothing is held."""
        question = actors.SelectWithoutMail(recipients=peers)
        return (await self._storage.request(question, actors.WithoutMail)).recipients

    def _new_invite(self, uses: int, label: str) -> actors.ChangeRegistry:
        return self._registry.new_invite(uses, label, self._now_ms(), self._randomness)

    # ---- the operator -----------------------------------------------------------------------------

    @handles(actors.DescribeService)
    async def _describe(self, _: actors.DescribeService) -> actors.MailboxReport:
        report = self._registry.report()
        report.streams = len(self._clients)
        report.collecting = len(self._collecting)
        report.counters.update(self._tally.counters())
        for what, histogram in self._tally.latencies().items():
            report.latencies[what].CopyFrom(histogram)
        return report

    @handles(actors.ListInvites)
    async def _list_invites(self, _: actors.ListInvites) -> actors.InviteList:
        invites = self._registry.invites()
        return actors.InviteList(
            invites=[actors.InviteDescription(invite=invite) for invite in invites]
        )

    @handles(actors.MakeInvite)
    async def _make_invite(self, command: actors.MakeInvite) -> Message:
        made = actors.InviteDescription()

        def change() -> actors.ChangeRegistry:
            found = self._new_invite(command.uses, command.label)
            made.invite.CopyFrom(found.invite)
            return found

        return await self._operate(change, made)

    @handles(actors.RedeemInvite)
    async def _redeem_invite(self, command: actors.RedeemInvite) -> Message:
        redeemed = actors.InviteRedeemed()

        def change() -> actors.ChangeRegistry:
            found = self._registry.redeem(command.token, command.peer)
            if isinstance(found, Refusal):
                raise RequestRejectedError(actors_pb2.REFUSED, found.detail)
            redeemed.id, wanted = found
            return wanted

        return await self._operate(change, redeemed)

    @handles(actors.RevokeInvite)
    async def _revoke_invite(self, command: actors.RevokeInvite) -> Message:
        return await self._operate(lambda: self._registry.revoke(command.id))

    @handles(actors.BlockPeer)
    async def _block(self, command: actors.BlockPeer) -> Message:
        now_ms = self._now_ms()
        answer = await self._operate(
            lambda: self._registry.block(_peer(command.peer), command.note, now_ms)
        )
        for client in list(self._clients):
            if self._registry.is_blocked(client.peer_bytes):
                client.reset()
        if isinstance(answer, actors_pb2.Done):
            await self._end_wishes(_peer(command.peer))
        return answer

    @handles(actors.UnblockPeer)
    async def _unblock(self, command: actors.UnblockPeer) -> Message:
        return await self._operate(lambda: self._registry.unblock(_peer(command.peer)))

    @handles(actors.ListBlocks)
    async def _list_blocks(self, _: actors.ListBlocks) -> actors.BlockList:
        listed = actors.BlockList()
        for block in self._registry.blocks():
            listed.blocks.add(
                peer=peer_id.to_text(block.peer),
                blocked_at_ms=block.blocked_at_ms,
                note=block.note,
            )
        return listed

    async def _operate(
        self, decide: Callable[[], actors.ChangeRegistry], done: Message | None = None
    ) -> Message:
        """Decide on a change, store it, and answer `done`; or why not."""
        try:
            await self._change(decide)
        except OperatorError as error:
            return actors_pb2.Rejected(reason=actors_pb2.INVALID, detail=str(error))
        except P2pchatError as error:
            return rejection_of(error)
        return done if done is not None else actors_pb2.Done()

    # ---- expiry -----------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            command = actors.SweepMail(now_ms=self._now_ms(), limit=SWEEP_SLICE)
            swept = actors.MailSwept()
            try:
                swept = await self._storage.request(command, actors.MailSwept)
                await self._forget_who_left()
            except P2pchatError as error:  # the disk is full, or the storage is being restarted
                log.debug("no sweep: %s", error)
            self._tally.count("expired_uncollected", swept.envelopes)
            if not swept.more:
                await trio.sleep(SWEEP_EVERY)

    async def _forget_who_left(self) -> None:
        """When there is nothing to hand over to them any more, and nobody would follow their records."""
        async with self._changing:
            if long_ago := self._registry.left_long_ago(self._now_ms()):
                idle = await self._without_mail(long_ago)
                await self._store(actors.ChangeRegistry(unregistered=idle))

    def _name_of(self, client: Client) -> str:
        return self._pseudonyms.of(client.peer_bytes, self._now_ms())


def _peer(text: str) -> bytes:
    """Raises `OperatorError`."""
    try:
        return peer_id.from_text(text)
    except ValueError:
        raise OperatorError(f'"{text}" is not a peer id.') from None
