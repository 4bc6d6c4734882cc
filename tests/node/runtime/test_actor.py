"""What an actor does with messages, and its background tasks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import BoolValue, BytesValue, Int32Value, StringValue
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pchat.node.errors import ActorCrashedError
from p2pchat.node.runtime import handles, handles_batch
from tests.node.runtime.probes import BoomError, Probe, obeyed, order, probe_cell, running, tree


class Polite(Probe):
    """Adds a handler to those of its base, and replaces one."""

    @handles(BoolValue)
    async def _nod(self, question: BoolValue) -> BoolValue:
        return question

    @handles(StringValue)
    async def _obey(self, order: StringValue) -> StringValue:
        return StringValue(value=f"please {order.value}")


class Counting(Probe):
    @handles(BytesValue)
    async def _count(self, data: BytesValue) -> Int32Value:
        return Int32Value(value=len(data.value))


class Whole(Counting, Polite):
    """Put together from parts."""


class Careless(Probe):
    @handles_batch(Int32Value, at_most=3)
    async def _add(self, numbers: Sequence[Int32Value]) -> Sequence[Int32Value]:
        return [Int32Value()]


class Busy(Probe):
    """Has a background task that writes down each second."""

    async def started(self) -> None:
        await super().started()
        self.spawn(self._tick)

    async def _tick(self) -> None:
        while True:
            await trio.sleep(1)
            self.trace.append("tick")


class Fragile(Probe):
    """Its background task crashes after one second."""

    async def started(self) -> None:
        await super().started()
        self.spawn(self._fall)

    async def _fall(self) -> None:
        await trio.sleep(1)
        raise BoomError


class Patient(Probe):
    """Is up only when its background task says so."""

    async def started(self) -> None:
        await self.spawn_started(self._listen)
        await super().started()

    async def _listen(self, task_status: trio.TaskStatus[None]) -> None:
        self.trace.append("listening")
        task_status.started()
        await trio.sleep_forever()


async def test_a_message_goes_to_the_handler_of_its_type(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell)):
        assert await obeyed(cell.ref, "hello") == "HELLO"
        assert (await cell.ref.ask(Int32Value(value=1), Int32Value)).value == 2


async def test_a_subclass_inherits_handlers_and_may_replace_them(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [], Polite)
    async with running(tree(cell)):
        assert await obeyed(cell.ref, "go") == "please go"
        assert (await cell.ref.ask(BoolValue(value=True), BoolValue)).value
        assert (await cell.ref.ask(Int32Value(value=1), Int32Value)).value == 2


async def test_an_actor_has_the_handlers_of_all_its_parts(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [], Whole)
    async with running(tree(cell)):
        assert (await cell.ref.ask(BytesValue(value=b"four"), Int32Value)).value == 4
        assert (await cell.ref.ask(BoolValue(value=True), BoolValue)).value
        assert await obeyed(cell.ref, "go") == "please go"


async def test_a_message_without_a_handler_is_a_crash(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell)):
        with pytest.raises(ActorCrashedError, match="a crashed on Empty"):
            await cell.ref.ask(Empty(), Empty)
        assert await obeyed(cell.ref, "still there") == "STILL THERE"


async def test_a_batch_handler_has_to_answer_every_message(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [], Careless)
    async with running(tree(cell)):
        await cell.ref.tell(order("sleep 1"))  # so that the others queue up
        await cell.ref.tell(Int32Value())
        with pytest.raises(ActorCrashedError):
            await cell.ref.ask(Int32Value(), Int32Value)
        await wait_all_tasks_blocked()
        assert cell.restarts == 1


async def test_a_batch_keeps_order_and_holds_only_neighbours(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)):
        await cell.ref.tell(order("sleep 1"))  # so that the others queue up
        for value in (1, 2):
            await cell.ref.tell(Int32Value(value=value))
        await cell.ref.tell(order("x"))
        for value in (3, 4, 5):
            await cell.ref.tell(Int32Value(value=value))
        assert (await cell.ref.ask(Int32Value(value=6), Int32Value)).value == 7
    took = [line.removeprefix("a took ") for line in trace if " took " in line]
    assert took[:3] == ["sleep 1", "[1, 2]", "x"]
    assert [number for line in took[3:] for number in line.strip("[]").split(", ")] == list("3456")


async def test_a_background_task_ends_with_its_incarnation(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace, Busy)
    async with running(tree(cell)):
        await trio.sleep(2.5)
        assert trace.count("tick") == 2
        await cell.ref.tell(order("crash"))
        await trio.sleep(2)  # 1 s of backoff, then 1 s of the new incarnation
        assert trace.count("up") == 0
        assert trace.count("a up") == 2
    ticks = trace.count("tick")
    await trio.sleep(5)
    assert trace.count("tick") == ticks


async def test_the_crash_of_a_background_task_is_the_actors(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace, Fragile)
    async with running(tree(cell)):
        with pytest.raises(ActorCrashedError):
            await cell.ref.ask(order("sleep 5"), StringValue)
        await trio.sleep(1.5)
        assert cell.restarts == 1
    assert trace == ["a up", "a took sleep 5", "a up", "a down"]


async def test_an_actor_is_up_after_its_background_task_is(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    async with running(tree(probe_cell("a", trace, Patient), probe_cell("b", trace))):
        assert trace == ["listening", "a up", "b up"]
