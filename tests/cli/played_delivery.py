"""A ui actor's half for direct messages, played: for sessions without a node behind them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import peer_id
from p2pchat.node.runtime import Actor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

OWN_LINK = "p2pchat:peer/me?" + "a" * 300
MAILBOX = Identity(bytes([7] * 32)).peer


@dataclass
class Mail:
    """What the played actor knows and was told."""

    hub: EventHub
    people: dict[str, str] = field(default_factory=dict)  # peer ids by what finds them
    contacts: list[actors.ContactStatus] = field(default_factory=list)
    mailboxes: list[actors.MailboxStatus] = field(default_factory=list)
    kept: list[records.DirectRecord] = field(default_factory=list)  # of all conversations
    marked: list[tuple[str, list[bytes]]] = field(default_factory=list)
    refusal: str = ""  # why no message is taken; empty: they are
    is_down: bool = False

    def own(self, peer: str, text: str) -> records.DirectRecord:
        record = self._record(peer, text, records.QUEUED)
        record.outgoing = True
        return record

    def arrive(self, peer: str, name: str, *texts: str) -> list[records.DirectRecord]:
        """Somebody has written."""
        found = [self._record(peer, text, records.STAGE_UNSPECIFIED) for text in texts]
        self.hub.emit(actors.DirectArrived(peer=peer, name=name, records=found))
        return found

    def change(
        self,
        peer: str,
        name: str,
        ids: Iterable[bytes],
        stage: records.Stage,
        *,
        stored: int = 0,
        mailboxes: int = 0,
        reason: str = "",
    ) -> None:
        """Own messages have come further."""
        places = [bytes([number]) for number in range(stored)]
        delivery = records.Delivery(
            stage=stage, stored_at=places, mailboxes=mailboxes, reason=reason
        )
        changes = [actors.DeliveryChange(id=each, delivery=delivery) for each in ids]
        self.hub.emit(actors.DeliveriesChanged(peer=peer, name=name, changes=changes))

    def befriend(self, peer: str, name: str, *, waiting: int = 0) -> None:
        """Make somebody a contact under a name that the owner gave."""
        contact = records.Contact(peer=peer_id.from_text(peer), name=name, added=True)
        self.contacts = [each for each in self.contacts if each.contact.peer != contact.peer]
        self.contacts.append(actors.ContactStatus(contact=contact, name=name, waiting=waiting))
        self.people[name] = peer

    def sent(self) -> list[tuple[str, str]]:
        return [(peer_id.to_text(each.peer), each.text) for each in self.kept if each.outgoing]

    def _record(self, peer: str, text: str, stage: records.Stage) -> records.DirectRecord:
        now_ms = time.time_ns() // 1_000_000
        record = records.DirectRecord(
            peer=peer_id.from_text(peer), id=(len(self.kept) + 1).to_bytes(16, "big"), text=text
        )
        record.sent_at_ms = record.received_at_ms = now_ms
        record.delivery.stage = stage
        self.kept.append(record)
        return record


class PlayedDelivery(Actor):
    """`mail` is set by the subclass."""

    mail: Mail

    @handles(actors.SendDirect)
    async def _send(self, post: actors.SendDirect) -> actors.DirectSent | actors.Rejected:
        return await self.take(post)

    async def take(self, post: actors.SendDirect) -> actors.DirectSent | actors.Rejected:
        """Save and show it, as the outbox does."""
        if self.mail.refusal:
            return actors.Rejected(reason=actors.STORE_FAILED, detail=self.mail.refusal)
        own = self.mail.own(post.peer, post.text)
        event = actors.DirectArrived(peer=post.peer, name=self._called(post.peer), records=[own])
        self.mail.hub.emit(event)
        return actors.DirectSent(record=own)

    @handles(actors.ResolvePeer)
    async def _resolve(self, question: actors.ResolvePeer) -> actors.PeerResolved | actors.Rejected:
        peer = self._found(question.text)
        if peer is None:
            return _unknown(question.text)
        return actors.PeerResolved(peer=peer, name=self._called(peer))

    def _found(self, text: str) -> str | None:
        ends = [each for each in self.mail.people.values() if each.endswith(text)]
        return self.mail.people.get(text) or next(iter(ends), None)

    def _called(self, peer: str) -> str:
        names = [name for name, known in self.mail.people.items() if known == peer]
        return names[-1] if names else f"…{peer_id.short(peer)}"

    @handles(actors.ListContacts)
    async def _contacts(self, _: actors.ListContacts) -> actors.ContactStatusList:
        return actors.ContactStatusList(contacts=self.mail.contacts)

    @handles(actors.AddContact)
    async def _add(self, add: actors.AddContact) -> actors.ContactStatus | actors.Rejected:
        return self._keep(add.text, add.name)

    def _keep(self, text: str, name: str) -> actors.ContactStatus | actors.Rejected:
        peer = self._found(text)
        if peer is None:
            return _unknown(text)
        self.mail.befriend(peer, name or self._called(peer))
        return self.mail.contacts[-1]

    @handles(actors.RenameContact)
    async def _rename(self, change: actors.RenameContact) -> actors.ContactStatus | actors.Rejected:
        return self._keep(change.text, change.name)

    @handles(actors.RemoveContact)
    async def _remove(self, remove: actors.RemoveContact) -> actors.Done:
        gone = peer_id.from_text(remove.text)
        self.mail.contacts = [each for each in self.mail.contacts if each.contact.peer != gone]
        return actors.Done()

    @handles(actors.DescribeSafety)
    async def _safety(self, question: actors.DescribeSafety) -> actors.SafetyNumber:
        known = [c for c in self.mail.contacts if peer_id.to_text(c.contact.peer) == question.text]
        return actors.SafetyNumber(
            peer=question.text,
            name=self._called(question.text),
            digits="0123456789" * 6,
            verified=any(each.contact.verified_at_ms for each in known),
        )

    @handles(actors.SetVerified)
    async def _set_verified(self, command: actors.SetVerified) -> actors.Done:
        for each in self.mail.contacts:
            if peer_id.to_text(each.contact.peer) == command.text:
                each.contact.verified_at_ms = int(command.verified)
        return actors.Done()

    @handles(actors.DescribeSelf)
    async def _describe_self(self, _: actors.DescribeSelf) -> actors.Link:
        return actors.Link(text=OWN_LINK)

    @handles(actors.MarkShown)
    async def _mark(self, shown: actors.MarkShown) -> actors.Done | actors.Rejected:
        if self.mail.is_down:
            return actors.Rejected(reason=actors.UNAVAILABLE, detail="Not now.")
        self.mail.marked.append((shown.peer, list(shown.ids)))
        return actors.Done()

    @handles(actors.ReadDirectHistory)
    async def _read(self, question: actors.ReadDirectHistory) -> actors.DirectHistoryPage:
        peer = peer_id.from_text(question.peer)
        found: Sequence[records.DirectRecord] = [r for r in self.mail.kept if r.peer == peer]
        end = int(question.before or b"%d" % len(found))
        begin = max(0, end - question.limit)
        first = b"%d" % begin if found[begin:end] else b""
        return actors.DirectHistoryPage(records=found[begin:end], first=first)

    @handles(actors.ListMailboxes)
    async def _mailboxes(self, _: actors.ListMailboxes) -> actors.MailboxStatusList:
        return actors.MailboxStatusList(mailboxes=self.mail.mailboxes)

    @handles(actors.AddMailbox)
    async def _add_mailbox(self, add: actors.AddMailbox) -> actors.MailboxStatus:
        status = actors.MailboxStatus(peer=MAILBOX, registered="token" in add.link)
        status.problem = "" if status.registered else "It wants an invite."
        self.mail.mailboxes.append(status)
        return status

    @handles(actors.RemoveMailbox)
    async def _remove_mailbox(self, remove: actors.RemoveMailbox) -> actors.Done | actors.Rejected:
        if remove.text != "1":
            return actors.Rejected(reason=actors.INVALID, detail="There is no such mailbox.")
        self.mail.mailboxes.clear()
        return actors.Done()


def _unknown(text: str) -> actors.Rejected:
    return actors.Rejected(reason=actors.UNKNOWN_PEER, detail=f"Nobody called {text!r} is known.")
