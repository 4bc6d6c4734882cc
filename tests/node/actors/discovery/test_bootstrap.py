from __future__ import annotations

import itertools
import random

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.discovery.bootstrap import ALONE, LOOK, LOOK_UP_RETRY, SETTLE
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.discovery.stage import OTHER, PEER, FakeNames, at, playing, settled

NAME = f"/dnsaddr/example.org/p2p/{PEER}"


async def test_bootstrap_peers_are_told_at_start_by_peer(autojump_clock: MockClock) -> None:
    async with playing(bootstrap=[at(1), at(2, OTHER), at(3)]) as scene:
        assert scene.told == [
            actors.PeerFound(peer=PEER, addresses=[at(1), at(3)], source=actors.BOOTSTRAP),
            actors.PeerFound(peer=OTHER, addresses=[at(2, OTHER)], source=actors.BOOTSTRAP),
        ]
        described = await scene.describe()
        assert (described.bootstrap_peers, described.bootstrap_connected) == (2, 0)
        assert described.bootstrap_public


async def test_those_that_the_user_chose_are_told_as_his(autojump_clock: MockClock) -> None:
    async with playing(bootstrap=[at(1)], chosen_by_user=True) as scene:
        assert [found.source for found in scene.told] == [actors.USER]
        assert not (await scene.describe()).bootstrap_public


async def test_it_is_said_how_many_are_connected(autojump_clock: MockClock) -> None:
    async with playing(bootstrap=[at(1), at(2, OTHER)]) as scene:
        await scene.neighbour(PEER)
        assert (await scene.describe()).bootstrap_connected == 1


async def test_without_any_nobody_is_said_to_be_public(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        described = await scene.describe()
        assert (described.bootstrap_peers, described.bootstrap_public) == (0, False)


async def test_a_malformed_bootstrap_address_costs_only_itself(autojump_clock: MockClock) -> None:
    async with playing(bootstrap=["/ip4/192.0.2.1/tcp/1", "nonsense", at(1)]) as scene:
        assert [list(found.addresses) for found in scene.told] == [[at(1)]]


async def test_a_name_is_looked_up_and_fixed_addresses_do_not_wait_for_it(
    autojump_clock: MockClock,
) -> None:
    names = FakeNames(failures=1)
    async with playing(bootstrap=[NAME, at(1)], names=names) as scene:
        assert [list(found.addresses) for found in scene.told] == [[at(1)]]
        await trio.sleep(60)
        assert list(scene.told[-1].addresses) == [at(7), at(8)]
        assert scene.told[-1].source == actors.BOOTSTRAP


async def test_a_name_that_cannot_be_looked_up_is_tried_again_ever_more_slowly(
    autojump_clock: MockClock,
) -> None:
    names = FakeNames(failures=20)
    async with playing(bootstrap=[NAME], names=names) as scene:
        await scene.neighbour(PEER)
        await trio.sleep(7200)
        assert len(scene.told) == 1
        assert len(names.asked) == 21
        times = [time for time, _ in names.asked]
        waits = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert waits[0] < 10
        assert all(wait <= 1.5 * LOOK_UP_RETRY.most for wait in waits)
        assert max(waits) > LOOK_UP_RETRY.most / 2
        assert len(set(waits)) == len(waits)


async def test_a_name_is_looked_up_again_when_none_was_connected_for_long(
    autojump_clock: MockClock,
) -> None:
    names = FakeNames()
    async with playing(bootstrap=[NAME, at(2, OTHER)], names=names) as scene:
        assert len(names.asked) == 1
        other = await scene.neighbour(OTHER)
        await trio.sleep(10 * ALONE)
        assert len(names.asked) == 1
        await other.disconnect(scene.network.peer)
        await trio.sleep(ALONE - LOOK)
        assert len(names.asked) == 1
        await trio.sleep(2 * LOOK)
        assert len(names.asked) == 2
        assert len(scene.told) == 3


async def test_a_name_is_looked_up_again_in_another_network(autojump_clock: MockClock) -> None:
    names = FakeNames()
    async with playing(bootstrap=[NAME], names=names) as scene:
        await scene.neighbour(PEER)
        await trio.sleep(1000)
        assert len(names.asked) == 1
        await scene.discovery.tell(actors.NetworkChanged(why="the network has changed"))
        await settled()
        assert len(names.asked) == 1
        await trio.sleep(SETTLE + 1)
        assert len(names.asked) == 2


@pytest.mark.parametrize("attempts", [10_000])
def test_the_backoff_never_ends_in_an_overflow(attempts: int) -> None:
    assert LOOK_UP_RETRY.delay(attempts, random.Random(1)) <= 450
