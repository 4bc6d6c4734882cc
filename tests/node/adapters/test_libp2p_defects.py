"""Shows that what `libp2p_fixes`, `libp2p_router`, `libp2p_pubsub`, `libp2p_circuit`, `libp2p_identify`, `libp2p_ping`
and `libp2p_relay` close is still broken in the pinned py-libp2p.

When one of these fails, the defect is gone: remove its fix and this test.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
import trio
from libp2p import new_host
from libp2p.abc import IHost, INetStream
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.host.exceptions import StreamFailure
from libp2p.host.ping import ID as PING
from libp2p.host.ping import PING_LENGTH
from libp2p.identity.identify import identify
from libp2p.io.utils import read_exactly
from libp2p.network.config import ConnectionConfig
from libp2p.network.stream.exceptions import StreamError
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId
from libp2p.relay.circuit_v2.protocol import PROTOCOL_ID as HOP
from libp2p.relay.circuit_v2.protocol import CircuitV2Protocol
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID
from libp2p.stream_muxer.yamux.yamux import Yamux
from libp2p.tools.anyio_service import background_trio_service
from libp2p.transport.quic.config import QUICTransportConfig
from libp2p.utils.varint import encode_varint_prefixed
from multiaddr import Multiaddr
from trio.testing import wait_all_tasks_blocked

from p2pchat.node.adapters import libp2p_fixes

LOOPBACK = Multiaddr("/ip4/127.0.0.1/tcp/0")
PATIENCE = 20.0  # seconds


@asynccontextmanager
async def bare_host(**options: object) -> AsyncIterator[IHost]:
    host = new_host(listen_addrs=[LOOPBACK], **options)  # type: ignore[arg-type]
    async with host.run(listen_addrs=[LOOPBACK]):
        yield host


async def connect(client: IHost, server: IHost) -> None:
    await client.connect(PeerInfo(server.get_id(), server.get_addrs()))


async def test_an_exception_in_a_stream_handler_ends_the_host() -> None:
    async def raising(stream: INetStream) -> None:
        raise RuntimeError("boom")

    with trio.fail_after(PATIENCE):
        with pytest.raises(BaseExceptionGroup) as caught:
            async with bare_host() as client, bare_host() as server:
                server.set_stream_handler(TProtocol("/bad/1"), raising)
                await connect(client, server)
                await client.new_stream(server.get_id(), [TProtocol("/bad/1")])
                await trio.sleep_forever()
    assert caught.group_contains(RuntimeError, match="boom")


async def test_inbound_slots_are_never_given_back() -> None:
    config = ConnectionConfig(
        max_connections=5, min_connections=2, low_watermark=2, high_watermark=5
    )
    with trio.fail_after(PATIENCE):
        async with bare_host(connection_config=config) as server:
            swarm = server.get_network()
            assert isinstance(swarm, Swarm)
            for _ in range(2):
                async with bare_host() as client:
                    await connect(client, server)
                    await client.close()
            while swarm.get_connections():
                await trio.sleep(0.01)
            assert swarm._inbound_limiter.borrowed_tokens == 2


async def test_plaintext_is_accepted_by_default() -> None:
    host = new_host()
    swarm = host.get_network()
    assert isinstance(swarm, Swarm)
    offered = swarm.upgrader.security_multistream.transports
    assert TProtocol(PLAINTEXT_PROTOCOL_ID) in offered


async def test_dialling_retries_by_itself_and_connects_to_whom_nobody_asked_for() -> None:
    host = new_host()
    swarm = host.get_network()
    assert isinstance(swarm, Swarm)
    assert swarm.retry_config.max_retries > 0
    assert swarm.connection_config.low_watermark > 0
    assert swarm._resource_manager is not None


async def test_sequence_numbers_start_at_whole_seconds() -> None:
    host = new_host()
    assert isinstance(host, BasicHost)
    router = GossipSub([TProtocol("/meshsub/1.1.0")], 6, 4, 12)
    assert Pubsub(host, router).counter <= time.time()
    assert router.heartbeat_interval == 120
    assert router.spam_protection_enabled


def bare_router() -> GossipSub:
    return GossipSub([TProtocol("/meshsub/1.1.0")], 6, 4, 12)


KEPT = rpc_pb2.Message(from_id=b"\x00\x01a", seqno=b"b", data=b"words", topicIDs=["t"])
STRANGER = ID(b"\x00\x01s")


async def test_gossip_keeps_whole_messages_and_long_back_offs() -> None:
    router = bare_router()
    router._check_equivocation(KEPT)
    assert KEPT in router.equivocation_detection.values()
    assert router.prune_back_off == 60
    assert router.graft_flood_threshold == 10.0


async def test_an_id_wanted_three_times_is_answered_three_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    router = bare_router()
    sent: list[rpc_pb2.RPC] = []
    monkeypatch.setattr(router, "pubsub", object())
    monkeypatch.setattr(router, "send_rpc", lambda peer, rpc: sent.append(rpc))
    router.mcache.put(KEPT)
    wish = rpc_pb2.ControlIWant(messageIDs=[KEPT.from_id + KEPT.seqno] * 3)
    await router.handle_iwant(wish, STRANGER)
    assert [len(rpc.publish) for rpc in sent] == [3]


async def test_peers_suggested_by_a_prune_are_taken_although_exchange_is_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    router = bare_router()
    taken: list[rpc_pb2.PeerInfo] = []

    async def take(peers: list[rpc_pb2.PeerInfo]) -> None:
        taken.extend(peers)

    assert not router.do_px
    monkeypatch.setattr(router, "_do_px", take)
    prune = rpc_pb2.ControlPrune(topicID="t", peers=[rpc_pb2.PeerInfo(peerID=b"x")])
    await router.handle_prune(prune, STRANGER)
    assert len(taken) == 1


async def test_quic_streams_give_up_after_30_seconds_of_silence() -> None:
    assert QUICTransportConfig().STREAM_READ_TIMEOUT == 30.0


IMPORTED_DEFAULTS = """
import logging
logging.getLogger("libp2p").addHandler(logging.NullHandler())
from libp2p.pubsub import pubsub, rpc_queue
assert pubsub.SUBSCRIPTION_CHANNEL_SIZE == 32, "subscriptions"
assert rpc_queue.RpcQueue()._queue.max_size == 32, "queues"
assert not logging.getLogger("libp2p").handlers, "handlers"
assert not logging.getLogger("libp2p").propagate, "propagate"
"""


def test_what_importing_libp2p_brings() -> None:
    """In a process of its own, because the fixes have long been applied in this one."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED_DEFAULTS], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_fix_lets_libp2p_log_again() -> None:
    libp2p_fixes.set_up_logging()
    assert logging.getLogger("libp2p").propagate


