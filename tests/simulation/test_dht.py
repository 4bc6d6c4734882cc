"""Thirty nodes with a DHT, of which ten serve it, and what is left of it when some of them die or lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol.kad.limits import REPLICAS
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.dht.dht_stage import DhtHost, record_of, running

SERVERS = 10
CLIENTS = 20
TOPIC = "p2pchat/talk"
START = 60.0  # seconds until everybody has looked around, said where it is, and said so again
PATIENCE = 48 * 3600.0  # seconds of virtual time


@dataclass
class Swarm:
    servers: list[DhtHost]
    clients: list[DhtHost]

    @property
    def everybody(self) -> list[DhtHost]:
        return [*self.servers, *self.clients]

    @property
    def bootstrap(self) -> DhtHost:
        return self.servers[0]


@asynccontextmanager
async def swarm(size: int = SERVERS, clients: int = CLIENTS) -> AsyncIterator[Swarm]:
    """Everybody has met the bootstrap node, and nobody else."""
    hub = MemoryHub(seed=5, latency=(0.01, 0.08))
    servers = [DhtHost(hub, number, server=True) for number in range(1, size + 1)]
    others = [DhtHost(hub, 100 + number) for number in range(clients)]
    scene = Swarm(servers, others)
    with trio.fail_after(PATIENCE):
        async with running(*scene.everybody):
            for host in scene.everybody[1:]:
                await host.meet(scene.bootstrap)
            yield scene


async def test_servers_find_each_other_through_one_of_them(autojump_clock: MockClock) -> None:
    async with swarm(clients=8) as scene:
        await trio.sleep(START)
        for server in scene.servers:
            about = await server.describe()
            assert about.server
            assert REPLICAS <= about.table <= SERVERS - 1
            assert about.refreshed_ms
        for client in scene.clients:
            about = await client.describe()
            assert not about.server
            assert REPLICAS <= about.table <= SERVERS
            assert about.records == about.provided == 0


async def test_everybody_in_a_topic_is_found(autojump_clock: MockClock) -> None:
    async with swarm() as scene:
        members = [*scene.clients[:15], *scene.servers[:3]]
        for member in members:
            await member.provide(TOPIC)
        await trio.sleep(START)
        for seeker in (scene.clients[-1], scene.servers[-1], members[0], scene.bootstrap):
            found = await seeker.find_providers(TOPIC)
            expected = {member.peer for member in members} - {seeker.peer}
            assert set(found) == expected
            assert all(addresses for addresses in found.values())
        assert await scene.clients[0].find_providers("p2pchat/nothing") == {}
        assert len(await scene.clients[-1].find_providers(TOPIC, limit=4)) == 4


async def test_who_has_left_a_topic_is_found_until_it_is_forgotten(
    autojump_clock: MockClock,
) -> None:
    async with swarm(2, 2) as scene:
        member, seeker = scene.clients
        await member.provide(TOPIC, "other")
        await trio.sleep(START)
        await member.provide("other")
        await trio.sleep(2.2 * 3600)
        assert await seeker.find_providers(TOPIC) == {}
        assert list(await seeker.find_providers("other")) == [member.peer]


async def test_a_record_is_found_and_the_newest_one_wins(autojump_clock: MockClock) -> None:
    async with swarm(clients=8) as scene:
        owner, seeker = scene.clients[:2]
        await owner.publish(record_of(owner.number, sequence=3))
        await trio.sleep(START)
        assert (await owner.describe()).record
        assert await seeker.find_record(owner.number) == record_of(owner.number, sequence=3)
        await owner.publish(record_of(owner.number, sequence=4))
        await trio.sleep(START)
        assert await seeker.find_record(owner.number) == record_of(owner.number, sequence=4)
        with pytest.raises(RequestRejectedError) as error:
            await seeker.find_record(scene.clients[2].number)
        assert error.value.reason == actors.UNKNOWN_PEER


async def test_clients_are_found_that_only_ever_asked(autojump_clock: MockClock) -> None:
    async with swarm() as scene:
        await trio.sleep(START)
        for wanted in scene.clients[1:]:
            assert await scene.clients[0].find_peer(wanted) == [f"/memory/{wanted.number}"]
        for wanted in scene.servers:
            assert await scene.clients[0].find_peer(wanted) == [f"/memory/{wanted.number}"]


async def test_somebody_is_found_whose_bootstrap_node_is_another(autojump_clock: MockClock) -> None:
    async with swarm(clients=8) as scene:
        late = DhtHost(scene.bootstrap.hub, 777)
        async with running(late):
            await late.meet(scene.servers[-1])
            await trio.sleep(30)
            assert await scene.clients[0].find_peer(late) == ["/memory/777"]


async def test_three_of_ten_servers_die_and_it_still_works(autojump_clock: MockClock) -> None:
    async with swarm(clients=8) as scene:
        member, seeker = scene.clients[:2]
        await member.provide(TOPIC)
        await member.publish(record_of(member.number))
        await trio.sleep(START)
        for server in scene.servers[:3]:  # the bootstrap node too
            server.scope.cancel()
        assert list(await seeker.find_providers(TOPIC)) == [member.peer]
        assert await seeker.find_record(member.number) == record_of(member.number)
        assert await seeker.find_peer(member) == [f"/memory/{member.number}"]
        fresh = scene.clients[2]
        await fresh.provide("p2pchat/new")
        await trio.sleep(START)
        assert list(await seeker.find_providers("p2pchat/new")) == [fresh.peer]
        await trio.sleep(1800)
        assert (await seeker.describe()).table == SERVERS - 3


async def test_what_was_said_is_still_known_a_day_later(autojump_clock: MockClock) -> None:
    async with swarm(1, 2) as scene:
        member, seeker = scene.clients
        await member.provide(TOPIC)
        await member.publish(record_of(member.number))
        await trio.sleep(25 * 3600)
        assert list(await seeker.find_providers(TOPIC)) == [member.peer]
        assert await seeker.find_record(member.number) == record_of(member.number)
        assert await seeker.find_peer(member) == [f"/memory/{member.number}"]
