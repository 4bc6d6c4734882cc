"""Two nodes over QUIC alone: streams, gossip, and a peer that goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.config import NetworkLimits
from p2pchat.node.identity import Identity
from p2pchat.node.ports import PeerDown, PeerUp, Stream
from p2pchat.node.protocol.framing import frame

PATIENCE = 40.0  # seconds
QUIC_ONLY = ["/ip4/127.0.0.1/udp/0/quic-v1"]


@asynccontextmanager
async def running(limits: NetworkLimits | None = None) -> AsyncIterator[Libp2pNetwork]:
    network = Libp2pNetwork(Identity.generate(), QUIC_ONLY, limits)
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        yield network
        nursery.cancel_scope.cancel()


async def echo(stream: Stream) -> None:
    while True:
        await stream.write(frame(await stream.read_frame(100_000)))


async def test_streams_and_gossip_over_quic() -> None:
    with trio.fail_after(PATIENCE):
        async with running() as alice, running() as bob:
            alice.handle("/echo/1", echo)
            inboxes = [await node.subscribe("room") for node in (alice, bob)]
            await bob.dial(alice.peer, alice.listen_addresses())
            assert {c.transport for c in bob.connections()} == {"quic"}
            assert await bob.ping(alice.peer) > 0
            stream = await bob.open_stream(alice.peer, "/echo/1")
            for size in (1, 1000, 50_000):
                await stream.write(frame(b"x" * size))
                assert await stream.read_frame(100_000) == b"x" * size
            while not (alice.topic_peers("room") and bob.topic_peers("room")):
                await trio.sleep(0.05)
            await alice.publish("room", b"from alice")
            assert (await anext(inboxes[1])).data == b"from alice"
            await bob.publish("room", b"from bob")
            assert (await anext(inboxes[0])).data == b"from bob"


async def test_a_quic_peer_that_stops_is_noticed() -> None:
    with trio.fail_after(PATIENCE):
        async with running() as alice:
            async with running() as bob:
                await bob.dial(alice.peer, alice.listen_addresses())
                assert isinstance(await alice.peer_events().receive(), PeerUp)
            assert isinstance(await alice.peer_events().receive(), PeerDown)


async def test_quic_connections_give_their_slots_back() -> None:
    limits = NetworkLimits(max_connections=4, max_inbound=2)
    with trio.fail_after(PATIENCE):
        async with running(limits) as host:
            for _ in range(6):
                async with running() as visitor:
                    await visitor.dial(host.peer, host.listen_addresses())
                while host.connections():
                    await trio.sleep(0.02)
