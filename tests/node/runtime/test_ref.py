"""Telling, offering and asking."""

from __future__ import annotations

import pytest
import trio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import BoolValue, StringValue
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pchat.node.errors import ActorStoppedError, AskTimeoutError, RequestRejectedError
from p2pchat.node.runtime import ASK_DEADLINE, handles
from p2pchat.proto import actors_pb2 as actors
from tests.node.runtime.probes import Probe, obeyed, order, probe_cell, running, tree


class Strict(Probe):
    hung_after = 1000.0

    @handles(BoolValue)
    async def _refuse(self, _: BoolValue) -> actors.Rejected:
        return actors.Rejected(reason=actors.TOO_MANY, detail="That is too much.")

    @handles(Empty)
    async def _say_nothing(self, _: Empty) -> None:
        return None


async def test_a_rejection_is_raised_with_reason_and_sentence(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [], Strict)
    async with running(tree(cell)):
        with pytest.raises(RequestRejectedError, match="That is too much") as caught:
            await cell.ref.ask(BoolValue(), actors.Done)
        assert caught.value.reason == actors.TOO_MANY
        assert cell.restarts == 0


async def test_an_ask_waits_no_longer_than_the_deadline(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [], Strict)
    async with running(tree(cell)):
        asked_at = trio.current_time()
        with pytest.raises(AskTimeoutError, match="no answer from a within 10 s"):
            await obeyed(cell.ref, "sleep 12")
        assert trio.current_time() - asked_at == pytest.approx(ASK_DEADLINE)
        assert await obeyed(cell.ref, "late answers harm nobody") == "LATE ANSWERS HARM NOBODY"


async def test_an_ask_that_finds_no_space_ends_at_the_deadline_too(
    autojump_clock: MockClock,
) -> None:
    cell = probe_cell("a", [], Strict)
    async with running(tree(cell)):
        for _ in range(1 + Strict.mailbox_size):
            await cell.ref.tell(order("sleep 3"))
        await cell.ref.tell(order("sleep 9"))
        with pytest.raises(AskTimeoutError):
            await obeyed(cell.ref, "x")
        await trio.sleep(30)
        assert cell.handled == 6 + 1  # the ask got in once there was space


async def test_a_caller_with_less_patience_opens_a_tighter_scope(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell)):
        with trio.move_on_after(1) as patience:
            await obeyed(cell.ref, "sleep 3")
        assert patience.cancelled_caught
        assert await obeyed(cell.ref, "next") == "NEXT"


async def test_an_answer_of_another_type_is_a_bug_of_the_asker_or_the_actor(
    autojump_clock: MockClock,
) -> None:
    cell = probe_cell("a", [], Strict)
    async with running(tree(cell)):
        with pytest.raises(TypeError, match="a answered StringValue where BoolValue was asked"):
            await cell.ref.ask(order("x"), BoolValue)
        with pytest.raises(TypeError, match="NoneType"):
            await cell.ref.ask(Empty(), BoolValue)


async def test_telling_waits_while_the_mailbox_is_full(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell)):
        began = trio.current_time()
        await cell.ref.tell(order("sleep 1"))
        await wait_all_tasks_blocked()
        for number in range(Probe.mailbox_size):
            await cell.ref.tell(order(str(number)))
        assert trio.current_time() == began
        await cell.ref.tell(order("one more"))
        assert trio.current_time() == began + 1
        assert cell.ref.drops == 0


async def test_offering_drops_and_counts_when_the_mailbox_is_full(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)):
        await cell.ref.tell(order("sleep 0.5"))
        await wait_all_tasks_blocked()
        taken = [cell.ref.offer(order(str(number))) for number in range(6)]
        assert taken == [True] * 4 + [False] * 2
        assert cell.stats().drops == 2
        assert cell.stats().queue == 4
    assert [line for line in trace if "took" in line][1:] == [f"a took {n}" for n in range(4)]


async def test_an_actor_that_stopped_for_good_refuses_everything(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell)):
        pass
    with pytest.raises(ActorStoppedError, match="a has stopped"):
        await cell.ref.tell(order("x"))
    with pytest.raises(ActorStoppedError, match="a has stopped"):
        await cell.ref.ask(order("x"), StringValue)
    assert not cell.ref.offer(order("x"))
    assert cell.ref.drops == 1


async def test_informing_waits_like_telling_and_bears_an_actor_that_stopped(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)):
        began = trio.current_time()
        for text in ("sleep 1", *map(str, range(Probe.mailbox_size)), "one more"):
            await cell.ref.inform(order(text))
        assert trio.current_time() == began + 1
    taken = list(trace)
    await cell.ref.inform(order("too late"))
    assert trace == taken
    assert any("one more" in line for line in trace)
