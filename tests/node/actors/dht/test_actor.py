from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import RequestRejectedError, StreamError
from p2pchat.node.protocol.kad import chores
from p2pchat.node.protocol.kad.limits import KAD_PROTOCOL
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.dht.dht_stage import (
    EPOCH_MS,
    SOON,
    DhtHost,
    pair,
    reachability,
    record_of,
    running,
    settled,
)


async def is_served(asker: DhtHost, host: DhtHost) -> bool:
    try:
        stream = await asker.network.open_stream(host.peer, KAD_PROTOCOL)
    except StreamError:
        return False
    await stream.reset()
    return True


# ---- serving ---------------------------------------------------------------------------------------------


async def test_only_who_can_be_reached_serves(autojump_clock: MockClock) -> None:
    async with pair(server=None) as (server, node):
        assert not await is_served(server, node)
        assert not (await node.describe()).server
        await reachability(node, actors.PUBLIC)
        assert await is_served(server, node)
        assert (await node.describe()).server
        await reachability(node, actors.PRIVATE)
        assert not await is_served(server, node)
        await reachability(node, actors.UNKNOWN)
        assert not await is_served(server, node)


async def test_a_mailbox_serves_whatever_is_found_out(autojump_clock: MockClock) -> None:
    async with pair(server=True) as (server, node):
        await reachability(node, actors.PRIVATE)
        assert await is_served(server, node)


async def test_who_is_told_not_to_serve_does_not(autojump_clock: MockClock) -> None:
    async with pair(server=False) as (server, node):
        await reachability(node, actors.PUBLIC)
        assert not await is_served(server, node)


async def test_only_servers_are_in_the_table(autojump_clock: MockClock) -> None:
    async with pair(server=None) as (server, node):
        assert (await node.describe()).table == 1
        assert (await server.describe()).table == 0
        await reachability(node, actors.PUBLIC)
        assert (await server.describe()).table == 1
        await reachability(node, actors.PRIVATE)
        assert (await server.describe()).table == 0


