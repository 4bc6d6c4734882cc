"""Whom the owner knows: how to call them, how to reach them, who is meant by a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from p2pchat.node.protocol import mailbox_record, names, peer_id
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

MAX_ADDRESSES = 8  # kept of one contact, the newest first
SHORTEST_END = 6  # characters of a peer id's end that name a peer
MANY = 5  # candidates named in a question back
ELLIPSIS = "…"  # stands before the end of a peer id, and in no name


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
        self._spoiled: dict[str, bytes] = {}  # hash of a contact's key that cannot be sealed to

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
        end = f"{ELLIPSIS}{peer_id.short(peer)}"
        nick = self._nick(peer)
        # Nobody passes for a contact by taking the name that the owner has given to it.
        return f"{nick} ({end})" if nick and self._by_given_name(nick) else nick or end

    def _nick(self, peer: str) -> str:
        contact = self._contacts.get(peer)
        return self._online.get(peer) or (contact.nick if contact is not None else "")

    def is_chosen(self, peer: str) -> bool:
        """Whether the owner has added or written to it; others are strangers that have written."""
        contact = self._contacts.get(peer)
        return contact is not None and contact.added

    def is_blocked(self, peer: str) -> bool:
        contact = self._contacts.get(peer)
        return contact is not None and contact.blocked_at_ms != 0

    @property
    def strangers(self) -> int:
        return sum(not contact.added for contact in self._contacts.values())

    def seal_key(self, peer: str) -> bytes:
        contact = self._contacts.get(peer)
        return contact.record.seal_key if contact is not None else b""

    def spoil_key(self, peer: str) -> None:
        """The key cannot be sealed to: as good as none, until there is another one."""
        contact = self._contacts.get(peer)
        if contact is not None and contact.HasField("record"):
            self._spoiled[peer] = contact.record.seal_key_hash
            contact.record.ClearField("seal_key")

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
        contact = self._contacts.pop(peer, None)
        self._spoiled.pop(peer, None)
        # It does not tell again while it is connected, and the owner may write to it all the same.
        if contact is not None and contact.HasField("record") and peer in self._online:
            self._heard[peer] = contact.record

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
        spoiled = self._spoiled.get(peer_id.to_text(contact.peer))
        if newest is not None and newest.seal_key_hash == spoiled:
            newest = mailbox_record.without_key(newest)
        if newest is None or newest == known:
            return False
        contact.record.CopyFrom(newest)
        return True

    def learn_nick(self, contact: records.Contact, nick: str) -> bool:
        if contact.nick == nick or not _is_usable(nick):
            return False
        contact.nick = nick
        return True

    def name_problem(self, name: str, peer: str) -> str | None:
        """Why a contact cannot be called that, as a sentence; None when it can."""
        if problem := names.name_problem(name):
            return problem
        if ELLIPSIS in name:
            return f"A contact's name cannot contain {ELLIPSIS}, which stands for the end of a peer id."
        for other, contact in self._contacts.items():
            if other != peer and contact.name.casefold() == name.casefold():
                return (
                    f"Another contact (…{peer_id.short(other)}) is called {contact.name} already."
                )
        return None

    # ---- who is there ---------------------------------------------------------------------------------

    def online(self, peer: str, nick: str) -> None:
        """A peer has said its name; one that it cannot have is as good as none."""
        self._online[peer] = nick if _is_usable(nick) else ""

    def hear(self, peer: str, record: wire.MailboxRecord) -> None:
        """A connected peer's own record, in case it becomes a contact."""
        if peer not in self._contacts:
            self._heard[peer] = record

    def offline(self, peer: str) -> None:
        self._online.pop(peer, None)
        self._heard.pop(peer, None)

    # ---- who is meant ---------------------------------------------------------------------------------

    def resolve(self, text: str) -> str:
        """The peer that a person means: a whole id, then the owner's own names, then what peers call themselves.

        The end of an id counts like a nick: else somebody could take another's end for a nick, and get its mail.
        Behind "…" nothing but an id stands. Raises `UnknownPeerError` and `AmbiguousPeerError`.
        """
        wanted = text.strip().lstrip(ELLIPSIS)
        is_id = text.strip().startswith(ELLIPSIS)
        for candidates in (
            self._by_whole_id(wanted),
            set() if is_id else self._by_given_name(wanted),
            self._by_end(wanted) | (set() if is_id else self._by_nick(wanted)),
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
        return {p for p in self._known() if (nick := self._nick(p)) and nick.casefold() == folded}

    def _by_whole_id(self, wanted: str) -> set[str]:
        try:
            is_peer = peer_id.public_key_of(peer_id.from_text(wanted)) is not None
        except ValueError:
            return set()
        return {wanted} if is_peer else set()

    def _by_end(self, wanted: str) -> set[str]:
        if len(wanted) < SHORTEST_END:
            return set()
        return {peer for peer in self._known() if peer.endswith(wanted)}

    def _known(self) -> set[str]:
        return {*self._contacts, *self._online}

    def _question(self, wanted: str, candidates: Sequence[str]) -> str:
        ends = _ends(candidates)
        shown = [f"{self._short_name(p)} ({ELLIPSIS}{ends[p]})".lstrip() for p in candidates[:MANY]]
        more = f" and {len(candidates) - MANY} more" if len(candidates) > MANY else ""
        example = ELLIPSIS + ends[candidates[0]]
        return (
            f"Several are called {wanted!r}: {', '.join(shown)}{more}. "
            f"Say which one by the end of its id, such as {example}."
        )

    def _short_name(self, peer: str) -> str:
        """Without the end of its id; empty when it has no name."""
        contact = self._contacts.get(peer)
        given = contact.name if contact is not None else ""
        return given or self._nick(peer)


def _is_usable(nick: str) -> bool:
    return names.name_problem(nick) is None and ELLIPSIS not in nick


def _ends(peers: Sequence[str]) -> dict[str, str]:
    """An end of each id, long enough to tell them apart: equal short ends can be made on purpose."""
    length = SHORTEST_END
    while len({peer[-length:] for peer in peers}) < len(peers):
        length += 1
    return {peer: peer[-length:] for peer in peers}
