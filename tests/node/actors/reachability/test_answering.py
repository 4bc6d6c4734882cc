from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.reachability import answering
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import StreamError
from p2pchat.node.protocol import autonat
from p2pchat.proto import nat_pb2 as nat
from tests.node.actors.reachability.stage import Node, peer_of, running
from tests.node.actors.reachability.stranger import NO, YES, Stranger

OK, FAILED = nat.Autonat.OK, nat.Autonat.E_DIAL_ERROR
REFUSED, BAD = nat.Autonat.E_DIAL_REFUSED, nat.Autonat.E_BAD_REQUEST


async def test_who_can_be_dialled_hears_it(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1, serve=True), Stranger(hub, 2)
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await ann.dial(node)
        assert await ann.ask(node, "/memory/2") == OK
        assert (await node.describe()).counters == {"autonat_dialled_back": 1}


async def test_who_is_behind_a_router_hears_that_too(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1, serve=True), Stranger(hub, 2)
    hub.nat(ann.peer, "cone")
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await ann.dial(node)
        seen = ann.network.identified(node.peer)
        while seen is None:
            await trio.sleep(0.01)
            seen = ann.network.identified(node.peer)
        assert await ann.ask(node, seen.observed) == FAILED


async def test_nobody_makes_us_dial_somebody_else(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann, ben = Node(hub, 1, serve=True), Stranger(hub, 2), Stranger(hub, 3)
    async with running(node) as nursery:
        for each in (ann, ben):
            await nursery.start(each.run)
        await ann.dial(node)
        assert await ann.ask(node, "/memory/3") == REFUSED
        about_ben = autonat.question(ben.peer, ["/memory/3"])
        assert await ann.send(node, about_ben) == BAD
        assert (await node.describe()).counters == {"autonat_refused": 2}


async def test_nobody_is_dialled_back_who_comes_through_a_relay(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    relay = Node(hub, 1, relay=RelayLimits(), serve=True)
    node, ann = Node(hub, 2, serve=True), Stranger(hub, 3)
    async with running(relay, node) as nursery:
        await nursery.start(ann.run)
        await node.use_relays(1)
        await node.until_held(relay)
        await ann.network.dial(node.peer, [f"/memory/1/p2p/{peer_of(1)}/p2p-circuit"])
        assert await ann.ask(node, "/memory/3", "/memory/1") == REFUSED


async def test_who_asks_too_often_waits(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1, serve=True), Stranger(hub, 2)
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await ann.dial(node)
        answers = [await ann.ask(node, "/memory/2") for _ in range(autonat.PEER_BURST + 2)]
        assert answers == [OK] * autonat.PEER_BURST + [REFUSED] * 2
        await trio.sleep(1 / autonat.PEER_RATE)
        assert await ann.ask(node, "/memory/2") == OK


async def test_a_dial_that_hangs_ends_and_holds_up_only_few(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node = Node(hub, 1, serve=True)
    crowd = [Stranger(hub, number) for number in range(2, 4 + autonat.AT_ONCE)]
    answers: list[tuple[float, nat.Autonat.Status]] = []

    async def ask(stranger: Stranger) -> None:
        answers.append((0.0, await stranger.ask(node, f"/memory/{stranger.number}")))
        answers[-1] = trio.current_time() - began, answers[-1][1]

    async def hang(peer: str, addresses: object) -> str:
        await trio.sleep_forever()
        raise AssertionError

    node.network.probe = hang  # type: ignore[method-assign]
    async with running(node) as nursery:
        for stranger in crowd:
            await nursery.start(stranger.run)
            await stranger.dial(node)
        began = trio.current_time()
        async with trio.open_nursery() as asking:
            for stranger in crowd:
                asking.start_soon(ask, stranger)
    assert [status for _, status in answers] == [REFUSED] * 2 + [FAILED] * autonat.AT_ONCE
    assert {time for time, status in answers if status == FAILED} == {answering.DIAL_TIMEOUT}


async def test_who_says_nothing_is_not_waited_for(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1, serve=True), Stranger(hub, 2)
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await ann.dial(node)
        stream = await ann.network.open_stream(node.peer, autonat.PROTOCOL)
        with trio.fail_after(answering.READ_TIMEOUT + 1), pytest.raises(StreamError):
            await stream.read_frame(autonat.FRAME_LIMIT)


@pytest.mark.parametrize(("said", "serves"), [(YES, True), (NO, False)])
async def test_only_who_can_be_reached_looks_after_others(
    autojump_clock: MockClock, said: bytes, serves: bool
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(said)
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await node.network.dial(ann.peer, ["/memory/2"])
        with pytest.raises(StreamError):
            await ann.ask(node, "/memory/2")
        await trio.sleep(10)
        if serves:
            assert await ann.ask(node, "/memory/2") == OK
        else:
            with pytest.raises(StreamError):
                await ann.ask(node, "/memory/2")


async def test_who_shall_not_serve_does_not(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1, serve=False), Stranger(hub, 2)
    ann.answers(YES)
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await ann.dial(node)
        await trio.sleep(10)
        with pytest.raises(StreamError):
            await ann.ask(node, "/memory/2")
