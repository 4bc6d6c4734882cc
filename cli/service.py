"""Runs something on trio in the foreground, as a service: until a signal, and then in order."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import FrameType
from typing import NoReturn

from p2pchat.node.errors import one_error

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_STUCK = 1
LAST_RESORT = 5.0  # seconds after the stop begins in which everything must have ended

UntilStopped = Callable[[], Awaitable[None]]


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """While nothing runs yet: a signal ends the process, without a traceback."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(main: Callable[[UntilStopped], Awaitable[None]]) -> None:
    """Run `main` on trio. What it is given returns at the first signal; the process ends `LAST_RESORT` after that.

    Raises what `main` raises; an error for the user without the groups that nurseries put around it.
    """
    import trio

    async def run_main() -> None:
        # Open until the end: a second signal must not tear the stop to pieces.
        with trio.open_signal_receiver(*STOPPING) as signals:
            async with trio.open_nursery() as nursery:
                stopped = trio.Event()
                nursery.start_soon(watch, signals, stopped)
                await main(stopped.wait)
                nursery.cancel_scope.cancel()

    async def watch(signals: AsyncIterator[int], stopped: trio.Event) -> None:
        async for number in signals:
            log.info("stopping: %s", signal.Signals(number).name)
            if not stopped.is_set():
                stop_begins()
            stopped.set()

    with last_resort() as stop_begins, one_error():
        trio.run(run_main)


@contextlib.contextmanager
def last_resort() -> Iterator[Callable[[], None]]:
    """Gives what to call once, when the stop begins: a block that lasts `LAST_RESORT` longer ends the process."""
    timer = threading.Timer(LAST_RESORT, _end_at_last)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()


def _end_at_last() -> None:
    """py-libp2p shields some of its goodbyes from being cancelled, on a dead connection for ever.

    By now everything acknowledged is on the disk, so nothing is lost by ending the process without them.
    """
    log.error("the process did not end by itself")
    os._exit(EXIT_STUCK)
