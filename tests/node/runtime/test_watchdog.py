"""An actor that does not come back from one message."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.errors import ActorCrashedError
from p2pchat.node.runtime import ActorCell, watch
from tests.node.runtime.probes import Probe, obeyed, order, probe_cell, running, tree


class NeverUp(Probe):
    async def started(self) -> None:
        self.trace.append(f"{self.name} starts")
        if self.trace.count(f"{self.name} starts") == 1:
            await trio.sleep_forever()


async def test_a_slow_actor_is_named_once_for_each_stall(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    slow, quick = probe_cell("slow", []), probe_cell("quick", [])
    stalls: list[tuple[str, float]] = []

    def note(cell: ActorCell, seconds: float) -> None:
        stalls.append((cell.name, round(seconds)))

    async with running(tree(slow, quick)), trio.open_nursery() as nursery:
        nursery.start_soon(watch, [slow, quick], note)
        for _ in range(2):
            await slow.ref.tell(order("sleep 4"))
        await quick.ref.tell(order("sleep 1"))
        await trio.sleep(9)
        nursery.cancel_scope.cancel()
    assert [name for name, _ in stalls] == ["slow", "slow"]
    assert all(2 <= seconds <= 3 for _, seconds in stalls)
    assert (slow.stats().stalls, quick.stats().stalls) == (2, 0)
    assert (slow.restarts, slow.handled) == (0, 2)
    assert "slow has been on StringValue" in caplog.text


async def test_a_hung_actor_is_restarted_as_if_it_had_crashed(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace)
    async with running(tree(cell)), trio.open_nursery() as nursery:
        nursery.start_soon(watch, [cell])
        asked_at = trio.current_time()
        with pytest.raises(ActorCrashedError, match="a crashed on StringValue"):
            await obeyed(cell.ref, "sleep 1000")
        assert trio.current_time() - asked_at < Probe.hung_after + 1.5
        assert await obeyed(cell.ref, "x") == "X"
        assert cell.restarts == 1
        nursery.cancel_scope.cancel()
    assert "a hangs on StringValue: restarting it" in caplog.text
    assert "a did not come back from StringValue" in caplog.text


async def test_an_actor_that_hangs_while_it_starts_is_tried_again(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    cell = probe_cell("a", trace, NeverUp)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, [cell])
        async with running(tree(cell)):
            assert await obeyed(cell.ref, "x") == "X"
        nursery.cancel_scope.cancel()
    assert trace == ["a starts", "a starts", "a took x", "a down"]


async def test_an_idle_actor_is_no_stalled_one(autojump_clock: MockClock) -> None:
    cell = probe_cell("a", [])
    async with running(tree(cell)), trio.open_nursery() as nursery:
        nursery.start_soon(watch, [cell])
        await trio.sleep(1000)
        assert cell.stats().stalls == 0
        nursery.cancel_scope.cancel()
