"""Whom the owner wants to hear nothing of, and whom only quietly."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from google.protobuf.message import Message

from p2pchat.node.actors.delivery.people import People
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

Answer = Callable[[], Awaitable[Message]]


class Blocks:
    """A block stands in the contact, which is made for it. `told` hear of each change, the ui first."""

    def __init__(
        self,
        *,
        peer: str,
        people: People,
        contacts: ContactBook,
        storage: ActorRef,
        ui: ActorRef,
        told: Sequence[ActorRef],
        now_ms: Callable[[], int],
    ) -> None:
        self._peer = peer
        self._people = people
        self._contacts = contacts
        self._storage = storage
        self._ui = ui
        self._told = told
        self._now_ms = now_ms

    async def change(self, message: Message) -> Answer:
        match message:
            case actors.BlockPeer():
                return partial(self._block, message.text, self._now_ms())
            case actors.UnblockPeer():
                return partial(self._block, message.text, 0)
            case _:
                assert isinstance(message, actors.Mute)
                return partial(self._mute, message)

    async def list(self, _: Message) -> Answer:
        return self._listed

    async def announce(self) -> None:
        """To whoever passes on what others say."""
        blocked = [peer_id.to_text(contact.peer) for contact in self._blocked()]
        for actor in (self._ui, *self._told):
            with contextlib.suppress(
                ActorError
            ):  # it stops, or asks the store when it is there again
                await actor.tell(actors.BlocksChanged(peers=blocked))

    async def _block(self, text: str, at_ms: int) -> actors.PeerResolved:
        peer = await self._people.meant(text)
        if peer == self._peer:
            raise RequestRejectedError(actors.INVALID, "That is you.")
        contact = self._contacts.ensure(peer, 0)
        if bool(contact.blocked_at_ms) != bool(at_ms):
            await self._save(contact, blocked_at_ms=at_ms, muted=contact.muted)
            await self.announce()
        return actors.PeerResolved(peer=peer, name=self._contacts.label(peer))

    async def _mute(self, message: actors.Mute) -> actors.Done:
        if message.peer == self._peer:
            raise RequestRejectedError(actors.INVALID, "That is you.")
        contact = self._contacts.ensure(message.peer, 0)
        await self._save(contact, blocked_at_ms=contact.blocked_at_ms, muted=message.muted)
        return actors.Done()

    async def _save(self, contact: records.Contact, *, blocked_at_ms: int, muted: bool) -> None:
        """What could not be stored does not count.

        Until then it does: others save the same contact meanwhile, and must not take back what was saved here.
        """
        before = contact.blocked_at_ms, contact.muted
        contact.blocked_at_ms, contact.muted = blocked_at_ms, muted
        try:
            await self._storage.request(actors.SaveContact(contact=contact), actors.Done)
        except (RequestRejectedError, ActorError):
            contact.blocked_at_ms, contact.muted = before
            raise
        self._ui.offer(actors.ContactChanged(peer=peer_id.to_text(contact.peer)))

    async def _listed(self) -> actors.BlockedList:
        found = actors.BlockedList()
        for contact in self._blocked():
            peer = peer_id.to_text(contact.peer)
            name = self._contacts.label(peer)
            found.peers.add(peer=peer, name=name, blocked_at_ms=contact.blocked_at_ms)
        return found

    def _blocked(self) -> Sequence[records.Contact]:
        """The last one first."""
        blocked = (contact for contact in self._contacts.all() if contact.blocked_at_ms)
        return sorted(blocked, key=lambda contact: contact.blocked_at_ms, reverse=True)
