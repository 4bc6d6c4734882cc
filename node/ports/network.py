"""The libp2p host as the actors see it, and how peers nearby are found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from p2pchat.node.config import RelayLimits

if TYPE_CHECKING:
    # Half a first screen's time: a front end that looks into the store before the node is up goes without.
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
    punched: bool = False  # direct, made by `punch`


@dataclass(frozen=True, slots=True)
class PeerUp:
    """The first connection to a peer is there."""

    peer: str
    address: str
    transport: str
    outbound: bool
    relayed: bool = False


@dataclass(frozen=True, slots=True)
class PeerMoved:
    """The best connection to a peer is another one now: direct instead of relayed, or the other way round.

    Streams that are opened from now on go there. A relayed connection that has become needless is closed
    `RETIRE_AFTER` seconds later.
    """

    peer: str
    address: str
    transport: str
    outbound: bool
    relayed: bool
    punched: bool = False


@dataclass(frozen=True, slots=True)
class PeerIdentified:
    """A peer has said what it is; `Network.identified` tells."""

    peer: str


@dataclass(frozen=True, slots=True)
class Identified:
    """What a connected peer says of itself and of us (libp2p's identify). Nothing of it is proven."""

    protocols: frozenset[str]
    addresses: Sequence[str]  # where it listens; without /p2p/<peer id>
    observed: str = ""  # where it sees us; empty: it did not say, or the connection is a circuit
    outbound: bool = False  # we dialled that connection: the port of `observed` is a passing one


@dataclass(frozen=True, slots=True)
class PeerDown:
    """The last connection to a peer is gone."""

    peer: str


PeerEvent = PeerUp | PeerDown | PeerMoved | PeerIdentified

RETIRE_AFTER = 10.0  # seconds that a relayed connection stays after a direct one is there


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
        """Addresses others may dial, wildcards expanded, without `/p2p/<peer id>`: announced ones first, then own
        ones, then circuit addresses."""
        ...

    def announce(self, addresses: Sequence[str]) -> None:
        """Further addresses that lead to this host, e.g. those of its router; replaces those of before."""
        ...

    def identified(self, peer: str) -> Identified | None:
        """What a connected peer has said of itself; None: not yet."""
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

    def serve_relay(self, limits: RelayLimits | None) -> None:
        """Be a relay within these limits from now on, or none any more: circuits that run go on. A relay by
        configuration stays one, with its own limits."""
        ...

    async def probe(self, peer: str, addresses: Sequence[str]) -> str:
        """Whether somebody can be dialled: the first of these direct addresses at which `peer` proves who it is,
        over a fresh connection that is closed at once and never counts as one. Raises `DialError`."""
        ...

    async def punch(self, peer: str, addresses: Sequence[str], *, initiator: bool) -> None:
        """Make a direct connection to a peer that is connected through a relay: dial these direct addresses from
        the port that we listen on, while the other side does the same. One attempt of a few seconds.

        `initiator`: take that part in the security handshake; the other side must take the other one. Returns when
        there is a direct connection, whoever made it. Raises `DialError`.
        """
        ...

    def doubt(self) -> None:
        """The network has changed, or the machine slept: look soon which connections still live."""
        ...

    async def disconnect(self, peer: str) -> None: ...

    async def ping(self, peer: str) -> float:
        """One round trip, in seconds. Raises `StreamError`."""
        ...

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        """Serve a protocol. An exception in the handler resets its stream and is counted."""
        ...

    def stop_handling(self, protocol: str) -> None:
        """Serve a protocol no longer; streams that run go on."""
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


class PortMapper(Protocol):
    """Asks the router to let others in (UPnP). `describe` words are for the user."""

    async def map(self, ports: Sequence[tuple[str, int]]) -> Sequence[str]:
        """Map each ("TCP" or "UDP", port); returns multiaddr beginnings such as "/ip4/203.0.113.7/tcp/4001" for
        TCP and "/ip4/203.0.113.7/udp/4001/quic-v1" for UDP. Asking again renews. Raises `NetworkError` with a
        sentence when there is no router that does it."""
        ...

    async def unmap(self) -> None:
        """Take back what was mapped; never raises."""
        ...
