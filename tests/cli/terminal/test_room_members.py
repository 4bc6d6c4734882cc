"""/who, and lines about members and missing messages in a session."""

from __future__ import annotations

import trio

from p2pchat.cli import times
from p2pchat.cli.terminal import render, render_members
from p2pchat.cli.terminal.catching_up import QUIET
from p2pchat.cli.terminal.lines import plain
from p2pchat.cli.terminal.session import ALONE, ALONE_AFTER
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from tests.cli.terminal.world import BOB, ME, World, arrived, record, settle

ANN = Identity(bytes([9] * 32)).peer


def member(name: str, peer: str, *, connected: bool = True) -> actors.Member:
    return actors.Member(peer=peer, name=name, connected=connected)


EPOCH = render.clock(times.when(0, None))


def who(*others: actors.Member, own_name: str = "Ada") -> list[str]:
    me = actors.Member(peer=ME.peer, name=own_name)
    return [plain(line) for line in render_members.who("den", me, others)]


def test_who_is_there() -> None:
    assert who(member("Bob", BOB.peer), member("", ANN, connected=False)) == [
        "* You and 2 others are in #den:",
        "  Ada (…dBfeSB)  you",
        "  Bob (…x6nXTN)",
        f"  (…{ANN[-6:]})  not connected, last heard of at {EPOCH}",
    ]


def test_nobody_else_is_there() -> None:
    assert who() == [
        "* You are alone in #den:",
        "  Ada (…dBfeSB)  you",
        "* Do the others use the same room name?",
    ]


def test_names_that_look_alike_are_marked() -> None:
    _, _, first, second = who(member("Bob", BOB.peer), member("B0B", ANN))
    assert first.endswith(f"  {render_members.LIKE_ANOTHER}")
    assert second.endswith(f"  {render_members.LIKE_ANOTHER}")
    *_, bob = who(member("Bob", BOB.peer), own_name="bob")
    assert bob.endswith(f"  {render_members.LIKE_YOU}")


def test_a_large_room_is_not_listed_whole() -> None:
    everybody = [member(str(number), f"peer{number}") for number in range(1000)]
    listed = who(*everybody)
    assert len(listed) == render_members.LISTED + 3
    assert listed[-1] == "  and 800 others"


def test_names_of_strangers_are_harmless() -> None:
    *_, shown = who(member("B\x1b[31m\nob", BOB.peer))
    assert "\x1b" not in shown
    assert "\n" not in shown


async def test_who_in_a_session(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.keeping.members = {"lobby": [member("Bob", BOB.peer)], "garden": []}
    async with world.running() as console:
        console.type("/who", "/who #garden", "/who cellar")
        await settle()
    assert console.lines[2:] == [
        "* You and 1 other are in #lobby:",
        "  ada (…dBfeSB)  you",
        "  Bob (…x6nXTN)",
        "* You are alone in #garden:",
        "  ada (…dBfeSB)  you",
        "* Do the others use the same room name?",
        "* You are not in #cellar.",
    ]


async def test_who_in_no_room(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.rooms = []
    async with world.running() as console:
        console.type("/who")
    assert "You are in no room" in console.lines[-1]


async def test_one_room_and_two_friends(autojump_clock: trio.testing.MockClock) -> None:
    """Each comes and goes with one line."""
    world = World()
    ann, bob = member("Ann", ANN), member("Bob", BOB.peer)
    async with world.running() as console:
        world.emit(actors.PeerNamed(peer=ANN, name="Ann"))
        await trio.sleep(5)
        world.emit(actors.MembersChanged(room="lobby", joined=[ann], first=True))
        await trio.sleep(60)
        world.emit(actors.PeerNamed(peer=BOB.peer, name="Bob"))
        await trio.sleep(3)
        world.emit(actors.MembersChanged(room="lobby", joined=[bob]))
        await trio.sleep(60)
        world.emit(actors.PeerDisconnected(peer=BOB.peer))
        await trio.sleep(17)
        world.emit(actors.MembersChanged(room="lobby", left=[bob]))
        world.emit(actors.MembersChanged(room="lobby", left=[ann]))
        await trio.sleep(1)
        world.emit(actors.PeerDisconnected(peer=ANN))
        await settle()
    assert [line.replace(f" (…{ANN[-6:]})", "") for line in console.lines[2:]] == [
        "* Ann connected",
        "* Bob (…x6nXTN) connected",
        "* Bob (…x6nXTN) disconnected",
        "* Ann left #lobby",
    ]


async def test_members_are_company(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        world.emit(actors.MembersChanged(room="lobby", joined=[member("Bob", BOB.peer)]))
        await trio.sleep(ALONE_AFTER + 1)
    assert f"* {ALONE}" not in console.lines


async def test_late_messages_in_a_session(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        world.emit(actors.RoomGap(room="lobby", missing=2))
        for text in ("one", "two"):
            event = arrived(record(text))
            event.late = True
            world.emit(event)
        world.emit(actors.RoomGap(room="lobby"))
        await settle()
        assert console.lines[-1] == "* 2 messages are missing in #lobby, asking the others …"
        await trio.sleep(QUIET)
        await settle()
        head, one, two = console.lines[3:]
    assert head == "* 2 messages of #lobby came late:"
    assert one.endswith("Bob (…x6nXTN): one")
    assert two.endswith("Bob (…x6nXTN): two")


async def test_late_messages_at_the_end_of_a_session(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        event = arrived(record("one"))
        event.late = True
        world.emit(event)
        console.type("/quit")
        await world.ended.wait()
    assert console.lines[-1].endswith("Bob (…x6nXTN): one")
