"""Direct messages at the end of a session, and those that come by a pipe."""

from __future__ import annotations

import trio

from p2pchat.cli.terminal.conversations import SAFE_WAIT
from p2pchat.cli.terminal.front import FIRST_LOOK
from p2pchat.cli.terminal.outcome import Outcome
from p2pchat.proto import records_pb2 as records
from tests.cli.terminal.world import BOB, FakeConsole, World, settle, shown, world_with_bob


async def test_a_pipe_waits_until_its_messages_are_safe(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob(must_finish=True)
    async with world.running() as console:
        console.type("/msg Bob one", "/msg Bob two")
        console.end()
        await trio.sleep(SAFE_WAIT / 2)
        assert not world.ended.is_set()
        one, two = (each.id for each in world.mail.kept)
        world.mail.change(BOB.peer, "Bob", [one], records.DELIVERED)
        world.mail.change(BOB.peer, "Bob", [two], records.STORED, stored=1, mailboxes=2)
        await world.ended.wait()
        assert trio.current_time() < SAFE_WAIT
    assert world.outcome == Outcome()
    assert "* Bob has 'one' - delivered" in console.lines
    assert "* Bob: 'two' is in 1 of 2 mailboxes - stored 1/2" in console.lines


async def test_a_pipe_says_what_is_only_here(autojump_clock: trio.testing.MockClock) -> None:
    world = world_with_bob(must_finish=True)
    async with world.running() as console:
        console.type("/msg Bob one", "/msg Bob two", "/msg Bob three")
        console.end()
        await settle()
        ids = [each.id for each in world.mail.kept]
        world.mail.change(BOB.peer, "Bob", ids[:1], records.DELIVERED)
        world.mail.change(BOB.peer, "Bob", ids[1:2], records.REFUSED, reason="Blocked.")
        await world.ended.wait()
    assert world.outcome == Outcome(unsent=1, failed=1)
    waits, failed = world.outcome.problems()
    assert waits == "1 message to others waits in the outbox here and goes out at the next start."
    assert "could not be delivered" in failed


async def test_messages_in_a_pipe_are_not_held_up_by_each_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob(must_finish=True)
    async with world.running() as console:
        console.type(*(f"/msg Bob {number}" for number in range(500)))
        console.end()
        await settle()
        ids = [each.id for each in world.mail.kept]
        world.mail.change(BOB.peer, "Bob", ids, records.DELIVERED)
        await world.ended.wait()
    assert [text for _, text in world.mail.sent()] == [str(number) for number in range(500)]
    own = [line for line in shown(world) if line.startswith("you to Bob: ")]
    assert own == [f"you to Bob: {number}  - delivered" for number in range(500)]


async def test_a_pipe_gives_names_a_little_time_to_turn_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = World(FakeConsole(must_finish=True))
    async with world.running() as console:
        console.type("/msg Bob hello")
        await trio.sleep(FIRST_LOOK / 2)
        assert console.lines[2:] == []
        world.mail.people["Bob"] = BOB.peer
        await trio.sleep(1)
        assert world.mail.sent() == [(BOB.peer, "hello")]
        console.type("/msg Nobody one", "/msg Nobody two")
        await trio.sleep(FIRST_LOOK)
        assert len([line for line in console.lines if "Not sent" in line]) == 2


async def test_a_terminal_says_at_the_end_what_is_only_here(
    autojump_clock: trio.testing.MockClock,
) -> None:
    world = world_with_bob(wipes_input=True)
    async with world.running() as console:
        console.type("/msg Bob one")
        await settle()
        console.type("/quit")
        await world.ended.wait()
    assert console.lines[-1].startswith("* 1 message to others waits in the outbox here")


def test_a_line_that_was_too_long_is_a_failure_of_a_pipe() -> None:
    [problem] = Outcome(unread=1).problems()
    assert "too long" in problem
