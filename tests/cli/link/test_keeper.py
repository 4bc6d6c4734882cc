"""A node as a child process: what becomes of it is told, and it never stays behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from p2pchat.cli.link import keeper
from p2pchat.cli.link.keeper import Deaths, Ended, Keeper
from p2pchat.cli.tui.link import NodeState
from p2pchat.node.backoff import Backoff

PATIENCE = 30.0  # seconds

GOOD = "import sys; print('ready', flush=True); sys.stdin.read()"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
REFUSED = "import sys; sys.exit('p2pchat: Port 4001 is in \\x1b[2Juse.')"
BROKEN = "print('ready', flush=True); {}['x']"


class Heard:
    """What a keeper tells."""

    def __init__(self, script: str, folder: Path) -> None:
        self.states: list[NodeState] = []
        self.ready = asyncio.Event()
        self.log = folder / "p2pchat.log"
        command = (sys.executable, "-c", script)
        self.keeper = Keeper(command, self.log, tell=self.tell, ready=self.ready.set)

    async def tell(self, state: NodeState) -> None:
        self.states.append(state)

    def phases(self) -> list[str]:
        return [state.phase for state in self.states]


def in_a_loop(scene: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test on asyncio."""

    def test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keeper, "AGAIN", Backoff(first=0.01, most=0.01))
        monkeypatch.setattr(keeper, "STOP_PATIENCE", 0.2)
        monkeypatch.setattr(keeper, "TERM_PATIENCE", 0.2)
        asyncio.run(asyncio.wait_for(scene(tmp_path), PATIENCE))

    return test


async def cancelled(task: asyncio.Task[Ended]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@in_a_loop
async def test_it_ends_in_order_when_nobody_needs_it_any_more(folder: Path) -> None:
    heard = Heard(GOOD, folder)
    running = asyncio.create_task(heard.keeper.run())
    await heard.ready.wait()
    pid = heard.keeper.pid
    assert pid is not None
    await cancelled(running)
    await heard.keeper.stop()
    assert not psutil.pid_exists(pid)
    assert heard.keeper.pid is None
    assert heard.phases() == ["starting"]


@in_a_loop
async def test_one_that_does_not_want_to_end_is_killed(folder: Path) -> None:
    heard = Heard(STUBBORN, folder)
    running = asyncio.create_task(heard.keeper.run())
    await heard.ready.wait()
    pid = heard.keeper.pid
    assert pid is not None
    await cancelled(running)
    await heard.keeper.stop()
    assert not psutil.pid_exists(pid)


@in_a_loop
async def test_one_that_is_killed_is_started_again(folder: Path) -> None:
    heard = Heard(GOOD, folder)
    running = asyncio.create_task(heard.keeper.run())
    await heard.ready.wait()
    heard.ready.clear()
    first = heard.keeper.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await heard.ready.wait()
    assert heard.keeper.pid not in (None, first)
    assert heard.phases() == ["starting", "restarting"]
    assert heard.states[-1].detail.startswith("killed by SIGKILL; in 0.0")
    await cancelled(running)
    await heard.keeper.stop()


@in_a_loop
async def test_one_that_cannot_start_is_not_tried_again_and_why_is_left_to_the_caller_to_say(
    folder: Path,
) -> None:
    heard = Heard(REFUSED, folder)
    assert await heard.keeper.run() == Ended(1, "Port 4001 is in ␛[2Juse.")
    assert not heard.keeper.was_ready
    assert heard.phases() == ["starting"]


@in_a_loop
async def test_one_that_dies_again_and_again_is_given_up(folder: Path) -> None:
    heard = Heard(BROKEN, folder)
    assert await heard.keeper.run() == Ended(1, "KeyError: 'x'")
    again = ["restarting"] * (keeper.DEATHS - 1)
    assert heard.phases() == ["starting", *again, "failed"]
    assert "exit 1: KeyError: 'x'" in heard.states[1].detail
    assert heard.log.read_text().count("Traceback") == keeper.DEATHS


@in_a_loop
async def test_one_that_was_stopped_from_outside_stays_so(folder: Path) -> None:
    heard = Heard("print('ready')", folder)
    assert await heard.keeper.run() == Ended(0)
    assert heard.phases() == ["starting", "stopped"]


@in_a_loop
async def test_a_program_that_is_not_there(folder: Path) -> None:
    heard = Heard(GOOD, folder)
    heard.keeper = Keeper(["/nowhere"], heard.log, tell=heard.tell, ready=heard.ready.set)
    with pytest.raises(OSError):
        await heard.keeper.run()
    assert heard.keeper.spawned.is_set()
    await heard.keeper.stop()


def test_deaths_far_apart_do_not_add_up() -> None:
    deaths = Deaths(random.Random(1))
    times = [number * keeper.WINDOW for number in range(20)]
    assert all(deaths.delay_after(time) is not None for time in times)


def test_deaths_close_together_are_answered_later_and_later_and_then_not_at_all() -> None:
    deaths = Deaths(random.Random(1))
    delays = [deaths.delay_after(1.0) for _ in range(keeper.DEATHS)]
    assert delays[-1] is None
    assert all(delay is not None for delay in delays[:-1])
