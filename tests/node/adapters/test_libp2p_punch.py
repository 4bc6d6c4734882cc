"""Hole punching over real TCP on loopback: whoever begins, and whichever part he takes, both get through."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing

from p2pchat.node.adapters import libp2p_punch
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.adapters.libp2p_punch import Endpoint, best_source
from p2pchat.node.config import NetworkLimits
from p2pchat.node.errors import DialError
from tests.node.adapters.libp2p_relays import (
    LOOPBACK,
    PATIENCE,
    Nodes,
    eventually,
    is_echoed,
)

DEAD = "/ip4/127.0.0.1/tcp/1"


@pytest.fixture
async def nodes(nursery: trio.Nursery) -> Nodes:
    return Nodes(nursery)


async def relayed_pair(
    nodes: Nodes, limits: NetworkLimits | None = None
) -> tuple[Libp2pNetwork, Libp2pNetwork]:
    """Both listen, and are connected through a relay alone."""
    relay = await nodes.relay()
    near, far = await nodes.start([LOOPBACK]), await nodes.start([LOOPBACK], limits=limits)
    await far.dial(relay.peer, relay.listen_addresses())
    await far.reserve(relay.peer)
    await near.dial(far.peer, [a for a in far.listen_addresses() if "/p2p-circuit" in a])
    return near, far


def own(network: Libp2pNetwork) -> list[str]:
    return [a for a in network.listen_addresses() if "/p2p-circuit" not in a]


def direct(near: Libp2pNetwork, far: Libp2pNetwork) -> int:
    return sum(c.peer == far.peer and not c.relayed for c in near.connections())


@pytest.mark.parametrize("begins", [True, False])
@pytest.mark.parametrize("pause", [0.0, 0.2, 1.0])
async def test_the_parts_do_not_depend_on_who_dials_first(
    nodes: Nodes, begins: bool, pause: float
) -> None:
    """Who dials alone finds the other one's listener, which expects to be answered and not to answer."""
    with trio.fail_after(PATIENCE):
        near, far = await relayed_pair(nodes)
        async with trio.open_nursery() as nursery:

            async def first() -> None:
                await near.punch(far.peer, [DEAD, *own(far)], initiator=begins)

            nursery.start_soon(first)
            await trio.sleep(pause)
            await far.punch(near.peer, [DEAD, *own(near)], initiator=not begins)
        await eventually(lambda: direct(near, far) == direct(far, near) == 1)
        [info] = [c for c in near.connections() if c.peer == far.peer and not c.relayed]
        assert info.punched
        assert await is_echoed(near, far)
        assert await is_echoed(far, near)
        assert not any(near.counters().values())


