"""Keeps children running: ordered start and stop, restarts with backoff, a limit, and escalation.

The model is Erlang/OTP's supervisor (strategies, restart intensity) on trio's nurseries.
"""

from __future__ import annotations

import enum
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import trio

from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import P2pchatError, UserError
from p2pchat.node.runtime.cell import ActorCell, root_cause

log = logging.getLogger(__name__)


RESTART_BACKOFF = Backoff(first=0.1, most=5.0)  # seconds


class RestartLimitReachedError(P2pchatError):
    """A supervisor gave up: its children crashed too often."""


class Strategy(enum.Enum):
    ONE_FOR_ONE = "one-for-one"  # only the crashed child is restarted
    ONE_FOR_ALL = "one-for-all"  # siblings share something with it: all are restarted


@dataclass(frozen=True, slots=True)
class RestartLimit:
    """More than `crashes` within `window` seconds: escalate."""

    crashes: int = 5
    window: float = 30.0


class Child(Protocol):
    """What a supervisor runs: an actor's cell, or another supervisor."""

    name: str

    def prepare(self) -> None: ...

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None: ...

    async def stop(self, finished: trio.Event, *, final: bool) -> None: ...

    def retire(self) -> None: ...

    def cells(self) -> Sequence[ActorCell]: ...


class Supervisor:
    """Starts its children left to right, stops them right to left, restarts what crashes.

    `run` returns after a stop and raises when it gives up: `RestartLimitReachedError`, or the `UserError` of
    a child that never ran (e.g. its port is in use: trying again would only hide the reason). After
    `prepare` it may be run again. A `root` handles the letters that wait even then, because nobody restarts it.
    """

    def __init__(
        self,
        name: str,
        children: Sequence[Child],
        *,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        limit: RestartLimit | None = None,
        backoff: Backoff | None = None,
        rng: random.Random | None = None,
        root: bool = False,
    ) -> None:
        self.name = name
        self.limit = limit or RestartLimit()
        self.backoff = backoff or RESTART_BACKOFF
        self.rng = rng or random.Random()
        self._children = children
        self._strategy = strategy
        self._root = root
        self._signal = Signal()
        self._crashes: deque[float] = deque()
        self._stop_asked = False
        self._final = root
        self._failure: Exception | None = None

    def cells(self) -> Sequence[ActorCell]:
        """Every actor below, in start order."""
        return [cell for child in self._children for cell in child.cells()]

    def request_stop(self, *, final: bool = True) -> None:
        """Begin an ordered stop; `run` returns when it is done."""
        self._final = final
        self._stop_asked = True
        self._signal.notify()

    async def stop(self, finished: trio.Event, *, final: bool) -> None:
        """Ordered stop, right to left; returns at its end."""
        self.request_stop(final=final)
        await finished.wait()

    def retire(self) -> None:
        for child in self._children:
            child.retire()

    def prepare(self) -> None:
        """Forget the last run: called before `run` is scheduled again, so that no later stop gets lost."""
        self._stop_asked, self._final, self._failure = False, self._root, None
        self._crashes.clear()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until stopped or until it gives up."""
        keepers: list[_Keeper] = []
        async with trio.open_nursery() as nursery:
            for group in self._groups():
                keeper = _Keeper(self, group, self._signal)
                keepers.append(keeper)
                nursery.start_soon(keeper.run)
                await self._signal.until(partial(self._settled, keeper))
                if self._ending():
                    break
            if self._failure is None:
                task_status.started()
            await self._signal.until(self._ending)
            for keeper in reversed(keepers):
                await keeper.stop(final=self._final)
        if self._final:
            self.retire()
        if self._failure is not None:
            raise self._failure

    def give_up(self, failure: Exception) -> None:
        """A keeper cannot go on: stop the others in order, then raise from `run`."""
        self._failure = self._failure or failure
        self._signal.notify()

    def count_crash(self, child: Child, cause: BaseException) -> float:
        """Seconds to wait before the restart. Raises `RestartLimitReachedError`."""
        now = trio.current_time()
        self._crashes.append(now)
        while now - self._crashes[0] > self.limit.window:
            self._crashes.popleft()
        if len(self._crashes) > self.limit.crashes:
            raise RestartLimitReachedError(
                f"{child.name} crashed; {len(self._crashes)} crashes in {self.limit.window:g} s are "
                f"too many. The last one: {type(cause).__name__}: {cause}"
            ) from cause
        return self.backoff.delay(len(self._crashes), self.rng)

    def _groups(self) -> list[Sequence[Child]]:
        if self._strategy is Strategy.ONE_FOR_ALL:
            return [self._children]
        return [[child] for child in self._children]

    def _settled(self, keeper: _Keeper) -> bool:
        return keeper.ready or self._ending()

    def _ending(self) -> bool:
        return self._stop_asked or self._failure is not None


class _Keeper:
    """Keeps one group of children running: all stop when one crashes, then all start again."""

    def __init__(self, owner: Supervisor, group: Sequence[Child], signal: Signal) -> None:
        self.ready = False  # every child has started at least once
        self._owner = owner
        self._group = group
        self._signal = signal
        self._finished = trio.Event()
        self._stopping = False
        self._final = False
        self._backoff = trio.CancelScope()
        self._crash: tuple[Child, Exception] | None = None

    async def run(self) -> None:
        """Generation after generation until stopped; a failure is handed to the owner."""
        try:
            while not self._stopping:
                crash = await self._generation()
                if crash is not None:
                    await self._wait_before_restart(*crash)
        except Exception as failure:
            self._owner.give_up(failure)
        finally:
            self._finished.set()
            self._signal.notify()

    async def stop(self, *, final: bool) -> None:
        self._stopping, self._final = True, final
        self._backoff.cancel()
        self._signal.notify()
        await self._finished.wait()

    async def _generation(self) -> tuple[Child, Exception] | None:
        """Start the children in order, wait for a crash or a stop, stop the rest in reverse order."""
        self._crash = None
        running: list[tuple[Child, trio.Event]] = []
        async with trio.open_nursery() as nursery:
            for child in self._group:
                up, finished = trio.Event(), trio.Event()
                running.append((child, finished))
                child.prepare()
                nursery.start_soon(self._run_child, child, up, finished)
                await self._signal.until(partial(self._settled, up))
                if self._ending():
                    break
            else:
                self.ready = True
                self._signal.notify()
            await self._signal.until(self._ending)
            for child, finished in reversed(running):
                if not finished.is_set():
                    await child.stop(finished, final=self._stopping and self._final)
        return self._crash

    async def _run_child(self, child: Child, up: trio.Event, finished: trio.Event) -> None:
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(_incarnation, child)
                up.set()
                self._signal.notify()
        except Exception as error:
            self._crash = self._crash or (child, error)
        finally:
            finished.set()
            self._signal.notify()

    async def _wait_before_restart(self, child: Child, error: Exception) -> None:
        cause = root_cause(error)
        if self._stopping:
            log.error("%s crashed while it stopped", child.name, exc_info=cause)
            return
        if isinstance(cause, UserError) and not self.ready:
            raise cause
        delay = self._owner.count_crash(child, cause)
        for cell in self._cells():
            cell.restarts += 1
        log.error("%s crashed, restart in %.2f s", child.name, delay, exc_info=cause)
        with trio.CancelScope() as self._backoff:
            await trio.sleep(delay)

    def _cells(self) -> list[ActorCell]:
        return [cell for child in self._group for cell in child.cells()]

    def _settled(self, up: trio.Event) -> bool:
        return up.is_set() or self._ending()

    def _ending(self) -> bool:
        return self._stopping or self._crash is not None


async def _incarnation(child: Child, *, task_status: trio.TaskStatus[None]) -> None:
    await child.run(task_status=task_status)


class Signal:
    """Wakes whoever waits for a condition on shared state."""

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()

    def notify(self) -> None:
        self._lot.unpark_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once `condition()` holds; it is looked at again after each `notify`."""
        while not condition():
            await self._lot.park()
