"""The links to mailboxes: those of the owner, and those where mail is left for others."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.delivery import archive_requests
from p2pchat.node.actors.delivery.incoming import Incoming
from p2pchat.node.actors.delivery.mailbox_link import MailboxLink
from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.ports import Network
from p2pchat.node.protocol import links, mailbox_record, names, own_addresses, peer_id
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.protocol.outbox import Route
from p2pchat.node.protocol.own_mailboxes import OwnMailboxes
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)

ANSWER_PATIENCE = 8.0  # seconds that /mailbox add waits for the mailbox's word
LINK_ADDRESSES = 6  # own addresses in a link for others

Answer = Callable[[], Awaitable[Message]]


class Mailboxes:
    """Owns the links; `own` is filled when it is loaded."""

    def __init__(
        self,
        *,
        peer: str,
        make_own: Callable[[records.OwnMailboxes], OwnMailboxes],
        configured: Sequence[links.MailboxLink],
        network: Network,
        transport: ActorRef,
        storage: ActorRef,
        contacts: ContactBook,
        outgoing: Outgoing,
        incoming: Incoming,
        nick: Callable[[], str],
        now_ms: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._peer = peer
        self._make_own = make_own
        self._configured = configured
        self._network = network
        self._transport = transport
        self._storage = storage
        self._contacts = contacts
        self._outgoing = outgoing
        self._incoming = incoming
        self._nick = nick
        self._now_ms = now_ms
        self._rng = rng
        self._own = make_own(records.OwnMailboxes())
        self._kept = records.OwnMailboxes()  # on the disk
        self._links: dict[str, MailboxLink] = {}
        self._nursery: trio.Nursery | None = None

    async def load(self) -> None:
        """The remembered ones, and those of this start's command line."""
        self._kept = await self._storage.request(actors.ReadOwnMailboxes(), records.OwnMailboxes)
        kept = records.OwnMailboxes()
        kept.CopyFrom(self._kept)
        self._own = self._make_own(kept)
        for link in self._configured:
            try:
                self._own.add(link)
            except ValueError as error:
                self._outgoing.warn(f"A mailbox of the start is not used: {error}")

    async def publish(self) -> None:
        """Tell everybody who is to know about the own mailboxes, and keep what has changed about them."""
        record = self._own.record(self._now_ms())
        self._outgoing.envelopes.own_record = record
        await self._transport.tell(actors.RecordChanged(record=record))
        relays = [
            actors.RelayEntry(peer=peer, addresses=self._own.get(peer).address.addresses)
            for peer in self._own.peers()
        ]
        await self._transport.tell(actors.UseRelays(relays=relays))
        for link in self._links.values():
            link.record_changed()
        await self._keep()

    async def _keep(self) -> None:
        """A disk that is full is no reason to stop: `renew` tries again."""
        now = self._own.keep()
        if now == self._kept:
            return
        try:
            await self._storage.request(actors.SaveOwnMailboxes(own=now), actors.Done)
        except RequestRejectedError as error:
            log.warning("the own mailboxes were not saved: %s", error)
        else:
            self._kept.CopyFrom(now)

    async def renew(self) -> None:
        """Sign the record anew before it gets old, save what could not be saved, give up what is gone."""
        for peer in self._own.overdue(self._now_ms()):
            await self._left(peer)
        record = self._own.record(self._now_ms())
        if record != self._outgoing.envelopes.own_record:
            await self.publish()
        await self._keep()

    async def run(self) -> None:
        """Keep the links until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for peer in self._own.everywhere():
                self._ensure(peer)
            await trio.sleep_forever()

    # ---- links ----------------------------------------------------------------------------------------

    def serve(self, recipient: str, mailboxes: Sequence[str]) -> None:
        """Mail for `recipient` is to be left at these."""
        for peer in mailboxes:
            has_work = self._outgoing.outbox.has_work(Route(recipient, peer))
            if has_work and (link := self._ensure(peer)):
                link.wake()

    def seen(self, peer: str) -> None:
        """Somebody has connected."""
        if link := self._links.get(peer):
            link.seen()

    def moved(self, peer: str) -> None:
        """Somebody has a better connection than before."""
        if link := self._links.get(peer):
            link.moved()

    def _ensure(self, peer: str) -> MailboxLink | None:
        if self._nursery is None:
            return None
        link = self._links.get(peer)
        if link is None:
            link = self._links[peer] = MailboxLink(
                peer,
                network=self._network,
                transport=self._transport,
                outgoing=self._outgoing,
                incoming=self._incoming,
                own=self._own,
                addresses=partial(self._addresses, peer),
                on_agreed=self._agreed,
                on_turned_away=self._turned_away,
                on_left=self._left,
                on_unreachable=self._unreachable,
                now_ms=self._now_ms,
                rng=self._rng,
            )
            self._nursery.start_soon(self._run_link, peer, link, name=f"mailbox {peer}")
        return link

    async def _run_link(self, peer: str, link: MailboxLink) -> None:
        try:
            await link.run()
        finally:
            if self._links.get(peer) is link:
                del self._links[peer]

    def _addresses(self, peer: str) -> list[str]:
        """Of a mailbox: as the owner's link says, or as its users' records say."""
        if peer in self._own:
            return list(self._own.get(peer).address.addresses)
        wanted = peer_id.from_text(peer)
        found = (
            address
            for recipient in self._outgoing.outbox.peers()
            for box in self._contacts.mailboxes(recipient)
            if box.peer == wanted
            for address in box.addresses
        )
        return list(dict.fromkeys(found))

    async def _agreed(self, peer: str) -> None:
        if self._own.registered(peer, self._now_ms()):
            await self.publish()

    async def _turned_away(self, peer: str) -> None:
        if self._own.turned_away(peer, self._now_ms()):
            await self.publish()

    async def _unreachable(self, peer: str) -> None:
        """A worker of a mailbox that has not taken us: go to the first one, if that can be reached."""
        first, link = self._own.instead(peer), self._links.get(peer)
        if first is None or link is None:
            return
        connect = actors.Connect(peer=first.peer, addresses=first.addresses)
        try:
            await self._transport.request(connect, actors.Done)
        except (RequestRejectedError, ActorError):
            return  # the whole mailbox is away
        if self._links.get(peer) is not link or self._own.instead(peer) is None:
            return  # the owner has changed his mind meanwhile
        log.info("mailbox …%s takes the place of its worker", peer_id.short(first.peer))
        self._own.move(peer)
        if (attempt := self._ensure(first.peer)) is not None:
            attempt.quiet = link.quiet
        await self.publish()
        self._end_link(peer)

    # ---- for the owner --------------------------------------------------------------------------------

    def statuses(self) -> list[actors.MailboxStatus]:
        """Of the own ones, in the owner's order."""
        return [self._status(peer) for peer in self._own.peers()]

    def _status(self, peer: str) -> actors.MailboxStatus:
        entry, status = self._own.get(peer), actors.MailboxStatus(peer=peer)
        if link := self._links.get(peer):
            status.CopyFrom(link.status)
        status.addresses.extend(entry.address.addresses)
        status.registered = status.registered or entry.registered
        status.of = peer_id.to_text(entry.of) if entry.of else ""
        status.workers = entry.workers
        return status

    def own_link(self, listening: Sequence[str]) -> str:
        """What others need to write to this node; circuits through the mailboxes follow from the record in it."""
        record = self._outgoing.envelopes.own_record
        further = [a for a in listening if own_addresses.relay_of(a) not in self._own]
        addresses = own_addresses.worth_telling(further, to_loopback=True, limit=LINK_ADDRESSES)
        return links.format_link(
            links.ContactLink(
                peer=self._peer,
                name=self._nick(),
                addresses=tuple(addresses),
                record=mailbox_record.without_key(record) if record is not None else None,
            )
        )

    async def archive(self, message: Message) -> Answer:
        """Which mailboxes are asked is settled at once, what they say later."""
        assert isinstance(message, actors.ArchiveRoom)
        if problem := names.room_problem(message.room):
            raise RequestRejectedError(actors.INVALID, problem)
        peers = [self._find(message.mailbox)] if message.mailbox else self._own.peers()
        if not peers:
            detail = "You have no mailbox that could archive a room: /mailbox add one first."
            raise RequestRejectedError(actors.INVALID, detail)
        return partial(self._ask_to_archive, message, peers)

    async def _ask_to_archive(
        self, message: actors.ArchiveRoom, peers: Sequence[str]
    ) -> actors.ArchiveStatus:
        """Side by side: one that does not answer holds up nobody."""
        answers: dict[str, actors.ArchiveStatus.Answer] = {}

        async def ask(peer: str) -> None:
            link = self._links.get(peer)
            answers[peer] = (
                await link.archive(message.room, stop=message.stop)
                if link is not None
                else archive_requests.problem_at(peer, archive_requests.NOT_CONNECTED)
            )

        async with trio.open_nursery() as nursery:
            for peer in peers:
                nursery.start_soon(ask, peer)
        return actors.ArchiveStatus(room=message.room, answers=[answers[peer] for peer in peers])

    async def change(self, message: Message) -> Answer:
        if isinstance(message, actors.AddMailbox):
            return partial(self._add, message)
        assert isinstance(message, actors.RemoveMailbox)
        return partial(self._remove, message)

    async def _add(self, message: actors.AddMailbox) -> actors.MailboxStatus:
        try:
            link = links.parse_link(message.link)
            if not isinstance(link, links.MailboxLink):
                raise ValueError("That is a person's link: /contact add takes it.")
            peer = self._own.chosen(link).peer
            if peer == self._peer:
                raise ValueError("That is this node itself.")
            self._own.add(link)
        except (links.LinkError, ValueError) as error:
            raise RequestRejectedError(actors.INVALID, str(error)) from error
        await self.publish()
        return await self._await_word(peer, link.peer)

    async def _await_word(self, peer: str, first: str) -> actors.MailboxStatus:
        """A mailbox that says no is not kept; one that says nothing is tried again. `first`: of its workers."""
        if (old := self._links.pop(peer, None)) is not None:
            old.cancel()  # the link may have brought another token or address
        attempt = self._ensure(peer)
        assert attempt is not None
        attempt.quiet = True
        with trio.move_on_after(ANSWER_PATIENCE):
            await attempt.settled.wait()
            if peer not in self._own and first in self._links:  # see `_unreachable`
                peer, attempt = first, self._links[first]
                await attempt.settled.wait()
        attempt.quiet = False
        if attempt.refusal not in (mailbox.REFUSAL_UNSPECIFIED, mailbox.RATE_LIMITED):
            problem = attempt.status.problem
            await self._drop(peer)
            raise RequestRejectedError(actors.REFUSED, f"The mailbox refuses. {problem}")
        return self._status(peer)

    async def _remove(self, message: actors.RemoveMailbox) -> actors.Done:
        peer = self._find(message.text)
        self._own.leave(peer, self._now_ms())
        if peer not in self._own:
            self._end_link(peer)
        await self.publish()
        return actors.Done()

    def _find(self, text: str) -> str:
        """An own mailbox as the owner calls it. Raises `RequestRejectedError`."""
        peer = self._own.find(text.strip())
        if peer is None:
            detail = f"You have no mailbox {text!r}; /mailbox list numbers them."
            raise RequestRejectedError(actors.INVALID, detail)
        return peer

    async def _drop(self, peer: str) -> None:
        """A mailbox that never agreed holds nothing."""
        self._own.remove(peer, self._now_ms())
        self._end_link(peer)
        await self.publish()

    async def _left(self, peer: str) -> None:
        """What was still there has been collected."""
        self._own.remove(peer, self._now_ms())
        await self._keep()
        self._end_link(peer)

    def _end_link(self, peer: str) -> None:
        if link := self._links.pop(peer, None):
            link.cancel()