async def test_two_that_take_the_same_part_fail_and_stay_relayed(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        near, far = await relayed_pair(nodes)

        async def attempt(one: Libp2pNetwork, other: Libp2pNetwork) -> None:
            with pytest.raises(DialError):
                await one.punch(other.peer, own(other), initiator=False)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(attempt, near, far)
            nursery.start_soon(attempt, far, near)
        assert direct(near, far) == direct(far, near) == 0
        assert await is_echoed(near, far)


async def test_a_punch_is_no_way_around_the_limit(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        full = NetworkLimits(max_connections=2, max_inbound=2)
        near, far = await relayed_pair(nodes, full)
        async with trio.open_nursery() as nursery:

            async def attempt() -> None:
                with contextlib.suppress(DialError):  # it was there, for a moment
                    await near.punch(far.peer, own(far), initiator=True)

            nursery.start_soon(attempt)
            with pytest.raises(DialError):
                await far.punch(near.peer, own(near), initiator=False)
        await eventually(lambda: direct(near, far) == direct(far, near) == 0)
        assert len(far.connections()) == 2
        assert await is_echoed(near, far)


async def test_one_punch_at_a_time_for_each_peer(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        near, far = await relayed_pair(nodes)
        async with trio.open_nursery() as nursery:

            async def first() -> None:
                await near.punch(far.peer, [DEAD], initiator=True)

            nursery.start_soon(first)
            await trio.sleep(0.1)
            with pytest.raises(DialError, match="at once"):
                await near.punch(far.peer, [DEAD], initiator=True)
            await far.dial(near.peer, own(near))


async def test_who_listens_nowhere_gets_through_to_who_does(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        relay, near = await nodes.relay(), await nodes.hidden()
        far = await nodes.start([LOOPBACK])
        await far.dial(relay.peer, relay.listen_addresses())
        await far.reserve(relay.peer)
        await near.dial(far.peer, [a for a in far.listen_addresses() if "/p2p-circuit" in a])
        await near.punch(far.peer, own(far), initiator=True)
        assert direct(near, far) == 1


async def both(near: Libp2pNetwork, far: Libp2pNetwork) -> list[DialError]:
    """Both at once; `far` begins the handshake."""
    failed = []

    async def attempt(one: Libp2pNetwork, other: Libp2pNetwork, part: bool) -> None:
        try:
            await one.punch(other.peer, own(other), initiator=part)
        except DialError as error:
            failed.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, near, far, False)
        nursery.start_soon(attempt, far, near, True)
    return failed


@pytest.mark.parametrize("room", [True, False])
async def test_who_was_called_has_a_guest(nodes: Nodes, room: bool) -> None:
    """The circuit takes one slot, the punched connection another."""
    with trio.fail_after(PATIENCE):
        limits = NetworkLimits(max_connections=8, max_inbound=2 if room else 1)
        near, far = await relayed_pair(nodes, limits)
        await both(near, far)
        await eventually(lambda: direct(near, far) == direct(far, near) == room)
        assert slots_taken(far) == 1 + room
        assert (far.counters().get("connections_refused", 0) == 0) == room
        await far.disconnect(near.peer)
        await eventually(lambda: slots_taken(far) == 0)


def slots_taken(network: Libp2pNetwork) -> int:
    assert network._session is not None
    return network._session._swarm._inbound_limiter.borrowed_tokens


async def test_a_stranger_takes_nobodys_punch_away(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it is to be found where another peer is, and was there first."""
    with trio.fail_after(PATIENCE):
        near, far = await relayed_pair(nodes)
        thief = await nodes.start([LOOPBACK])
        await thief.dial(far.peer, [a for a in far.listen_addresses() if "/p2p-circuit" in a])
        let_nothing_in(monkeypatch, near)
        async with trio.open_nursery() as nursery:

            async def decoy() -> None:
                with contextlib.suppress(DialError):
                    await far.punch(thief.peer, own(near), initiator=True)

            nursery.start_soon(decoy)
            await trio.testing.wait_all_tasks_blocked()
            assert await both(near, far) == []
            nursery.cancel_scope.cancel()
        assert direct(far, near) == 1


def let_nothing_in(monkeypatch: pytest.MonkeyPatch, network: Libp2pNetwork) -> None:
    """As a router does that lets out, but not in."""
    open_, inside = libp2p_punch._open, {int(a.split("/")[4]) for a in own(network)}

    async def filtered(
        destination: Endpoint, source: Endpoint | None, patience: float
    ) -> trio.SocketStream | None:
        return None if destination[1] in inside else await open_(destination, source, patience)

    monkeypatch.setattr(libp2p_punch, "_open", filtered)


HERE, ANYWHERE, HOME, SIX = ("127.0.0.1", 1), ("0.0.0.0", 2), ("192.168.1.7", 3), ("::", 4)
AFAR, AFAR_SIX = ("203.0.113.7", 9), ("2001:db8::7", 9)


@pytest.mark.parametrize(
    ("listening", "destination", "source"),
    [
        ([HERE, HOME, ANYWHERE], AFAR, ANYWHERE),
        ([HERE, HOME], AFAR, HOME),
        ([HERE, SIX], AFAR, None),
        ([HERE, SIX], AFAR_SIX, SIX),
        ([HERE], HERE, HERE),
        ([HERE, ANYWHERE], HERE, ANYWHERE),
        ([], AFAR, None),
    ],
)
def test_attempts_come_from_where_the_other_side_can_answer(
    listening: list[Endpoint], destination: Endpoint, source: Endpoint | None
) -> None:
    assert best_source(listening, destination) == source
