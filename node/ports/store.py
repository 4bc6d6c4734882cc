"""Durable storage as the storage actor sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from p2pchat.node.protocol.summary import ItemSet
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire


@dataclass(frozen=True, slots=True)
class HistorySlice:
    """Records oldest first; `first` is the opaque position of the first one, empty if none."""

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
    """What came into a store and what was deleted from it, kept until a search index has it."""

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
        """Up to `limit` of all stored messages, after a page's `last`, in an order of the store's."""
        ...


class MessageStore(Protocol):
    """Durable storage. Synchronous: the storage actor calls it in a worker thread, one call at a time.

    Every method raises `StoreError` when the disk fails or is full; nothing of that call is kept then.
    """

    def open(self) -> None:
        """Raises `StoreInUseError`, `StoreTooNewError` or `StoreError`. Costs the same however much is stored."""
        ...

    def close(self) -> None: ...

    def append(self, batch: Sequence[records.RoomRecord]) -> list[bool]:
        """Store in one synced write; for each record whether it was new.

        A message that is there already, in the store or earlier in the batch, changes nothing; messages are the
        same when they have the same item (`protocol.items`). A room's history is ordered by item. A message
        below the floor of its room is not kept, and not new.
        """
        ...

    def history(self, room: str, limit: int, before: bytes = b"") -> HistorySlice:
        """The newest `limit` records that stand before `before` (a slice's `first`; empty: the end)."""
        ...

    def room_head(self, room: str) -> RoomHead: ...

    def unknown(self, room: str, ids: Sequence[bytes]) -> list[bytes]:
        """Those of these message ids that no stored message of the room has."""
        ...

    def item_set(self, room: str) -> ItemSet:
        """The room's items, for sync. To be used until the next call that writes."""
        ...

    def room_messages(self, room: str, items: Sequence[bytes]) -> list[records.RoomRecord]:
        """Those of these items that are there, in the order given."""
        ...

    def newest_between(
        self, room: str, lower: bytes, upper: bytes, limit: int, max_bytes: int
    ) -> tuple[list[records.RoomRecord], bool]:
        """The newest messages with items from `lower` up to below `upper`, newest first: at most `limit` and
        `max_bytes` of messages, or one; and whether there are older ones."""
        ...

    def room_settings(self, room: str) -> records.RoomSettings: ...

    def save_room_settings(self, settings: records.RoomSettings) -> None:
        """Replaces the room's settings."""
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
        An outgoing one enters the outbox as well.
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
        """The newest `limit` records before `before`, with delivery states and read marks joined in."""
        ...

    def direct_messages(self, peer: str, keys: Sequence[bytes]) -> list[records.DirectRecord]:
        """Those of the messages at these keys (of an `index.Spot`) that are there, in the order given."""
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