# ---- who comes and goes -----------------------------------------------------------------------------


async def visit(client: IHost, server: IHost) -> None:
    """Come, until the server has asked who that is, and go."""
    peer = client.get_id()
    await connect(client, server)
    while not server.get_peerstore().has_peer(peer):
        await trio.sleep(0.01)
    await client.disconnect(server.get_id())
    while server.get_network().get_connections(peer):
        await trio.sleep(0.01)


async def test_whoever_was_here_once_is_kept() -> None:
    with trio.fail_after(PATIENCE):
        async with bare_host() as client, bare_host() as server:
            await visit(client, server)
            swarm = server.get_network()
            assert isinstance(swarm, Swarm)
            while client.get_id() not in swarm.auto_connector._recent_disconnects:
                await trio.sleep(0.01)
            assert server.get_peerstore().has_peer(client.get_id())


async def test_who_reads_a_stream_that_ends_leaves_an_event() -> None:
    connection = Yamux(Quiet(), STRANGER, is_initiator=True)  # type: ignore[arg-type]
    stream = await connection.open_stream()
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with contextlib.suppress(Exception):
                await libp2p_fixes.unfixed_read(stream, 1)

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        waiting = connection.stream_events[stream.stream_id]
        await libp2p_fixes.unfixed_reset(stream)
        waiting.set()
    assert stream.stream_id not in connection.streams
    assert stream.stream_id in connection.stream_events


async def test_a_stream_that_is_reset_stays_while_something_is_unread() -> None:
    connection = Yamux(Quiet(), STRANGER, is_initiator=True)  # type: ignore[arg-type]
    stream = await connection.open_stream()
    connection.stream_buffers[stream.stream_id] += b"unread"
    await libp2p_fixes.unfixed_reset(stream)
    assert stream.stream_id in connection.streams


async def test_a_stream_that_the_other_side_reset_stays_while_something_is_unread() -> None:
    connection = Yamux(Quiet(), STRANGER, is_initiator=True)  # type: ignore[arg-type]
    stream = await connection.open_stream()
    connection.stream_buffers[stream.stream_id] += b"unread"
    stream.closed = stream.reset_received = True  # as the reader does on RST
    connection.stream_buffers[stream.stream_id].clear()
    await libp2p_fixes.unfixed_reset(stream)
    assert stream.stream_id in connection.streams


async def test_whoever_accepts_streams_of_a_quic_connection_is_not_woken_by_its_end() -> None:
    """And what the other side closes stays in the listener's tables."""
    address = Multiaddr("/ip4/127.0.0.1/udp/0/quic-v1")
    server, client = (new_host(listen_addrs=[address], enable_quic=True) for _ in range(2))
    with trio.fail_after(PATIENCE):
        async with server.run(listen_addrs=[address]), client.run(listen_addrs=[address]):
            await connect(client, server)
            [near] = client.get_network().get_connections(server.get_id())
            swarm = server.get_network()
            await near.close()
            assert not near.muxed_conn._stream_accept_event.is_set()  # type: ignore[attr-defined]
            while swarm.get_connections():
                await trio.sleep(0.01)
            await trio.sleep(0.5)
            [listener] = swarm.listeners.values()
            assert listener._conn_by_quic_id  # type: ignore[attr-defined]


