from __future__ import annotations

import os
import signal

import pytest
import trio

from p2pchat.cli.terminal.front import FIRST_LOOK
from p2pchat.cli.terminal.session import ALONE, ALONE_AFTER
from p2pchat.node.config import RoomConfig
from p2pchat.proto import actors_pb2 as actors
from tests.cli.terminal.world import BOB, ME, FakeConsole, World, arrived, record


async def test_the_start(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        world.emit(actors.RoomJoined(room="lobby"))
        world.emit(actors.Listening(peer=ME.peer, addresses=["/ip4/1.2.3.4/tcp/1"]))
        world.emit(actors.Listening(peer=ME.peer, addresses=["/ip4/1.2.3.4/tcp/1"]))
    assert console.lines == [
        "* Your name is ada; /name changes it",
        "* You are in #lobby",
        "* Listening on /ip4/1.2.3.4/tcp/1",
    ]
    assert console.prompt == "ada>"
    assert console.names.rooms == ("lobby",)


async def test_a_node_that_takes_long_to_come_up(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.up = trio.Event()
    async with world.running() as console:
        assert console.lines == []
        await trio.sleep(25)
        world.up.set()
        await trio.sleep(1)
    assert console.lines[-1] == "* You are in #lobby"


async def test_own_texts_are_shown_once_and_in_order(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        console.type("one", "//two", " ", "three")
    assert world.posted == [("lobby", "one"), ("lobby", "/two"), ("lobby", "three")]
    assert [line.partition(": ")[2] for line in console.lines[2:]] == ["one", "/two", "three"]


async def test_a_pipe_is_read_to_its_end_and_sent(autojump_clock: trio.testing.MockClock) -> None:
    world = World(FakeConsole(must_finish=True))
    async with world.running() as console:
        console.type(*(str(number) for number in range(2_000)))
        console.end()
        await world.ended.wait()
    assert [text for _, text in world.posted] == [str(number) for number in range(2_000)]
    assert world.flushed == 1
    assert len([line for line in console.lines if line.startswith("[")]) == 2_000


async def test_a_pipe_waits_a_little_for_somebody_who_listens(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(FakeConsole(must_finish=True))
    world.listeners = []
    async with world.running() as console:
        console.type("hello")
        await trio.sleep(FIRST_LOOK / 2)
        assert world.posted == []
        world.listeners = [BOB.peer]
        await trio.sleep(1)
        assert world.posted == [("lobby", "hello")]
        assert not any("Nobody else is in" in line for line in console.lines)


async def test_it_is_said_once_when_nobody_hears(autojump_clock: trio.testing.MockClock) -> None:
    world = World()

    def times_said() -> int:
        return len([line for line in world.console.lines if "Nobody else is in #lobby" in line])

    async with world.running() as console:
        console.type("heard")
        await trio.testing.wait_all_tasks_blocked()
        assert times_said() == 0
        world.listeners = []
        console.type("one", "two")
        await trio.testing.wait_all_tasks_blocked()
        assert times_said() == 1
        world.listeners = [BOB.peer]
        console.type("heard again")
        await trio.testing.wait_all_tasks_blocked()
        world.listeners = []
        console.type("three")
        await trio.testing.wait_all_tasks_blocked()
        assert times_said() == 2


async def test_a_pipe_says_so_when_nobody_came(autojump_clock: trio.testing.MockClock) -> None:
    world = World(FakeConsole(must_finish=True))
    world.listeners = []
    async with world.running() as console:
        console.type("one", "two")
        await trio.sleep(FIRST_LOOK + 1)
        assert [text for _, text in world.posted] == ["one", "two"]
        assert len([line for line in console.lines if "Nobody else is in" in line]) == 1


async def test_a_text_that_cannot_be_sent_is_quoted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        world.rooms.clear()
        console.type("x" * 100)
    assert console.lines[-1] == f"* Not sent ('{'x' * 40}…'): You are not there."


async def test_commands(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type(
            "/history 3", "/name Grace", "/name Taken", "/peers", "/info", "/help", "/hlep"
        )
    shown = "\n".join(console.lines)
    assert shown.count("Bob (…x6nXTN): old ") == 3
    assert "* You are now called Grace" in shown
    assert "* Not this one." in shown
    assert "Nobody is connected" in shown
    assert f"Peer id:    {ME.peer}" in shown
    assert "/join <room> [--plain]" in shown
    assert "did you mean /help?" in shown
    assert console.prompt == "Grace>"


async def test_several_rooms(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("/join garden")
        await trio.testing.wait_all_tasks_blocked()
        assert console.prompt == "ada #garden>"
        assert console.names.rooms == ("lobby", "garden")
        world.emit(arrived(record("here", room="garden")), arrived(record("there", room="lobby")))
        await trio.testing.wait_all_tasks_blocked()
        here, there = console.lines[-2:]
        assert here.startswith("[")
        assert there.startswith("#lobby [")

        console.type("in the garden", "/room lobby", "in the lobby", "/room attic")
        await trio.testing.wait_all_tasks_blocked()
        assert world.posted == [("garden", "in the garden"), ("lobby", "in the lobby")]
        assert console.lines[-1] == "* You have not joined #attic: /join attic."

        console.type("/leave")
        await trio.testing.wait_all_tasks_blocked()
        assert console.prompt == "ada>"
        assert console.lines[-2:] == ["* You have left #lobby", "* You are in #garden"]
        console.type("/leave", "anybody?")
    assert "You are in no room" in console.lines[-1]
    assert len(world.posted) == 2


async def test_the_room_of_the_last_time_is_the_current_one(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.rooms = ["attic", "lobby", "garden"]
    world.up = trio.Event()
    async with world.running() as console:
        for room in world.rooms:  # as the node does while it starts
            world.emit(actors.RoomJoined(room=room))
        await trio.testing.wait_all_tasks_blocked()
        world.up.set()
        await trio.testing.wait_all_tasks_blocked()
        assert console.prompt == "ada #garden>"
    assert console.lines[1:] == ["* Also in #attic", "* Also in #lobby", "* You are in #garden"]


async def test_the_first_room_of_the_command_line_is_the_current_one(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.rooms = ["lobby", "garden", "attic"]
    world.start_rooms = (RoomConfig("garden"), RoomConfig("lobby"))
    async with world.running() as console:
        assert console.prompt == "ada #garden>"
    assert console.lines[1:] == ["* Also in #lobby", "* Also in #attic", "* You are in #garden"]


async def test_the_node_hears_which_room_was_used_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.rooms = ["lobby", "garden", "attic"]
    async with world.running() as console:
        console.type("/room lobby", "/room cellar", "/leave lobby")
        await trio.testing.wait_all_tasks_blocked()
        assert world.joins == ["lobby", "attic"]
        assert console.prompt == "ada #attic>"


async def test_a_room_that_is_joined_in_another_way(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        console.type("/join lobby --plain")
    assert console.lines[-1] == "* This room is signed: /leave it."


async def test_a_nameless_message_has_the_name_that_its_sender_greeted_with(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        world.emit(actors.PeerNamed(peer=BOB.peer, name="Bob"), arrived(record("raw", nick="")))
    assert console.lines[-1].endswith("] Bob (…x6nXTN): raw")


async def test_peers_come_and_go_by_name(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        world.emit(
            actors.PeerConnected(peer="QmBootstrap"),
            actors.PeerDisconnected(peer="QmBootstrap"),
            actors.PeerConnected(peer=BOB.peer),
            actors.PeerNamed(peer=BOB.peer, name="Bob"),
            actors.PeerNamed(peer=BOB.peer, name="Bob"),
            actors.PeerNamed(peer=BOB.peer, name="Rob", previous="Bob"),
            actors.PeerDisconnected(peer=BOB.peer),
        )
    assert console.lines[2:] == [
        "* Bob (…x6nXTN) connected",
        "* Bob (…x6nXTN) is now called Rob",
        "* Rob (…x6nXTN) disconnected",
    ]


async def test_a_hint_for_somebody_who_stays_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        await trio.sleep(ALONE_AFTER - 1)
        assert f"* {ALONE}" not in console.lines
        await trio.sleep(2)
        assert console.lines.count(f"* {ALONE}") == 1


async def test_no_hint_in_company(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        world.emit(actors.PeerNamed(peer=BOB.peer, name="Bob"))
        await trio.sleep(ALONE_AFTER + 1)
    assert f"* {ALONE}" not in console.lines


async def test_a_session_that_is_too_slow_is_told_so(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        world.emit(*(actors.Notice(text=str(number)) for number in range(5_000)))
    assert console.lines[2] == "* 904 events skipped here; /history shows messages."
    assert console.lines[-1] == "* 4999"


async def test_commands_are_echoed_where_typing_is_wiped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(FakeConsole(wipes_input=True))
    async with world.running() as console:
        console.type("hello", "/rooms")
    assert "ada> /rooms" in console.lines
    assert "ada> hello" not in console.lines


@pytest.mark.parametrize("text", ["x" * 65_537, "/a path\nand more"])
@pytest.mark.parametrize("on_terminal", [True, False])
async def test_a_refused_text_is_still_there_to_edit(
    text: str, on_terminal: bool, autojump_clock: trio.testing.MockClock
) -> None:
    world = World(FakeConsole(wipes_input=on_terminal))
    async with world.running() as console:
        console.type(text)
    assert console.lines[-1].endswith("Press Up to edit it.") == on_terminal
    assert world.posted == []


@pytest.mark.parametrize("word", ["/quit", "/exit"])
async def test_quitting(word: str, autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("last words", word, "never")
        await world.ended.wait()
    assert world.posted == [("lobby", "last words")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_end_the_session(
    number: signal.Signals, autojump_clock: trio.testing.MockClock
) -> None:
    world = World()
    async with world.running():
        os.kill(os.getpid(), number)
        await world.ended.wait()


async def test_texts_wait_for_the_node_and_commands_do_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(FakeConsole(must_finish=True))
    world.up = trio.Event()
    async with world.running() as console:
        console.type("/help", "early")
        await trio.testing.wait_all_tasks_blocked()
        assert any("/peers" in line for line in console.lines)
        assert world.posted == []
        world.up.set()
    assert world.posted == [("lobby", "early")]
