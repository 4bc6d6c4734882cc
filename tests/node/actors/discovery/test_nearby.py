from __future__ import annotations

import trio
from trio.testing import MockClock

from p2pchat.node.actors.discovery.nearby import FINDS
from p2pchat.node.adapters.memory_discovery import MemoryDiscovery, MemoryLan
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.discovery.stage import OWN, PEER, FakeLocal, at, playing, settled


async def test_without_mdns_nothing_is_announced(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.listening("/ip4/192.0.2.5/tcp/1")
        assert not (await scene.describe()).mdns


async def test_the_node_is_announced_once_it_listens_and_again_when_that_changes(
    autojump_clock: MockClock,
) -> None:
    local = FakeLocal()
    async with playing(local=local) as scene:
        assert local.runs == 0
        await scene.listening("/ip4/192.0.2.5/tcp/1", at(6, OWN))
        await scene.listening("/ip4/192.0.2.7/tcp/1")
        assert local.runs == 1
        assert local.peer == OWN
        assert local.announced == [
            [f"/ip4/192.0.2.5/tcp/1/p2p/{OWN}", at(6, OWN)],
            [f"/ip4/192.0.2.7/tcp/1/p2p/{OWN}"],
        ]


async def test_who_is_found_nearby_is_told_and_counted_once(autojump_clock: MockClock) -> None:
    local = FakeLocal()
    async with playing(local=local) as scene:
        await scene.listening()
        local.found(PEER, [at(1)])
        local.found(PEER, [at(2)])
        await settled()
        assert [found.source for found in scene.told] == [actors.MDNS] * 2
        assert [list(found.addresses) for found in scene.told] == [[at(1)], [at(2)]]
        assert (await scene.describe()).mdns_found == 1


async def test_a_busy_transport_holds_up_nothing_and_costs_a_bounded_amount(
    autojump_clock: MockClock,
) -> None:
    local = FakeLocal()
    async with playing(local=local, gate_open=False) as scene:
        await scene.listening()
        for number in range(2 * FINDS):
            local.found(f"peer {number}", [at(1)])
        assert (await scene.describe()).mdns_found == 2 * FINDS
        scene.gate.set()
        await settled()
        assert FINDS <= len(scene.told) <= FINDS + 3


async def test_a_network_without_mdns_is_shown_once_and_until_it_works(
    autojump_clock: MockClock,
) -> None:
    local = FakeLocal()
    async with playing(local=local) as scene:
        await scene.listening()
        for problem in ("No network.", "No network.", ""):
            local.report(problem)
            await settled()
            assert (await scene.describe()).mdns_problem == problem
        assert scene.notices == ["No network."]


async def test_two_nodes_on_one_lan_find_each_other(autojump_clock: MockClock) -> None:
    lan = MemoryLan()
    async with playing(local=MemoryDiscovery(lan)) as scene:
        await scene.listening("/ip4/192.0.2.5/tcp/1")
        neighbour, heard = MemoryDiscovery(lan), list[str]()
        async with trio.open_nursery() as nursery:
            neighbour.announce([at(1)])
            nursery.start_soon(
                neighbour.run, PEER, lambda peer, _: heard.append(peer), lambda _: None
            )
            await settled()
            neighbour.announce([at(2)])
            await settled()
            nursery.cancel_scope.cancel()
        assert heard == [OWN]
        assert [list(found.addresses) for found in scene.told] == [[at(1)], [at(2)]]
