"""Direct messages in a session: a console in memory, a played node, virtual time."""

from __future__ import annotations

import pytest
import trio

from p2pchat.cli.terminal.deliveries import PATIENCE, TOGETHER
from p2pchat.cli.terminal.outcome import Outcome
from p2pchat.node.identity import Identity
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.cli.played_delivery import MAILBOX, OWN_LINK
from tests.cli.terminal.world import (
    BOB,
    FakeConsole,
    World,
    arrived,
    record,
    settle,
    shown,
    world_with_bob,
)

EVE = Identity(bytes([1] * 32))
WATCHED = {"wipes_input": True, "is_watched": True}


async def test_one_message(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/msg Bob Hello there", "in the room")
        await settle()
        world.mail.change(BOB.peer, "Bob", [world.mail.kept[0].id], records.DELIVERED)
        await settle()
        assert "you to Bob: Hello there  - delivered" in shown(world)
        assert console.prompt == "ada>"
    assert world.mail.sent() == [(BOB.peer, "Hello there")]
    assert world.posted == [("lobby", "in the room")]


async def test_a_state_that_takes_longer_comes_later(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/msg Bob Hi Bob")
        await trio.sleep(PATIENCE / 2)
        assert shown(world) == []
        await trio.sleep(PATIENCE)
        assert shown(world) == ["you to Bob: Hi Bob  - waiting"]
        ids = [world.mail.kept[0].id]
        world.mail.change(BOB.peer, "Bob", ids, records.STORED, stored=1, mailboxes=1)
        await trio.sleep(TOGETHER * 2)
        assert shown(world)[1:] == ["* Bob: 'Hi Bob' is in 1 of 1 mailboxes - stored 1/1"]


async def test_what_waits_goes_before_what_answers_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/msg Bob question")
        await settle()
        world.mail.arrive(EVE.peer, "Eve", "somebody else")
        world.mail.arrive(BOB.peer, "Bob", "answer")
        await settle()
    lines = [line for line in shown(world) if not line.startswith("*")]
    assert lines == [
        "Eve (…" + EVE.peer[-6:] + ") to you: somebody else",
        "you to Bob: question  - waiting",
        "Bob to you: answer",
    ]


async def test_a_command_comes_after_what_was_said(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob(wipes_input=True)
    async with world.running() as console:
        console.type("/msg Bob Hi")
        await settle()
        console.type("/rooms")
        await settle()
        assert shown(world)[:2] == ["you to Bob: Hi  - waiting", "ada> /rooms"]


async def test_a_conversation(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/dm Bob", "one", "//two")
        await settle()
        assert console.prompt == "ada @ Bob>"
        world.emit(arrived(record("in the room")))
        console.type("/history 5")
        await settle()
        assert "* The last 2 messages with Bob:" in console.lines
        assert any(line.startswith("#lobby [") for line in console.lines)
        console.type("/leave")
        await settle()
        assert console.lines[-1].startswith("* You are writing to Bob: /dm goes back")
        console.type("/dm", "three")
        await settle()
        assert console.prompt == "ada>"
        assert "* Back in #lobby" in console.lines
    assert world.mail.sent() == [(BOB.peer, "one"), (BOB.peer, "/two")]
    assert world.posted == [("lobby", "three")]


@pytest.mark.parametrize("command", ["/room lobby", "/join garden"])
async def test_going_to_a_room_ends_the_conversation(
    command: str, autojump_clock: trio.testing.MockClock
) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/dm Bob", command, "text")
    assert world.mail.sent() == []
    assert [text for _, text in world.posted] == ["text"]


async def test_a_room_that_is_not_joined_does_not_end_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob()
    async with world.running() as console:
        console.type("/dm Bob", "/room attic", "text")
    assert world.mail.sent() == [(BOB.peer, "text")]


async def test_dm_alone_asks_with_whom(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("/dm", "/dm Nobody")
    assert console.lines[-2:] == [
        "* With whom? E.g. /dm Bob, or /dm …SxZBa1.",
        "* Nobody called 'Nobody' is known.",
    ]
    assert console.prompt == "ada>"


async def test_a_stranger_is_introduced_once(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        world.mail.arrive(EVE.peer, "Bob", "I am Bob", "really")
        world.mail.arrive(EVE.peer, "Bob", "again")
        world.mail.arrive(BOB.peer, "Bob", "no, I am")
        await settle()
    end = EVE.peer[-6:]
    assert shown(world)[0] == f"Bob (…{end}) to you: I am Bob"
    assert f"/dm …{end} answers" in shown(world)[1]
    assert shown(world)[2:] == [
        f"Bob (…{end}) to you: really",
        f"Bob (…{end}) to you: again",
        "Bob to you: no, I am",
    ]
    assert console.names.people == ("Bob",)  # a stranger's name is not offered


async def test_whoever_was_written_to_is_no_stranger(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.mail.people["Eve"] = EVE.peer
    async with world.running() as console:
        console.type("/msg Eve Hi")
        await settle()
        world.mail.arrive(EVE.peer, "Eve", "Hi")
        await settle()
    assert not any("/contact add" in line for line in console.lines)


async def test_contacts(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    world.mail.people["Ann Lee"] = EVE.peer
    async with world.running() as console:
        console.type('/contact add "Ann Lee" Ann', "/dm Ann")
        await settle()
        assert console.prompt == "ada @ Ann>"
        assert console.names.people == ("Ann",)
        console.type("/contact rename Ann Anna", "/contacts", "/msg 1 by number", "/contact link")
        await settle()
        assert console.prompt == "ada @ Anna>"
        assert console.lines[-1] == OWN_LINK
        console.type("/contact remove Anna", "/contacts", "/contact add Nobody")
        await settle()
    end = EVE.peer[-6:]
    assert f"* Now among your contacts: Ann (…{end})  not connected, no mailbox" in console.lines
    assert f"* For you this is now Anna (…{end})" in console.lines
    assert "* 1 contact:" in console.lines
    assert "* Anna is no longer among your contacts; the messages stay" in console.lines
    assert console.lines[-1] == "* Nobody called 'Nobody' is known."
    assert world.mail.sent() == [(EVE.peer, "by number")]


async def test_a_safety_number_is_shown_in_groups_and_what_was_compared_is_noted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World()
    world.mail.people["Ann"] = EVE.peer
    async with world.running() as console:
        console.type("/contact add Ann", "/verify Ann")
        await settle()
        first = list(console.lines)
        console.type("/verify Ann yes", "/contacts", "/verify Ann", "/verify Ann no", "/contacts")
        await settle()
        console.type("/verify Nobody")
        await settle()
    end = EVE.peer[-6:]
    row = "      01234  56789  01234  56789"
    assert first[-5:-2] == [row, row, row]
    assert "in person or in a call" in first[-2]
    assert first[-1] == (f"* All twelve groups are the same there? /verify …{end} yes notes it.")
    after = console.lines[len(first) :]
    assert "* Ann is verified from now on: /contacts shows it" in after
    assert f"  1  Ann (…{end})  not connected, no mailbox, verified" in after
    assert f"* You have verified Ann; /verify …{end} no takes that back" in after
    assert "* Ann is not verified any more" in after
    assert f"  1  Ann (…{end})  not connected, no mailbox" in after
    assert console.lines[-1] == "* Nobody called 'Nobody' is known."


async def test_mailboxes(autojump_clock: trio.testing.MockClock) -> None:
    world = World()
    async with world.running() as console:
        console.type("/mailbox", "/mailbox add p2pchat:mailbox/a?t=token", "/mailbox list")
        console.type("/mailbox remove 2", "/mailbox remove 1", "/mailbox add p2pchat:mailbox/b")
    end = MAILBOX[-6:]
    assert "You have no mailbox" in shown(world)[0]
    assert shown(world)[1:] == [
        f"* Your mailbox: (…{end})  registered, not connected",
        "* 1 mailbox:",
        f"  1  (…{end})  registered, not connected",
        "* There is no such mailbox.",
        "* Mailbox 1 is not used any more",
        f"* Noted, and tried again: (…{end})  not registered, not connected - It wants an invite.",
    ]


async def test_who_cannot_be_found_costs_no_text(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(FakeConsole(wipes_input=True))
    async with world.running() as console:
        console.type("/msg Ann Lee Hello")
    assert console.lines[-1].startswith("* Not sent ('Lee Hello'): Nobody called 'Ann' is known.")
    assert 'stands in quotes, e.g. /msg "Ann Lee" Hello. Press Up to edit it.' in console.lines[-1]


async def test_a_message_that_cannot_be_saved(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    world.mail.refusal = "The disk is full."
    async with world.running() as console:
        console.type("/msg Bob Hello")
    assert console.lines[-1] == "* Not sent ('Hello'): The disk is full."
    assert world.outcome == Outcome(unsaved=1)


# ---- what was read --------------------------------------------------------------------------------------


async def test_enter_marks_what_was_shown(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob(**WATCHED)
    async with world.running() as console:
        bob = world.mail.arrive(BOB.peer, "Bob", "one", "two")
        eve = world.mail.arrive(EVE.peer, "Eve", "three")
        await settle()
        assert world.mail.marked == []
        console.type("")
        await settle()
        assert world.mail.marked == [
            (BOB.peer, [each.id for each in bob]),
            (EVE.peer, [each.id for each in eve]),
        ]
        console.type("", "")
        await settle()
    assert len(world.mail.marked) == 2


async def test_a_pipe_reads_nothing(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        world.mail.arrive(BOB.peer, "Bob", "one")
        await settle()
        console.type("text", "/history Bob")
        await settle()
    assert world.mail.marked == []


async def test_marks_wait_for_a_node_that_cannot_take_them(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob(**WATCHED)
    async with world.running() as console:
        (message,) = world.mail.arrive(BOB.peer, "Bob", "one")
        await settle()
        world.mail.is_down = True
        console.type("")
        await settle()
        world.mail.is_down = False
        console.type("")
        await settle()
        assert world.mail.marked == [(BOB.peer, [message.id])]


async def test_unread_messages_of_an_earlier_run_are_read_in_the_history(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob(**WATCHED)
    first, second = world.mail.arrive(BOB.peer, "Bob", "old", "older")
    second.read = True
    async with world.running() as console:
        console.type("/history Bob")
        await settle()
        console.type("")
        await settle()
        assert world.mail.marked == [(BOB.peer, [first.id])]


async def test_contacts_are_asked_for_again_when_they_were_not_known(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob()
    async with world.running() as console:
        world.mail.contacts.clear()
        world.mail.befriend(EVE.peer, "Eve")
        console.type("/contacts")
        await settle()
        world.mail.arrive(EVE.peer, "whoever", "Hi")
        await settle()
        assert shown(world)[-1] == "Eve to you: Hi"


async def test_direct_messages_are_company(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob()
    async with world.running() as console:
        world.emit(actors.DeliveriesChanged(peer=BOB.peer))
        world.mail.arrive(BOB.peer, "Bob", "Hi")
        await trio.sleep(60)
    assert not any("Nobody is here" in line for line in console.lines)
