"""Workers are kept running, on virtual time with processes that are played."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import trio
import trio.testing

from p2pchat.node.errors import one_error
from p2pchat.relay_mailbox.workers.restarting import Restarts
from p2pchat.relay_mailbox.workers.tending import (
    End,
    Patience,
    RefusedError,
    State,
    Tending,
    WorkersFailedError,
)


@dataclass
class Played:
    """One process: takes `starting` seconds to be up, and then ends after `life` seconds, or hangs."""

    starting: float = 1.0
    life: float = float("inf")
    hangs: bool = False
    sleeper: trio.testing.MockClock | None = (
        None  # while one ping is under way, the machine sleeps for an hour
    )
    end: End = field(default_factory=lambda: End("it was ended by SIGKILL"))
    was_killed: bool = False
    _killed: trio.Event = field(default_factory=trio.Event)

    def __post_init__(self) -> None:
        self._born = trio.current_time()

    async def run(self) -> End:
        with trio.move_on_after(self.starting + self.life):
            await self._killed.wait()
        return self.end

    async def ping(self) -> bool:
        age = trio.current_time() - self._born
        if self.sleeper is not None and age >= self.starting + 5:
            clock, self.sleeper = self.sleeper, None
            clock.jump(3_600)
            await trio.sleep_forever()
        if self.hangs and age >= self.starting:
            await trio.sleep_forever()
        return age >= self.starting

    def kill(self) -> None:
        self.was_killed = True


class Stage:
    """Processes of worker 0, in the order of their starts; all others live for ever."""

    def __init__(self, *processes: Callable[[], Played]) -> None:
        self._coming = list(processes)
        self.started: list[Played] = []
        self.alive = 0

    @contextlib.asynccontextmanager
    async def spawn(self, number: int, born: Callable[[int], None]) -> AsyncIterator[Played]:
        process = self._coming.pop(0)() if self._coming and not number else Played()
        self.started.append(process)
        self.alive += 1
        born(len(self.started))
        try:
            yield process
        finally:
            self.alive -= 1


def tending(stage: Stage, count: int = 1, most: int = 5) -> Tending:
    return Tending(stage, count, restarts=lambda: Restarts(random.Random(1), most=most))


async def test_up_when_the_process_says_so(autojump_clock: object) -> None:
    stage = Stage(lambda: Played(starting=7.0))
    some = tending(stage)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(some.run)
        worker = some.workers[0]
        await trio.sleep(5)
        assert (worker.state, worker.pid) == (State.STARTING, 1)
        await worker.until_up()
        assert trio.current_time() < 7.2
        nursery.cancel_scope.cancel()
    assert stage.alive == 0


async def test_one_that_ends_is_started_again_and_the_others_live_on(
    autojump_clock: object,
) -> None:
    stage = Stage(lambda: Played(life=10.0))
    some = tending(stage, 2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(some.run)
        first, second = some.workers
        await first.until_up(2)
        assert 12 <= trio.current_time() < 13
        assert (first.restarts.count, first.last_end) == (1, "it was ended by SIGKILL")
        assert (second.restarts.count, second.last_end, second.ups) == (0, "", 1)
        assert stage.alive == 2
        nursery.cancel_scope.cancel()


async def test_one_that_does_not_answer_is_killed_and_started_again(autojump_clock: object) -> None:
    stage = Stage(lambda: Played(hangs=True))
    some = tending(stage)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(some.run)
        while not some.workers[0].restarts.count:
            await trio.sleep(0.1)
        assert stage.started[0].was_killed
        assert some.workers[0].last_end == f"it did not answer for {Patience().start:g} s"
        nursery.cancel_scope.cancel()


async def test_a_machine_that_slept_is_no_worker_that_hangs(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stage = Stage(lambda: Played(sleeper=autojump_clock))
    some = tending(stage)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(some.run)
        await trio.sleep(4_000)
        assert stage.started[0].sleeper is None
        assert not stage.started[0].was_killed
        assert some.workers[0].restarts.count == 0
        nursery.cancel_scope.cancel()


async def test_one_that_cannot_even_be_started_is_tried_again(autojump_clock: object) -> None:
    def no_more_processes() -> Played:
        raise OSError("Resource temporarily unavailable")

    some = tending(Stage(no_more_processes))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(some.run)
        await some.workers[0].until_up()
        assert some.workers[0].last_end == "it could not be looked after: OSError"
        nursery.cancel_scope.cancel()


async def test_a_crash_loop_ends_everything_with_a_sentence(autojump_clock: object) -> None:
    stage = Stage(*(lambda: Played(life=0.5) for _ in range(9)))
    some = tending(stage, most=3)
    with pytest.raises(WorkersFailedError) as failed, one_error():
        await some.run()
    assert str(failed.value) == (
        "Worker 0 has ended 4 times within 60 s, the last time for this reason: it was ended by SIGKILL. The mailbox "
        "stops."
    )
    assert (len(stage.started), stage.alive) == (4, 0)


async def test_what_the_operator_has_to_mend_ends_the_start(autojump_clock: object) -> None:
    refused = End("Port 1 is in use.", refused=True)
    stage = Stage(lambda: Played(starting=9.0, life=-8.0, end=refused))
    with pytest.raises(RefusedError, match=r"Port 1 is in use\."), one_error():
        await tending(stage, 2).run()
    assert stage.alive == 0


async def test_later_that_is_tried_again(autojump_clock: object) -> None:
    """The port may be free again a moment later, and the other workers are needed."""
    refused = End("Port 1 is in use.", refused=True)
    stage = Stage(lambda: Played(life=1.0), lambda: Played(starting=9.0, life=-8.0, end=refused))
    some = tending(stage)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(some.run)
        await some.workers[0].until_up(2)
        assert some.workers[0].last_end == "Port 1 is in use."
        assert some.workers[0].restarts.count == 2
        nursery.cancel_scope.cancel()
