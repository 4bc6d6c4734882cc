"""A process that outlives the driver, to end what the driver leaves: also what is stopped, or ignores its input.

It is told of each process when it starts, by its id and the time when it was created, lest it ends somebody else's
process that has got the same id since. When its input ends, it ends those that are still there, and itself.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

import psutil

COMMAND = (sys.executable, "-P", "-c", "from p2pchat.cli.testnet.guard import main; main()")
PATIENCE = 10.0  # seconds for it to end


class Guard:
    """The driver's side."""

    def __init__(self) -> None:
        # In a session of its own: Ctrl-C in our terminal is not meant for it.
        self._process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, start_new_session=True)

    def watch(self, pid: int) -> None:
        """End it when this process has gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(psutil.Error, OSError):
            created = psutil.Process(pid).create_time()
            self._process.stdin.write(f"{pid} {created!r}\n".encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Everything that it was told of is ended by force, if it is still there."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, float] = {}
    for line in sys.stdin.buffer:
        pid, created = line.split()
        watched[int(pid)] = float(created)
    for pid_left, born in watched.items():
        _end(pid_left, born)


def _end(pid: int, created: float) -> None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.create_time() == created:
            process.kill()
