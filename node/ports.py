"""What the actors need from outside: a network and a message store.

Each port has a real and an in-memory adapter in `adapters/`; one contract test holds both.
Peers are named by their base58 peer id, addresses are multiaddrs as text.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import trio

from p2pchat.node.protocol.search_query import SearchQuery
from p2pchat.node.protocol.summary import ItemSet
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """One live connection. `rtt_ms` is None until it was measured."""

    peer: str
    address: str
    transport: str
    outbound: bool
    rtt_ms: float | None = None
    relayed: bool = False  # over a circuit; `address` contains /p2p-circuit then


@dataclass(frozen=True, slots=True)
class PeerUp:
    """The first connection to a peer is there."""

    peer: str
    address: str
    transport: str
    outbound: bool


@dataclass(frozen=True, slots=True)
class PeerDown:
    """The last connection to a peer is gone."""

    peer: str


PeerEvent = PeerUp | PeerDown


class Stream(Protocol):
    """A bidirectional byte stream to one authenticated peer.

    An end of stream never means "complete" (QUIC can lose the tail): what is sent over it is framed.
    Every method raises `StreamError` when the stream ends, is reset, or breaks the framing.
    """

    @property
    def peer(self) -> str: ...

    async def read_frame(self, limit: int) -> bytes:
        """The next frame's body, 1 to `limit` bytes; a longer or empty one resets the stream."""
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes as they are: one or many frames made by `protocol.framing.frame`."""
        ...

    async def close(self) -> None: ...

    async def reset(self) -> None: ...


StreamHandler = Callable[[Stream], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class GossipMessage:
    """One gossip message. `source` is the signed origin, not who passed it on."""

    source: str
    data: bytes


class Subscription(Protocol):
    """A joined topic. Own publishes do not come back."""

    def __aiter__(self) -> AsyncIterator[GossipMessage]: ...

    async def __anext__(self) -> GossipMessage: ...


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """What a relay carries at the moment."""

    reservations: int
    circuits: int


class Network(Protocol):
    """The libp2p host as the actors see it."""

    @property
    def peer(self) -> str:
        """The own peer id."""
        ...

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Listen until cancelled; started when it listens. May be run again after it ended.

        Raises `ListenError` when no address can be used.
        """
        ...

    def listen_addresses(self) -> Sequence[str]:
        """Addresses others may dial, wildcards expanded, without `/p2p/<peer id>`."""
        ...

    def connections(self) -> Sequence[ConnectionInfo]: ...

    def peer_events(self) -> trio.MemoryReceiveChannel[PeerEvent]:
        """Where this run's peer events arrive; one reader."""
        ...

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        """Connect, racing the addresses; at once when connected already. Raises `DialError`.

        `peer` may be empty when the addresses end in `/p2p/<peer id>`. Circuit addresses
        (`<relay's address>/p2p/<relay>/p2p-circuit`) are tried when no other address led there.
        """
        ...

    async def reserve(self, relay: str) -> float:
        """Ask a connected relay to pass circuits on to us; asking again renews.

        Returns the seconds it lasts. While it lasts and the relay is connected, `listen_addresses` has circuit
        addresses too. Raises `StreamError` when the relay refuses or is no relay.
        """
        ...

    def relay_status(self) -> RelayStatus | None:
        """What the own relay service carries; None when this host is no relay."""
        ...

    async def disconnect(self, peer: str) -> None: ...

    async def ping(self, peer: str) -> float:
        """One round trip, in seconds. Raises `StreamError`."""
        ...

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        """Serve a protocol. An exception in the handler resets its stream and is counted."""
        ...

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Raises `StreamError` when not connected or refused."""
        ...

    async def subscribe(self, topic: str) -> Subscription: ...

    async def unsubscribe(self, topic: str) -> None: ...

    async def publish(self, topic: str, data: bytes) -> None:
        """Hand one gossip message over, at most `MAX_GOSSIP_BYTES`, waiting while the queues to
        neighbours are full. Raises `PublishError`."""
        ...

    async def flush(self) -> None:
        """Wait until every neighbour has read what was published so far, or does not answer."""
        ...

    def topic_peers(self, topic: str) -> Sequence[str]:
        """Connected peers that are known to be subscribed."""
        ...

    def counters(self) -> Mapping[str, int]:
        """What was refused, reset or dropped since the object was made, by name."""
        ...


MAX_GOSSIP_BYTES = 1_000_000  # py-libp2p drops more than about 1,040,000 bytes silently


class LocalDiscovery(Protocol):
    """Finds peers on the local network, and lets them find us."""

    def announce(self, addresses: Sequence[str]) -> None:
        """What others shall hear: multiaddrs ending in `/p2p/<own peer id>`. Before a run or during one."""
        ...

    async def run(
        self,
        peer: str,
        found: Callable[[str, Sequence[str]], None],
        report: Callable[[str], None],
    ) -> None:
        """Announce and look for others until cancelled; `peer` is the own peer id.

        `found` gets a peer id and addresses ending in `/p2p/<that peer id>`. `report` gets a sentence when
        nothing can be found (no network: that is tried again, not raised), and "" when it works (again).
        """
        ...


# Turns "/dnsaddr/<host>/p2p/<peer id>" into addresses that end in "/p2p/<peer id>". Raises `NetworkError`.
Resolver = Callable[[str], Awaitable[Sequence[str]]]


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
        """The floor never goes down: the higher one of the stored and the new one is kept."""
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

    def describe(self) -> StoreInfo: ...

    @property
    def arrivals(self) -> Arrivals: ...


@dataclass(frozen=True, slots=True)
class IndexState:
    follower: bytes = b""  # the name under which it follows a store; empty: a new index
    # How far it has got with the messages from before it followed: a scan's `last`; None: it has them all.
    scanned: bytes | None = b""
    messages: int = 0  # in the index


@dataclass(frozen=True, slots=True)
class Found:
    spots: Sequence[index.Spot]  # newest first
    last: bytes  # leads to the next page; empty: there is none


class SearchIndex(Protocol):
    """Finds messages by their words. Synchronous, one call at a time; derived from a store, so it may be lost.

    Every method raises `StoreError` when the disk fails or is full, or when the index was damaged and is lost.
    """

    def open(self) -> IndexState:
        """Raises `SearchUnavailableError` too. A damaged index, or one of another version, is a new one then."""
        ...

    def close(self) -> None: ...

    def begin(self, follower: bytes) -> IndexState:
        """Empty it, to be filled from a store."""
        ...

    def apply(self, changes: Sequence[index.Change], scanned: bytes | None) -> IndexState:
        """All of them or none, durably; what the index has or lacks already changes nothing.

        `scanned` is for the state; an earlier one stays true when changes did not come from a scan.
        """
        ...

    def find(self, query: SearchQuery, place: str, limit: int, before: bytes) -> Found:
        """The newest messages of `place` (empty: of all) that fit, by Lamport time; `before` is a page's `last`."""
        ...
