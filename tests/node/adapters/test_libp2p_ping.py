"""Pings over real libp2p: what their answers say about a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p import new_host
from libp2p.abc import INetConn, INetStream
from libp2p.host.ping import ID as PING
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_ping
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.adapters.libp2p_ping import Pings
from p2pchat.node.identity import Identity

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
PATIENCE = 20.0  # seconds


@asynccontextmanager
async def two(nursery: trio.Nursery) -> AsyncIterator[tuple[Libp2pNetwork, Libp2pNetwork]]:
    one, other = (Libp2pNetwork(Identity.generate(), [LOOPBACK]) for _ in range(2))
    for network in (one, other):
        await nursery.start(network.run)
    await one.dial(other.peer, other.listen_addresses())
    yield one, other


def streams(network: Libp2pNetwork, peer: str) -> int:
    assert network._session is not None
    [connection] = network._session._swarm.get_connections(ID.from_string(peer))
    return sum(stream.get_protocol() == PING for stream in connection.get_streams())


def pings(network: Libp2pNetwork) -> Pings:
    assert network._session is not None
    return network._session._pings


async def test_one_stream_is_kept_for_many_pings(nursery: trio.Nursery) -> None:
    with trio.fail_after(PATIENCE):
        async with two(nursery) as (one, other):
            for _ in range(5):
                assert await one.ping(other.peer) > 0
            assert streams(other, one.peer) == 1
            async with trio.open_nursery() as at_once:
                for _ in range(5):
                    at_once.start_soon(one.ping, other.peer)
            while streams(other, one.peer) > 1:  # the others are given up
                await trio.sleep(0.01)


async def test_a_kept_stream_that_the_other_side_has_closed_is_replaced(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libp2p_ping, "IDLE_TIMEOUT", 0.05)
    with trio.fail_after(PATIENCE):
        async with two(nursery) as (one, other):
            for _ in range(3):
                assert await one.ping(other.peer) > 0
                await trio.sleep(0.2)
            assert len(one.connections()) == 1


async def test_of_two_sides_one_pings(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libp2p_ping, "CHECK_EVERY", 0.02)
    monkeypatch.setattr(libp2p_ping, "PING_EVERY", 0.2)
    monkeypatch.setattr(libp2p_ping, "LEAD", 0.15)
    counted: Counter[str] = Counter()
    echo = Pings._echo

    async def counting(self: Pings, connection: INetConn, stream: INetStream) -> float:
        counted[str(self._swarm.get_peer_id())] += 1
        return await echo(self, connection, stream)

    monkeypatch.setattr(Pings, "_echo", counting)
    with trio.fail_after(PATIENCE):
        async with two(nursery) as (one, other):
            while len(counted) < 2:  # both measure once
                await trio.sleep(0.05)
            counted.clear()
            while sum(counted.values()) < 12:
                await trio.sleep(0.05)
            assert min(counted[one.peer], counted[other.peer]) <= 3
            assert one.connections()[0].rtt_ms
            assert other.connections()[0].rtt_ms


async def test_a_peer_that_does_not_serve_pings_is_alive(nursery: trio.Nursery) -> None:
    with trio.fail_after(PATIENCE):
        network = Libp2pNetwork(Identity.generate(), [LOOPBACK])
        await nursery.start(network.run)
        host = new_host(listen_addrs=[Multiaddr(LOOPBACK)])
        async with host.run(listen_addrs=[Multiaddr(LOOPBACK)]):
            host.get_mux().handlers.pop(PING)
            own = [Multiaddr(address) for address in network.listen_addresses()]
            await host.connect(PeerInfo(ID.from_string(network.peer), own))
            assert await network.ping(str(host.get_id())) > 0
            assert len(network.connections()) == 1
            await host.close()
