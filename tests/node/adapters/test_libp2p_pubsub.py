"""What is sent to a neighbour over more than one connection, some of which are silently dead."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from libp2p.abc import INetConn
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_pubsub
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.adapters.libp2p_pubsub import BoundedPubsub
from p2pchat.node.adapters.libp2p_router import PROTOCOLS
from tests.node.adapters.libp2p_relays import LOOPBACK, PATIENCE, Nodes, eventually


@pytest.fixture
async def nodes(nursery: trio.Nursery) -> Nodes:
    return Nodes(nursery)


async def connected(nodes: Nodes, times: int) -> tuple[Libp2pNetwork, ID]:
    """A node, and the peer that it has so many connections to."""
    near, far = await nodes.start([LOOPBACK]), await nodes.start([LOOPBACK])
    peer = ID.from_string(far.peer)
    await near.dial(far.peer, far.listen_addresses())
    await eventually(lambda: peer in pubsub_of(near).peers)
    for _ in range(times - 1):
        await swarm_of(near).dial_addr(Multiaddr(far.listen_addresses()[0]), peer)
    assert len(connections(near, peer)) == times
    return near, peer


def pubsub_of(node: Libp2pNetwork) -> BoundedPubsub:
    assert node._session is not None
    return node._session._pubsub


def swarm_of(node: Libp2pNetwork) -> Swarm:
    assert node._session is not None
    return node._session._swarm


def connections(node: Libp2pNetwork, peer: ID) -> list[INetConn]:
    return [c for c in swarm_of(node).get_connections(peer) if not c.is_closed]


def kill(connection: INetConn) -> None:
    """Nobody notices: what is written to it vanishes."""

    async def swallow(data: bytes) -> None: ...

    connection.muxed_conn.secured_conn.write = swallow  # type: ignore[attr-defined]


async def test_gossip_moves_on_until_a_connection_works(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libp2p_pubsub, "GREETING_TIMEOUT", 0.3)
    with trio.fail_after(PATIENCE):
        near, peer = await connected(nodes, 3)
        pubsub = pubsub_of(near)
        [over] = [c for c in connections(near, peer) if pubsub.runs_over(peer, c)]
        works, dead = [c for c in connections(near, peer) if c is not over]
        kill(dead)
        stream = pubsub.peers[peer]
        assert await pubsub.move(peer, away_from=stream)
        assert pubsub.runs_over(peer, works)


async def test_who_could_not_be_sent_anything_is_when_the_dead_connection_ends(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trio.fail_after(PATIENCE):
        near, peer = await connected(nodes, 2)
        pubsub = pubsub_of(near)
        with monkeypatch.context() as given_up:
            given_up.setattr(pubsub, "_schedule_peer_stream_retry", lambda peer: None)
            pubsub._handle_dead_peer(peer)
        assert peer not in pubsub.peers
        await connections(near, peer)[0].close()
        await eventually(lambda: peer in pubsub.peers)


async def test_an_attempt_that_is_under_way_is_followed_by_another(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for an answer on the connection that ends now, and then gives up."""
    with trio.fail_after(PATIENCE):
        near, peer = await connected(nodes, 2)
        pubsub = pubsub_of(near)
        answer = trio.Event()

        async def fails(peer: ID) -> None:
            await answer.wait()
            raise ValueError("no answer")

        with monkeypatch.context() as in_vain:
            in_vain.setattr(pubsub, "_handle_new_peer", fails)
            pubsub._handle_dead_peer(peer)
            await connections(near, peer)[0].close()
            await trio.testing.wait_all_tasks_blocked(0.05)
        assert peer not in pubsub.peers
        answer.set()
        await eventually(lambda: peer in pubsub.peers)


async def test_a_new_stream_that_ends_at_once_is_no_way(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> bool:
        return False

    with trio.fail_after(PATIENCE):
        near, peer = await connected(nodes, 2)
        pubsub = pubsub_of(near)
        [other] = [c for c in connections(near, peer) if not pubsub.runs_over(peer, c)]
        before = set(other.get_streams())
        stream = pubsub.peers[peer]
        with monkeypatch.context() as broken:
            broken.setattr(pubsub, "write_msg", fails)
            assert not await pubsub.move(peer, away_from=stream)
        assert pubsub.peers[peer] is stream
        opened = {stream.get_protocol() for stream in set(other.get_streams()) - before}
        assert not opened & set(PROTOCOLS)
