"""Shows that what `libp2p_fixes`, `libp2p_router` and `libp2p_pubsub` close is still broken in the pinned py-libp2p.

When one of these fails, the defect is gone: remove its fix and this test.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p import new_host
from libp2p.abc import IHost, INetStream
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import ConnectionConfig
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID
from libp2p.transport.quic.config import QUICTransportConfig
from multiaddr import Multiaddr

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
    from p2pchat.node.adapters import libp2p_fixes

    libp2p_fixes.set_up_logging()
    assert logging.getLogger("libp2p").propagate
