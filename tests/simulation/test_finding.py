"""Whole nodes that find each other: by what they remember, by the members of a room, by the DHT."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.nodes import ROOM, SimulatedNode, make_node, running, virtual_clock

PATIENCE = 600.0  # seconds of virtual time
CROWD = 12


def at(number: int) -> str:
    """Where node `number` listens, as a bootstrap address."""
    return f"/memory/{number}/p2p/{make_node(MemoryHub(), number).identity.peer}"


async def members(node: SimulatedNode, room: str = ROOM) -> set[str]:
    listed = await node.ui.ask(actors.ListMembers(room=room), actors.MemberList)
    return {member.peer for member in listed.members}


async def until_members(node: SimulatedNode, others: set[str], room: str = ROOM) -> None:
    while not others <= await members(node, room):
        await trio.sleep(0.25)


def peers(*nodes: SimulatedNode) -> set[str]:
    return {node.identity.peer for node in nodes}


async def test_who_has_met_before_meets_again_without_any_bootstrap(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    guide = make_node(hub, 1)
    alice, bob = (make_node(hub, n, [at(1)]) for n in (2, 3))
    with trio.fail_after(PATIENCE):
        async with running(guide, alice, bob):
            await until_members(alice, peers(bob))
            await until_members(bob, peers(alice))
            await trio.sleep(120)  # until they have dialled each other, and written it down
        again = [make_node(hub, n, [at(1)], store=old.store) for n, old in ((2, alice), (3, bob))]
        async with running(*again):
            await until_members(again[0], peers(bob))
            await again[0].say("are you there?")
            await again[1].until_shown("are you there?")


async def test_members_who_share_no_neighbour_in_the_room_find_each_other_in_the_dht(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(latency=(0.01, 0.05))
    guide = make_node(hub, 1, rooms=["elsewhere"])
    people = [make_node(hub, n, [at(1)], rooms=["den"]) for n in (2, 3, 4)]
    with trio.fail_after(PATIENCE):
        async with running(guide, *people):
            for person in people:
                await until_members(person, peers(*people) - peers(person), "den")
            await people[0].say("found you", room="den")
            for other in people[1:]:
                await other.until_shown("found you")
        assert not any(record.message.room == "den" for record in guide.shown)


async def test_a_crowd_that_knows_one_address_finds_itself_without_a_storm_of_dials(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dials: list[float] = []
    dial = MemoryNetwork.dial

    async def counted(self: MemoryNetwork, peer: str, addresses: Sequence[str]) -> None:
        if peer not in {connection.peer for connection in self.connections()}:
            dials.append(trio.current_time())
        await dial(self, peer, addresses)

    monkeypatch.setattr(MemoryNetwork, "dial", counted)
    hub = MemoryHub(latency=(0.01, 0.05))
    guide = make_node(hub, 100, rooms=["elsewhere"])
    crowd = [make_node(hub, n, [at(100)], rooms=["den"]) for n in range(1, CROWD + 1)]
    with trio.fail_after(PATIENCE):
        async with running(guide, *crowd):
            began = trio.current_time()
            for person in crowd:
                await until_members(person, peers(*crowd) - peers(person), "den")
            found_after = trio.current_time() - began
            await trio.sleep(60)
            before = len(dials)
            await trio.sleep(120)
            at_rest = len(dials) - before
            connections = [len(person.network.connections()) for person in crowd]
    print(
        f"found after {found_after:.1f} s, {before} dials, then {at_rest} in 120 s, {connections}"
    )
    assert found_after < 30
    assert before < CROWD * CROWD * 2
    assert at_rest < CROWD


async def test_somebody_is_written_to_by_peer_id_alone(autojump_clock: MockClock) -> None:
    """Neither an address nor a link is known: the DHT says where he is."""
    hub = MemoryHub(latency=(0.01, 0.05))
    guide = make_node(hub, 1, rooms=["elsewhere"])
    alice = make_node(hub, 2, [at(1)], rooms=["here"])
    bob = make_node(hub, 3, [at(1)], rooms=["there"])
    with trio.fail_after(PATIENCE):
        async with running(guide, alice, bob):
            await alice.until_connected(guide.identity.peer)
            await bob.until_connected(guide.identity.peer)
            sent = await alice.write(bob.identity.peer, "hello?")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
            await bob.until_letters("hello?")


async def test_clocks_are_compared(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice = make_node(hub, 1)
    bob = make_node(hub, 2, [at(1)], now_ms=lambda: virtual_clock() + 90_000)
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await alice.until_connected(bob.identity.peer)
            while True:
                node = await alice.ui.ask(actors.DescribeNode(), actors.NodeDescription)
                if node.transport.clocks:
                    break
                await trio.sleep(0.1)
            assert abs(node.transport.clock_ms - 90_000) < 1_000
