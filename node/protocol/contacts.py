"""Whom the owner knows: how to call them, how to reach them, who is meant by a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p2pchat.node.protocol import mailbox_record, names, peer_id
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

MAX_ADDRESSES = 8  # kept of one contact, the newest first
SHORTEST_END = 6  # characters of a peer id's end that name a peer
MANY = 5  # candidates named in a question back


class UnknownPeerError(LookupError):
    """Nobody is known by that name; the message is a sentence."""


class AmbiguousPeerError(LookupError):
    """Several peers are; the message is a sentence that tells them apart."""


class ContactBook:
    """Contacts by peer id in base58. What changes a contact returns it, to be saved."""

    def __init__(self) -> None:
        self._contacts: dict[str, records.Contact] = {}
        self._online: dict[str, str] = {}  # connected chat peers and what they call themselves
        self._heard: dict[str, wire.MailboxRecord] = {}  # of connected ones that are no contacts

    def load(self, contacts: Iterable[records.Contact]) -> None:
        self._contacts = {peer_id.to_text(contact.peer): contact for contact in contacts}

    def __contains__(self, peer: str) -> bool:
        return peer in self._contacts

    def all(self) -> Sequence[records.Contact]:
        """The one with the newest message first."""
        return sorted(self._contacts.values(), key=lambda c: c.last_message_ms, reverse=True)

    def get(self, peer: str) -> records.Contact | None:
        return self._contacts.get(peer)

    def label(self, peer: str) -> str:
        """What to call a peer: the owner's name for it, else its own, else the end of its id."""
        contact = self._contacts.get(peer)
        if contact is not None and contact.name:
            return contact.name
        nick = self._online.get(peer) or (contact.nick if contact is not None else "")
        return nick or f"…{peer_id.short(peer)}"

    def seal_key(self, peer: str) -> bytes:
        contact = self._contacts.get(peer)
        return contact.record.seal_key if contact is not None else b""

    def spoil_key(self, peer: str) -> None:
        """The key cannot be sealed to: as good as none, until a newer record comes."""
        if contact := self._contacts.get(peer):
            contact.record.seal_key = b""

    def mailboxes(self, peer: str) -> list[wire.MailboxAddress]:
        contact = self._contacts.get(peer)
        return list(contact.record.mailboxes) if contact is not None else []

    def addresses(self, peer: str) -> list[str]:
        """Where a peer may be: known addresses, then circuits over its mailboxes."""
        contact = self._contacts.get(peer)
        if contact is None:
            return []
        circuits = [
            f"{address}/p2p/{peer_id.to_text(mailbox.peer)}/p2p-circuit"
            for mailbox in contact.record.mailboxes
            for address in mailbox.addresses
        ]
        return [*contact.addresses, *circuits]

    # ---- changes --------------------------------------------------------------------------------------

    def ensure(self, peer: str, now_ms: int) -> records.Contact:
        """The contact, made if need be."""
        contact = self._contacts.get(peer)
        if contact is None:
            contact = records.Contact(peer=peer_id.from_text(peer), last_message_ms=now_ms)
            contact.nick = self._online.get(peer, "")
            self._contacts[peer] = contact
            self.learn_record(contact, self._heard.pop(peer, None))
        return contact

    def remove(self, peer: str) -> None:
        self._contacts.pop(peer, None)

    def learn_addresses(self, contact: records.Contact, addresses: Iterable[str]) -> bool:
        """Whether that was news."""
        before = list(contact.addresses)
        merged = list(dict.fromkeys([*addresses, *before]))[:MAX_ADDRESSES]
        contact.ClearField("addresses")
        contact.addresses.extend(merged)
        return merged != before

    def learn_record(self, contact: records.Contact, record: wire.MailboxRecord | None) -> bool:
        """Take over a newer, valid record of this very peer; whether that was news."""
        if record is None or record.peer != contact.peer or not mailbox_record.valid(record):
            return False
        known = contact.record if contact.HasField("record") else None
        newest = mailbox_record.newer(known, record)
        if newest is None or newest == known:
            return False
        contact.record.CopyFrom(newest)
        return True

    def learn_nick(self, contact: records.Contact, nick: str) -> bool:
        if not nick or contact.nick == nick or names.name_problem(nick):
            return False
        contact.nick = nick
        return True

    def name_problem(self, name: str, peer: str) -> str | None:
        """Why a contact cannot be called that, as a sentence; None when it can."""
        if problem := names.name_problem(name):
            return problem
        for other, contact in self._contacts.items():
            if other != peer and contact.name.casefold() == name.casefold():
                return (
                    f"Another contact (…{peer_id.short(other)}) is called {contact.name} already."
                )
        return None

    # ---- who is there ---------------------------------------------------------------------------------

    def online(self, peer: str, nick: str) -> None:
        self._online[peer] = nick

    def hear(self, peer: str, record: wire.MailboxRecord) -> None:
        """A connected peer's own record, in case it becomes a contact."""
        if peer not in self._contacts:
            self._heard[peer] = record

    def offline(self, peer: str) -> None:
        self._online.pop(peer, None)
        self._heard.pop(peer, None)

    # ---- who is meant ---------------------------------------------------------------------------------

    def resolve(self, text: str) -> str:
        """The peer that a person means. The owner's own names come first, then what peers call themselves, then ids.

        Raises `UnknownPeerError` and `AmbiguousPeerError`.
        """
        wanted = text.strip().lstrip("…")
        for candidates in (
            self._by_given_name(wanted),
            self._by_nick(wanted),
            self._by_id(wanted),
        ):
            if len(candidates) == 1:
                return candidates.pop()
            if candidates:
                raise AmbiguousPeerError(self._question(wanted, sorted(candidates)))
        raise UnknownPeerError(
            f"Nobody called {wanted!r} is known. /contacts lists whom you know, /peers who is connected; a whole "
            "peer id or a p2pchat: link always works."
        )

    def _by_given_name(self, wanted: str) -> set[str]:
        folded = wanted.casefold()
        return {p for p, c in self._contacts.items() if c.name and c.name.casefold() == folded}

    def _by_nick(self, wanted: str) -> set[str]:
        folded = wanted.casefold()
        nicks = {p: c.nick for p, c in self._contacts.items()} | self._online
        return {peer for peer, nick in nicks.items() if nick and nick.casefold() == folded}

    def _by_id(self, wanted: str) -> set[str]:
        try:
            if peer_id.public_key_of(peer_id.from_text(wanted)) is not None:
                return {wanted}
        except ValueError:
            pass
        if len(wanted) < SHORTEST_END:
            return set()
        return {p for p in {*self._contacts, *self._online} if p.endswith(wanted)}

    def _question(self, wanted: str, candidates: Sequence[str]) -> str:
        shown = ", ".join(
            f"{self.label(peer)} (…{peer_id.short(peer)})" for peer in candidates[:MANY]
        )
        more = f" and {len(candidates) - MANY} more" if len(candidates) > MANY else ""
        return f"Several are called {wanted!r}: {shown}{more}. Say the characters behind …"