async def test_a_stopped_node_serves_no_more(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await server.stop()
        await settled()
        assert not await is_served(node, server)


# ---- what is found ---------------------------------------------------------------------------------------


async def test_a_lone_server_knows_who_has_told_it(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await server.provide("talk")
        await server.publish(record_of(1))
        await node.provide("talk")
        await node.publish(record_of(2))
        await trio.sleep(SOON)
        assert await server.find_providers("talk") == {node.peer: ["/memory/2"]}
        assert await node.find_providers("talk") == {server.peer: ["/memory/1"]}
        assert await server.find_record(2) == record_of(2)
        assert await node.find_record(1) == record_of(1)
        assert await server.find_peer(node) == ["/memory/2"]


async def test_without_anybody_nothing_is_found(autojump_clock: MockClock) -> None:
    alone = DhtHost(MemoryHub(), 1)
    async with running(alone):
        for question, reply in (
            (actors.FindPeer(peer=DhtHost(alone.hub, 9).peer), actors.PeerAddresses),
            (actors.FindRecord(peer=alone.peer), actors.PeerAddresses),
        ):
            with pytest.raises(RequestRejectedError, match="No peer of the DHT") as error:
                await alone.dht.ask(question, reply)
            assert error.value.reason == actors.UNKNOWN_PEER
        assert await alone.find_providers("talk") == {}


async def test_what_is_no_peer_id_is_refused(autojump_clock: MockClock) -> None:
    async with pair() as (_, node):
        for name in ("", "nonsense", "0OIl"):
            with pytest.raises(RequestRejectedError) as error:
                await node.dht.ask(actors.FindPeer(peer=name), actors.PeerAddresses)
            assert error.value.reason == actors.INVALID


async def test_who_has_gone_is_found_for_a_while(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        other = DhtHost(server.hub, 3)
        async with running(other):
            await other.meet(server)
            await trio.sleep(SOON)
        await trio.sleep(600)
        assert await node.find_peer(other) == ["/memory/3"]
        await trio.sleep(2 * 3600)
        with pytest.raises(RequestRejectedError, match="Nobody in the DHT"):
            await node.find_peer(other)


async def test_whoever_has_an_older_record_gets_the_newest(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    first, second, owner = (DhtHost(hub, n, server=n < 3) for n in (1, 2, 3))
    reader = DhtHost(hub, 4)
    async with running(first, second, owner, reader):
        await owner.meet(first)
        await owner.publish(record_of(3, sequence=1))
        await trio.sleep(SOON)
        await owner.network.disconnect(first.peer)
        hub.partition([first.peer])
        await owner.meet(second)
        await owner.publish(record_of(3, sequence=2))
        await trio.sleep(SOON)
        hub.heal()
        assert await first.find_record(3) == record_of(3, sequence=1)
        await reader.meet(first)
        await reader.meet(second)
        await settled()
        assert await reader.find_record(3) == record_of(3, sequence=2)
        await settled()
        assert await first.find_record(3) == record_of(3, sequence=2)


# ---- what is said again ----------------------------------------------------------------------------------


async def test_topics_are_said_together_and_at_once(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await node.provide("a")
        await node.provide("a", "b")
        await trio.sleep(2 * chores.BUNDLE)
        assert (await server.describe()).provided == 2
        assert (await node.describe()).topics == 2


async def test_everything_is_said_again_before_it_is_forgotten(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await node.provide("talk")
        await node.publish(record_of(2))
        for _ in range(30):
            await trio.sleep(3600)
            assert (await server.describe()).provided == 1
            assert (await server.describe()).records == 1


async def test_what_was_said_before_anybody_was_there_is_said_when_somebody_comes(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    server, node = DhtHost(hub, 1, server=True), DhtHost(hub, 2)
    async with running(server, node):
        await node.provide("talk")
        await node.publish(record_of(2))
        await trio.sleep(3600)
        assert not (await node.describe()).record
        await node.meet(server)
        await trio.sleep(SOON)
        assert (await server.describe()).provided == 1
        about = await node.describe()
        assert about.record
        assert about.refreshed_ms >= EPOCH_MS + 3_600_000


async def test_who_could_not_be_reached_hears_it_when_he_is_back(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await trio.sleep(SOON)
        server.hub.partition([server.peer])
        await node.provide("talk")
        await trio.sleep(600)
        server.hub.heal()
        await node.meet(server)
        await trio.sleep(SOON)
        assert (await server.describe()).provided == 1


async def test_new_addresses_are_said_at_once(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await node.provide("talk")
        await trio.sleep(SOON)
        node.network.announce(["/memory/77"])
        await node.dht.tell(actors.AddressesChanged())
        await trio.sleep(SOON)
        assert await server.find_providers("talk") == {node.peer: ["/memory/77", "/memory/2"]}
        assert await server.find_peer(node) == ["/memory/77", "/memory/2"]


async def test_who_can_only_be_called_through_a_relay_is_found_there(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    server, hidden = DhtHost(hub, 1, server=True), DhtHost(hub, 2, listens=False)
    seeker = DhtHost(hub, 3)
    async with running(server, hidden, seeker):
        server.network.serve_relay(RelayLimits())
        await hidden.provide("talk")
        await hidden.meet(server)
        await seeker.meet(server)
        await trio.sleep(SOON)
        assert await seeker.find_providers("talk") == {}  # nowhere yet
        await hidden.network.reserve(server.peer)
        await hidden.dht.tell(actors.AddressesChanged())
        await trio.sleep(SOON)
        circuit = f"/memory/1/p2p/{server.peer}/p2p-circuit"
        assert await seeker.find_providers("talk") == {hidden.peer: [circuit]}
        assert await seeker.find_peer(hidden) == [circuit]


async def test_a_change_of_the_network_is_followed_by_a_look_around(
    autojump_clock: MockClock,
) -> None:
    async with pair() as (_, node):
        await trio.sleep(3600)
        before = (await node.describe()).refreshed_ms
        await trio.sleep(1.0)
        await node.dht.tell(actors.NetworkChanged(why="asleep"))
        await trio.sleep(SOON)
        assert (await node.describe()).refreshed_ms > before


async def test_of_the_own_records_the_newest_is_said(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await node.publish(record_of(2, sequence=2))
        await node.publish(record_of(2, sequence=1))
        await trio.sleep(SOON)
        assert await server.find_record(2) == record_of(2, sequence=2)
        await node.publish(record_of(2, sequence=3))
        await trio.sleep(SOON)
        assert await server.find_record(2) == record_of(2, sequence=3)
        assert await node.find_record(2) == record_of(2, sequence=3)


# ---- at rest ---------------------------------------------------------------------------------------------


async def test_nothing_happens_when_there_is_nobody(autojump_clock: MockClock) -> None:
    alone = DhtHost(MemoryHub(), 1, server=True)
    async with running(alone):
        await alone.provide("talk")
        await alone.publish(record_of(1))
        await trio.sleep(24 * 3600)
        about = await alone.describe()
        assert dict(about.counters) == {}
        assert alone.dialled == []


async def test_a_client_asks_little_at_rest(autojump_clock: MockClock) -> None:
    async with pair() as (_, node):
        await node.provide("talk")
        await trio.sleep(6 * 3600)
        asked = (await node.describe()).counters["asked"]
        await trio.sleep(3600)
        assert (await node.describe()).counters["asked"] - asked <= 10


async def test_what_is_wanted_survives_a_restart(autojump_clock: MockClock) -> None:
    async with pair() as (server, node):
        await node.provide("talk")
        await trio.sleep(SOON)
        await node.restart()
        about = await node.describe()
        assert about.topics == 1
        assert about.table == 1
        await trio.sleep(3 * 3600)
        assert await server.find_providers("talk") == {node.peer: ["/memory/2"]}
