"""The programs of the story as processes: typed to and read by pipes, and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import trio

from p2pchat.cli.this_program import P2PCHAT
from p2pchat.node.errors import P2pchatError

PATIENCE = 30.0  # seconds for a line to appear; on a busy machine a start takes 6
STOP_PATIENCE = 2.0  # seconds for a program to stop in order, before it is killed
LINES_KEPT = 10_000  # of one run's output; far more than the story makes
LINE_LIMIT = 65_536  # bytes; more without an end is taken for a line
ALONE = ("--bootstrap", "none", "--no-mdns")
LOOPBACK = "/ip4/127.0.0.1/tcp/0"  # to listen there and nowhere else, at any port


class Watcher(Protocol):
    """Hears what the story makes of a program."""

    def typed(self, name: str, text: str) -> None: ...

    def printed(self, name: str, text: str) -> None: ...

    def happened(self, name: str, text: str) -> None: ...


class StepFailedError(P2pchatError):
    """A program did not do what the story says; the message says what, in a sentence."""

    def __init__(self, program: Process, problem: str) -> None:
        super().__init__(f"{program.name} {problem}.")
        self.program = program


class Stage:
    """Where the programs run: `folder` gets their data, their logs and what they print. Made by `open_stage`."""

    def __init__(self, folder: Path, watcher: Watcher, nursery: trio.Nursery) -> None:
        self._folder = folder
        self._watcher = watcher
        self._nursery = nursery
        self.processes: list[Process] = []

    def p2pchat(self, name: str, command: str, *options: str, listen: str = LOOPBACK) -> Process:
        """A `p2pchat <command>` that talks to nobody outside, not yet started."""
        folder, log = self._folder / name.lower(), self._folder / f"{name.lower()}.log"
        where = ("--data-dir", str(folder), "--log-file", str(log))
        return self.program(name, [*P2PCHAT, command, *where, *ALONE, "--listen", listen, *options])

    def program(
        self, name: str, command: Sequence[str], extra: Mapping[str, str] | None = None
    ) -> Process:
        """`extra` is put into its environment."""
        process = Process(name, command, self._folder, self._watcher, self._nursery, extra)
        self.processes.append(process)
        return process


@contextlib.asynccontextmanager
async def open_stage(folder: Path, watcher: Watcher) -> AsyncIterator[Stage]:
    """At the end, or when something goes wrong, every program is stopped."""
    async with trio.open_nursery() as nursery:
        stage = Stage(folder, watcher, nursery)
        try:
            yield stage
        finally:
            with trio.CancelScope(shield=True):
                async with trio.open_nursery() as stopping:
                    for process in stage.processes:
                        stopping.start_soon(process.stop)


class Process:
    """One program, which can be started again after it has ended."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        watcher: Watcher,
        nursery: trio.Nursery,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.patience = PATIENCE  # seconds
        self.stop_patience = STOP_PATIENCE  # seconds
        self.log_path = folder / f"{name.lower()}.log"
        self.output_path = folder / f"{name.lower()}.txt"  # everything it has printed
        self._command = command
        self._watcher = watcher
        self._nursery = nursery
        self._extra = dict(extra or {})
        self._process: trio.Process | None = None
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)  # of this run, all
        self._untold: deque[str] = deque(maxlen=LINES_KEPT)  # of this run, those not waited for yet
        self._changed = trio.lowlevel.ParkingLot()
        self._read_to_end = True
        self._may_end = False

    # ---- what the story asks for ---------------------------------------------------------------------

    async def start(self) -> None:
        """Returns at once: what is typed meanwhile is read when the program is up."""
        self._lines.clear()
        self._untold.clear()
        # In a session of its own: Ctrl-C in our terminal is for us to handle, not for each program.
        self._process = await trio.lowlevel.open_process(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment(os.environ), **self._extra},
            start_new_session=True,
        )
        self._read_to_end = self._may_end = False
        self._nursery.start_soon(self._read, self._process)

    async def types(self, text: str) -> None:
        self._watcher.typed(self.name, text)
        stdin = self._running().stdin
        assert stdin is not None
        try:
            with trio.fail_after(self.patience):
                await stdin.send_all(f"{text}\n".encode())
        except (trio.BrokenResourceError, trio.TooSlowError) as error:
            raise StepFailedError(self, f"does not read what is typed: {text!r}") from error

    async def shows(self, *parts: str) -> str:
        """Wait for a line with all of `parts` in it. No line is found twice."""
        wanted = " … ".join(parts)
        with trio.move_on_after(self.patience):
            while True:
                line = next((each for each in self._untold if _has(each, parts)), None)
                if line is not None:
                    self._untold.remove(line)
                    self._watcher.printed(self.name, line)
                    return line
                if self._read_to_end:
                    break
                await self._changed.park()
        if not self._read_to_end:
            problem = f"has not shown {wanted!r} within {self.patience:g} s"
            raise StepFailedError(self, problem)
        code = await self._exit_code()
        raise StepFailedError(self, f"has ended with exit code {code} and not shown {wanted!r}")

    async def is_killed(self) -> None:
        process = self._running()
        self._may_end = True
        process.kill()
        await self._exit_code()
        signal_name = signal.Signals.SIGKILL.name
        self._watcher.happened(self.name, f"process {process.pid} is killed with {signal_name}")

    async def leaves(self) -> None:
        self._may_end = True
        await self.types("/quit")
        code = await self._exit_code()
        if code != 0:
            raise StepFailedError(self, f"has ended with exit code {code} after /quit")

    # ---- for the end, good or bad --------------------------------------------------------------------

    async def stop(self) -> None:
        """In order if it can, by force if it cannot. Shielded by the caller."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        self._may_end = True
        process.terminate()
        with trio.move_on_after(self.stop_patience):
            await process.wait()
            return
        process.kill()
        with trio.move_on_after(self.stop_patience):
            await process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """To it alone; nothing is done to one that has ended."""
        if self.pid:
            self._running().send_signal(number)

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else 0

    @property
    def exit_code(self) -> int | None:
        """Of the last run; None while it goes on, or there was none."""
        return self._process.poll() if self._process is not None else None

    @property
    def has_fallen(self) -> bool:
        """Whether it has ended though nobody wanted that."""
        ended = self._process is not None and self._process.poll() is not None
        return ended and not self._may_end

    def lines(self) -> list[str]:
        """What it has printed in this run."""
        return list(self._lines)

    # -------------------------------------------------------------------------------------------------

    def _running(self) -> trio.Process:
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    async def _exit_code(self) -> int:
        """Once everything it has printed is read."""
        with trio.move_on_after(self.patience):
            code = await self._running().wait()
            while not self._read_to_end:
                await self._changed.park()
            return code
        raise StepFailedError(self, f"has not ended within {self.patience:g} s")

    async def _read(self, process: trio.Process) -> None:
        """Ends with the process."""
        assert process.stdout is not None
        rest = b""
        with self.output_path.open("ab", buffering=0) as copy:
            async for chunk in process.stdout:
                copy.write(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                if len(rest) > LINE_LIMIT:
                    whole, rest = [*whole, rest], b""
                self._take(whole)
        self._take([rest] if rest else [])
        self._read_to_end = True
        self._changed.unpark_all()

    def _take(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            self._untold.append(text)
        self._changed.unpark_all()


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Ours without the user's own settings for p2pchat: the story has its own."""
    settings = ("P2PCHAT_", "DATA_DIR", "CHAT_TOPIC")
    kept = {name: value for name, value in ours.items() if not name.startswith(settings)}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _has(line: str, parts: Sequence[str]) -> bool:
    """Whether the parts are there, in their order."""
    at = 0
    for part in parts:
        found = line.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True
