"""Making a py-libp2p host that keeps to our limits, and ending it politely."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import trio
from libp2p import new_host
from libp2p.abc import INetConn, ISecureTransport, ITransport
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_new_x25519_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import AddrsFactory, BasicHost
from libp2p.network.config import ConnectionConfig
from libp2p.network.swarm import Swarm
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit
from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.config import NetworkLimits
from p2pchat.node.identity import Identity

HANDSHAKE_TIMEOUT = 10.0  # seconds for somebody who dialled us to prove who he is
CLOSE_TIMEOUT = (
    0.5  # seconds for all goodbyes at the end; whoever misses it sees the connection drop
)
FOREVER = 1e9  # seconds; QUIC streams otherwise die after 30 s of silence while they look alive


def make_host(
    identity: Identity,
    listen: Sequence[Multiaddr],
    limits: NetworkLimits,
    counters: Counter[str],
    advertised: AddrsFactory,
) -> tuple[BasicHost, Swarm]:
    """A mended host; `advertised` makes addresses for others of those that it listens on."""
    fixes.set_up_logging()
    _mend_libp2p(counters)
    key_pair = create_new_key_pair(identity.seed)
    # The defaults accept SECIO and plaintext.
    security: dict[TProtocol, ISecureTransport] = {
        NOISE: NoiseTransport(key_pair, create_new_x25519_key_pair().private_key)
    }
    host = new_host(
        key_pair=key_pair,
        sec_opt=security,
        muxer_opt={TProtocol(YAMUX): Yamux},
        transports=_transports(key_pair, listen),
        connection_config=_connection_config(limits),
        addrs_factory=advertised,
        disable_identify_address_discovery=True,
    )
    swarm = host.get_network()
    assert isinstance(host, BasicHost)
    assert isinstance(swarm, Swarm)
    fixes.free_inbound_slots(swarm, counters)
    fixes.leave_dialing_to_us(swarm)
    return host, swarm


def _mend_libp2p(counters: Counter[str]) -> None:
    """What has to be mended for the whole process."""
    fixes.hold_peers_to_their_window(counters)
    fixes.grow_windows_by_use()
    fixes.write_frames_whole(counters)
    fixes.forget_ended_streams()


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


@asynccontextmanager
async def goodbyes(swarm: Swarm) -> AsyncIterator[None]:
    """At its end everybody is told that we leave."""
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                connections = swarm.get_connections()
                nursery.start_soon(_say_goodbyes, connections, nursery.cancel_scope)
                await trio.sleep(CLOSE_TIMEOUT)
                await _all_at_once(fixes.hang_up, connections)
                nursery.cancel_scope.cancel()


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
