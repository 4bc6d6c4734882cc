"""Processes under measurement, each obeying JSON lines on its standard input and answering JSON lines."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

P2PCHAT = Path(sys.executable).with_name("p2pchat")
BUILD = Path(__file__).parents[2] / "build"
LISTEN = ("/ip4/127.0.0.1/tcp/0",)
LINE = " an ordinary line of chat, not long and not short"  # what follows a number in a text
NO_LIMIT = 1_000_000  # envelopes: as many as a sender likes
QUIET = 0.05  # of a processor: what an idle mailbox takes, and no compaction
PATIENCE = 20.0  # seconds to wait for that

Row = dict[str, Any]


class Child:
    """One process of `python -m tests.bench.<module>`."""

    def __init__(self, module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, **command: object) -> None:
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)

    def hear(self, key: str) -> Any:
        """The value of `key` in the next answer that has it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if key in answer:
                return answer[key]
        raise RuntimeError(f"a process ended before it answered {key}")

    def ask(self, key: str, **command: object) -> Any:
        self.say(**(command or {key: True}))
        return self.hear(key)

    def cpu_seconds(self) -> float:
        return _cpu_seconds(self._process.pid)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.say(quit=True)
        _wait(self._process)


class Mailbox:
    """`p2pchat mailbox` for everybody, with limits that nobody reaches here."""

    def __init__(self, folder: Path, **more: object) -> None:
        """`more` are further options, by the names of their flags."""
        options: dict[str, object] = {
            "data-dir": folder,
            "listen": LISTEN[0],
            "bootstrap": "none",
            "registration": "open",
            "deposit-rate": NO_LIMIT,
            "deposit-burst": NO_LIMIT,
            "quota-count": NO_LIMIT,
            "quota-bytes": "8GiB",
            "log-level": "warning",
            **more,
        }
        command = [str(P2PCHAT), "mailbox", "--no-mdns"]
        command += [f"--{name}={value}" for name, value in options.items()]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.link = self._hear("Link: ")

    def _hear(self, beginning: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise RuntimeError("the mailbox ended before it was up")

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self) -> float:
        """Resident, in MB."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        return _cpu_seconds(self._process.pid)

    def calm_down(self) -> None:
        """Wait until it has nothing to do, not even tidying up its store."""
        end = time.monotonic() + PATIENCE
        before, at = self.cpu_seconds(), time.monotonic()
        while at < end:
            time.sleep(1.0)
            cpu, now = self.cpu_seconds(), time.monotonic()
            if cpu - before < QUIET * (now - at):
                return
            before, at = cpu, now

    def end(self) -> None:
        self._process.terminate()
        _wait(self._process)


def _wait(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder where a sync costs something: the system's temporary folder is memory on many systems."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        yield Path(folder)


def row(what: str, value: float, unit: str) -> Row:
    return {"what": what, "value": value, "unit": unit}