async def test_the_third_ping_of_a_peer_at_a_time_is_reset() -> None:
    with trio.fail_after(PATIENCE):
        async with bare_host() as client, bare_host() as server:
            await connect(client, server)
            with pytest.raises((StreamError, StreamFailure)):
                streams = [await client.new_stream(server.get_id(), [PING]) for _ in range(3)]
                for stream in streams:
                    await stream.write(bytes(PING_LENGTH))
                    await read_exactly(stream, PING_LENGTH)


# ---- relays ---------------------------------------------------------------------------------------------


class Secured:
    """Under a Yamux connection: a socket whose other side does not read."""

    is_initiator = True

    def __init__(self) -> None:
        self.cut_off = False

    async def write(self, data: bytes) -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            self.cut_off = True
            raise


async def test_who_is_cancelled_while_he_writes_leaves_half_a_frame() -> None:
    secured = Secured()
    connection = Yamux(secured, STRANGER, is_initiator=True)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(libp2p_fixes.unfixed_write_frame, connection, bytes(12))
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert secured.cut_off


class Quiet(Secured):
    """A socket that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []

    async def write(self, data: bytes) -> None:
        self.frames.append(data)


async def test_reading_single_bytes_opens_the_window_to_16_megabytes() -> None:
    secured = Quiet()
    connection = Yamux(secured, STRANGER, is_initiator=True)  # type: ignore[arg-type]
    stream = await connection.open_stream()
    for _ in range(12):
        connection.stream_buffers[stream.stream_id] += b"x"
        stream.recv_window -= 1
        assert await connection.read_stream(stream.stream_id, 1) == b"x"
        await libp2p_fixes.unfixed_window_update(stream, bytes_read=1)
    assert stream.target_recv_window == 16 * 1024 * 1024
    assert len(secured.frames) == 1 + 12


async def test_who_reads_a_stream_is_not_woken_when_this_side_resets_it() -> None:
    reading_ended = trio.Event()

    async def silent(stream: INetStream) -> None:
        await trio.sleep_forever()

    async def read(stream: INetStream) -> None:
        with contextlib.suppress(Exception):
            await stream.read(1)
        reading_ended.set()

    with trio.fail_after(PATIENCE):
        async with bare_host() as client, bare_host() as server:
            server.set_stream_handler(TProtocol("/silent/1"), silent)
            await connect(client, server)
            stream = await client.new_stream(server.get_id(), [TProtocol("/silent/1")])
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read, stream)
                await wait_all_tasks_blocked()
                await stream.reset()
                await wait_all_tasks_blocked(0.2)
                assert not reading_ended.is_set()
                nursery.cancel_scope.cancel()


async def test_a_circuit_address_is_advertised_as_if_the_relay_were_us() -> None:
    circuit = Multiaddr(f"/ip4/1.2.3.4/tcp/1/p2p/{STRANGER}/p2p-circuit")
    host = new_host(addrs_factory=lambda _: [circuit])
    assert [str(a) for a in host.get_addrs()] == [f"/ip4/1.2.3.4/tcp/1/p2p/{host.get_id()}"]


async def test_identify_tells_a_peer_the_address_of_his_circuit() -> None:
    circuit = Multiaddr(f"/ip4/1.2.3.4/tcp/1/p2p/{STRANGER}/p2p-circuit")

    class Connection:
        def get_transport_addresses(self) -> list[Multiaddr]:
            return [circuit]

    class Host:
        connections: ClassVar = {STRANGER: [Connection()]}

        def get_network(self) -> Host:
            return self

    host: Any = Host()
    assert identify._prefer_circuit_addr(host, STRANGER, None) == circuit


async def test_the_relay_service_reserves_for_others_and_never_forgets() -> None:
    """Two of the reasons for which libp2p_relay.py does without it."""
    request = HopMessage(type=HopMessage.RESERVE, peer=PeerId(id=STRANGER.to_bytes()))
    with trio.fail_after(PATIENCE):
        async with bare_host() as client, bare_host() as server:
            relay = CircuitV2Protocol(server, allow_hop=True)
            async with background_trio_service(relay):
                await relay.event_started.wait()
                await connect(client, server)
                stream = await client.new_stream(server.get_id(), [HOP])
                await stream.write(encode_varint_prefixed(request.SerializeToString()))
                assert await stream.read(100)
                await client.close()
                while server.get_network().get_connections():
                    await trio.sleep(0.01)
                assert list(relay.resource_manager._reservations) == [STRANGER]
                assert not hasattr(relay.limits, "max_circuits")
