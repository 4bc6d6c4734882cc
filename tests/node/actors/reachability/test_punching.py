from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.reachability import punching
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import hole_punch
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.reachability.stage import Node, running
from tests.node.actors.reachability.stranger import Stranger


@asynccontextmanager
async def called(
    hub: MemoryHub, caller: Stranger | Node, node: Node
) -> AsyncIterator[tuple[Node, trio.Nursery]]:
    """`node` holds a reservation, and `caller` runs."""
    relay = Node(hub, 1, relay=RelayLimits(), serve=True)
    async with running(relay, node) as nursery:
        await nursery.start(caller.run)
        await node.use_relays(1)
        await node.until_held(relay)
        yield relay, nursery


async def call(caller: Stranger, node: Node, relay: Node) -> None:
    through = f"/memory/{relay.number}/p2p/{relay.peer}/p2p-circuit"
    await caller.network.dial(node.peer, [through])


async def punch_by_hand(caller: Stranger, node: Node, *addresses: str) -> list[str]:
    """The node's part of one attempt that the caller begins. Raises `StreamError`."""
    stream = await caller.network.open_stream(node.peer, hole_punch.PROTOCOL)
    await stream.write(frame(hole_punch.connect(addresses)))
    answer = hole_punch.read_connect(await stream.read_frame(hole_punch.FRAME_LIMIT))
    await stream.write(frame(hole_punch.sync()))
    with pytest.raises(StreamError):
        await stream.read_frame(hole_punch.FRAME_LIMIT)  # until the other side is done
    return answer


async def test_a_caller_in_the_open_is_dialled_plainly(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Node(hub, 3)
    hub.nat(node.peer, "symmetric")
    async with called(hub, ann, node) as (relay, _):
        await ann.call(node, relay)
        with trio.fail_after(3):
            await node.until_direct(ann)
        assert ["/memory/3"] in node.plain_dials
        assert (await node.describe()).punches == 0


async def test_who_does_not_speak_it_is_left_alone(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Stranger(hub, 3)
    hub.nat(ann.peer, "cone")
    async with called(hub, ann, node) as (relay, _):
        await call(ann, node, relay)
        await trio.sleep(900)
        assert node.plain_dials == []
        assert (await node.describe()).punches == 0


async def test_the_caller_waits_for_the_one_that_was_called(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Stranger(hub, 3)
    asked: list[str] = []

    async def begin(stream: Stream) -> None:
        asked.append(stream.peer)

    for peer in (node.peer, ann.peer):
        hub.nat(peer, "cone")
    ann.network.handle(hole_punch.PROTOCOL, begin)
    relay = Node(hub, 1, relay=RelayLimits(), serve=True)
    async with running(relay, node) as nursery:
        await nursery.start(ann.run)
        await ann.network.dial(relay.peer, ["/memory/1"])
        await ann.network.reserve(relay.peer)
        await node.network.dial(ann.peer, [f"/memory/1/p2p/{relay.peer}/p2p-circuit"])
        await trio.sleep(900)
        assert asked == []


async def test_a_caller_may_begin_seldom_and_only_over_a_relay(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Stranger(hub, 3)
    for peer in (node.peer, ann.peer):
        hub.nat(peer, "cone")
    async with called(hub, ann, node) as (relay, _):
        await call(ann, node, relay)
        for _ in range(hole_punch.VISITOR_BURST):
            assert "/memory/2" in await punch_by_hand(ann, node, "/memory/77")
        # Each attempt took a second in which the allowance grew a little, and not by a whole one.
        with pytest.raises(StreamError):
            await punch_by_hand(ann, node, "/memory/77")
        assert (await node.describe()).counters["punches_refused"] == 1
        assert (await node.describe()).punches == hole_punch.VISITOR_BURST


async def test_over_a_direct_connection_there_is_nothing_to_punch(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Stranger(hub, 3)
    async with running(node) as nursery:
        await nursery.start(ann.run)
        await ann.dial(node)
        with pytest.raises(StreamError):
            await punch_by_hand(ann, node, "/memory/3")
        assert (await node.describe()).punches == 0


@pytest.mark.parametrize("body", [b"\xff\xff", hole_punch.sync(), hole_punch.connect([])])
async def test_nonsense_ends_the_attempt_and_nothing_else(
    autojump_clock: MockClock, body: bytes
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Stranger(hub, 3)
    answers: list[int] = []

    async def answer(stream: Stream) -> None:
        await stream.read_frame(hole_punch.FRAME_LIMIT)
        answers.append(1)
        await stream.write(frame(body))
        await stream.close()

    ann.network.handle(hole_punch.PROTOCOL, answer)
    hub.nat(ann.peer, "cone")
    async with called(hub, ann, node) as (relay, _):
        await call(ann, node, relay)
        await trio.sleep(60)
        assert len(answers) == hole_punch.ATTEMPTS
        assert (await node.describe()).punched == 0


async def test_only_so_many_are_tried_at_a_time(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node = Node(hub, 2)
    callers = [Node(hub, number) for number in range(3, 3 + 2 * punching.AT_ONCE)]
    under_way, most = 0, 0

    async def punch(peer: str, addresses: object, *, initiator: bool) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await trio.sleep(1)
        under_way -= 1
        raise DialError("no")

    for each in (node, *callers):
        hub.nat(each.peer, "cone")
    node.network.punch = punch  # type: ignore[method-assign]
    relay = Node(hub, 1, relay=RelayLimits(max_circuits_per_peer=64), serve=True)
    async with running(relay, node, *callers):
        await node.use_relays(1)
        await node.until_held(relay)
        for caller in callers:
            await caller.call(node, relay)
        await trio.sleep(120)
        assert most == punching.AT_ONCE
        assert (await node.describe()).punches == hole_punch.ATTEMPTS * len(callers)


async def test_after_a_change_of_network_it_is_tried_again(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Node(hub, 3)
    hub.nat(node.peer, "symmetric")
    hub.nat(ann.peer, "cone")
    async with called(hub, ann, node) as (relay, _):
        await ann.call(node, relay)
        await trio.sleep(60)
        assert (await node.describe()).punches == hole_punch.ATTEMPTS
        await node.reachability.tell(actors.NetworkChanged(why="test"))
        await trio.sleep(5)
        assert (await node.describe()).punches > hole_punch.ATTEMPTS


async def test_a_call_that_ends_is_looked_after_no_longer(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 2), Node(hub, 3)
    for each in (node, ann):
        hub.nat(each.peer, "symmetric")
    async with called(hub, ann, node) as (relay, _):
        await ann.call(node, relay)
        await trio.sleep(2)
        tried = (await node.describe()).punches
        await ann.network.disconnect(node.peer)
        await trio.sleep(900)
        assert (await node.describe()).punches == tried
