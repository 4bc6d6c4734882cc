"""One life of a libp2p host. Importing this module imports libp2p."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.custom_types import TProtocol
from libp2p.host.ping import ID as PING
from libp2p.peer.id import ID
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit, libp2p_ping, listen_addresses
from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.adapters.libp2p_dialer import Dialer, plan_dial
from p2pchat.node.adapters.libp2p_gossip import Gossip
from p2pchat.node.adapters.libp2p_host import goodbyes, make_host
from p2pchat.node.adapters.libp2p_identify import Identify
from p2pchat.node.adapters.libp2p_peers import is_outbound, remote_address, transport_of
from p2pchat.node.adapters.libp2p_pubsub import BoundedPubsub
from p2pchat.node.adapters.libp2p_punch import Puncher
from p2pchat.node.adapters.libp2p_relay import RelayService
from p2pchat.node.adapters.libp2p_relay_client import RelayClient
from p2pchat.node.adapters.libp2p_router import Router
from p2pchat.node.adapters.libp2p_stream import Libp2pStream, deepest
from p2pchat.node.adapters.libp2p_watcher import PeerWatcher
from p2pchat.node.config import NetworkLimits, RelayLimits
from p2pchat.node.errors import ListenError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import (
    ConnectionInfo,
    Identified,
    PeerEvent,
    RelayStatus,
    Stream,
    StreamHandler,
    Subscription,
)

log = logging.getLogger(__name__)

OPEN_TIMEOUT = 10.0  # seconds to open a stream and agree on its protocol


class Libp2pSession:
    """A host from its first listen to its end; see `Network` for what the methods promise."""

    def __init__(
        self,
        identity: Identity,
        listen: Sequence[str],
        limits: NetworkLimits,
        counters: Counter[str],
        events: trio.MemorySendChannel[PeerEvent],
        strict_listen: bool,
    ) -> None:
        self._listen = [listen_addresses.parse(address) for address in listen]
        self._strict_listen = strict_listen
        self._counters = counters
        self._announced: list[Multiaddr] = []
        self._host, self._swarm = make_host(
            identity, self._listen, limits, counters, self._advertised
        )
        self._router = Router()
        self._pubsub = BoundedPubsub(self._host, self._router, counters)
        fixes.start_sequence_numbers_late(self._pubsub)
        fixes.remember_subscriptions_while_connected(self._pubsub)
        self._gossip: Gossip | None = None
        self._pings = libp2p_ping.Pings(self._swarm)
        self._host.set_stream_handler(PING, self._pings.serve)
        self._identify = Identify(
            self._host, self._swarm, self.listen_addresses, lambda peer: self._watcher.learned(peer)
        )
        self._puncher = Puncher(self._swarm, counters)
        self._watcher = PeerWatcher(
            self._swarm, self._pubsub, self._pings, self._identify, self._puncher, events, counters
        )
        self._swarm.register_notifee(self._watcher)
        self._set_up_relaying(limits)

    def _set_up_relaying(self, limits: NetworkLimits) -> None:
        counters = self._counters
        guard = fixes.StreamGuard(self._host, counters, limits.max_streams_per_peer)
        self._relays = RelayClient(self._swarm, counters, guard.let_off)
        self._host.set_stream_handler(libp2p_circuit.STOP, self._relays.serve)
        self._dialer = Dialer(self._swarm, self._relays, limits.max_concurrent_dials)
        self._relay = RelayService(self._swarm, counters, self._own_addresses, guard.let_off)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        usable = self._usable_listen_addresses()
        async with (
            self._host.run(listen_addrs=usable),
            background_trio_service(self._router),
            background_trio_service(self._pubsub),
            trio.open_nursery() as nursery,
            goodbyes(self._swarm),
        ):
            self._refuse_missing_listeners(usable)
            fixes.let_no_task_end_pubsub(self._pubsub, nursery, self._counters)
            await self._pubsub.wait_until_ready()
            self._gossip = Gossip(self._pubsub, nursery, self._counters)
            nursery.start_soon(self._pings.run)
            nursery.start_soon(self._identify.run)
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                fixes.end_its_thread(self._pubsub)

    def listen_addresses(self) -> Sequence[str]:
        return [*dict.fromkeys([*self._own_addresses(), *self._relays.addresses()])]

    def _own_addresses(self) -> list[str]:
        """Those without a relay: announced ones, then those we listen on."""
        return [str(a) for a in self._advertised(self._host.get_transport_addrs())]

    def _advertised(self, listening: list[Multiaddr]) -> list[Multiaddr]:
        return [*dict.fromkeys([*self._announced, *listen_addresses.expand(listening)])]

    def announce(self, addresses: Sequence[str]) -> None:
        self._announced = listen_addresses.announceable(addresses)
        self._identify.changed()

    def identified(self, peer: str) -> Identified | None:
        return self._identify.identified(ID.from_string(peer))

    def connections(self) -> Sequence[ConnectionInfo]:
        return [
            ConnectionInfo(
                str(peer),
                remote_address(connection),
                transport_of(connection),
                is_outbound(connection),
                self._pings.rtt_ms(connection),
                libp2p_circuit.is_relayed(connection),
                self._puncher.is_punched(connection),
            )
            for peer, connections in self._swarm.connections.items()
            for connection in connections
            if not connection.is_closed
        ]

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        await self._dialer.dial(peer, addresses)

    async def probe(self, peer: str, addresses: Sequence[str]) -> str:
        return await self._dialer.probe(peer, addresses)

    async def punch(self, peer: str, addresses: Sequence[str], *, initiator: bool) -> None:
        plan = plan_dial(peer, addresses)
        await self._puncher.punch(plan.peer, plan.direct, initiator=initiator)

    async def reserve(self, relay: str) -> float:
        seconds = await self._relays.reserve(ID.from_string(relay))
        self._identify.changed()
        return seconds

    def relay_status(self) -> RelayStatus:
        return self._relay.status()

    def serve_relay(self, limits: RelayLimits | None) -> None:
        if limits is None:
            self._host.remove_stream_handler(libp2p_circuit.HOP)
        else:
            self._host.set_stream_handler(libp2p_circuit.HOP, self._relay.serve)
        self._relay.set_limits(limits)
        self._identify.changed()

    async def disconnect(self, peer: str) -> None:
        await self._swarm.close_peer(ID.from_string(peer))

    async def ping(self, peer: str) -> float:
        live = self._live(ID.from_string(peer))
        if not live:
            raise StreamError("not connected")
        return await self._pings.ping(min(live, key=libp2p_circuit.is_relayed))

    def doubt(self) -> None:
        self._pings.doubt(self._swarm.get_connections())

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        async def serve(stream: INetStream) -> None:
            wrapped = Libp2pStream(stream, str(stream.muxed_conn.peer_id), self._counters)
            await handler(wrapped)
            await wrapped.close()

        self._host.set_stream_handler(TProtocol(protocol), serve)
        self._identify.changed()

    def stop_handling(self, protocol: str) -> None:
        self._host.remove_stream_handler(TProtocol(protocol))
        self._identify.changed()

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        peer_id = ID.from_string(peer)
        if not self._live(peer_id):
            raise StreamError("not connected")
        try:
            with trio.fail_after(OPEN_TIMEOUT):
                stream = await self._host.new_stream(peer_id, [TProtocol(protocol)])
        except Exception as error:
            raise StreamError(deepest(error)) from error
        return Libp2pStream(stream, peer, self._counters)

    async def subscribe(self, topic: str) -> Subscription:
        return await self._gossiping().subscribe(topic)

    async def unsubscribe(self, topic: str) -> None:
        await self._gossiping().unsubscribe(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        await self._gossiping().publish(topic, data)

    async def flush(self) -> None:
        if self._gossip is not None:
            await self._gossip.flush()

    def topic_peers(self, topic: str) -> Sequence[str]:
        return self._gossip.topic_peers(topic) if self._gossip else ()

    def _gossiping(self) -> Gossip:
        if self._gossip is None:
            raise StreamError("the network does not run")
        return self._gossip

    def _live(self, peer: ID) -> list[INetConn]:
        return [c for c in self._swarm.get_connections(peer) if not c.is_closed]

    def _usable_listen_addresses(self) -> list[Multiaddr]:
        usable, refused = [], []
        for address in self._listen:
            try:
                listen_addresses.check(address)
                usable.append(address)
            except ListenError as error:
                refused.append(error)
        if refused and (self._strict_listen or not usable):
            raise refused[0]
        return usable

    def _refuse_missing_listeners(self, wanted: Sequence[Multiaddr]) -> None:
        """`Swarm.listen` is content when one of many addresses works."""
        missing = [address for address in wanted if str(address) not in self._swarm.listeners]
        if missing and (self._strict_listen or len(missing) == len(wanted)):
            raise ListenError(f"Cannot listen on {missing[0]}.")
