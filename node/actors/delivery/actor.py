"""The delivery actor: direct messages out and in, contacts, and the owner's mailboxes."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.delivery.altering import Altering
from p2pchat.node.actors.delivery.blocks import Blocks
from p2pchat.node.actors.delivery.deliver_link import DeliverLink
from p2pchat.node.actors.delivery.incoming import Incoming
from p2pchat.node.actors.delivery.mailboxes import Mailboxes
from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.actors.delivery.people import People
from p2pchat.node.actors.delivery.record_lookups import RecordLookups
from p2pchat.node.actors.lanes import Desk, Lane
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import ActorError, RequestRejectedError, StreamError, one_error
from p2pchat.node.ports import Network
from p2pchat.node.protocol import delivery_progress
from p2pchat.node.protocol.limits import DELIVER_PROTOCOL
from p2pchat.node.protocol.outbox import Route
from p2pchat.node.runtime import Actor, ActorRef, handles, handles_batch
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

SENDS_PER_SAVE = 128  # queued texts that share one synced write
SWEEP = 30.0  # seconds between two looks for what has expired
# Seconds until somebody who is connected and did not take part is tried again.
RETRY_DIRECT = Backoff(first=1.0, most=60.0)
QUERIES_AT_ONCE = 16
ARCHIVINGS_AT_ONCE = 4  # commands that wait for mailboxes' words; more wait here


class DeliveryActor(Actor):
    """Joins the two halves, `Outgoing` and `Incoming`, to the network and to the ui."""

    mailbox_size = 512  # letters

    def __init__(
        self,
        *,
        network: Network,
        transport: ActorRef,
        storage: ActorRef,
        ui: ActorRef,
        outgoing: Outgoing,
        incoming: Incoming,
        mailboxes: Mailboxes,
        people: People,
        lookups: RecordLookups,
        altering: Altering,
        blocks: Blocks,
        work: Bell,
        read_receipts: bool,
        now_ms: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._network = network
        self._transport = transport
        self._storage = storage
        self._ui = ui
        self._outgoing = outgoing
        self._incoming = incoming
        self._mailboxes = mailboxes
        self._people = people
        self._lookups = lookups
        self._altering = altering
        self._blocks = blocks
        self._work = work
        self._read_receipts = read_receipts
        self._now_ms = now_ms
        self._rng = rng
        self._links: dict[str, DeliverLink] = {}
        self._retry_direct: dict[str, float] = {}
        self._direct_failures: Counter[str] = Counter()
        self._sweep_at = 0.0
        self._desk = Desk(on_unheard=self._notice)
        queries = self._desk.lane(self._people.query, QUERIES_AT_ONCE)
        changes = self._desk.lane(self._people.change, 1)
        choices = self._desk.lane(self._blocks.change, 1)
        blocked = self._desk.lane(self._blocks.list, QUERIES_AT_ONCE)
        boxes = self._desk.lane(self._mailboxes.change, 1)
        archivings = self._desk.lane(self._mailboxes.archive, ARCHIVINGS_AT_ONCE)
        self._lanes: dict[type[Message], Lane] = {
            actors.ResolvePeer: queries,
            actors.ListContacts: queries,
            actors.DescribeSafety: queries,
            actors.AddContact: changes,
            actors.RenameContact: changes,
            actors.RemoveContact: changes,
            actors.SetVerified: changes,
            actors.BlockPeer: choices,
            actors.UnblockPeer: choices,
            actors.Mute: choices,
            actors.ListBlocked: blocked,
            actors.AddMailbox: boxes,
            actors.RemoveMailbox: boxes,
            actors.ArchiveRoom: archivings,
        }

    async def started(self) -> None:
        await self._people.load()
        await self._people.find_missed()  # before anything new comes in
        await self._mailboxes.load()
        await self._outgoing.resume()
        self._network.handle(DELIVER_PROTOCOL, self._incoming.serve)
        await self._mailboxes.publish()
        self.spawn(self._desk.run, name="delivery desk")
        self.spawn(self._incoming.run, name="spool")
        # Not awaited: the ui, whose mailbox may be full, starts after this actor. It has read who is blocked itself.
        self.spawn(self._blocks.announce, name="blocks")
        self.spawn(self._mailboxes.run, name="mailbox links")
        self.spawn(self._greet_connected, name="who is there")
        self.spawn(self._run, name="courier")

    async def stopping(self) -> None:
        await self._desk.finish()

    async def receive(self, letters: Sequence[Letter]) -> None:
        lane = self._lanes.get(type(letters[0].message))
        if lane is None:
            await super().receive(letters)
            return
        for letter in letters:
            lane.put(letter)

    # ---- from the ui ----------------------------------------------------------------------------------

    @handles_batch(actors.SendDirect, at_most=SENDS_PER_SAVE)
    async def _send(
        self, posts: Sequence[actors.SendDirect]
    ) -> Sequence[actors.DirectSent | actors.Rejected]:
        return await self._outgoing.send(posts)

    @handles(actors.SendFileNote)
    async def _send_note(self, note: actors.SendFileNote) -> Message:
        return await self._outgoing.notes.send(note, self._outgoing)

    @handles(actors.AlterMessage)
    async def _alter(self, command: actors.AlterMessage) -> actors.Done | actors.Rejected:
        return await self._altering.alter(command)

    @handles(actors.MarkShown)
    async def _mark_shown(self, shown: actors.MarkShown) -> Message:
        question = actors.MarkRead(peer=shown.peer, ids=shown.ids, receipt_due=self._read_receipts)
        try:
            marked = await self._storage.request(question, actors.MarkedRead)
        except RequestRejectedError as error:
            return actors.Rejected(reason=actors.STORE_FAILED, detail=error.detail)
        self._people.seen(shown.peer, marked.ids)
        if self._read_receipts and marked.ids:
            self._outgoing.receipts.read(shown.peer, marked.ids, trio.current_time())
            self._work.ring()
        return actors.Done()

    @handles(actors.ListMailboxes)
    async def _list_mailboxes(self, _: actors.ListMailboxes) -> actors.MailboxStatusList:
        return actors.MailboxStatusList(mailboxes=self._mailboxes.statuses())

    @handles(actors.DescribeSelf)
    async def _describe_self(self, _: actors.DescribeSelf) -> actors.Link:
        return actors.Link(text=self._mailboxes.own_link(self._network.listen_addresses()))

    @handles(actors.DescribeDelivery)
    async def _describe(self, _: actors.DescribeDelivery) -> actors.DeliveryDescription:
        counters = self._incoming.counters + self._outgoing.counters + self._altering.counters
        outbox = self._outgoing.outbox
        described = actors.DeliveryDescription(
            outbox=len(outbox),
            due_receipts=len(self._outgoing.receipts),
            counters={name: count for name, count in counters.items() if count},
            mailboxes=self._mailboxes.statuses(),
            states=delivery_progress.states(outbox.items()),
            received=self._incoming.received,
        )
        self._outgoing.progress.describe(described)
        return described

    # ---- from transport -------------------------------------------------------------------------------

    @handles(actors.NetworkStarted)
    async def _network_started(self, _: actors.NetworkStarted) -> None:
        self._outgoing.courier.all_gone(trio.current_time())
        self._work.ring()

    @handles(actors.PeerConnected)
    async def _peer_connected(self, event: actors.PeerConnected) -> None:
        self._outgoing.courier.connected(event.peer)
        self._forget_failures(event.peer)
        self._mailboxes.seen(event.peer)
        self._work.ring()

    @handles(actors.PeerDisconnected)
    async def _peer_disconnected(self, event: actors.PeerDisconnected) -> None:
        self._outgoing.courier.disconnected(event.peer, trio.current_time())
        self._people.offline(event.peer)
        self._forget_failures(event.peer)
        self._work.ring()

    @handles(actors.PeerMoved)
    async def _peer_moved(self, event: actors.PeerMoved) -> None:
        if link := self._links.pop(event.peer, None):
            link.moved()
            self._work.ring()
        if not event.relayed:
            self._mailboxes.moved(event.peer)

    @handles(actors.PeerNamed)
    async def _peer_named(self, event: actors.PeerNamed) -> None:
        await self._people.named(event.peer, event.name)

    @handles(actors.RecordHeard)
    async def _record_heard(self, event: actors.RecordHeard) -> None:
        """Kept for somebody who is a contact already, else until a message makes it one."""
        await self._people.heard(event.peer, event.record)

    async def _greet_connected(self) -> None:
        """Who was connected before this incarnation began."""
        try:
            listed = await self._transport.request(actors.ListConnections(), actors.ConnectionList)
        except ActorError:
            return
        for connection in listed.connections:
            self._outgoing.courier.connected(connection.peer)
            if connection.name:
                await self._people.named(connection.peer, connection.name)
            if connection.HasField("record"):
                await self._people.heard(connection.peer, connection.record)
        self._work.ring()

    # ---- the courier ----------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Whenever something may have become possible, see what is to be done."""
        while True:
            self._outgoing.post_due_receipts()
            now = trio.current_time()
            if now >= self._sweep_at:
                self._sweep_at = now + SWEEP
                await self._outgoing.expire()
                await self._mailboxes.renew()
                self._sync(*self._outgoing.courier.believed_connected())
            self._round(now)
            await self._work.wait_until(self._next_look(now))

    def _round(self, now: float) -> None:
        outgoing = self._outgoing
        waiting = set(outgoing.outbox.peers())
        chosen = {peer for peer in waiting if outgoing.contacts.is_chosen(peer)}
        for peer in chosen:
            outgoing.courier.wants(peer, now)
        outgoing.courier.keep_only(chosen)
        for peer in self._retry_direct.keys() - waiting:
            self._forget_failures(peer)
        for peer in outgoing.courier.due(now):
            self.spawn(self._reach, peer, name=f"dial {peer}")
        for peer in waiting:
            if outgoing.courier.is_connected(peer):
                self._deliver(peer, now)
            if outgoing.courier.may_use_mailboxes(peer, now):
                self._mailboxes.serve(peer, outgoing.outbox.mailboxes(peer))

    def _sync(self, *peers: str) -> None:
        """Who is connected, as the network says: events can be missed, or come late."""
        there = {connection.peer for connection in self._network.connections()}
        courier = self._outgoing.courier
        for peer in peers:
            if peer in there:
                if not courier.is_connected(peer):
                    courier.connected(peer)
                continue
            self._forget_failures(peer)
            if courier.is_connected(peer):
                courier.disconnected(peer, trio.current_time())
            else:
                courier.failed(peer, trio.current_time())

    def _forget_failures(self, peer: str) -> None:
        self._retry_direct.pop(peer, None)
        self._direct_failures.pop(peer, None)

    def _next_look(self, now: float) -> float:
        times = [
            self._sweep_at,
            self._outgoing.receipts.next_due(),
            self._outgoing.courier.next_due(now),
            *(at for at in self._retry_direct.values() if at > now),
        ]
        # Never in the past, so that a mistake above cannot become a loop that burns the processor.
        return max(now + 0.01, min(at for at in times if at is not None))

    async def _reach(self, peer: str) -> None:
        outgoing = self._outgoing
        addresses = self._people.addresses(peer)
        connect = actors.Connect(peer=peer, addresses=addresses, look_up=True)
        try:
            await self._transport.request(connect, actors.Done)
            self._sync(peer)
        except (RequestRejectedError, ActorError) as error:
            log.debug("cannot reach %s: %s", peer, error)
            outgoing.courier.failed(peer, trio.current_time())
            if not outgoing.outbox.mailboxes(peer):
                await outgoing.explain(peer)
            await self._lookups.look_up(peer)
        self._work.ring()

    def _deliver(self, peer: str, now: float) -> None:
        link = self._links.get(peer)
        if link is not None:
            link.wake()
            return
        if self._retry_direct.get(peer, now) > now:
            self._outgoing.courier.stuck(peer)
            return
        if not self._outgoing.outbox.has_work(Route(peer)):
            return
        self._retry_direct.pop(peer, None)
        link = self._links[peer] = DeliverLink(self._network, self._outgoing, peer, self._now_ms)
        self.spawn(self._run_link, peer, link, name=f"deliver to {peer}")

    async def _run_link(self, peer: str, link: DeliverLink) -> None:
        try:
            with one_error():
                await link.run()
        except (StreamError, RequestRejectedError, ActorError) as error:
            log.info("delivering to %s: %s", peer, error)
            if (
                self._links.get(peer) is link
            ):  # else it has moved, and says nothing about the new way
                self._put_off(peer)
        finally:
            if self._links.get(peer) is link:
                del self._links[peer]
            self._work.ring()

    def _put_off(self, peer: str) -> None:
        self._direct_failures[peer] += 1
        delay = RETRY_DIRECT.delay(self._direct_failures[peer], self._rng)
        self._retry_direct[peer] = trio.current_time() + delay
        self._outgoing.courier.stuck(peer)
        self._sync(peer)

    def _notice(self, problem: actors.Rejected) -> None:
        self._ui.offer(actors.Notice(level=actors.Notice.WARNING, text=problem.detail))
