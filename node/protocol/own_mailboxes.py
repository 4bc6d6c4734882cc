"""The mailboxes that the owner has chosen, and the signed record that tells others of them."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.protocol import mailbox_record, peer_id, worker_choice
from p2pchat.node.protocol.limits import DAY_MS, MAX_ADDRESSES, MAX_MAILBOXES
from p2pchat.node.protocol.links import MailboxLink
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

LEAVING_MS = (
    40 * DAY_MS
)  # how long a mailbox that was left and cannot be reached is still looked for
LIFETIME_MS = 180 * DAY_MS  # of a record; it is signed anew after half of it
SHORTEST_END = 6  # characters of a peer id's end that name a mailbox


class OwnMailboxes:
    """Mailboxes are named by their peer id in base58. Only those that have agreed stand in the record."""

    def __init__(
        self,
        peer: bytes,
        key: Ed25519PrivateKey,
        seal_key: bytes,
        kept: records.OwnMailboxes | None = None,
    ) -> None:
        self._peer = peer
        self._key = key
        self._seal_key = seal_key
        self._entries: dict[str, records.OwnMailbox] = {}
        self._firsts: dict[
            str, MailboxLink
        ] = {}  # by the worker that was chosen; not kept on the disk
        self._sequence = kept.record_sequence if kept is not None else 0
        # An address in the record is another one than when it was signed; or, after going back to a backup, others may
        # know a newer record, which says something else.
        self._moved = kept is not None and kept.restored
        for entry in kept.mailboxes if kept is not None else ():
            self._entries[peer_id.to_text(entry.address.peer)] = entry

    def __contains__(self, peer: str) -> bool:
        return peer in self._entries

    def peers(self) -> list[str]:
        """Those that are to take mail."""
        return [peer for peer, entry in self._entries.items() if not entry.leaving_since_ms]

    def everywhere(self) -> list[str]:
        """Those, and the ones that are being left: mail may be at any of them."""
        return list(self._entries)

    def is_leaving(self, peer: str) -> bool:
        return peer in self._entries and bool(self._entries[peer].leaving_since_ms)

    def get(self, peer: str) -> records.OwnMailbox:
        return self._entries[peer]

    def keep(self) -> records.OwnMailboxes:
        """What is to be stored."""
        return records.OwnMailboxes(
            mailboxes=self._entries.values(), record_sequence=self._sequence
        )

    def chosen(self, link: MailboxLink) -> MailboxLink:
        """Of a mailbox with workers the one for this peer, or the one that it has already."""
        return worker_choice.choose(link, self._peer, self.everywhere())

    def add(self, whole: MailboxLink) -> bool:
        """Whether anything changed. Raises `ValueError` with a sentence when it cannot be one of them."""
        link = self.chosen(whole)
        known = self._entries.get(link.peer)
        if link.peer not in self.peers() and len(self.peers()) >= MAX_MAILBOXES:
            raise ValueError(
                f"You have {MAX_MAILBOXES} mailboxes already: /mailbox remove one first."
            )
        if whole.peer != link.peer and any(map(mailbox_record.is_address, whole.addresses)):
            self._firsts[link.peer] = MailboxLink(whole.peer, whole.addresses, whole.token)
        entry = records.OwnMailbox()
        if known is not None:
            entry.CopyFrom(known)
        entry.token = link.token or entry.token
        entry.leaving_since_ms = 0
        entry.address.peer = peer_id.from_text(link.peer)
        if whole.workers:
            entry.of, entry.workers = peer_id.from_text(whole.peer), 1 + len(whole.workers)
        if fitting := [a for a in link.addresses if mailbox_record.is_address(a)][:MAX_ADDRESSES]:
            entry.address.ClearField("addresses")
            entry.address.addresses.extend(fitting)
        if not entry.address.addresses:
            raise ValueError("That link does not say where the mailbox is: ask for a whole one.")
        if entry == known:
            return False
        self._moved |= entry.registered and known is not None and entry.address != known.address
        self._entries[link.peer] = entry
        return True

    def leave(self, peer: str, now_ms: int) -> None:
        """No more mail shall go there; it stays until what it holds has been collected."""
        entry = self._entries[peer]
        if entry.registered:
            entry.leaving_since_ms, entry.registered = now_ms, False
            self._next_sequence(now_ms)
        else:
            del self._entries[peer]

    def instead(self, peer: str) -> MailboxLink | None:
        """Of a worker that has not taken us yet: whom its link names first, for when it cannot be reached.

        A mailbox may have fewer workers now than when it made the link; it always has the first.
        """
        entry = self._entries.get(peer)
        if entry is None or entry.registered or entry.leaving_since_ms:
            return None
        return self._firsts.get(peer)

    def move(self, peer: str) -> None:
        """To the one that is there `instead`. Raises `KeyError` when there is none."""
        first, entry = self._firsts.pop(peer), self._entries.pop(peer)
        self.add(first)
        self._entries[first.peer].of, self._entries[first.peer].workers = entry.of, entry.workers

    def overdue(self, now_ms: int) -> list[str]:
        """Those that have been left for so long that nothing of ours is there any more."""
        return [
            peer
            for peer, entry in self._entries.items()
            if entry.leaving_since_ms and now_ms > entry.leaving_since_ms + LEAVING_MS
        ]

    def remove(self, peer: str, now_ms: int) -> None:
        """At once. Raises `KeyError`."""
        if self._entries.pop(peer).registered:
            self._next_sequence(now_ms)

    def registered(self, peer: str, now_ms: int) -> bool:
        """The mailbox has agreed; whether that is new, and with it the record."""
        entry = self._entries.get(peer)
        if entry is None or entry.registered or entry.leaving_since_ms:
            return False
        entry.registered = True
        self._next_sequence(now_ms)
        return True

    def turned_away(self, peer: str, now_ms: int) -> bool:
        """The mailbox takes nothing for us any more; whether that is new, and with it the record."""
        entry = self._entries.get(peer)
        if entry is None or not entry.registered:
            return False
        entry.registered = False
        self._next_sequence(now_ms)
        return True

    def record(self, now_ms: int) -> wire.MailboxRecord:
        """The signed record of now. Its sequence changes with its content, and when it gets old."""
        if self._moved or not self._sequence or now_ms > self._sequence + LIFETIME_MS // 2:
            self._next_sequence(now_ms)
        record = wire.MailboxRecord(
            peer=self._peer,
            seal_key=self._seal_key,
            # One without an address would make the record invalid for everybody.
            mailboxes=[
                e.address for e in self._entries.values() if e.registered and e.address.addresses
            ],
            sequence=self._sequence,
            expires_at_ms=self._sequence + LIFETIME_MS,
        )
        mailbox_record.sign(record, self._key)
        return record

    def find(self, text: str) -> str | None:
        """The one that a person means: its number from 1, its peer id or that of its link, or the end of that."""
        peers: Sequence[str] = self.peers()
        if text.isdecimal() and 1 <= int(text) <= len(peers):
            return peers[int(text) - 1]
        end = text.lstrip("…")
        ends = [peer for peer in peers if len(end) >= SHORTEST_END and self._ends_with(peer, end)]
        return ends[0] if len(ends) == 1 else None

    def _ends_with(self, peer: str, end: str) -> bool:
        of = self._entries[peer].of
        return peer.endswith(end) or (bool(of) and peer_id.to_text(of).endswith(end))

    def _next_sequence(self, now_ms: int) -> None:
        # Starts from the time, so that somebody who restored an old backup is believed again.
        self._sequence = max(now_ms, self._sequence + 1)
        self._moved = False
