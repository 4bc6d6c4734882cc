"""What becomes of the DHT where there are only one or two servers, and much to do for them and for us."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.dht import upkeep
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.kad import chores, table
from p2pchat.node.protocol.kad.limits import KAD_PROTOCOL
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.dht.dht_stage import (
    SOON,
    DhtHost,
    identity,
    pair,
    reachability,
    record_of,
    running,
    settled,
)


async def test_the_only_server_is_not_lost_for_a_minute_of_silence(
    autojump_clock: MockClock,
) -> None:
    async def silent(_: Stream) -> None:
        await trio.sleep(60.0)

    async with pair() as (server, node):
        await trio.sleep(SOON)
        server.network.handle(KAD_PROTOCOL, silent)
        for number in range(5, 15):
            with pytest.raises(RequestRejectedError):
                await node.find_record(number)
        await server.restart()  # serves again
        await server.publish(record_of(1))
        assert (await node.describe()).table == 1
        assert await node.find_record(1) == record_of(1)


async def test_many_rooms_at_one_server_are_no_more_than_it_bears(
    autojump_clock: MockClock,
) -> None:
    hub, rooms = MemoryHub(seed=3, latency=(0.005, 0.05)), 64
    server, node = DhtHost(hub, 1, server=True), DhtHost(hub, 2, server=None)
    async with running(server, node), trio.open_nursery() as nursery:
        await node.meet(server)
        topics = [f"room {number}" for number in range(rooms)]
        await node.provide(*topics)
        for topic in topics:  # as who enters them does
            nursery.start_soon(node.find_providers, topic)
        await trio.sleep(5.0)
        await reachability(node, actors.PRIVATE)  # everything again
        await trio.sleep(120.0)
        about = await server.describe()
        assert about.provided == rooms
        assert not about.counters["requests_over_rate"]
        assert not about.counters["streams_refused"]
        own = await node.describe()
        assert own.table == 1
        assert not own.counters["unanswered"]


async def test_who_was_not_told_of_is_found_by_looking(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    server, node = DhtHost(hub, 1, server=True), DhtHost(hub, 2, is_deaf=True)
    async with running(server, node):
        await node.provide("talk")
        await node.meet(server)
        await settled()
        assert (await node.describe()).table == 0
        await trio.sleep(upkeep.LOOK_EVERY + SOON)
        assert (await node.describe()).table == 1
        assert (await server.describe()).provided == 1


async def test_a_node_that_knows_many_looks_around_now_and_then(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    servers = [DhtHost(hub, 10 + number, server=True) for number in range(5)]
    node = DhtHost(hub, 2)
    async with running(node, *servers):
        for server in servers[:4]:
            await node.meet(server)
        await trio.sleep(SOON)
        node.is_deaf = True
        await node.meet(servers[4])
        await trio.sleep(2 * chores.REFRESH_EVERY)
        assert (await node.describe()).table == 5


async def test_a_transport_that_has_too_much_to_do_costs_nobody_his_place(
    autojump_clock: MockClock,
) -> None:
    async with pair() as (server, node):
        await trio.sleep(SOON)
        await node.network.disconnect(server.peer)
        node.is_busy = True
        for _ in range(10):
            await node.find_providers("talk")
        assert (await node.describe()).table == 1
        node.is_busy, node.dial_takes = False, 3600.0
        for _ in range(10):
            await node.find_providers("talk")
        assert (await node.describe()).table == 1
        node.dial_takes = 0.0
        await server.provide("talk")
        assert list(await node.find_providers("talk")) == [server.peer]


async def test_who_cannot_be_reached_again_and_again_loses_his_place(
    autojump_clock: MockClock,
) -> None:
    async with pair() as (server, node):
        await trio.sleep(SOON)
        server.hub.partition([server.peer])
        for _ in range(table.MAX_FAILURES):
            assert (await node.describe()).table == 1
            await node.find_providers("talk")
        assert (await node.describe()).table == 0


async def test_who_never_answers_in_time_loses_his_place_after_a_while(
    autojump_clock: MockClock,
) -> None:
    async with pair() as (server, node):
        await trio.sleep(SOON)
        await node.network.disconnect(server.peer)
        node.dial_takes = 3600.0
        await trio.sleep(2 * table.DOUBT)
        await node.find_providers("talk")
        assert (await node.describe()).table == 0


async def test_swarms_of_news_find_room(autojump_clock: MockClock) -> None:
    async with pair() as (_, node):
        news = [actors.PeerIdentified(peer=identity(number).peer) for number in range(10, 210)]
        assert [node.dht.offer(each) for each in news] == [True] * len(news)
