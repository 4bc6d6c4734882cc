"""Keeps the processes of workers running: starts them, looks whether they live, starts again what has ended or hangs.

tractor itself tells nothing of a child that was killed, has exited or does not turn any more: a process's end is seen
here, and whether it turns is asked of it.
"""

from __future__ import annotations

import enum
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import trio

from p2pchat.node.errors import P2pchatError, UserError
from p2pchat.relay_mailbox.workers.restarting import Restarts

log = logging.getLogger(__name__)


OVERSLEPT = (
    1.0  # seconds: whoever wakes up so much too late was stopped, and knows nothing of others
)


class WorkersFailedError(P2pchatError):
    """A worker ends again and again; the message says which and why."""


class RefusedError(UserError):
    """A worker cannot run as things are, for a reason that the operator can mend; the message is his sentence."""


class State(enum.StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker is waited for; all in seconds."""

    ping_every: float = 1.0
    ping_starting: float = 0.05  # between two while it starts
    answer: float = 10.0  # without one, a worker hangs
    start: float = 60.0  # from the start of the process to its first answer


@dataclass(frozen=True, slots=True)
class End:
    """Of a worker's process, or of its work there."""

    why: str  # as a part of a sentence; where it was `refused`, a sentence
    refused: bool = False  # the operator has to mend something


class Child(Protocol):
    """One process of a worker, or one that has ended before it could be talked to."""

    async def run(self) -> End:
        """Let it be the worker; returns when that has ended, with the process or not."""
        ...

    async def ping(self) -> bool:
        """Whether it is up, as the process itself says. Does not return when there is no answer."""
        ...

    def kill(self) -> None: ...


class Spawner(Protocol):
    def spawn(self, number: int, born: Callable[[int], None]) -> AbstractAsyncContextManager[Child]:
        """A new process of worker `number`, whose id `born` is told.

        Where the context is left, however it is left, the process is told to end, and killed when it does not: none
        stays.
        """
        ...


class Worker:
    """What is known of one of them."""

    def __init__(self, number: int, restarts: Restarts) -> None:
        self.number = number
        self.state = State.STARTING
        self.pid = 0  # 0 while there is no process
        self.last_end = ""  # a sentence; empty: it never ended
        self.restarts = restarts
        self.ups = 0  # how often it has come up
        self._changed = trio.Event()

    def change(self, state: State) -> None:
        self.state = state
        self.ups += state is State.RUNNING
        self._changed.set()
        self._changed = trio.Event()

    async def until_up(self, times: int = 1) -> None:
        """Until it has come up so often."""
        while self.ups < times:
            await self._changed.wait()


class Tending:
    """All workers of a mailbox. `run` until cancelled; it raises when it cannot go on."""

    def __init__(
        self,
        spawner: Spawner,
        count: int,
        *,
        patience: Patience | None = None,
        restarts: Callable[[], Restarts] | None = None,
    ) -> None:
        self._spawner = spawner
        self._patience = patience or Patience()
        make = restarts or (lambda: Restarts(random.Random()))
        self.workers: Sequence[Worker] = [Worker(number, make()) for number in range(count)]

    async def run(self) -> None:
        """Raises `WorkersFailedError`; before a worker was up for the first time, `RefusedError` as well."""
        async with trio.open_nursery() as nursery:
            for worker in self.workers:
                nursery.start_soon(self._tend, worker, name=f"worker {worker.number}")

    async def _tend(self, worker: Worker) -> None:
        while True:
            born = trio.current_time()
            end = await self._live(worker)
            if end.refused and not worker.ups:
                raise RefusedError(end.why)
            worker.pid, worker.last_end = 0, end.why
            log.warning("worker %d: %s", worker.number, end.why)
            pause = worker.restarts.ended(born, trio.current_time())
            if pause is None:
                raise WorkersFailedError(
                    f"Worker {worker.number} has ended {worker.restarts.most + 1} times within "
                    f"{worker.restarts.window:g} s, the last time for this reason: {end.why.rstrip('.')}. The mailbox "
                    "stops."
                )
            worker.change(State.RESTARTING)
            await trio.sleep(pause)

    async def _live(self, worker: Worker) -> End:
        """One process, from its start to its end."""

        def born(pid: int) -> None:
            worker.pid = pid

        try:
            async with self._spawner.spawn(worker.number, born) as child:
                return await self._until_end(worker, child)
        except (
            Exception
        ) as error:  # no process to be had, or a fault in what starts them: as if it had crashed
            log.exception("worker %d could not be looked after", worker.number)
            return End(f"it could not be looked after: {type(error).__name__}")

    async def _until_end(self, worker: Worker, child: Child) -> End:
        ends: list[End] = []
        async with trio.open_nursery() as nursery:

            async def first(one: Callable[[], Awaitable[End]]) -> None:
                ends.append(await one())
                nursery.cancel_scope.cancel()

            nursery.start_soon(first, child.run)
            nursery.start_soon(first, partial(self._watch, worker, child))
        return ends[0]

    async def _watch(self, worker: Worker, child: Child) -> End:
        """Ask whether it lives, until it does not answer."""
        is_up = False
        while True:
            patience = self._patience.answer if is_up else self._patience.start
            asked = trio.current_time()
            with trio.move_on_after(patience) as scope:
                says_up = await child.ping()
            if scope.cancelled_caught:
                if trio.current_time() > asked + patience + OVERSLEPT:
                    continue  # it is this process that did not turn, and perhaps the worker's as well
                child.kill()
                return End(f"it did not answer for {patience:g} s")
            if says_up and not is_up:
                is_up = True
                worker.change(State.RUNNING)
            await trio.sleep(self._patience.ping_every if is_up else self._patience.ping_starting)
