"""One actor's incarnations: crash, restart, stop."""

from __future__ import annotations

import pytest
import trio
from google.protobuf.wrappers_pb2 import BoolValue, StringValue
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pchat.node.errors import ActorCrashedError, ActorStoppedError, StoreError
from p2pchat.node.runtime import ActorCell, ActorStats, handles
from p2pchat.node.runtime.cell import STOP_GRACE
from tests.node.runtime.probes import Probe, obeyed, order, probe_cell, running, tree


class Plain(Probe):
    @handles(BoolValue)
    async def _fail(self, _: BoolValue) -> BoolValue:
        raise StoreError("The disk is on fire.")


class SlowStarter(Probe):
    hung_after = 1000.0

    async def started(self) -> None:
        self.trace.append(f"{self.name} starts")
        await trio.sleep(100)
        await super().started()


class Stubborn(Probe):
    """Never comes back from closing what it owns."""

    async def stopping(self) -> None:
        self.trace.append(f"{self.name} will not go")
        await trio.sleep_forever()


async def _is_told_of_the_stop(cell: ActorCell, text: str) -> None:
    with pytest.raises(ActorStoppedError):
        await obeyed(cell.ref, text)


async def test_a_crash_answers_the_asker_and_a_new_incarnation_goes_on(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)):
        with pytest.raises(ActorCrashedError, match="a crashed on StringValue"):
            await obeyed(cell.ref, "crash")
        assert cell.state == "restarting"
        assert await obeyed(cell.ref, "hello") == "HELLO"
    assert trace == ["a up", "a took crash", "a up", "a took hello", "a down"]


async def test_messages_that_waited_survive_the_restart_and_keep_their_order(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)):
        for text in ("sleep 1", "crash", "second", "third"):
            await cell.ref.tell(order(text))
        assert await obeyed(cell.ref, "fourth") == "FOURTH"
    took = [line for line in trace if "took" in line]
    assert took[2:] == ["a took second", "a took third", "a took fourth"]


async def test_a_sentence_for_the_user_reaches_the_asker_as_it_is(
    autojump_clock: MockClock,
) -> None:
    cell = probe_cell("a", [], Plain)
    async with running(tree(cell)):
        with pytest.raises(StoreError, match="The disk is on fire"):
            await cell.ref.ask(BoolValue(), BoolValue)
        assert await obeyed(cell.ref, "x") == "X"
        assert cell.restarts == 1


async def test_the_last_stop_handles_the_letters_that_wait(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)):
        for text in ("sleep 0.5", "second", "third"):
            await cell.ref.tell(order(text))
    assert trace == ["a up", "a took sleep 0.5", "a took second", "a took third", "a down"]


async def test_an_actor_that_does_not_stop_is_made_to(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace, Stubborn)
    async with running(tree(cell)):
        stop_at = trio.current_time()
    assert trio.current_time() - stop_at == pytest.approx(STOP_GRACE)
    assert trace == ["a up", "a will not go"]
    assert cell.state == "stopped"


async def test_whoever_waits_for_an_actor_that_is_made_to_stop_is_told(
    autojump_clock: MockClock,
) -> None:
    cell = probe_cell("a", [])
    async with trio.open_nursery() as askers, running(tree(cell)):
        for text in ("sleep 1000", "never taken"):
            askers.start_soon(_is_told_of_the_stop, cell, text)
            await wait_all_tasks_blocked()
        stop_at = trio.current_time()
    assert trio.current_time() - stop_at == pytest.approx(STOP_GRACE)


async def test_a_stop_during_the_start_does_not_wait_for_it(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell, next_one = probe_cell("a", trace, SlowStarter), probe_cell("b", trace)
    supervisor = tree(cell, next_one)
    with trio.fail_after(1 + STOP_GRACE + 0.1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.run)
            await trio.sleep(1)
            assert cell.state == "starting"
            supervisor.request_stop()
    assert trace == ["a starts"]
    assert (cell.state, next_one.state) == ("stopped", "stopped")


async def test_messages_to_an_actor_that_starts_wait_for_it(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [], SlowStarter)
    async with trio.open_nursery() as nursery:
        supervisor = tree(cell)
        nursery.start_soon(supervisor.run)
        await cell.ref.tell(order("x"))
        await trio.sleep(99)
        assert cell.stats().queue == 1
        await trio.sleep(2)
        assert cell.stats().queue == 0
        supervisor.request_stop()


async def test_cancelling_everything_ends_every_task_and_every_ask(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    with trio.move_on_after(1) as scope:
        async with running(tree(cell)):
            await cell.ref.ask(order("sleep 1000"), StringValue)
    assert scope.cancelled_caught
    assert trace == ["a up", "a took sleep 1000"]


async def test_the_counters_add_up(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    assert cell.stats() == ActorStats("a", "stopped", 0, 0, 0, 0, 0)
    async with running(tree(cell)):
        await obeyed(cell.ref, "x")
        with pytest.raises(ActorCrashedError):
            await obeyed(cell.ref, "crash")
        await obeyed(cell.ref, "y")
        await cell.ref.tell(order("sleep 0.5"))
        await wait_all_tasks_blocked()
        for _ in range(5):
            cell.ref.offer(order("z"))
        assert cell.stats() == ActorStats("a", "running", 1, 1, 4, 2, 0)
    assert cell.stats() == ActorStats("a", "stopped", 1, 1, 0, 7, 0)
