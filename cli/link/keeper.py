"""A node as a child process: started, watched, started again when it dies, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.cli.tui.link import NodeState
from p2pchat.node.backoff import Backoff

LAST_WORDS = 16_384  # bytes of what it says on standard error that are kept
PIECE = 4096  # bytes read at a time
AGAIN = Backoff(first=0.5, most=10.0)  # seconds before it is started again
DEATHS = 5  # within `WINDOW` seconds: then it is not started any more
WINDOW = 60.0

# Together they are longer than a node that hangs gives itself (`service.LAST_RESORT`).
STOP_PATIENCE = 6.0  # seconds for it to end after its input has
TERM_PATIENCE = 1.0  # seconds after SIGTERM

SAYS = "p2pchat: "  # how a sentence for people begins on its standard error
STOPPED = "not by this screen; leave, and start p2pchat again to go on"

Tell = Callable[[NodeState], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a node's process ended."""

    code: int  # negative: the signal that killed it
    reason: str = ""  # a sentence or an error of its own; empty: it has said nothing

    def __str__(self) -> str:
        how = f"killed by {_signal_name(-self.code)}" if self.code < 0 else f"exit {self.code}"
        return f"{how}: {self.reason}" if self.reason else how


class Deaths:
    """How often a node has died lately, and when to start it again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._times: deque[float] = deque(maxlen=DEATHS)

    def delay_after(self, now: float) -> float | None:
        """Seconds to wait after a death at `now`; None: it has died too often."""
        while self._times and self._times[0] <= now - WINDOW:
            self._times.popleft()
        self._times.append(now)
        count = len(self._times)
        return None if count >= DEATHS else AGAIN.delay(count, self._rng)


class Keeper:
    """Runs `command`, which reads its standard input to the end and then stops.

    Its first line on standard output says that it is ready. What it says on standard error when it dies goes to
    `log_path`, and the reason in it to people. `tell` hears how it stands, `ready` that its socket is there.
    """

    def __init__(
        self,
        command: Sequence[str],
        log_path: Path,
        *,
        tell: Tell,
        ready: Callable[[], None],
        rng: random.Random | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = tuple(command)
        self._log_path = log_path
        self._tell = tell
        self._ready = ready
        self._deaths = Deaths(rng or random.Random())
        self._now = now
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._was_ready = False
        self.spawned = asyncio.Event()  # set once the first process is there, or cannot be

    @property
    def pid(self) -> int | None:
        """Of the node that runs now."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def run(self) -> Ended:
        """Until it has ended for good. `was_ready` tells whether anybody could ever use it."""
        await self._tell(NodeState("starting"))
        while True:
            ended = await self._run_once()
            if ended.code == 0:
                await self._tell(NodeState("stopped", STOPPED))
                return ended
            delay = self._deaths.delay_after(self._now()) if self._was_ready else None
            if delay is None:
                if (
                    self._was_ready
                ):  # otherwise it is not said yet: another node may run in its stead
                    await self._tell(
                        NodeState("failed", f"{ended}; it has died {DEATHS} times within a minute")
                    )
                return ended
            await self._tell(NodeState("restarting", f"{ended}; in {delay:.1f} s"))
            await asyncio.sleep(delay)

    @property
    def was_ready(self) -> bool:
        return self._was_ready

    async def stop(self) -> None:
        """End it in order, by force if it cannot. `run` must have been cancelled."""
        if self._starting is not None:
            with contextlib.suppress(OSError):
                self._process = await self._starting
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()  # the same as the control API's Shutdown, and heard before there is a socket
        for patience, more in ((STOP_PATIENCE, process.terminate), (TERM_PATIENCE, process.kill)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience)
                return
            with contextlib.suppress(ProcessLookupError):
                more()
        await process.wait()

    # -------------------------------------------------------------------------------------------------

    async def _run_once(self) -> Ended:
        # Not in the terminal's session: Ctrl-C and a closed window are for the UI to handle.
        self._starting = asyncio.create_task(
            asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        )
        try:
            process = self._process = await asyncio.shield(self._starting)
            self._starting = None
        finally:
            self.spawned.set()
        assert process.stdout is not None
        assert process.stderr is not None
        last_words, _, code = await asyncio.gather(
            _tail(process.stderr), self._listen(process.stdout), process.wait()
        )
        ended = Ended(code, _reason(last_words))
        if code:
            await asyncio.to_thread(_append, self._log_path, last_words)
        return ended

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        is_ready = False
        while piece := await stdout.read(PIECE):
            if not is_ready and b"\n" in piece:
                is_ready = self._was_ready = True
                self._ready()


async def _tail(stream: asyncio.StreamReader) -> bytes:
    """The last of what comes, once everything has come."""
    kept = b""
    while piece := await stream.read(PIECE):
        kept = (kept + piece)[-LAST_WORDS:]
    return kept


def _reason(last_words: bytes) -> str:
    """Its sentence for people, or the last line, which in a traceback names the error."""
    lines = [line for line in last_words.decode(errors="replace").splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(SAYS)]
    return safe_line((said or lines or [""])[-1].removeprefix(SAYS).strip())


def _append(path: Path, last_words: bytes) -> None:
    """A log that cannot be written is no trouble."""
    with contextlib.suppress(OSError), path.open("ab") as log:
        log.write(last_words)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
