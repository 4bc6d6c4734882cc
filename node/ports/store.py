"""Durable storage as the storage actor sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from p2pchat.node.protocol.summary import ItemSet
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

MOST_PASSED = (
    10_000  # messages that are not listed and that one call passes over: some tenths of a second
)


@dataclass(frozen=True, slots=True)
class HistorySlice:
    """Records oldest first; before the opaque position `first` stands the page before, nothing if it is empty."""

    records: Sequence[records.RoomRecord]
    first: bytes


@dataclass(frozen=True, slots=True)
class RoomHead:
    """The newest stored lamport time of a room (0: empty) and up to three newest message ids."""

    lamport: int
    parents: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class StoreInfo:
    path: str
    size_bytes: int
    messages: int  # an estimate
    schema_version: int
    free_bytes: int = 0  # that the disk still has for this user


class Arrivals(Protocol):
    """What came into a store and what was deleted from it, kept until a search index has it.

    A text stands where it was said, for ever: what an edit says stands at the edit. What is not to be read any more,
    because of an edit, a retraction or a deletion, counts as deleted.
    """

    def follower(self) -> bytes:
        """The index that they are kept for; empty: nobody, and nothing is kept."""
        ...

    def set_follower(self, follower: bytes) -> None:
        """What was kept for the one before is dropped."""
        ...

    def oldest(self, limit: int) -> index.Changes:
        """About `limit` of them, in their order, without messages that are there no longer."""
        ...

    def drop(self, last: bytes) -> None:
        """Forget all up to a page's `last`."""
        ...

    def scan(self, limit: int, after: bytes = b"") -> index.Changes:
        """Up to `limit` of all stored texts that are to be read, after a page's `last`, in an order of the store's."""
        ...


