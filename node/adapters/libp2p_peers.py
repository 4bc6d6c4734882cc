"""What a libp2p connection says about its peer, and one event for each peer that comes or goes."""

from __future__ import annotations

from collections import Counter

import trio
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction
from multiaddr import Multiaddr

from p2pchat.node.adapters.libp2p_circuit import is_relayed
from p2pchat.node.adapters.libp2p_ping import Pings
from p2pchat.node.adapters.libp2p_pubsub import BoundedPubsub
from p2pchat.node.ports import PeerDown, PeerEvent, PeerUp


def remote_address(connection: INetConn) -> str:
    """Empty when it is closing already."""
    try:
        if is_relayed(connection):
            return str(connection.get_transport_addresses()[0])
        remote = connection.muxed_conn.get_remote_address()  # type: ignore[attr-defined]
        host, port = remote[0], remote[1]
    except Exception:
        return ""
    host = host.removeprefix("::ffff:")
    family = "ip6" if ":" in host else "ip4"
    if transport_of(connection) == "quic":
        return f"/{family}/{host}/udp/{port}/quic-v1"
    return f"/{family}/{host}/tcp/{port}"


def is_outbound(connection: INetConn) -> bool:
    return isinstance(connection, SwarmConn) and connection.direction is Direction.OUTBOUND


def transport_of(connection: INetConn) -> str:
    if is_relayed(connection):
        return "relay"
    return "quic" if type(connection.muxed_conn).__name__ == "QUICConnection" else "tcp"


class PeerWatcher(INotifee):
    """Turns connections coming and going into one event for each change of a peer."""

    def __init__(
        self,
        swarm: Swarm,
        pubsub: BoundedPubsub,
        pings: Pings,
        events: trio.MemorySendChannel[PeerEvent],
        counters: Counter[str],
    ) -> None:
        self._swarm = swarm
        self._pubsub = pubsub
        self._pings = pings
        self._events = events
        self._counters = counters
        self._up: set[ID] = set()

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        peer = conn.muxed_conn.peer_id
        # A peer that connects again has often just been restarted, and its old connection is dead.
        self._pings.doubt(other for other in self._swarm.get_connections(peer) if other is not conn)
        if peer not in self._up:
            self._up.add(peer)
            self._emit(
                PeerUp(str(peer), remote_address(conn), transport_of(conn), is_outbound(conn))
            )

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        peer = conn.muxed_conn.peer_id
        gossip = self._pubsub.peers.get(peer)
        if gossip is not None and gossip.muxed_conn is conn.muxed_conn:
            # py-libp2p keeps the stream as long as any connection to the peer lives.
            self._pubsub._handle_dead_peer(peer)
        if peer in self._up and all(c.is_closed for c in self._swarm.get_connections(peer)):
            self._up.discard(peer)
            self._emit(PeerDown(str(peer)))

    def _emit(self, event: PeerEvent) -> None:
        try:
            self._events.send_nowait(event)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            self._counters["peer_events_dropped"] += 1

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None: ...

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None: ...

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None: ...

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None: ...
