"""Nodes behind routers find out that they are, are called through relays, and meet directly."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.config import RelayLimits
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.reachability.stage import SMALL, Node, running

LATENCY = (0.01, 0.03)


def mailbox(hub: MemoryHub, number: int) -> Node:
    """As a mailbox has it: always a relay, always answers AutoNAT."""
    return Node(hub, number, relay=RelayLimits(), serve=True)


async def test_two_behind_cone_nats_meet_directly_soon(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1, latency=LATENCY)
    relay, ann, ben = mailbox(hub, 1), Node(hub, 2), Node(hub, 3)
    for node in (ann, ben):
        hub.nat(node.peer, "cone")
    async with running(relay, ann, ben):
        with trio.fail_after(15):
            for node in (ann, ben):
                await node.use_relays(1)
            for node in (ann, ben):
                await node.until(actors.PRIVATE)
                await node.until_held(relay)
            await ann.call(ben, relay)
            await ann.until_direct(ben)
            await ben.until_direct(ann)
        described = await ben.describe()
        assert (described.punches, described.punched) == (1, 1)
        assert [moved.punched for moved in ann.moved] == [True]
        assert ben.address_changes > 0


async def test_two_behind_symmetric_nats_stay_relayed(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=2, latency=LATENCY)
    relay, ann, ben = mailbox(hub, 1), Node(hub, 2), Node(hub, 3)
    for node in (ann, ben):
        hub.nat(node.peer, "symmetric")
    async with running(relay, ann, ben):
        await ben.use_relays(1)
        await ben.until_held(relay)
        await ann.call(ben, relay)
        await trio.sleep(120)
        assert (await ben.describe()).punches == 3  # and then rests
        assert not ben.is_direct(ann)
        assert [c.relayed for c in ben.network.connections() if c.peer == ann.peer] == [True]


async def test_another_relay_takes_over_and_the_first_gets_its_place_back(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=3, latency=LATENCY)
    first, second, third = (mailbox(hub, number) for number in (1, 2, 3))
    ann = Node(hub, 4)
    hub.nat(ann.peer, "cone")
    async with running(first, second, third, ann) as nursery:
        await ann.use_relays(1, 2, 3)
        await ann.until_held(first, second)
        first.kill()
        with trio.fail_after(15):
            await ann.until_held(second, third)
        third.kill()
        await nursery.start(first.run)
        with trio.fail_after(15):
            await ann.until_held(first, second)


async def test_a_relay_that_restarts_is_asked_again_at_once(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=4, latency=LATENCY)
    relay, spare, ann = mailbox(hub, 1), mailbox(hub, 2), Node(hub, 3)
    async with running(relay, spare, ann) as nursery:
        await ann.use_relays(1)
        await ann.until_held(relay)
        relay.kill()
        await trio.sleep(1)
        assert ann.announced_relays() == set()
        await nursery.start(relay.run)
        with trio.fail_after(3):
            await ann.until_held(relay)


async def test_strangers_that_relay_help_until_the_mailboxes_are_there(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=5, latency=LATENCY)
    short = RelayLimits(reservation_seconds=120)
    strangers = [Node(hub, number, relay=short, serve=True) for number in (1, 2)]
    own = [mailbox(hub, number) for number in (3, 4)]
    ann = Node(hub, 5)
    hub.nat(ann.peer, "cone")
    async with running(*strangers, *own, ann):
        for stranger in strangers:
            await ann.dial(stranger)
        await ann.until_held(*strangers)
        await ann.use_relays(3, 4)
        while not {relay.peer for relay in own} <= ann.held(await ann.describe()):
            await trio.sleep(0.1)
        await trio.sleep(short.reservation_seconds)
        await ann.until_held(*own)  # those of the strangers have run out


async def test_nodes_that_were_dialled_help_each_other_to_the_truth(
    autojump_clock: MockClock,
) -> None:
    """Without any mailbox or public server: whoever was dialled answers the others."""
    hub = MemoryHub(seed=6, latency=LATENCY)
    nodes = [Node(hub, number, small_relay=SMALL) for number in range(1, 9)]
    hidden = Node(hub, 9, small_relay=SMALL)
    hub.nat(hidden.peer, "cone")
    async with running(*nodes, hidden):
        for node in (*nodes[1:], hidden):
            await node.dial(nodes[0])
        with trio.fail_after(60):
            for node in nodes:
                await node.until(actors.PUBLIC)
            await hidden.until(actors.PRIVATE)
            await hidden.until_held(nodes[0])
        assert all([(await node.describe()).relays for node in nodes])
        assert not (await hidden.describe()).relays


async def test_a_node_that_moves_behind_a_router_gives_up_serving(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=7, latency=LATENCY)
    relay, ann = mailbox(hub, 1), Node(hub, 2, small_relay=SMALL)
    async with running(relay, ann):
        await ann.dial(relay)
        await ann.until(actors.PUBLIC)
        assert (await ann.describe()).relays
        hub.nat(ann.peer, "cone")
        await ann.network.disconnect(relay.peer)
        await ann.reachability.tell(actors.NetworkChanged(why="test"))
        await ann.dial(relay)
        with trio.fail_after(15):
            await ann.until(actors.PRIVATE)
            await ann.until_held(relay)
        assert not (await ann.describe()).relays
        assert [event.reachability for event in ann.told] == [actors.PUBLIC, actors.PRIVATE]
        assert list(ann.shown) == list(ann.told)


async def test_a_restarted_actor_finds_what_is_there(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=8, latency=LATENCY)
    relay, ann, ben = mailbox(hub, 1), Node(hub, 2), Node(hub, 3)
    for node in (ann, ben):
        hub.nat(node.peer, "cone")
    async with running(relay, ann, ben) as nursery:
        for node in (ann, ben):
            await node.use_relays(1)
            await node.until_held(relay)
        ben.kill()
        await trio.sleep(1)
        await nursery.start(ben.run)
        await ben.until(actors.PRIVATE)
        await ben.until_held(relay)
        await ann.call(ben, relay)
        with trio.fail_after(15):
            await ben.until_direct(ann)


async def test_what_a_node_was_before_a_restart_it_finds_out_anew(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=9, latency=LATENCY)
    relay, ann = mailbox(hub, 1), Node(hub, 2, small_relay=SMALL)
    async with running(relay, ann) as nursery:
        await ann.dial(relay)
        await ann.until(actors.PUBLIC)
        ann.kill()
        await trio.sleep(1)
        await nursery.start(ann.run)
        described = await ann.describe()
        assert described.reachability == actors.UNKNOWN
        assert not described.relays
        await ann.dial(relay)
        await ann.until(actors.PUBLIC)
