from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import trio
from trio.testing import MockClock

from p2pchat.node.actors.transport.passing import LINGER, MAX_PASSING, Passing
from p2pchat.node.ports import Network


class FakeNetwork:
    def __init__(self) -> None:
        self.hung_up: list[tuple[str, float]] = []

    async def disconnect(self, peer: str) -> None:
        await trio.lowlevel.checkpoint()
        self.hung_up.append((peer, trio.current_time()))


@asynccontextmanager
async def running(wanted: set[str]) -> AsyncIterator[tuple[Passing, FakeNetwork]]:
    network = FakeNetwork()
    passing = Passing(cast(Network, network), wanted.__contains__)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(passing.run)
        yield passing, network
        nursery.cancel_scope.cancel()


async def test_a_connection_for_a_question_ends_a_while_after_the_last_one(
    autojump_clock: MockClock,
) -> None:
    async with running(set()) as (passing, network):
        passing.used("a", fresh=True)
        await trio.sleep(LINGER / 2)
        passing.used("a", fresh=False)
        await trio.sleep(2 * LINGER)
    assert network.hung_up == [("a", LINGER * 1.5)]


async def test_who_was_connected_before_stays(autojump_clock: MockClock) -> None:
    async with running(set()) as (passing, network):
        passing.used("a", fresh=False)
        await trio.sleep(2 * LINGER)
    assert network.hung_up == []


async def test_who_is_needed_by_then_stays(autojump_clock: MockClock) -> None:
    async with running({"a"}) as (passing, network):
        passing.used("a", fresh=True)
        passing.used("b", fresh=True)
        passing.forget("b")
        await trio.sleep(2 * LINGER)
    assert network.hung_up == []


async def test_only_so_many_are_watched(autojump_clock: MockClock) -> None:
    async with running(set()) as (passing, network):
        for number in range(MAX_PASSING + 1):
            passing.used(str(number), fresh=True)
        await trio.sleep(2 * LINGER)
    assert len(network.hung_up) == MAX_PASSING
    assert "0" not in dict(network.hung_up)


async def test_who_goes_while_another_one_is_hung_up_on(autojump_clock: MockClock) -> None:
    async with running(set()) as (passing, network):

        async def slowly(peer: str) -> None:
            network.hung_up.append((peer, trio.current_time()))
            await trio.sleep(1)

        network.disconnect = slowly  # type: ignore[method-assign]
        for peer in "abc":
            passing.used(peer, fresh=True)
        await trio.sleep(LINGER + 0.5)
        passing.forget("b")
        passing.used("c", fresh=False)
        await trio.sleep(LINGER / 2)
    assert [peer for peer, _ in network.hung_up] == ["a"]
