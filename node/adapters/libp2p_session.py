"""One life of a libp2p host. Importing this module imports libp2p."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import trio
from libp2p import new_host
from libp2p.abc import IHost, INetConn, INetStream, ISecureTransport, ITransport
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_new_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import ConnectionConfig
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.tools.anyio_service import background_trio_service
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit, libp2p_ping, listen_addresses
from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.adapters.libp2p_dialer import Dialer
from p2pchat.node.adapters.libp2p_gossip import Gossip
from p2pchat.node.adapters.libp2p_peers import (
    PeerWatcher,
    is_outbound,
    remote_address,
    transport_of,
)
from p2pchat.node.adapters.libp2p_pubsub import BoundedPubsub
from p2pchat.node.adapters.libp2p_relay import RelayService
from p2pchat.node.adapters.libp2p_relay_client import RelayClient
from p2pchat.node.adapters.libp2p_router import Router
from p2pchat.node.adapters.libp2p_stream import Libp2pStream, deepest
from p2pchat.node.config import NetworkLimits, RelayLimits
from p2pchat.node.errors import ListenError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import (
    ConnectionInfo,
    PeerEvent,
    RelayStatus,
    Stream,
    StreamHandler,
    Subscription,
)

log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT = 5.0  # seconds for somebody who dialled us to prove who he is
OPEN_TIMEOUT = 10.0  # seconds to open a stream and agree on its protocol
CLOSE_TIMEOUT = (
    0.5  # seconds for all goodbyes at the end; whoever misses it sees the connection drop
)
FOREVER = 1e9  # seconds; QUIC streams otherwise die after 30 s of silence while they look alive


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
        relay: RelayLimits | None,
    ) -> None:
        fixes.set_up_logging()
        _mend_libp2p(counters)
        self._listen = [listen_addresses.parse(address) for address in listen]
        self._strict_listen = strict_listen
        self._counters = counters
        host = _new_host(identity, self._listen, limits)
        swarm = host.get_network()
        assert isinstance(host, BasicHost)
        assert isinstance(swarm, Swarm)
        self._host, self._swarm = host, swarm
        fixes.free_inbound_slots(self._swarm, counters)
        fixes.leave_dialing_to_us(self._swarm)
        self._router = Router()
        self._pubsub = BoundedPubsub(self._host, self._router, counters)
        fixes.start_sequence_numbers_late(self._pubsub)
        fixes.remember_subscriptions_while_connected(self._pubsub)
        self._gossip: Gossip | None = None
        self._pings = libp2p_ping.Pings(self._swarm)
        self._swarm.register_notifee(
            PeerWatcher(self._swarm, self._pubsub, self._pings, events, counters)
        )
        self._relay: RelayService | None = None
        self._set_up_relaying(limits, relay)

    def _set_up_relaying(self, limits: NetworkLimits, relay: RelayLimits | None) -> None:
        counters = self._counters
        guard = fixes.StreamGuard(self._host, counters, limits.max_streams_per_peer)
        self._relays = RelayClient(self._swarm, counters, guard.let_off)
        self._host.set_stream_handler(libp2p_circuit.STOP, self._relays.serve)
        self._dialer = Dialer(self._swarm, self._relays, limits.max_concurrent_dials)
        if relay is not None:
            self._relay = RelayService(
                self._swarm, relay, counters, self._own_addresses, guard.let_off
            )
            self._host.set_stream_handler(libp2p_circuit.HOP, self._relay.serve)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        usable = self._usable_listen_addresses()
        async with (
            self._host.run(listen_addrs=usable),
            background_trio_service(self._router),
            background_trio_service(self._pubsub),
            trio.open_nursery() as nursery,
            self._goodbyes(),
        ):
            self._refuse_missing_listeners(usable)
            fixes.let_no_task_end_pubsub(self._pubsub, nursery, self._counters)
            await self._pubsub.wait_until_ready()
            self._gossip = Gossip(self._pubsub, nursery, self._counters)
            nursery.start_soon(self._pings.run)
            task_status.started()
            await trio.sleep_forever()

    def listen_addresses(self) -> Sequence[str]:
        return [*self._own_addresses(), *self._relays.addresses()]

    def _own_addresses(self) -> list[str]:
        return [str(a) for a in listen_addresses.expand(self._host.get_transport_addrs())]

    def connections(self) -> Sequence[ConnectionInfo]:
        return [
            ConnectionInfo(
                str(peer),
                remote_address(connection),
                transport_of(connection),
                is_outbound(connection),
                self._pings.rtt_ms(connection),
                libp2p_circuit.is_relayed(connection),
            )
            for peer, connections in self._swarm.connections.items()
            for connection in connections
            if not connection.is_closed
        ]

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        await self._dialer.dial(peer, addresses)

    async def reserve(self, relay: str) -> float:
        return await self._relays.reserve(ID.from_string(relay))

    def relay_status(self) -> RelayStatus | None:
        return self._relay.status() if self._relay else None

    async def disconnect(self, peer: str) -> None:
        await self._swarm.close_peer(ID.from_string(peer))

    async def ping(self, peer: str) -> float:
        live = self._live(ID.from_string(peer))
        if not live:
            raise StreamError("not connected")
        return await self._pings.ping(min(live, key=libp2p_circuit.is_relayed))

    def handle(self, protocol: str, handler: StreamHandler) -> None:
        async def serve(stream: INetStream) -> None:
            wrapped = Libp2pStream(stream, str(stream.muxed_conn.peer_id), self._counters)
            await handler(wrapped)
            await wrapped.close()

        self._host.set_stream_handler(TProtocol(protocol), serve)

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

    @asynccontextmanager
    async def _goodbyes(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                async with trio.open_nursery() as nursery:
                    connections = self._swarm.get_connections()
                    nursery.start_soon(_say_goodbyes, connections, nursery.cancel_scope)
                    await trio.sleep(CLOSE_TIMEOUT)
                    await _all_at_once(fixes.hang_up, connections)
                    nursery.cancel_scope.cancel()
            fixes.end_its_thread(self._pubsub)


async def _say_goodbyes(connections: Iterable[INetConn], done: trio.CancelScope) -> None:
    """Close connections all at once: one by one py-libp2p takes 0.1 s for each."""
    # Circuits first, as long as what they run through is there.
    circuits = {c for c in connections if libp2p_circuit.is_relayed(c)}
    await _all_at_once(fixes.say_goodbye, circuits)
    await _all_at_once(fixes.say_goodbye, set(connections) - circuits)
    done.cancel()


async def _all_at_once(
    do: Callable[[INetConn], Awaitable[None]], connections: Iterable[INetConn]
) -> None:
    async with trio.open_nursery() as nursery:
        for connection in connections:
            nursery.start_soon(do, connection)


def _mend_libp2p(counters: Counter[str]) -> None:
    """What has to be mended for the whole process."""
    fixes.hold_peers_to_their_window(counters)
    fixes.grow_windows_by_use()
    fixes.write_frames_whole(counters)
    fixes.tell_no_circuit_addresses()


def _new_host(identity: Identity, listen: Sequence[Multiaddr], limits: NetworkLimits) -> IHost:
    key_pair = create_new_key_pair(identity.seed)
    # The defaults accept SECIO and plaintext.
    security: dict[TProtocol, ISecureTransport] = {
        NOISE: NoiseTransport(key_pair, create_new_x25519_key_pair().private_key)
    }
    return new_host(
        key_pair=key_pair,
        sec_opt=security,
        muxer_opt={TProtocol(YAMUX): Yamux},
        transports=_transports(key_pair, listen),
        connection_config=_connection_config(limits),
        addrs_factory=listen_addresses.expand,
        disable_identify_address_discovery=True,
    )


def _connection_config(limits: NetworkLimits) -> ConnectionConfig:
    return ConnectionConfig(
        max_connections=limits.max_connections,
        # The inbound limit is the difference of these two; the watermarks must lie between them.
        min_connections=limits.max_connections - limits.max_inbound,
        low_watermark=limits.max_connections - limits.max_inbound,
        high_watermark=limits.max_connections,
        inbound_upgrade_timeout=HANDSHAKE_TIMEOUT,
    )


def _transports(key_pair: KeyPair, listen: Sequence[Multiaddr]) -> list[ITransport]:
    transports: list[ITransport] = [TCP()]
    if any("quic" in str(address) for address in listen):
        from libp2p.transport.quic.config import QUICTransportConfig
        from libp2p.transport.quic.transport import QUICTransport

        config = QUICTransportConfig(STREAM_READ_TIMEOUT=FOREVER)
        transports.append(QUICTransport(key_pair.private_key, config=config))
    return transports
