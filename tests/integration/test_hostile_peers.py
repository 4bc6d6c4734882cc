"""What strangers may send over real sockets: the node lives on, and others go on talking."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p import new_host
from libp2p.abc import IHost
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.stream.exceptions import StreamReset
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.pubsub.pb import rpc_pb2
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from multiaddr import Multiaddr

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.config import NetworkLimits
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.framing import frame

GOSSIP = TProtocol("/meshsub/1.1.0")
PATIENCE = 30.0  # seconds


@asynccontextmanager
async def running(limits: NetworkLimits | None = None) -> AsyncIterator[Libp2pNetwork]:
    network = Libp2pNetwork(Identity.generate(), ["/ip4/127.0.0.1/tcp/0"], limits)
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        yield network
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def stranger(target: Libp2pNetwork, **options: object) -> AsyncIterator[IHost]:
    """A bare libp2p host that is connected to `target`."""
    listen = Multiaddr("/ip4/127.0.0.1/tcp/0")
    host = new_host(listen_addrs=[listen], **options)  # type: ignore[arg-type]
    async with host.run(listen_addrs=[listen]):
        await host.connect(peer_info(target))
        yield host
        await host.close()


def peer_info(target: Libp2pNetwork) -> PeerInfo:
    return PeerInfo(
        ID.from_string(target.peer), [Multiaddr(address) for address in target.listen_addresses()]
    )


async def assert_welcome(network: Libp2pNetwork) -> None:
    """Somebody new can connect and chat with it."""
    async with running() as friend:
        inbox = await network.subscribe("proof")
        await friend.subscribe("proof")
        await friend.dial(network.peer, network.listen_addresses())
        while network.peer not in friend.topic_peers("proof"):
            await trio.sleep(0.02)
        await friend.publish("proof", b"still there?")
        async for message in inbox:
            if message.data == b"still there?":
                break
    await network.unsubscribe("proof")


def length_prefixed(body: bytes) -> bytes:
    return frame(body)


BAD_IDS = rpc_pb2.RPC(
    publish=[rpc_pb2.Message(from_id=b"\xff", data=b"x", seqno=b"", topicIDs=["room"], key=b"k")]
)
BAD_CONTROL = rpc_pb2.RPC(
    control=rpc_pb2.ControlMessage(
        ihave=[rpc_pb2.ControlIHave(topicID="room", messageIDs=[b"\xff\xfe"])],
        iwant=[rpc_pb2.ControlIWant(messageIDs=[b"'); raise SystemExit #", b""])],
        graft=[rpc_pb2.ControlGraft(topicID="no such topic")],
        prune=[rpc_pb2.ControlPrune(topicID="room", backoff=2**63)],
    )
)
BAD_RECORD = rpc_pb2.RPC(senderRecord=b"not an envelope")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(length_prefixed(b"\xff" * 40), id="no protobuf"),
        pytest.param(b"\x00" * 10, id="empty frames"),
        pytest.param(b"\xff" * 20, id="endless length"),
        pytest.param(b"\xff\xff\xff\x7f", id="length of 256 MiB"),
        pytest.param(length_prefixed(BAD_IDS.SerializeToString()), id="nonsense as peer id"),
        pytest.param(length_prefixed(BAD_CONTROL.SerializeToString()), id="nonsense control"),
        pytest.param(length_prefixed(BAD_RECORD.SerializeToString()), id="forged record"),
    ],
)
async def test_a_malformed_gossip_rpc(sent: bytes) -> None:
    with trio.fail_after(PATIENCE):
        async with running() as network, stranger(network) as host:
            await network.subscribe("room")
            stream = await host.new_stream(ID.from_string(network.peer), [GOSSIP])
            await stream.write(sent)
            await assert_welcome(network)


async def test_random_gossip_frames() -> None:
    rng = random.Random(7)
    with trio.fail_after(PATIENCE):
        async with running() as network, stranger(network) as host:
            await network.subscribe("room")
            for _ in range(50):
                stream = await host.new_stream(ID.from_string(network.peer), [GOSSIP])
                frames = [rng.randbytes(rng.randrange(1, 300)) for _ in range(4)]
                with contextlib.suppress(StreamReset):  # as soon as the first was understood
                    for body in frames:
                        await stream.write(length_prefixed(body))
                await stream.reset()
            await assert_welcome(network)


async def test_garbage_on_the_tcp_port() -> None:
    with trio.fail_after(PATIENCE):
        async with running() as network:
            (address,) = network.listen_addresses()
            port = int(address.split("/")[4])
            for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, os.urandom(4096), b""):
                connection = await trio.open_tcp_stream("127.0.0.1", port)
                await connection.send_all(garbage)
                await connection.aclose()
            await assert_welcome(network)


async def test_plaintext_is_refused() -> None:
    key_pair = create_new_key_pair()
    plaintext = {TProtocol(PLAINTEXT_PROTOCOL_ID): InsecureTransport(key_pair)}
    with trio.fail_after(PATIENCE):
        async with running() as network:
            with pytest.raises(BaseException) as caught:
                async with stranger(network, key_pair=key_pair, sec_opt=plaintext):
                    pytest.fail("it was let in")
            assert not isinstance(caught.value, pytest.fail.Exception)
            await assert_welcome(network)


async def test_one_peer_cannot_take_all_streams() -> None:
    async def hold(stream: Stream) -> None:
        await trio.sleep_forever()

    limits = NetworkLimits(max_streams_per_peer=8)
    with trio.fail_after(PATIENCE):
        async with running(limits) as network, running() as greedy:
            network.handle("/hold/1", hold)
            await greedy.dial(network.peer, network.listen_addresses())
            opened = []
            with pytest.raises(StreamError):
                for _ in range(20):
                    opened.append(await greedy.open_stream(network.peer, "/hold/1"))
            assert len(opened) <= 8
            assert network.counters()["streams_over_limit"] >= 1
            await assert_welcome(network)


async def test_the_last_of_many_connections_is_as_welcome_as_the_first() -> None:
    """Ten times the inbound limit, one after the other (the bench does a thousand)."""
    limits = NetworkLimits(max_connections=6, max_inbound=4)
    with trio.fail_after(PATIENCE * 2):
        async with running(limits) as network:
            for _ in range(40):
                async with running() as visitor:
                    await visitor.dial(network.peer, network.listen_addresses())
                while network.connections():
                    await trio.sleep(0.01)
            await assert_welcome(network)


EMPTY = rpc_pb2.Message(topicIDs=["room"])


@pytest.mark.parametrize(
    "rpc",
    [
        pytest.param(rpc_pb2.RPC(publish=[EMPTY] * 16_000), id="messages"),
        pytest.param(
            rpc_pb2.RPC(publish=[rpc_pb2.Message(topicIDs=[f"t{n}" for n in range(60_000)])]),
            id="topics of one message",
        ),
        pytest.param(
            rpc_pb2.RPC(
                subscriptions=[
                    rpc_pb2.RPC.SubOpts(subscribe=bool(n % 2), topicid="x") for n in range(10_000)
                ]
            ),
            id="subscriptions",
        ),
        pytest.param(
            rpc_pb2.RPC(
                control=rpc_pb2.ControlMessage(
                    prune=[rpc_pb2.ControlPrune(topicID=f"t{n}") for n in range(50_000)],
                    graft=[rpc_pb2.ControlGraft(topicID=f"t{n}") for n in range(10_000)],
                )
            ),
            id="control",
        ),
    ],
)
async def test_a_huge_rpc_costs_little(rpc: rpc_pb2.RPC) -> None:
    """Unbounded, the first of these stopped the event loop for a minute, the others grew for ever."""
    with trio.fail_after(PATIENCE):
        async with running() as network, stranger(network) as host:
            await network.subscribe("room")
            stream = await host.new_stream(ID.from_string(network.peer), [GOSSIP])
            await stream.write(length_prefixed(rpc.SerializeToString()))
            await assert_welcome(network)
            assert network._session is not None
            router = network._session._router
            assert len(router.back_off) < 10
            assert len(router.recent_message_deliveries) < 10


async def test_a_message_asked_for_a_thousand_times_is_sent_once() -> None:
    with trio.fail_after(PATIENCE):
        async with running() as network, running() as greedy:
            await network.subscribe("room")
            inbox = await greedy.subscribe("room")
            await greedy.dial(network.peer, network.listen_addresses())
            while greedy.peer not in network.topic_peers("room"):
                await trio.sleep(0.02)
            await network.publish("room", bytes(900_000))
            await anext(inbox)
            assert network._session is not None
            assert greedy._session is not None
            (kept,) = network._session._router.mcache.msgs
            wish = rpc_pb2.ControlIWant(messageIDs=[kept] * 1000)
            rpc = rpc_pb2.RPC(control=rpc_pb2.ControlMessage(iwant=[wish]))
            pubsub = network._session._pubsub
            pubsub._cut_down(rpc)
            assert [len(iwant.messageIDs) for iwant in rpc.control.iwant] == [1]


async def test_a_prune_cannot_make_us_dial() -> None:
    dialled = trio.Event()

    async def count(connection: trio.SocketStream) -> None:
        dialled.set()

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery, running() as network, stranger(network) as host:
            await network.subscribe("room")
            (trap,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, count, [trap])
            stream = await host.new_stream(ID.from_string(network.peer), [GOSSIP])
            target = rpc_pb2.PeerInfo(peerID=ID.from_string(network.peer).to_bytes()[:-1] + b"x")
            prune = rpc_pb2.ControlPrune(topicID="room", peers=[target], backoff=1)
            rpc = rpc_pb2.RPC(control=rpc_pb2.ControlMessage(prune=[prune]))
            await stream.write(length_prefixed(rpc.SerializeToString()))
            await assert_welcome(network)
            assert not dialled.is_set()
            nursery.cancel_scope.cancel()


async def test_who_sends_more_than_the_window_is_disconnected() -> None:
    async def deaf(stream: Stream) -> None:
        await trio.sleep_forever()

    with trio.fail_after(PATIENCE):
        async with running() as network, running() as pushy:
            network.handle("/deaf/1", deaf)
            await pushy.dial(network.peer, network.listen_addresses())
            stream = await pushy.open_stream(network.peer, "/deaf/1")
            muxed = stream._stream.muxed_stream  # type: ignore[attr-defined]
            muxed.send_window = 2**30  # as if nobody had set a limit
            with pytest.raises(StreamError):
                for _ in range(100):
                    await stream.write(bytes(256 * 1024))
            while network.connections():
                await trio.sleep(0.02)
            # The hook sits in a class: in a process with several hosts the newest one counts.
            assert pushy.counters()["windows_exceeded"] >= 1
            await assert_welcome(network)


async def test_silent_connections_do_not_shut_others_out() -> None:
    with trio.fail_after(PATIENCE):
        async with running() as network:
            (address,) = network.listen_addresses()
            port = int(address.split("/")[4])
            silent = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(40)]
            while network.counters().get("connections_refused", 0) < 20:
                await trio.sleep(0.02)
            for connection in silent:
                await connection.aclose()
            while True:
                async with running() as friend:
                    try:
                        await friend.dial(network.peer, network.listen_addresses())
                        break
                    except DialError:
                        await trio.sleep(0.1)
