"""Runs something on trio in the foreground, as a service: until a signal, and then in order."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from p2pchat.cli import systemd
from p2pchat.node.errors import one_error

if TYPE_CHECKING:
    import trio

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_STUCK = 1
LAST_RESORT = 5.0  # seconds after the stop begins in which everything must have ended


class UntilStopped:
    """Called, it returns once the process is to stop: at the first signal, or when somebody says `begin`."""

    def __init__(self, event: trio.Event, begins: Callable[[], None]) -> None:
        """`begins` is called once, when the stop begins."""
        self._event = event
        self._begins = begins

    async def __call__(self) -> None:
        await self._event.wait()

    def begin(self, why: str) -> None:
        log.info("stopping: %s", why)
        if not self._event.is_set():
            self._begins()
            self._event.set()


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


def run(
    main: Callable[[UntilStopped], Awaitable[None]], told: systemd.Systemd | None = None
) -> None:
    """Run `main` on trio. What it is given returns when the stop begins; the process ends `LAST_RESORT` after that.

    `told`: who is told of the stop, and that the process lives. Raises what `main` raises; an error for the user
    without the groups that nurseries put around it.
    """
    import trio

    told = told or systemd.Systemd()

    async def run_main() -> None:
        # Open until the end: a second signal must not tear the stop to pieces.
        with trio.open_signal_receiver(*STOPPING) as signals:
            async with trio.open_nursery() as nursery:
                until_stopped = UntilStopped(trio.Event(), stop_begins)
                nursery.start_soon(watch, signals, until_stopped)
                nursery.start_soon(_live, told)
                await main(until_stopped)
                nursery.cancel_scope.cancel()

    async def watch(signals: AsyncIterator[int], until_stopped: UntilStopped) -> None:
        async for number in signals:
            until_stopped.begin(signal.Signals(number).name)

    with _last_resort_after(told) as stop_begins, one_error():
        trio.run(run_main)


async def _live(told: systemd.Systemd) -> None:
    """Signs of life, as long as the event loop turns."""
    import trio

    while told.interval:
        told.tell(systemd.ALIVE)
        await trio.sleep(told.interval)


@contextlib.contextmanager
def _last_resort_after(told: systemd.Systemd) -> Iterator[Callable[[], None]]:
    with last_resort() as start_timer:

        def stop_begins() -> None:
            told.tell(systemd.STOPPING)
            start_timer()

        yield stop_begins


def say(lines: Iterable[str]) -> None:
    """On standard output, at one stroke: a reader who has seen enough and leaves is no trouble."""
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
