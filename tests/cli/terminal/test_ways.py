"""How peers are connected, and what is said when that changes."""

from __future__ import annotations

import pytest
import trio

from p2pchat.cli.terminal import render
from p2pchat.cli.terminal.lines import plain
from p2pchat.cli.terminal.ways import way
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from tests.cli.terminal.world import BOB, ME, World, shown

BOX = Identity(bytes([7] * 32)).peer
END = f"…{BOX[-6:]}"


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        (actors.Connection(), "direct"),
        (actors.Connection(punched=True), "hole-punched"),
        (actors.Connection(relayed=True), "relayed"),
        (actors.Connection(relayed=True, relay=BOX), f"relayed via {END}"),
        (actors.Connection(relayed=True, relay=BOB.peer), "relayed via …x6nXTN (Bob)"),
    ],
)
def test_every_way_has_one_wording(connection: actors.Connection, expected: str) -> None:
    assert way(connection, {BOB.peer: "Bob"}) == expected


def peers(*connections: actors.Connection) -> list[str]:
    return [plain(line) for line in render.peers(connections, None, {})]


def test_a_relayed_peer_is_shown_with_the_name_of_its_relay() -> None:
    relayed = actors.Connection(
        peer=BOB.peer,
        name="Bob",
        address=f"/ip4/9.9.9.9/tcp/4001/p2p/{BOX}/p2p-circuit",
        transport="tcp",
        outbound=True,
        rtt_ms=40,
        relayed=True,
        relay=BOX,
    )
    box = actors.Connection(peer=BOX, name="box", address="/ip4/9.9.9.9/tcp/4001", transport="tcp")
    assert peers(relayed, box)[1:] == [
        f"  Bob (…x6nXTN)  relayed via {END} (box), tcp, out, round trip 40.0 ms",
        f"  box ({END})  /ip4/9.9.9.9/tcp/4001  direct, tcp, in, round trip not measured yet",
    ]


def test_of_two_connections_the_direct_one_is_shown() -> None:
    relayed = actors.Connection(peer=BOB.peer, name="Bob", relayed=True, relay=BOX)
    punched = actors.Connection(peer=BOB.peer, name="Bob", address="/a", punched=True)
    (_, shown_one) = peers(relayed, punched)
    assert "/a  hole-punched, " in shown_one
    assert shown_one.endswith(", 2 connections")


async def test_a_chat_peer_whose_way_changes(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running():
        world.emit(
            actors.PeerMoved(peer="QmStranger"),
            actors.PeerConnected(peer=BOB.peer, relayed=True),
            actors.PeerNamed(peer=BOB.peer, name="Bob"),
            actors.PeerMoved(peer=BOB.peer, punched=True),
            actors.PeerMoved(peer=BOB.peer, relayed=True),
            actors.PeerMoved(peer=BOB.peer),
            actors.PeerDisconnected(peer=BOB.peer),
            actors.PeerMoved(peer=BOB.peer),
        )
    assert shown(world) == [
        "* Bob (…x6nXTN) connected through a relay",
        "* Bob (…x6nXTN) is connected directly now (hole-punched)",
        "* Bob (…x6nXTN) is connected through a relay now",
        "* Bob (…x6nXTN) is connected directly now",
        "* Bob (…x6nXTN) disconnected",
    ]


async def test_who_has_a_direct_connection_by_the_time_it_has_a_name_is_just_connected(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        world.emit(
            actors.PeerConnected(peer=BOB.peer, relayed=True),
            actors.PeerMoved(peer=BOB.peer, punched=True),
            actors.PeerNamed(peer=BOB.peer, name="Bob"),
        )
    assert shown(world) == ["* Bob (…x6nXTN) connected"]


async def test_a_relayed_peer_that_comes_back_directly(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running():
        for relayed in (True, False):
            world.emit(
                actors.PeerConnected(peer=BOB.peer, relayed=relayed),
                actors.PeerNamed(peer=BOB.peer, name="Bob"),
                actors.PeerDisconnected(peer=BOB.peer),
            )
    assert shown(world)[::2] == [
        "* Bob (…x6nXTN) connected through a relay",
        "* Bob (…x6nXTN) connected",
    ]


async def test_how_others_reach_this_computer_is_said_when_it_changes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    states = [
        actors.UNKNOWN,
        actors.PRIVATE,
        actors.UNKNOWN,
        actors.PRIVATE,
        actors.PUBLIC,
        actors.PUBLIC,
    ]
    async with world.running():
        world.emit(*(actors.ReachabilityChanged(reachability=state) for state in states))
    assert shown(world) == [
        "* This computer is behind a router: others reach it through relays",
        "* Others can reach this computer directly",
    ]


async def test_that_neighbours_come_in_says_nothing_about_others(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    here, nearby, outside = (f"/ip4/{ip}/tcp/1" for ip in ("127.0.0.1", "192.168.1.7", "9.9.9.9"))
    confirmed = ([here], [here, nearby], [nearby, outside], [outside])
    async with world.running():
        for addresses in confirmed:
            world.emit(actors.ReachabilityChanged(reachability=actors.PUBLIC, addresses=addresses))
    assert shown(world) == [
        "* Others in the same network can reach this computer directly (nobody outside could be asked yet)",
        "* Others can reach this computer directly",
    ]


def test_nothing_that_strangers_choose_moves_the_cursor() -> None:
    evil = "\x1b[2J\n"
    connection = actors.Connection(peer=ME.peer, name="Ada", relayed=True, relay=evil)
    names = {evil: evil}
    assert way(connection, names).isprintable()
