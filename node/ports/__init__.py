"""What the actors need from outside: a network, a message store and a search index.

Each port has a real and an in-memory adapter in `adapters/`; one contract test holds both.
Peers are named by their base58 peer id, addresses are multiaddrs as text.
"""

from p2pchat.node.ports.files import FileFacts, Files
from p2pchat.node.ports.network import (
    MAX_GOSSIP_BYTES,
    RETIRE_AFTER,
    ConnectionInfo,
    GossipMessage,
    Identified,
    LocalDiscovery,
    Network,
    PeerDown,
    PeerEvent,
    PeerIdentified,
    PeerMoved,
    PeerUp,
    PortMapper,
    RelayStatus,
    Resolver,
    Stream,
    StreamHandler,
    Subscription,
)
from p2pchat.node.ports.search import (
    Found,
    IndexState,
    SearchIndex,
)
from p2pchat.node.ports.store import (
    Arrivals,
    HistorySlice,
    MessageStore,
    RoomHead,
    StoreInfo,
)

__all__ = [
    "MAX_GOSSIP_BYTES",
    "RETIRE_AFTER",
    "Arrivals",
    "ConnectionInfo",
    "FileFacts",
    "Files",
    "Found",
    "GossipMessage",
    "HistorySlice",
    "Identified",
    "IndexState",
    "LocalDiscovery",
    "MessageStore",
    "Network",
    "PeerDown",
    "PeerEvent",
    "PeerIdentified",
    "PeerMoved",
    "PeerUp",
    "PortMapper",
    "RelayStatus",
    "Resolver",
    "RoomHead",
    "SearchIndex",
    "StoreInfo",
    "Stream",
    "StreamHandler",
    "Subscription",
]