class MessageStore(Protocol):
    """Durable storage. Synchronous: the storage actor calls it in a worker thread, one call at a time.

    Every method raises `StoreError` when the disk fails or is full; nothing of that call is kept then.
    """

    def open(self) -> None:
        """Raises `StoreInUseError`, `StoreTooNewError` or `StoreError`. Costs the same however much is stored."""
        ...

    def close(self) -> None: ...

    def checkpoint(self) -> Path:
        """Copy all that is stored into a folder beside the store, in place of an earlier one. `open` deletes it."""
        ...

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        """Store in one synced write; for each record whether it was new.

        A message that is there already, in the store or earlier in the batch, changes nothing; messages are the
        same when they have the same item (`protocol.items`). A room's history is ordered by item. A message
        below the floor of its room is not kept, and not new. An `unseen` one is counted as unread in its room.
        """
        ...

    def altered(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        """For each message whether an edit or a retraction of it is there."""
        ...

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        """The newest `limit` records that stand before `before` (a slice's `first`; empty: the end).

        Edits and retractions are joined into the messages that they are about, and are not listed themselves
        (`protocol.alterations`); nor is what the owner has deleted, or what a blocked contact has written. Where some
        `MOST_PASSED` of those are together, a page is shorter or empty, and says in `first` where to go on.
        """
        ...

    def named_room_messages(
        self, room: str, names: Sequence[tuple[bytes, bytes]]
    ) -> list[records.RoomRecord]:
        """Those of the messages with these senders and ids that history lists, as it does."""
        ...

    def found_room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        """The same for what an index of `arrivals` has found at these items; an edit leads to its message."""
        ...

    def delete_room_message(self, room: str, sender: bytes, message_id: bytes) -> bool:
        """By the owner: it is never listed or found any more; False if it is not there. It stays for sync."""
        ...

    def room_head(self, room: str) -> RoomHead: ...

    def unknown(self, room: str, ids: Sequence[bytes]) -> list[bytes]:
        """Those of these message ids that no stored message of the room has."""
        ...

    def item_set(self, room: str) -> ItemSet:
        """The room's items, for sync. To be used until the next call that writes."""
        ...

    def room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        """Those of these items that are there, in the order given, just as they were saved: for sync."""
        ...

    def newest_between(
        self, room: str, lower: bytes, upper: bytes, limit: int, max_bytes: int
    ) -> tuple[list[records.RoomRecord], bool]:
        """The newest messages with items from `lower` up to below `upper`, newest first: at most `limit` and
        `max_bytes` of messages, or one; and whether there are older ones."""
        ...

    def room_settings(self, room: str) -> records.RoomSettings: ...

    def save_room_settings(self, settings: records.RoomSettings) -> None:
        """Replaces the room's settings but for `muted` and `seen_ms`, which others change at the same time."""
        ...

    def mute_room(self, room: str, muted: bool) -> None: ...

    def mark_room_seen(self, room: str, seen_ms: int) -> None:
        """Nothing in it is unread; `seen_ms`: when what came last was received, or later, Unix milliseconds."""
        ...

    def unread(self) -> list[actors.UnreadChanged]:
        """Rooms and peers with unread messages, but of what blocked contacts have written.

        Costs by the number of those who have written what is unread, not by that of messages.
        """
        ...

    def trim_room(self, room: str, limit: int) -> tuple[int, bool]:
        """Delete up to `limit` messages below the room's floor, oldest first; how many, and whether there are more."""
        ...

    def floor_for(self, room: str, max_bytes: int) -> int:
        """The Lamport time from which on the room's messages have at most `max_bytes` together; 0 when all have.

        Exact only to the cells of `protocol.summary`: rather too few messages are kept than too many.
        """
        ...

    def stored_rooms(self) -> list[actors.RoomUsage]:
        """Every room with a stored message or with settings, by name. Costs by the number of rooms."""
        ...

    # ---- direct messages; peers in base58 -------------------------------------------------------------

    def save_direct(self, saves: Sequence[actors.DirectSave]) -> list[bool]:
        """Store in one synced write; for each whether (sender, id) was new in its conversation. The sender is
        `record.peer`, or this node for an outgoing one; a conversation is ordered by (lamport, id), far times
        clamped as in `append`.

        Of a repeated message only the due receipt and the dropping of its spooled envelope take effect.
        An outgoing one enters the outbox as well, unless it is `past`.
        """
        ...

    def spool(self, envelopes: Sequence[wire.Envelope]) -> None:
        """Keep sealed envelopes in the order given; a repeated one changes nothing."""
        ...

    def spooled(self, limit: int) -> list[wire.Envelope]:
        """The oldest ones; fewer than `limit`, but at least one, when they have more than 8 MiB together."""
        ...

    def drop_spooled(self, ids: Sequence[bytes]) -> None: ...

    def update_outbox(self, updates: Sequence[actors.OutboxUpdate]) -> list[bool]:
        """In one synced write; for each whether the delivery state went forward.

        The delivery state of a message is kept when it has left the outbox, too. An earlier stage than the stored
        one changes no state; an update for a message that was never written as outgoing changes nothing.
        """
        ...

    def outbox(self, limit: int, after: bytes = b"") -> actors.OutboxPage:
        """Unfinished messages without envelopes, in the order in which they were saved."""
        ...

    def outbox_entries(self, peer: str, ids: Sequence[bytes]) -> list[actors.OutboxEntry]: ...

    def direct_history(
        self, peer: str, limit: int, before: bytes = b""
    ) -> actors.DirectHistoryPage:
        """The newest `limit` records before `before`, with delivery states, read marks and, as in `history`,
        alterations joined in."""
        ...

    def altered_direct(self, batch: Sequence[records.DirectRecord]) -> list[bool]:
        """As `altered`."""
        ...

    def named_direct_messages(
        self, peer: str, names: Sequence[tuple[bool, bytes]]
    ) -> list[records.DirectRecord]:
        """Those of the messages, outgoing or not, with these ids that history lists, as it does."""
        ...

    def found_direct_messages(self, peer: str, keys: Sequence[bytes]) -> list[records.DirectRecord]:
        """The same for what an index of `arrivals` has found at these keys (of an `index.Spot`)."""
        ...

    def delete_direct_message(self, peer: str, outgoing: bool, message_id: bytes) -> bool:
        """By the owner: only that it was there is kept; False if it is not. An own one is still delivered."""
        ...

    def conversation_head(self, peer: str) -> RoomHead: ...

    def due_receipts(self, limit: int) -> list[actors.PeerReceipts]:
        """Receipts to be sent, of at most `limit` messages in all."""
        ...

    def settle_receipts(self, receipts: actors.PeerReceipts) -> None: ...

    def mark_read(self, peer: str, ids: Sequence[bytes], receipt_due: bool) -> list[bytes]:
        """Which of these incoming, stored messages were not read before."""
        ...

    def contacts(self) -> list[records.Contact]: ...

    def save_contact(self, contact: records.Contact) -> None: ...

    def delete_contact(self, peer: str) -> None: ...

    def transfers(self) -> list[records.TransferRecord]:
        """All of them, in no order. `save_direct` keeps one with each new message that offers a file."""
        ...

    def save_transfer(self, record: records.TransferRecord) -> None:
        """Replaces the one with that peer, direction and id."""
        ...

    def delete_transfers(self, gone: Sequence[records.TransferRecord]) -> None: ...

    def load_own_mailboxes(self) -> records.OwnMailboxes: ...

    def save_own_mailboxes(self, own: records.OwnMailboxes) -> None: ...

    def load_profile(self) -> records.Profile: ...

    def save_profile(self, profile: records.Profile) -> None: ...

    def load_known_peers(self) -> records.KnownPeers: ...

    def save_known_peers(self, known: records.KnownPeers) -> None:
        """Replaces what was kept."""
        ...

    def describe(self) -> StoreInfo: ...

    @property
    def arrivals(self) -> Arrivals: ...
