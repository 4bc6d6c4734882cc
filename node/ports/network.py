"""The libp2p host as the actors see it, and how peers nearby are found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import trio


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
