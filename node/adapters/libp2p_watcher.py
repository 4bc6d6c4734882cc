"""One event for each change of a peer: connections come, go, and take over from each other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import trio
from libp2p.abc import INetConn, INetStream, INetwork, INotifee
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.adapters.libp2p_circuit import direct_connection, is_relayed
from p2pchat.node.adapters.libp2p_identify import Identify
from p2pchat.node.adapters.libp2p_peers import is_outbound, remote_address, transport_of
from p2pchat.node.adapters.libp2p_ping import Pings
from p2pchat.node.adapters.libp2p_pubsub import BoundedPubsub
from p2pchat.node.adapters.libp2p_punch import Puncher
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import (
    RETIRE_AFTER,
    PeerDown,
    PeerEvent,
    PeerIdentified,
    PeerMoved,
    PeerUp,
)

log = logging.getLogger(__name__)


class PeerWatcher(INotifee):
    """Turns connections coming and going into events, and moves what runs by itself to the best one.

    A direct connection is better than one over a relay; circuits beside a direct connection are closed after a while.
    """

    def __init__(
        self,
        swarm: Swarm,
        pubsub: BoundedPubsub,
        pings: Pings,
        identify: Identify,
        puncher: Puncher,
        events: trio.MemorySendChannel[PeerEvent],
        counters: Counter[str],
    ) -> None:
        self._swarm = swarm
        self._pubsub = pubsub
        self._pings = pings
        self._identify = identify
        self._puncher = puncher
        self._events = events
        self._counters = counters
        self._best: dict[ID, INetConn] = {}  # of everybody whose PeerUp was told
        self._retiring: set[ID] = set()

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        peer = conn.muxed_conn.peer_id
        self._puncher.connected(conn)
        # A peer that connects again has often just been restarted, and its old connection is dead.
        self._pings.doubt(other for other in self._swarm.get_connections(peer) if other is not conn)
        before = self._best.get(peer)
        if before is None:
            self._best[peer] = conn
            self._emit(PeerUp(*_description(conn)))
        elif is_relayed(before) and not is_relayed(conn):
            self._move(peer, conn)
        if before is not None and (is_relayed(before) or is_relayed(conn)):
            self._retire_circuits(peer)
        self._identify.meet(conn)

    def learned(self, peer: ID) -> None:
        """It has said something new of itself."""
        self._emit(PeerIdentified(str(peer)))

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        peer = conn.muxed_conn.peer_id
        await fixes.bury(conn)
        live = [c for c in self._swarm.get_connections(peer) if not c.is_closed]
        if self._pubsub.runs_over(peer, conn):
            # py-libp2p keeps the stream as long as any connection to the peer lives.
            if live:
                self._in_background(self._pubsub.leave, peer, conn)
            else:
                self._pubsub._handle_dead_peer(peer)
        elif live:
            self._pubsub.come_back(peer)
        self._identify.changed()  # if that was a relay, it leads to us no more
        if not live:
            fixes.forget_peer(self._swarm, peer)
        if peer not in self._best:
            return
        if not live:
            del self._best[peer]
            self._identify.forget(peer)
            self._emit(PeerDown(str(peer)))
        elif self._best[peer].is_closed:
            best = min(live, key=is_relayed)
            if is_relayed(best) and not is_relayed(self._best[peer]):
                self._move(peer, best)
            self._best[peer] = best

    def _move(self, peer: ID, connection: INetConn) -> None:
        self._best[peer] = connection
        punched = self._puncher.is_punched(connection)
        self._emit(PeerMoved(*_description(connection), punched))
        self._in_background(self._pubsub.move, peer)

    # ---- circuits that have become needless ---------------------------------------------------------

    def _retire_circuits(self, peer: ID) -> None:
        if peer not in self._retiring:
            self._retiring.add(peer)
            self._in_background(self._retire, peer)

    async def _retire(self, peer: ID) -> None:
        """Close them once a direct connection has proven to live."""
        try:
            while direct_connection(self._swarm, peer) and self._circuits(peer):
                await trio.sleep(RETIRE_AFTER)
                direct = direct_connection(self._swarm, peer)
                if direct is not None and await self._lives(direct):
                    for circuit in self._circuits(peer):
                        await circuit.close()
        finally:
            self._retiring.discard(peer)

    def _circuits(self, peer: ID) -> list[INetConn]:
        connections = self._swarm.get_connections(peer)
        return [c for c in connections if is_relayed(c) and not c.is_closed]

    async def _lives(self, connection: INetConn) -> bool:
        try:
            await self._pings.ping(connection)
        except StreamError:
            self._pings.doubt([connection])
            return False
        return not connection.is_closed

    def _in_background(self, do: Callable[..., Awaitable[object]], *args: object) -> None:
        async def guarded() -> None:
            try:
                await do(*args)
            except Exception as error:
                log.debug("moving failed: %r", error)

        if self._swarm.background_nursery is not None:
            self._swarm.background_nursery.start_soon(guarded)

    def _emit(self, event: PeerEvent) -> None:
        try:
            self._events.send_nowait(event)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            self._counters["peer_events_dropped"] += 1

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None: ...

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None: ...

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None: ...

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None: ...


def _description(connection: INetConn) -> tuple[str, str, str, bool, bool]:
    """Peer, address, transport, outbound, relayed."""
    return (
        str(connection.muxed_conn.peer_id),
        remote_address(connection),
        transport_of(connection),
        is_outbound(connection),
        is_relayed(connection),
    )
