"""asyncio in one thread, trio in another: results, errors and cancellations pass between them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
import trio

from p2pchat.node.adapters.grpc_bridge import Bridge, LoopThread
from p2pchat.node.errors import ActorStoppedError

T = TypeVar("T")


class Stage:
    def __init__(self, loop: LoopThread, bridge: Bridge) -> None:
        self.bridge = bridge
        self._loop = loop

    async def on_asyncio(self, work: Coroutine[Any, Any, T]) -> T:
        return await trio.to_thread.run_sync(self._loop.run, work)


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    loop = LoopThread("asyncio")
    bridge = Bridge(trio.lowlevel.current_trio_token())
    await trio.to_thread.run_sync(loop.__enter__)
    try:
        yield Stage(loop, bridge)
    finally:
        with trio.CancelScope(shield=True):
            await bridge.stop()
            await trio.to_thread.run_sync(loop.__exit__)


async def test_work_is_done_on_the_trio_loop() -> None:
    here = threading.get_ident()

    async def work() -> int:
        await trio.lowlevel.checkpoint()
        return threading.get_ident()

    async with stage() as there:
        assert await there.on_asyncio(there.bridge.run(work)) == here


async def test_what_work_raises_comes_back() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    async with stage() as there:
        with pytest.raises(ZeroDivisionError):
            await there.on_asyncio(there.bridge.run(work))


async def test_who_gives_up_on_the_asyncio_loop_cancels_the_work() -> None:
    begun, cancelled = trio.Event(), trio.Event()

    async def work() -> None:
        begun.set()
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async def give_up() -> None:
        task = asyncio.ensure_future(there.bridge.run(work))
        await there.bridge.run(begun.wait)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async with stage() as there:
        await there.on_asyncio(give_up())
        with trio.fail_after(30):
            await cancelled.wait()


async def test_a_stop_ends_work_and_takes_no_more() -> None:
    begun = trio.Event()
    outcomes: list[str] = []

    async def work() -> None:
        begun.set()
        await trio.sleep_forever()

    async def wait() -> None:
        with pytest.raises(ActorStoppedError):
            await there.on_asyncio(there.bridge.run(work))
        outcomes.append("ended")

    async with stage() as there:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await begun.wait()
            await there.bridge.stop()
        with pytest.raises(ActorStoppedError):
            await there.on_asyncio(there.bridge.run(work))
    assert outcomes == ["ended"]


def test_a_trio_loop_that_is_over_answers_nobody() -> None:
    async def token() -> trio.lowlevel.TrioToken:
        return trio.lowlevel.current_trio_token()

    bridge = Bridge(trio.run(token))
    with LoopThread("asyncio") as loop, pytest.raises(ActorStoppedError):
        loop.run(bridge.run(trio.sleep_forever))


async def test_a_generator_is_one_batch_ahead_at_most() -> None:
    made: list[int] = []

    async def batches() -> AsyncGenerator[Sequence[int], None]:
        for number in range(5):
            made.append(number)
            yield [number, number]

    async def read() -> list[tuple[int, int]]:
        heard = []
        async for number in there.bridge.stream(batches):
            await asyncio.sleep(0.01)
            heard.append((number, len(made)))
        return heard

    async with stage() as there:
        heard = await there.on_asyncio(read())
    assert [number for number, _ in heard] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert all(ahead <= number + 1 for number, ahead in heard)


async def test_the_thread_ends_with_its_context() -> None:
    before = set(threading.enumerate())

    async def nothing() -> None: ...

    async with stage() as there:
        await there.on_asyncio(there.bridge.run(nothing))
        names = {thread.name for thread in set(threading.enumerate()) - before}
    assert "asyncio" in names
    assert "asyncio" not in {thread.name for thread in threading.enumerate()}
