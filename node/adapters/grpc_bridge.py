"""Where the asyncio loop that gRPC runs on meets the trio loop that answers.

asyncio runs in a thread of its own (`LoopThread`). A call begins there, its answer is worked out as a task of the trio
loop, and only futures, events and finished messages pass from one to the other. Whichever side gives up first, the
other one is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import trio

from p2pchat.node.errors import ActorStoppedError, P2pchatError

STOPPING = "The process is stopping."

T = TypeVar("T")


class LoopThread:
    """An asyncio loop in a thread of its own, for as long as the context lasts."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Blocks until it is done there. Raises what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_the_rest() -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class Bridge:
    """Runs work on the trio loop of that token for coroutines of asyncio."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._running: set[trio.CancelScope] = set()  # one for each work under way
        self._ended = trio.lowlevel.ParkingLot()
        self._is_stopped = False

    async def stop(self) -> None:
        """Work for nobody any more: what is under way is cancelled, and has ended. Called on the trio loop."""
        self._is_stopped = True
        for scope in self._running:
            scope.cancel()
        while self._running:
            await self._ended.park()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Called on the asyncio loop; when it is cancelled there, the work is, too.

        Raises what `work` raises, and `ActorStoppedError` when the trio loop goes on no longer.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        scope = trio.CancelScope()

        def settle(outcome: T | None, error: Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # that loop has been closed
                loop.call_soon_threadsafe(_settle, future, outcome, error)

        self._soon(self._begin, work, scope, settle)
        try:
            return await future
        except asyncio.CancelledError:
            with contextlib.suppress(P2pchatError):
                self._soon(scope.cancel)
            raise

    def stream(
        self, batches: Callable[[], AsyncGenerator[Sequence[T], None]]
    ) -> AsyncGenerator[T, None]:
        """What an asynchronous generator of the trio loop yields, for a reader on the asyncio loop.

        The generator goes on when the batch before has been read to its end: so it is never ahead of its reader by
        more than one. Raises what `run` raises.
        """
        return _read(self, batches)

    def _soon(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            self._token.run_sync_soon(function, *arguments)
        except trio.RunFinishedError:
            raise ActorStoppedError(STOPPING) from None

    def _begin(
        self,
        work: Callable[[], Awaitable[T]],
        scope: trio.CancelScope,
        settle: Callable[[T | None, Exception | None], None],
    ) -> None:
        if self._is_stopped:
            settle(None, ActorStoppedError(STOPPING))
        else:
            self._running.add(scope)
            trio.lowlevel.spawn_system_task(self._work, work, scope, settle, name="control call")

    async def _work(
        self,
        work: Callable[[], Awaitable[T]],
        scope: trio.CancelScope,
        settle: Callable[[T | None, Exception | None], None],
    ) -> None:
        outcome: T | None = None
        error: Exception | None = ActorStoppedError(STOPPING)
        try:
            with scope:
                outcome = await work()
                error = None
        except Exception as caught:  # it is raised where it is waited for
            error = caught
        finally:
            self._running.discard(scope)
            self._ended.unpark_all()
            settle(outcome, error)


def _settle(future: asyncio.Future[T], outcome: Any, error: Exception | None) -> None:
    if future.done():  # given up
        return
    if error is None:
        future.set_result(outcome)
    else:
        future.set_exception(error)


async def _read(
    bridge: Bridge, batches: Callable[[], AsyncGenerator[Sequence[T], None]]
) -> AsyncGenerator[T, None]:
    # One batch, because the next one waits until it is taken, and the end.
    handover: asyncio.Queue[tuple[Sequence[T], Callable[[], None]] | None] = asyncio.Queue(2)
    loop = asyncio.get_running_loop()
    pour = asyncio.ensure_future(bridge.run(partial(_pour, bridge, batches, loop, handover)))
    pour.add_done_callback(lambda _: handover.put_nowait(None))
    try:
        while (given := await handover.get()) is not None:
            batch, taken = given
            for each in batch:
                yield each
            taken()
        await pour
    finally:
        pour.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await pour


async def _pour(
    bridge: Bridge,
    batches: Callable[[], AsyncGenerator[Sequence[T], None]],
    loop: asyncio.AbstractEventLoop,
    handover: asyncio.Queue[tuple[Sequence[T], Callable[[], None]] | None],
) -> None:
    """As a task of the trio loop."""
    async with contextlib.aclosing(batches()) as pouring:
        async for batch in pouring:
            taken = trio.Event()
            give = (batch, partial(bridge._soon, taken.set))
            loop.call_soon_threadsafe(handover.put_nowait, give)
            await taken.wait()
