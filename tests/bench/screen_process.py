"""`p2pchat node` on the screen of a pseudo terminal, read byte by byte with the times at which they come."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence

import psutil

ROWS, COLUMNS = 40, 120
PIECE = 65_536  # bytes read at a time
PATIENCE = 30.0  # seconds
STOP_PATIENCE = 15.0  # seconds for the UI and its node to end


class Screen:
    """To be closed in the end. Times are of `time.perf_counter`, in seconds."""

    def __init__(self, command: Sequence[str]) -> None:
        self.began = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(command[0], [*command])
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)
        self.shown = b""

    def wait_for(self, *parts: bytes, start: int = 0) -> float:
        """When all of `parts` had come in this order, behind the first `start` bytes. Raises `TimeoutError`."""
        deadline = time.monotonic() + PATIENCE
        while not _has(self.shown, parts, start):
            self._read(deadline - time.monotonic())
        return time.perf_counter()

    def read_for(self, seconds: float) -> None:
        """As a terminal does all the time: a program whose terminal is not read stands still."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                self._read(left)

    def press(self, text: str) -> float:
        now = time.perf_counter()
        os.write(self._terminal, text.encode())
        return now

    def memory(self) -> tuple[float, float]:
        """Resident MB of the UI, and of the node behind it."""
        ui = psutil.Process(self.pid)
        [node] = ui.children()
        return ui.memory_info().rss / 1e6, node.memory_info().rss / 1e6

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE
        with contextlib.suppress(OSError, TimeoutError):
            while True:
                self._read(deadline - time.monotonic())
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def _read(self, patience: float) -> None:
        """Raises `TimeoutError` when nothing comes, and `OSError` when the program has ended."""
        if not select.select([self._terminal], [], [], max(0.0, patience))[0]:
            raise TimeoutError(f"the screen shows {self.shown[-2000:]!r}")
        piece = os.read(self._terminal, PIECE)
        if not piece:
            raise OSError("the program has ended")
        self.shown += piece


def _has(shown: bytes, parts: Sequence[bytes], start: int) -> bool:
    at = start
    for part in parts:
        found = shown.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True
