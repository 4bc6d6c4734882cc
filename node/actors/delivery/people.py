"""The owner's contacts: loaded, changed by commands, and kept true by what peers say of themselves."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from google.protobuf.message import Message

from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import links, peer_id, safety_number
from p2pchat.node.protocol.contacts import AmbiguousPeerError, ContactBook, UnknownPeerError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

MISSED_CONTACTS, MISSED_MESSAGES = 50, 100  # how far missed messages are looked for at the start

Answer = Callable[[], Awaitable[Message]]


class People:
    """Answers questions about contacts, and changes them one at a time."""

    def __init__(
        self,
        *,
        peer: str,
        contacts: ContactBook,
        outgoing: Outgoing,
        storage: ActorRef,
        on_choice: Callable[[str], None],
        now_ms: Callable[[], int],
    ) -> None:
        """`on_choice` hears whom the owner has chosen, or no longer chooses."""
        self._peer = peer
        self._contacts = contacts
        self._outgoing = outgoing
        self._storage = storage
        self._missed: dict[str, set[bytes]] = {}  # of earlier runs, by sender
        self._on_choice = on_choice
        self._now_ms = now_ms

    async def load(self) -> None:
        listed = await self._storage.request(actors.ReadContacts(), actors.ContactList)
        self._contacts.load(listed.contacts)

    async def find_missed(self) -> None:
        """Among the newest messages of the newest conversations: what came and was not seen the last time."""
        try:
            for contact in self._contacts.all()[:MISSED_CONTACTS]:
                peer = peer_id.to_text(contact.peer)
                question = actors.ReadDirectHistory(peer=peer, limit=MISSED_MESSAGES)
                page = await self._storage.request(question, actors.DirectHistoryPage)
                self._missed[peer] = {r.id for r in page.records if not (r.outgoing or r.read)}
        except RequestRejectedError as error:
            log.warning("missed messages were not counted: %s", error)

    def seen(self, peer: str, ids: Iterable[bytes]) -> None:
        """The owner has seen these of a peer's messages."""
        self._missed.get(peer, set()).difference_update(ids)

    # ---- what peers say of themselves -----------------------------------------------------------------

    async def named(self, peer: str, nick: str) -> None:
        self._contacts.online(peer, nick)
        contact = self._contacts.get(peer)
        if contact is not None and self._contacts.learn_nick(contact, nick):
            await self._outgoing.save_contact(contact)

    async def heard(self, peer: str, record: wire.MailboxRecord) -> None:
        self._contacts.hear(peer, record)
        await self._outgoing.learn_record(peer, record)

    def offline(self, peer: str) -> None:
        self._contacts.offline(peer)

    def addresses(self, peer: str) -> list[str]:
        return self._contacts.addresses(peer)

    # ---- questions ------------------------------------------------------------------------------------

    async def query(self, message: Message) -> Answer:
        if isinstance(message, actors.ResolvePeer):
            return partial(self._resolved, message)
        if isinstance(message, actors.DescribeSafety):
            return partial(self._safety, message)
        return self._list

    async def _resolved(self, message: actors.ResolvePeer) -> actors.PeerResolved:
        peer = await self.meant(message.text)
        return actors.PeerResolved(
            peer=peer,
            name=self._contacts.label(peer),
            addresses=self._contacts.addresses(peer),
        )

    async def _list(self) -> actors.ContactStatusList:
        found = (peer_id.to_text(contact.peer) for contact in self._contacts.all())
        return actors.ContactStatusList(contacts=map(self._status, found))

    def _status(self, peer: str) -> actors.ContactStatus:
        return actors.ContactStatus(
            contact=self._contacts.get(peer),
            name=self._contacts.label(peer),
            connected=self._outgoing.courier.is_connected(peer),
            waiting=self._outgoing.outbox.waiting(peer),
            missed=len(self._missed.get(peer, ())),
        )

    async def meant(self, text: str) -> str:
        """Raises `RequestRejectedError` with a sentence."""
        if text.strip().casefold().startswith(links.SCHEME):
            return (await self._from_link(text)).peer
        try:
            return self._contacts.resolve(text)
        except AmbiguousPeerError as error:
            raise RequestRejectedError(actors.AMBIGUOUS, str(error)) from error
        except UnknownPeerError as error:
            raise RequestRejectedError(actors.UNKNOWN_PEER, str(error)) from error

    async def _from_link(self, text: str) -> links.ContactLink:
        """Learn what a link says about somebody."""
        try:
            link = links.parse_link(text)
        except links.LinkError as error:
            raise RequestRejectedError(actors.INVALID, str(error)) from error
        if not isinstance(link, links.ContactLink):
            detail = "That is a mailbox's link: /mailbox add takes it."
            raise RequestRejectedError(actors.INVALID, detail)
        if link.peer == self._peer:
            raise RequestRejectedError(actors.INVALID, "That link is your own.")
        contact = self._contacts.ensure(link.peer, 0)
        changed = self._contacts.learn_addresses(contact, link.addresses)
        if not contact.nick:
            changed |= self._contacts.learn_nick(contact, link.name)
        if not contact.name and not self._contacts.name_problem(link.name, link.peer):
            contact.name, changed = link.name, True
        if changed:
            await self._outgoing.save_contact(contact)
        if link.record is not None:
            await self._outgoing.learn_record(link.peer, link.record)
        return link

    # ---- changes --------------------------------------------------------------------------------------

    async def change(self, message: Message) -> Answer:
        match message:
            case actors.AddContact():
                return partial(self._add, message)
            case actors.RenameContact():
                return partial(self._rename, message)
            case actors.SetVerified():
                return partial(self._set_verified, message)
            case _:
                assert isinstance(message, actors.RemoveContact)
                return partial(self._remove, message)

    async def _add(self, message: actors.AddContact) -> actors.ContactStatus:
        peer = await self.meant(message.text)
        if peer == self._peer:
            raise RequestRejectedError(actors.INVALID, "That is you.")
        contact = self._contacts.ensure(peer, 0)
        if message.name:
            self._check_name(message.name, peer)
            contact.name = message.name
        elif not contact.name and not self._contacts.name_problem(contact.nick, peer):
            contact.name = contact.nick
        at_ms = min(message.last_message_ms, self._now_ms())
        contact.last_message_ms = max(contact.last_message_ms, at_ms)
        return await self._keep(peer, contact)

    async def _rename(self, message: actors.RenameContact) -> actors.ContactStatus:
        peer = await self.meant(message.text)
        self._check_name(message.name, peer)
        contact = self._contacts.ensure(peer, 0)
        contact.name = message.name
        return await self._keep(peer, contact)

    async def _keep(self, peer: str, contact: records.Contact) -> actors.ContactStatus:
        contact.added = True
        await self._storage.request(actors.SaveContact(contact=contact), actors.Done)
        self._on_choice(peer)
        return self._status(peer)

    async def _remove(self, message: actors.RemoveContact) -> actors.Done:
        peer = await self.meant(message.text)
        if waiting := self._outgoing.outbox.waiting(peer):
            name = self._contacts.label(peer)
            detail = (
                f"{waiting:,} of your messages to {name} are not delivered yet: {name} is kept."
            )
            raise RequestRejectedError(actors.INVALID, detail)
        if self._contacts.is_blocked(peer):
            name = self._contacts.label(peer)
            detail = f"{name} is blocked, and would not be any more: unblock {name} first."
            raise RequestRejectedError(actors.INVALID, detail)
        await self._storage.request(actors.DeleteContact(peer=peer), actors.Done)
        self._contacts.remove(peer)
        self._on_choice(peer)
        return actors.Done()

    # ---- safety numbers -------------------------------------------------------------------------------

    async def _safety(self, message: actors.DescribeSafety) -> actors.SafetyNumber:
        peer = await self.meant(message.text)
        contact = self._contacts.get(peer)
        return actors.SafetyNumber(
            peer=peer,
            name=self._contacts.label(peer),
            digits=self._digits(peer),
            verified=contact is not None and bool(contact.verified_at_ms),
        )

    async def _set_verified(self, message: actors.SetVerified) -> actors.Done:
        """Whom the owner has verified is a contact from then on; forgotten together with the contact."""
        peer = await self.meant(message.text)
        self._digits(peer)
        contact = self._contacts.get(peer)
        if message.verified:
            contact = self._contacts.ensure(peer, 0)
        if contact is not None:
            await self._save_verified(peer, contact, self._now_ms() if message.verified else 0)
        return actors.Done()

    async def _save_verified(self, peer: str, contact: records.Contact, at_ms: int) -> None:
        """What could not be stored does not count."""
        before = contact.verified_at_ms
        contact.verified_at_ms = at_ms
        contact.added |= bool(at_ms)
        try:
            await self._storage.request(actors.SaveContact(contact=contact), actors.Done)
        except (RequestRejectedError, ActorError):
            contact.verified_at_ms = before
            raise
        self._on_choice(peer)

    def _digits(self, peer: str) -> str:
        """Raises `RequestRejectedError` where there is nothing to compare."""
        if peer == self._peer:
            raise RequestRejectedError(actors.INVALID, "That is you.")
        try:
            return safety_number.safety_number(
                peer_id.from_text(self._peer), peer_id.from_text(peer)
            )
        except ValueError as error:
            detail = "That peer has a key of another kind: there is no safety number with it."
            raise RequestRejectedError(actors.INVALID, detail) from error

    def _check_name(self, name: str, peer: str) -> None:
        if problem := self._contacts.name_problem(name, peer):
            raise RequestRejectedError(actors.INVALID, problem)
