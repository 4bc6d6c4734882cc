"""Everything a node can be told, as one frozen dataclass; `cli/` fills it from flags, environment and TOML."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from p2pchat.node.protocol.file_policy import FilePolicy

DEFAULT_LISTEN = (
    "/ip4/0.0.0.0/tcp/0",
    "/ip4/0.0.0.0/udp/0/quic-v1",
    "/ip6/::/tcp/0",
)

# The public libp2p bootstrap peers, as in go-libp2p-kad-dht's DefaultBootstrapPeers.
PUBLIC_BOOTSTRAP = (
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
    "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
)


@dataclass(frozen=True, slots=True)
class RoomConfig:
    """A room to join at start; a plain room speaks raw UTF-8 on the topic `name`."""

    name: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """What strangers may cost; each limit is counted when it bites."""

    max_connections: int = 300  # live connections, in and out
    max_inbound: int = 250  # live inbound connections
    max_streams_per_peer: int = 64  # inbound streams of one peer being served at a time
    max_concurrent_dials: int = 16


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """What a relay carries for others; each limit is counted when it bites."""

    max_reservations: int = 256
    reservation_seconds: int = 3600
    max_circuits: int = 128  # in all
    max_circuits_per_peer: int = 8  # that end at one peer
    circuit_seconds: int = 3600  # a circuit that lives longer is ended
    circuit_bytes: int = 128 << 20  # both directions together; a circuit that carried more is ended


# What a node that others can reach carries for them: enough to meet and to make a direct connection, as the limits of
# go-libp2p's relays for everybody.
SMALL_RELAY = RelayLimits(
    max_reservations=16,
    max_circuits=8,
    max_circuits_per_peer=2,
    circuit_seconds=120,
    circuit_bytes=1 << 20,
)


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """What one peer may ask for when it syncs rooms, and what one may fetch from it; each is counted when it bites."""

    max_streams: int = 32  # being served at a time ...
    max_streams_per_peer: int = 2  # ... for one peer
    request_rate: float = 50  # requests/s of one peer; a faster one waits
    request_burst: int = 500  # requests
    byte_rate: float = (
        8 << 20
    )  # bytes/s of messages sent to one peer, or taken from it; a faster one waits
    byte_burst: int = 32 << 20  # bytes


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One node's settings. Rates and limits have their unit in the comment of the field."""

    data_dir: Path
    name: str = ""  # empty: the name of the last run, else one made from the peer id
    rooms: tuple[RoomConfig, ...] = ()  # besides the remembered ones; none at all: the default room
    listen: tuple[str, ...] = DEFAULT_LISTEN  # multiaddrs
    announce: tuple[str, ...] = ()  # further multiaddrs that lead here, e.g. a router's
    bootstrap: tuple[str, ...] = PUBLIC_BOOTSTRAP  # multiaddrs ending in /p2p/<peer id>
    mdns: bool = True
    dht: bool = True  # look people and rooms up in the DHT, and take part in it
    upnp: bool = False  # ask the router to let others in
    mailboxes: tuple[
        str, ...
    ] = ()  # p2pchat: links of mailboxes to use, besides the remembered ones
    read_receipts: bool = True  # tell senders that their messages were read
    message_days: int = 30  # how long a direct message is tried; then it is shown as expired
    default_room: bool = True  # join the default room when there is no other one
    rejoin: bool = True  # join the rooms of the last time
    room_days: int = (
        0  # how long messages of rooms are kept, unless a room has its own; 0: for ever
    )
    control_listen: str = ""  # "host:port": the control API also here, with TLS and a token
    metrics: str = ""  # "host:port": answers Prometheus here; empty: nowhere
    sync: SyncLimits = field(default_factory=SyncLimits)
    limits: NetworkLimits = field(default_factory=NetworkLimits)
    relay: RelayLimits | None = None  # be a relay for others, within these limits
    files: FilePolicy = field(default_factory=FilePolicy)
    download_dir: Path | None = None  # where files of others go; None: into the data folder

    @property
    def identity_path(self) -> Path:
        return self.data_dir / "identity.key"

    @property
    def store_path(self) -> Path:
        return self.data_dir / "store"

    @property
    def downloads(self) -> Path:
        return self.download_dir or self.data_dir / "downloads"

    @property
    def search_path(self) -> Path:
        return self.data_dir / "search.db"
