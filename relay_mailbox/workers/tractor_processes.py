"""Workers as children of tractor: started by it, and asked over its connections."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import trio

from p2pchat.node.errors import ConfigError
from p2pchat.relay_mailbox.workers import boot
from p2pchat.relay_mailbox.workers.admission import SECRET_BYTES
from p2pchat.relay_mailbox.workers.processes import OwnProcess, how_it_ended
from p2pchat.relay_mailbox.workers.tending import Child, End

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
QUIET = "critical"  # what tractor may say for itself; what matters is said here
STOP_PATIENCE = 4.0  # seconds for a worker to end in order, before it is killed
BOOT_PATIENCE = 60.0  # seconds until a process can be talked to

Words = Callable[[int, str], None]

# What `run` of a worker's module answers: why it has ended, and under this key when the operator has to mend something.
REFUSED, ENDED = "refused", "ended"


class TractorSpawner:
    """`module` has two async functions that are run in the process: `run(order)`, which is the worker, and `ping()`,
    which says whether it is up. `orders` are the texts for `run`, one for each worker; `words` takes what the processes
    say on standard error, line by line."""

    def __init__(self, module: str, orders: Sequence[str], words: Words, secret: bytes) -> None:
        self._module = module
        self._orders = orders
        self._words = words
        self._secret = secret

    @contextlib.asynccontextmanager
    async def spawn(self, number: int, born: Callable[[int], None]) -> AsyncIterator[Child]:
        from p2pchat.relay_mailbox.workers.tractor_here import tractor

        birth = _Birth(self._secret, born)
        async with trio.open_nursery() as nursery, tractor.open_nursery() as children:
            try:
                nursery.start_soon(self._hand_on, number, birth)
                portal = await self._start(children, f"worker {number}", birth)
                yield self._child(portal, number, birth)
            finally:
                with trio.CancelScope(shield=True):
                    await _end(birth.process)

    def _child(self, portal: Any, number: int, birth: _Birth) -> Child:
        if portal is None or birth.process is None:
            return _StillbornChild(birth.why_not_there())
        return _TractorChild(portal, self._module, self._orders[number], birth.process)

    async def _start(self, children: Any, name: str, birth: _Birth) -> Any:
        """None when the process has ended, or cannot be talked to."""
        token = _births.set(birth)
        try:
            portals: list[Any] = []
            async with trio.open_nursery() as nursery:

                async def start() -> None:
                    portals.append(await children.start_actor(name, enable_modules=[self._module]))
                    nursery.cancel_scope.cancel()

                async def watch() -> None:
                    await birth.begun.wait()
                    assert birth.process is not None
                    with trio.move_on_after(BOOT_PATIENCE):
                        await birth.process.wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(start)
                nursery.start_soon(watch)
        finally:
            _births.reset(token)
        return portals[0] if portals else None

    async def _hand_on(self, number: int, birth: _Birth) -> None:
        """What the process says, until it has ended."""
        await birth.begun.wait()
        if birth.process is not None:
            await birth.process.read_words(lambda line: self._words(number, line))


@contextlib.asynccontextmanager
async def opened(module: str, orders: Sequence[str], words: Words) -> AsyncIterator[TractorSpawner]:
    """Ready to start processes while the context lasts. Raises `ConfigError` when tractor is not there."""
    try:
        from p2pchat.relay_mailbox.workers import tractor_here
    except ImportError as error:
        raise ConfigError(NOT_INSTALLED) from error
    secret = secrets.token_bytes(SECRET_BYTES)
    tractor_here.prepare(secret, _open_process)
    failure: Exception | None = None
    async with tractor_here.tractor.open_root_actor(
        arbiter_addr=(LOOPBACK, _free_port()), name="p2pchat mailbox", loglevel=QUIET
    ):
        try:
            yield TractorSpawner(module, orders, words, secret)
        except Exception as error:  # tractor would log it with a traceback, whatever it is
            failure = error
    if failure is not None:
        raise failure


NOT_INSTALLED = (
    "--workers needs tractor, which is not installed. In the folder of p2pchat's source, `make setup` installs it, and "
    "so does `uv pip install '.[workers]'`; pip alone cannot. Its licence is AGPL-3.0. Without --workers, the mailbox "
    "runs in one process and needs nothing of it."
)


OTHER_CODE = (
    "its process and the first one do not understand each other: if p2pchat was changed while it ran, stop the mailbox "
    "and start it anew"
)


class _Birth:
    """A process on its way to life."""

    def __init__(self, secret: bytes, born: Callable[[int], None]) -> None:
        self.process: OwnProcess | None = None
        self.begun = trio.Event()
        self._secret = secret
        self._born = born

    def begin(self, command: list[str]) -> OwnProcess:
        line = boot.first_line(os.getpid(), self._secret)
        self.process = OwnProcess(command, line)
        self._born(self.process.pid)
        self.begun.set()
        return self.process

    def why_not_there(self) -> str:
        code = self.process.poll() if self.process is not None else None
        if code is None:
            return f"it could not be talked to within {BOOT_PATIENCE:g} s"
        if code == boot.NOT_UNDERSTOOD:
            return OTHER_CODE
        return f"{how_it_ended(code)} before it could be talked to"


_births: contextvars.ContextVar[_Birth] = contextvars.ContextVar("births")


async def _open_process(command: list[str]) -> OwnProcess:
    """As tractor wants it: `command` is `python -m tractor._child <arguments>`."""
    arguments = command[command.index("tractor._child") + 1 :]
    # -P: nothing is imported from the folder that the mailbox happens to be started in.
    return _births.get().begin([sys.executable, "-P", "-m", boot.__name__, *arguments])


class _StillbornChild:
    def __init__(self, why: str) -> None:
        self._why = why

    async def run(self) -> End:
        return End(self._why)

    async def ping(self) -> bool:
        return await trio.sleep_forever()

    def kill(self) -> None: ...


class _TractorChild:
    def __init__(self, portal: Any, module: str, order: str, process: OwnProcess) -> None:
        self._portal = portal
        self._module = module
        self._order = order
        self._process = process

    async def run(self) -> End:
        """Ends with the process as well: tractor alone would wait for ever."""
        ends: list[End] = []
        async with trio.open_nursery() as nursery:

            async def first(one: Callable[[], Awaitable[End]]) -> None:
                ends.append(await one())
                nursery.cancel_scope.cancel()

            nursery.start_soon(first, self._work)
            nursery.start_soon(first, self._death)
        return ends[0]

    async def ping(self) -> bool:
        try:
            return bool(await self._portal.run_from_ns(self._module, "ping"))
        except Exception as error:  # a broken connection, or whatever the worker raised
            log.debug("no answer to a ping: %s", error)
            return await trio.sleep_forever()

    def kill(self) -> None:
        self._process.kill()

    async def _work(self) -> End:
        try:
            answer = await self._portal.run_from_ns(self._module, "run", order=self._order)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return await trio.sleep_forever()  # its process has ended as well
        except Exception as error:  # whatever the worker raised, as text
            return End(f"it has failed: {_last_line(error)}")
        is_refused = REFUSED in answer
        return End(str(answer[REFUSED if is_refused else ENDED]), is_refused)

    async def _death(self) -> End:
        return End(how_it_ended(await self._process.wait()))


def _last_line(error: Exception) -> str:
    """tractor's errors are tracebacks."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" |\t")]
    return lines[-1][:200] if lines else type(error).__name__


async def _end(process: OwnProcess | None) -> None:
    """In order if it can, and at all events."""
    if process is None:
        return
    if process.poll() is None:
        process.terminate()
        with trio.move_on_after(STOP_PATIENCE):
            await process.wait()
        process.kill()
    await process.wait()
    process.forget()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
