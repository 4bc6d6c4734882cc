"""Order of start and stop, restarts and their limit, escalation."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import pytest
import trio
from google.protobuf.wrappers_pb2 import StringValue
from trio.testing import MockClock, wait_all_tasks_blocked

from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import ActorCrashedError, ActorStoppedError, ListenError, StoreError
from p2pchat.node.runtime import (
    ActorCell,
    RestartLimit,
    RestartLimitReachedError,
    Strategy,
)
from tests.node.runtime.probes import (
    BoomError,
    Probe,
    SteadyRandom,
    obeyed,
    order,
    probe_cell,
    running,
    tree,
)


class Broken(Probe):
    """Crashes whenever it starts."""

    async def started(self) -> None:
        self.trace.append(f"{self.name} tries at {trio.current_time():g}")
        raise BoomError


class Deaf(Probe):
    """Cannot start, for a reason that the user can mend."""

    async def started(self) -> None:
        self.trace.append(f"{self.name} tries")
        raise ListenError("Port 4001 is in use.")


class Clumsy(Probe):
    """Crashes while it closes what it owns."""

    async def stopping(self) -> None:
        raise BoomError


class Farewell(Probe):
    """Has something to save before it goes; `storage` is set by the test."""

    storage: ActorCell

    async def stopping(self) -> None:
        answer = await obeyed(self.storage.ref, f"save for {self.name}")
        self.trace.append(f"{self.name} down after {answer}")


async def crash(cell: ActorCell) -> None:
    """Make it crash, and come back once its supervisor knows."""
    with pytest.raises(ActorCrashedError):
        await cell.ref.ask(order("crash"), StringValue)
    await wait_all_tasks_blocked()


async def test_children_start_left_to_right_and_stop_right_to_left(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    a, b, c, d = (probe_cell(name, trace) for name in "abcd")
    group = tree(b, c, strategy=Strategy.ONE_FOR_ALL, name="group", root=False)
    async with running(tree(a, group, d)):
        assert trace == ["a up", "b up", "c up", "d up"]
        trace.clear()
    assert trace == ["d down", "c down", "b down", "a down"]


async def test_what_stops_first_can_still_use_what_stops_last(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    storage = probe_cell("storage", trace)
    Farewell.storage = storage
    group = tree(probe_cell("b", trace, Farewell), probe_cell("c", trace, Farewell), root=False)
    async with running(tree(storage, group)):
        for number in range(3):
            await storage.ref.tell(order(f"sleep 0.{number}"))
        trace.clear()
    assert trace[-5:] == [
        "storage took save for c",
        "c down after SAVE FOR C",
        "storage took save for b",
        "b down after SAVE FOR B",
        "storage down",
    ]


async def test_one_for_one_restarts_only_what_crashed(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    a, b = probe_cell("a", trace), probe_cell("b", trace)
    async with running(tree(a, b)):
        await crash(a)
        assert await obeyed(b.ref, "meanwhile") == "MEANWHILE"
        await trio.sleep(2)
        assert (a.restarts, b.restarts) == (1, 0)
        assert (a.state, b.state) == ("running", "running")
    assert trace.count("a up") == 2
    assert trace.count("b up") == 1


async def test_one_for_all_stops_the_siblings_in_order_and_starts_all_again(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    a, b, c = (probe_cell(name, trace) for name in "abc")
    async with running(tree(a, b, c, strategy=Strategy.ONE_FOR_ALL)):
        trace.clear()
        await crash(b)
        assert [cell.state for cell in (a, b, c)] == ["restarting"] * 3
        await c.ref.tell(order("wait for the restart"))
        await trio.sleep(2)
        assert [cell.restarts for cell in (a, b, c)] == [1, 1, 1]
        assert trace == [
            "b took crash",
            "c down",
            "a down",
            "a up",
            "b up",
            "c up",
            "c took wait for the restart",
        ]


async def test_the_backoff_doubles_up_to_its_limit(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace, Broken)
    limit = RestartLimit(crashes=5, window=1000)
    began = trio.current_time()
    with pytest.raises(RestartLimitReachedError):
        await tree(cell, limit=limit).run()
    tries = [float(line.split()[-1]) - began for line in trace]
    assert tries == pytest.approx([0, 1, 3, 7, 12, 17])


def test_the_backoff_is_spread_by_half_to_either_side() -> None:
    backoff = Backoff(first=1.0, most=8.0)
    rng = random.Random(7)
    first, third, tenth = ([backoff.delay(n, rng) for _ in range(200)] for n in (1, 3, 10))
    assert 0.5 <= min(first) < 0.6 < 1.4 < max(first) <= 1.5
    assert 2.0 <= min(third) < max(third) <= 6.0
    assert max(tenth) <= 12.0
    assert backoff.delay(3, SteadyRandom()) == 4.0


async def test_a_supervisor_gives_up_when_crashes_come_too_fast(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    a, b = probe_cell("a", trace), probe_cell("b", trace)
    with pytest.RaisesGroup(RestartLimitReachedError):
        async with running(tree(a, b, limit=RestartLimit(crashes=2, window=30))):
            for _ in range(3):
                await crash(b)
                await trio.sleep(5)
    assert b.restarts == 2
    assert trace[-1] == "a down"
    with pytest.raises(ActorStoppedError):
        await a.ref.tell(order("x"))


async def test_the_sentence_of_giving_up_names_the_actor_and_the_last_crash(
    autojump_clock: MockClock,
) -> None:
    with pytest.raises(RestartLimitReachedError, match=r"a crashed; 2 crashes in 30 s .*BoomError"):
        await tree(probe_cell("a", [], Broken), limit=RestartLimit(crashes=1)).run()


async def test_crashes_far_apart_are_forgotten(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell, limit=RestartLimit(crashes=2, window=30))):
        for _ in range(10):
            await crash(cell)
            await trio.sleep(16)
        assert cell.restarts == 10


async def test_giving_up_is_a_crash_for_the_supervisor_above(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    a, b, c, d = (probe_cell(name, trace) for name in "abcd")
    group = tree(
        b,
        c,
        strategy=Strategy.ONE_FOR_ALL,
        limit=RestartLimit(crashes=1, window=30),
        name="group",
        root=False,
    )
    async with running(tree(a, group, d)):
        await crash(c)
        await trio.sleep(2)
        trace.clear()
        await c.ref.tell(order("crash"))
        await c.ref.tell(order("after the escalation"))
        await trio.sleep(2)
        assert trace == [
            "c took crash",
            "b down",
            "b up",
            "c up",
            "c took after the escalation",
        ]
        assert [cell.restarts for cell in (a, b, c, d)] == [0, 2, 2, 0]
        await crash(c)  # the group's own count began anew
        await trio.sleep(2)
        assert await obeyed(c.ref, "x") == "X"


async def test_escalation_goes_up_to_the_root_and_ends_the_tree(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    limit = RestartLimit(crashes=1, window=100)
    inner = tree(probe_cell("b", trace, Broken), limit=limit, name="inner", root=False)
    outer = tree(probe_cell("a", trace), inner, limit=limit)
    with pytest.raises(RestartLimitReachedError, match="inner crashed"):
        await outer.run()
    assert sum("b tries" in line for line in trace) == 4
    assert (trace[0], trace[-1]) == ("a up", "a down")


@pytest.mark.parametrize("nested", [False, True])
async def test_what_the_user_can_mend_ends_the_first_start_at_once(
    nested: bool, autojump_clock: MockClock
) -> None:
    trace: list[str] = []
    deaf = probe_cell("b", trace, Deaf)
    child = tree(deaf, strategy=Strategy.ONE_FOR_ALL, root=False) if nested else deaf
    with pytest.raises(ListenError, match="Port 4001 is in use"):
        await tree(probe_cell("a", trace), child, probe_cell("c", trace)).run()
    assert trace == ["a up", "b tries", "a down"]


async def test_what_the_user_can_mend_is_an_ordinary_crash_later(
    autojump_clock: MockClock,
) -> None:
    problems: list[StoreError] = []

    class Moody(Probe):
        async def started(self) -> None:
            if problems:
                raise problems.pop()

    cell = probe_cell("a", [], Moody)
    async with running(tree(cell)):
        problems.append(StoreError("The disk is full."))
        await crash(cell)
        assert await obeyed(cell.ref, "x") == "X"
        assert cell.restarts == 2


async def test_a_stop_ends_the_backoff(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with trio.open_nursery() as askers, running(tree(cell)):
        await crash(cell)
        askers.start_soon(_is_refused, cell)
        await wait_all_tasks_blocked()
        stop_at = trio.current_time()
    assert trio.current_time() == pytest.approx(stop_at, abs=0.5)
    assert cell.state == "stopped"


async def _is_refused(cell: ActorCell) -> None:
    with pytest.raises(ActorStoppedError):
        await obeyed(cell.ref, "x")


@pytest.mark.parametrize("ticks", range(12))
@pytest.mark.parametrize("strategy", Strategy)
async def test_no_stop_gets_lost_however_early_it_comes(
    strategy: Strategy, ticks: int, autojump_clock: MockClock
) -> None:
    """In the first steps of the start, tasks are scheduled that have not run yet."""
    cells = [probe_cell(name, []) for name in "abc"]
    group = tree(*cells[1:], strategy=strategy, root=False)
    supervisor = tree(cells[0], group)
    began = trio.current_time()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.run)
            for _ in range(ticks):
                await trio.lowlevel.checkpoint()
            supervisor.request_stop()
    assert trio.current_time() - began < 0.5
    assert {cell.state for cell in cells} == {"stopped"}


async def test_a_crash_while_stopping_is_logged_and_stops_nobody(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    trace: list[str] = []
    async with running(tree(probe_cell("a", trace), probe_cell("b", trace, Clumsy))):
        pass
    assert trace == ["a up", "b up", "a down"]
    assert "b crashed while it stopped" in caplog.text


async def test_a_crash_says_who_and_when_the_restart_comes(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    cell = probe_cell("a", [])
    with caplog.at_level(logging.ERROR):
        async with running(tree(cell)):
            await crash(cell)
    (record,) = caplog.records
    assert record.getMessage() == "a crashed, restart in 1.00 s"
    assert record.exc_info
    assert isinstance(record.exc_info[1], BoomError)


async def test_cancelling_a_tree_in_any_state_leaves_no_task(autojump_clock: MockClock) -> None:
    def healthy(name: str) -> ActorCell:
        return probe_cell(name, [])

    def broken(name: str) -> ActorCell:
        return probe_cell(name, [], Broken)

    makers: list[Callable[[str], ActorCell]] = [healthy, broken]
    for make in makers:
        supervisor = tree(healthy("a"), make("b"), strategy=Strategy.ONE_FOR_ALL)
        with trio.move_on_after(0.7) as scope:
            await supervisor.run()
        assert scope.cancelled_caught


async def test_all_actors_below_are_listed_in_start_order() -> None:
    a, b, c = (probe_cell(name, []) for name in "abc")
    assert tree(a, tree(b, c, root=False)).cells() == [a, b, c]
