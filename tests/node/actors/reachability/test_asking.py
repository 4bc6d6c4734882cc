from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.reachability import asking
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.protocol import autonat
from p2pchat.node.protocol import reachability as rules
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import nat_pb2 as nat
from tests.node.actors.reachability.stage import Node, address_of, running
from tests.node.actors.reachability.stranger import BUSY, NO, YES, Stranger


async def meet(nursery: trio.Nursery, node: Node, *strangers: Stranger) -> None:
    for stranger in strangers:
        await nursery.start(stranger.run)
        await node.network.dial(stranger.peer, [f"/memory/{stranger.number}"])


async def test_a_yes_is_asked_for_at_once_and_then_seldom(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(autonat.answer(nat.Autonat.OK, address="/memory/1"))
    async with running(node) as nursery:
        began = trio.current_time()
        await meet(nursery, node, ann)
        await node.until(actors.PUBLIC)
        assert trio.current_time() - began < 3
        assert [list(event.addresses) for event in node.told] == [["/memory/1"]]
        await trio.sleep(3600)
        assert 4 <= len(ann.asked) <= 6
        assert all("/memory/1" in addresses for _, addresses in ann.asked)
        assert len(node.told) == 1
        described = await node.describe()
        assert (described.yes, described.no, list(described.observed)) == (1, 0, ["1"])


async def test_a_yes_about_somebody_elses_address_is_no_word_about_us(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(autonat.answer(nat.Autonat.OK, address="/memory/77"))
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await trio.sleep(100)
        assert len(ann.asked) > 1
        assert (await node.describe()).reachability == actors.UNKNOWN
        assert node.told == []


@pytest.mark.parametrize(
    "said",
    [
        BUSY,
        None,
        autonat.answer(nat.Autonat.E_BAD_REQUEST),
        autonat.answer(nat.Autonat.E_INTERNAL_ERROR),
        b"\x08\x01",
        b"\xff",
    ],
)
async def test_what_is_no_verdict_leaves_it_open_and_is_tried_again(
    autojump_clock: MockClock, said: bytes | None
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(said, NO)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await node.until(actors.PRIVATE)
        first, second = (time for time, _ in ann.asked[:2])
        wait = second - first - (asking.ANSWER_TIMEOUT if said is None else 0)
        assert rules.AGAIN / 2 <= wait <= rules.AGAIN * 1.5
        assert (await node.describe()).counters["autonat_unanswered"] == 1


async def test_one_round_against_many_does_not_turn_the_node_around(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(YES, NO, YES)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await trio.sleep(3600)
        assert [event.reachability for event in node.told] == [actors.PUBLIC]
        assert ann.asked[2][0] - ann.asked[1][0] < 2 * rules.AGAIN  # looked again soon


async def test_two_rounds_do(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(YES, NO)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await node.until(actors.PUBLIC)
        await trio.sleep(rules.REST * 1.2)
        assert (await node.describe()).reachability == actors.PRIVATE
        assert len(ann.asked) == 3


async def test_four_are_asked_the_configured_ones_first(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node = Node(hub, 1, bootstrap=[address_of(8), "/ip4/192.0.2.1/tcp/1"])
    strangers = [Stranger(hub, number) for number in range(2, 9)]
    for stranger in strangers:
        stranger.answers(NO)
    async with running(node) as nursery:
        await meet(nursery, node, *strangers)
        await trio.sleep(60)
        asked = sorted((s.asked[0][0], s.number) for s in strangers if s.asked)
        assert asked[0][1] == 8
        assert len(asked) == rules.ROUND


async def test_who_speaks_no_autonat_is_not_asked(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await trio.sleep(100)
        assert "autonat_asked" not in (await node.describe()).counters


async def test_a_change_of_network_is_asked_about_at_once_and_hangs_on_nothing(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(YES, None, NO)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await node.until(actors.PUBLIC)
        for _ in range(2):
            await node.reachability.tell(actors.NetworkChanged(why="test"))
            await trio.sleep(3)
        assert (await node.describe()).reachability == actors.PRIVATE


async def test_when_nobody_knows_the_new_network_nothing_is_known(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann = Node(hub, 1), Stranger(hub, 2)
    ann.answers(YES)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await node.until(actors.PUBLIC)
        await node.network.disconnect(ann.peer)
        await node.reachability.tell(actors.NetworkChanged(why="test"))
        await trio.sleep(rules.DOUBT_PATIENCE - 1)
        assert (await node.describe()).reachability == actors.PUBLIC
        await trio.sleep(2)
        assert (await node.describe()).reachability == actors.UNKNOWN
        assert list(node.told[-1].addresses) == []


async def test_somebody_from_afar_who_comes_by_himself_is_reason_to_ask_again(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    node, ann, ben = Node(hub, 1), Stranger(hub, 2), Stranger(hub, 3)
    ann.answers(NO, YES)
    async with running(node) as nursery:
        await meet(nursery, node, ann)
        await node.until(actors.PRIVATE)
        await trio.sleep(60)
        await nursery.start(ben.run)
        await ben.dial(node)
        with trio.fail_after(60):
            await node.until(actors.PUBLIC)


async def test_the_address_that_the_other_one_sees_is_asked_about_first(
    autojump_clock: MockClock,
) -> None:
    """Others dial no other host, and look at few addresses."""
    hub = MemoryHub()
    node, strangers = Node(hub, 1), [Stranger(hub, number) for number in (2, 3)]
    hub.nat(node.peer, "symmetric")
    async with running(node) as nursery:
        for stranger in strangers:
            stranger.answers(NO)
        await meet(nursery, node, *strangers)
        await node.until(actors.PRIVATE)
        await trio.sleep(5)
        for stranger in strangers:
            seen = next(c.address for c in stranger.network.connections() if c.peer == node.peer)
            assert stranger.asked[0][1][0] == seen
