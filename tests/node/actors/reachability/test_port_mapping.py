from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import trio
from trio.testing import MockClock

from p2pchat.node.actors.reachability import port_mapping
from p2pchat.node.actors.reachability.port_mapping import PortMapping
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.adapters.memory_port_mapper import MemoryPortMapper
from p2pchat.node.ports import Network, PortMapper
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.reachability.stage import Node, running

LISTENING = (
    "/ip4/192.168.1.5/tcp/4001",
    "/ip4/10.0.0.5/tcp/4001",
    "/ip4/192.168.1.5/udp/4002/quic-v1",
    "/ip6/2001:db8::5/tcp/4003",
    "/ip4/127.0.0.1/tcp/4004",
)
MAPPED = ["/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.7/udp/4002/quic-v1"]


class Addresses:
    """As much of a network as port mapping looks at."""

    def __init__(self, listening: Sequence[str]) -> None:
        self.listening = listening

    def listen_addresses(self) -> Sequence[str]:
        return self.listening


class SlowMapper(MemoryPortMapper):
    """A router that never answers."""

    async def map(self, ports: Sequence[tuple[str, int]]) -> Sequence[str]:
        await trio.sleep_forever()
        raise AssertionError

    async def unmap(self) -> None:
        await trio.sleep_forever()


class LateMapper(MemoryPortMapper):
    """A router that opens ports and does not say so."""

    async def map(self, ports: Sequence[tuple[str, int]]) -> Sequence[str]:
        await super().map(ports)
        await trio.sleep_forever()
        raise AssertionError


@asynccontextmanager
async def mapping(
    mapper: PortMapper | None, listening: Sequence[str] = LISTENING
) -> AsyncIterator[tuple[PortMapping, list[list[str]]]]:
    """One that runs, and what it has said at each change."""
    said: list[list[str]] = []
    made = PortMapping(
        cast("Network", Addresses(listening)), mapper, lambda: said.append(list(made.mapped))
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run)
        await trio.testing.wait_all_tasks_blocked()
        yield made, said
        nursery.cancel_scope.cancel()


async def test_ports_that_a_router_can_let_others_in_to_are_mapped(
    autojump_clock: MockClock,
) -> None:
    mapper = MemoryPortMapper()
    async with mapping(mapper) as (made, said):
        assert mapper.mapped == {("TCP", 4001), ("UDP", 4002)}
        assert said == [MAPPED]
        assert made.problem == ""
        await made.end()
        assert mapper.mapped == set()


async def test_it_is_renewed_and_told_only_when_it_changes(autojump_clock: MockClock) -> None:
    mapper = MemoryPortMapper()
    async with mapping(mapper) as (made, said):
        await trio.sleep(port_mapping.RENEW * 2 + 1)
        assert mapper.asked == 3
        mapper.ip = "203.0.113.8"
        made.renew()
        await trio.testing.wait_all_tasks_blocked()
        assert [addresses[0] for addresses in said] == [MAPPED[0], "/ip4/203.0.113.8/tcp/4001"]


async def test_a_router_that_refuses_is_asked_again_later(autojump_clock: MockClock) -> None:
    mapper = MemoryPortMapper(problem="There is none.")
    async with mapping(mapper) as (made, said):
        assert (made.mapped, made.problem) == ([], "There is none.")
        mapper.problem = ""
        await trio.sleep(port_mapping.RENEW + 1)
        assert (made.mapped, made.problem) == (MAPPED, "")
        mapper.problem = "It is gone."
        await trio.sleep(port_mapping.RENEW)
        assert (made.mapped, made.problem) == ([], "It is gone.")
        assert said == [MAPPED, []]


async def test_a_router_that_does_not_answer_holds_up_nobody(autojump_clock: MockClock) -> None:
    async with mapping(SlowMapper()) as (made, _):
        await trio.sleep(port_mapping.MAP_TIMEOUT + 1)
        assert "did not answer" in made.problem
        with trio.fail_after(port_mapping.UNMAP_TIMEOUT + 0.1):
            await made.end()


async def test_what_was_answered_too_late_is_taken_back(autojump_clock: MockClock) -> None:
    mapper = LateMapper()
    async with mapping(mapper) as (made, _):
        await trio.sleep(port_mapping.MAP_TIMEOUT + 1)
        assert made.mapped == []
        assert mapper.mapped == {("TCP", 4001), ("UDP", 4002)}
        await made.end()
        assert mapper.mapped == set()


async def test_nothing_is_opened_any_more_after_the_end(autojump_clock: MockClock) -> None:
    mapper = MemoryPortMapper()
    async with mapping(mapper) as (made, _):
        await made.end()
        made.renew()
        await trio.sleep(port_mapping.RENEW * 2)
        assert mapper.mapped == set()


async def test_without_a_port_there_is_nothing_to_map(autojump_clock: MockClock) -> None:
    mapper = MemoryPortMapper()
    async with mapping(mapper, ["/ip4/127.0.0.1/tcp/4004"]) as (made, _):
        assert mapper.asked == 0
        assert made.problem != ""


async def test_without_a_mapper_nothing_is_done(autojump_clock: MockClock) -> None:
    async with mapping(None) as (made, _):
        assert not made.is_on
        assert made.problem == ""


async def test_what_the_router_maps_is_announced_and_described(
    autojump_clock: MockClock,
) -> None:
    node = Node(MemoryHub(), 1, mapper=MemoryPortMapper())
    # The memory network has no ports of its own.
    own = [*LISTENING, *node.network.listen_addresses()]
    node.network.listen_addresses = lambda: own  # type: ignore[method-assign]
    async with running(node):
        await trio.sleep(1)
        described = await node.describe()
        assert described.upnp
        assert list(described.mapped) == MAPPED
        assert list(node.told[-1].addresses) == MAPPED
        assert node.told[-1].reachability == actors.UNKNOWN
