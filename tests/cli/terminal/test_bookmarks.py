"""/history pages backwards."""

from __future__ import annotations

import trio

from tests.cli.terminal.world import BOB, World, settle, world_with_bob


def texts(lines: list[str]) -> list[str]:
    """Heads whole, of messages only the text."""
    return [line if line.startswith("*") else line.rpartition(": ")[2] for line in lines]


async def test_paging_through_a_room(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.said = 8
    async with world.running() as console:
        for command in ("/history 3", "/history more 3", "/history more 3", "/history more"):
            console.type(command)
            await settle()
        console.type("/history 1", "/history more 1")
    shown = [each for each in texts(console.lines[2:]) if not each.startswith("---")]
    assert shown == [
        "* The last 3 messages of #lobby:",
        *("old 5", "old 6", "old 7"),
        "* 3 earlier messages of #lobby:",
        *("old 2", "old 3", "old 4"),
        "* The first 2 messages of #lobby:",
        *("old 0", "old 1"),
        "* That was the beginning: nothing older of #lobby is kept here.",
        "* The last 1 message of #lobby:",
        "old 7",
        "* 1 earlier message of #lobby:",
        "old 6",
    ]


async def test_each_room_has_its_own_place(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.said = 8
    async with world.running() as console:
        console.type("/history 3", "/join garden", "/history 1", "/room lobby", "/history more 1")
    assert console.lines[-1].endswith("old 4")


async def test_more_without_a_beginning_begins_at_the_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    async with world.running() as console:
        console.type("/history more 1")
    assert console.lines[-1].endswith("old 999")


async def test_a_room_in_which_nothing_was_said(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.said = 0
    async with world.running() as console:
        console.type("/history", "/history more")
    assert console.lines[2:] == ["* Nothing of #lobby is kept here yet."] * 2


async def test_paging_through_a_conversation(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        world.mail.arrive(BOB.peer, "Bob", *(str(number) for number in range(5)))
        await settle()
        before = len(console.lines)
        for command in ("/history Bob 2", "/history Bob more 2", "/history Bob more 2"):
            console.type(command)
            await settle()
        console.type("/history Bob more")
    shown = [each for each in texts(console.lines[before:]) if not each.startswith("---")]
    assert shown == [
        "* The last 2 messages with Bob:",
        *("3", "4"),
        "* 2 earlier messages with Bob:",
        *("1", "2"),
        "* The first message with Bob:",
        "0",
        "* That was the beginning: nothing older with Bob is kept here.",
    ]
