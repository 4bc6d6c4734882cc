"""A supervisor of toys in a process of its own, which tests end in every way: `<order>`... are those of the workers.

Says `pid <number>` for every process that it starts, `up` once all are up, and what it ends with.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import sys
from collections.abc import AsyncIterator, Callable

import trio

from p2pchat.cli import service
from p2pchat.node.errors import P2pchatError
from p2pchat.relay_mailbox.workers import tractor_processes
from p2pchat.relay_mailbox.workers.restarting import Restarts
from p2pchat.relay_mailbox.workers.tending import Child, Patience, Tending

PATIENCE = 60.0  # seconds: none of its toys is to be found out, however slow the machine is
TOY = "tests.relay_mailbox.workers.toy"
MOST = 2  # ends of one toy that are borne


class Telling:
    def __init__(self, spawner: tractor_processes.TractorSpawner) -> None:
        self._spawner = spawner

    @contextlib.asynccontextmanager
    async def spawn(self, number: int, born: Callable[[int], None]) -> AsyncIterator[Child]:
        def told(pid: int) -> None:
            print(f"pid {pid}", flush=True)
            born(pid)

        async with self._spawner.spawn(number, told) as child:
            yield child


async def main(until_stopped: service.UntilStopped) -> None:
    async with tractor_processes.opened(TOY, sys.argv[1:], print_words) as spawner:
        tending = Tending(
            Telling(spawner),
            len(sys.argv) - 1,
            patience=Patience(answer=PATIENCE, start=PATIENCE),
            restarts=lambda: Restarts(random.Random(1), most=MOST),
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tending.run)
            nursery.start_soon(obey)
            nursery.start_soon(say_up, tending)
            await until_stopped()
            nursery.cancel_scope.cancel()


async def say_up(tending: Tending) -> None:
    for worker in tending.workers:
        await worker.until_up()
    print("up", flush=True)


async def obey() -> None:
    line = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    match line.strip():
        case "segv":
            ctypes.string_at(0)
        case "exit":
            os._exit(3)
        case "raise":
            raise ValueError("as ordered")


def print_words(number: int, line: str) -> None:
    print(f"words {number} {line}", flush=True)


if __name__ == "__main__":
    tractor_processes.STOP_PATIENCE = 0.5  # seconds; toys end at once, or never
    try:
        service.run(main)
    except P2pchatError as error:
        print(f"failed {error}", flush=True)
