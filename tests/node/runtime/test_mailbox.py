"""The queue between whoever sends and the one actor that reads."""

from __future__ import annotations

import pytest
import trio
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int32Value, StringValue
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pchat.node.errors import ActorStoppedError
from p2pchat.node.runtime.mailbox import Letter, Mailbox, ReplySlot

AT_MOST: dict[type[Message], int] = {Int32Value: 3}


def number(value: int) -> Letter:
    return Letter(Int32Value(value=value))


def text(value: str) -> Letter:
    return Letter(StringValue(value=value))


def values(letters: list[Letter]) -> list[object]:
    return [getattr(letter.message, "value", None) for letter in letters]


async def test_only_neighbours_of_one_type_are_taken_together(autojump_clock: MockClock) -> None:
    mailbox = Mailbox("reader", 8)
    for letter in (number(1), number(2), text("x"), text("y"), number(3), number(4), number(5)):
        await mailbox.put(letter)
    await mailbox.put(number(6))
    taken = [values(await mailbox.take(AT_MOST)) for _ in range(5)]
    assert taken == [[1, 2], ["x"], ["y"], [3, 4, 5], [6]]
    assert len(mailbox) == 0


async def test_put_waits_for_space_and_keeps_the_order_of_each_sender(
    autojump_clock: MockClock,
) -> None:
    mailbox = Mailbox("reader", 2)
    got: list[object] = []

    async def send() -> None:
        for value in range(10):
            await mailbox.put(number(value))
            assert len(mailbox) <= 2

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        while len(got) < 10:
            got += values(await mailbox.take(AT_MOST))
    assert got == list(range(10))


async def test_whoever_stops_waiting_for_space_leaves_nothing_behind(
    autojump_clock: MockClock,
) -> None:
    mailbox = Mailbox("reader", 1)
    await mailbox.put(number(1))
    with trio.move_on_after(1) as patience:
        await mailbox.put(number(2))
    assert patience.cancelled_caught
    assert values(await mailbox.take({})) == [1]
    assert len(mailbox) == 0


async def test_every_sender_that_waits_gets_its_turn(autojump_clock: MockClock) -> None:
    mailbox = Mailbox("reader", 3)
    got: set[object] = set()
    async with trio.open_nursery() as nursery:
        for value in range(20):
            nursery.start_soon(mailbox.put, number(value))
        while len(got) < 20:
            got |= set(values(await mailbox.take(AT_MOST)))
    assert got == set(range(20))


async def test_a_paused_mailbox_keeps_its_letters_and_takes_more(autojump_clock: MockClock) -> None:
    mailbox = Mailbox("reader", 4)
    await mailbox.put(number(1))
    mailbox.pause()
    assert await mailbox.take(AT_MOST) == []
    await mailbox.put(number(2))
    mailbox.resume()
    assert values(await mailbox.take(AT_MOST)) == [1, 2]


async def test_a_closed_mailbox_is_read_to_its_end_and_refuses_new_letters(
    autojump_clock: MockClock,
) -> None:
    mailbox = Mailbox("reader", 1)
    await mailbox.put(number(1))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _waiting_sender() -> None:
            with pytest.raises(ActorStoppedError, match="reader has stopped"):
                await mailbox.put(number(2))

        await wait_all_tasks_blocked()
        mailbox.close()
    with pytest.raises(ActorStoppedError):
        mailbox.put_nowait(number(3))
    assert values(await mailbox.take(AT_MOST)) == [1]
    assert await mailbox.take(AT_MOST) == []


async def test_closing_wakes_the_reader(autojump_clock: MockClock) -> None:
    mailbox = Mailbox("reader")
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _reader() -> None:
            assert await mailbox.take(AT_MOST) == []

        await wait_all_tasks_blocked()
        mailbox.close()


async def test_rejecting_the_rest_tells_everybody_who_waits(autojump_clock: MockClock) -> None:
    mailbox = Mailbox("reader")
    slot = ReplySlot()
    await mailbox.put(number(1))
    await mailbox.put(Letter(Int32Value(), slot))
    mailbox.reject_rest()
    with pytest.raises(ActorStoppedError):
        await slot.wait()
    assert len(mailbox) == 0


async def test_a_slot_is_settled_once(autojump_clock: MockClock) -> None:
    slot = ReplySlot()
    slot.answer(Int32Value(value=1))
    slot.fail(ActorStoppedError("too late"))
    slot.answer(None)
    assert await slot.wait() == Int32Value(value=1)
