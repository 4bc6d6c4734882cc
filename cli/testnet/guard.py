"""A process that outlives the driver, to end what the driver leaves: also what is stopped, or ignores its input.

It is told of each process when it starts, by its id and the time when it was created, lest it ends somebody else's
process that has got the same id since. When its input ends, it ends those that are still there, deletes the folder of
the run, if that is still the one that the driver had made, and ends itself.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

COMMAND = (sys.executable, "-P", "-c", "from p2pchat.cli.testnet.guard import main; main()")
PATIENCE = 10.0  # seconds for it to end
LAST = 5.0  # seconds for those that it ends to be gone: they write no more then


class Guard:
    """The driver's side."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: what to delete at the end."""
        extra = (str(folder.absolute()), _identity(folder)) if folder is not None else ()
        # In a session of its own: Ctrl-C in our terminal is not meant for it.
        self._process = subprocess.Popen(
            (*COMMAND, *extra), stdin=subprocess.PIPE, start_new_session=True
        )

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
    ended = [process for pid, born in watched.items() if (process := _end(pid, born))]
    psutil.wait_procs(ended, LAST)
    if len(sys.argv) > 1:
        _delete(Path(sys.argv[1]), sys.argv[2])


def _end(pid: int, created: float) -> psutil.Process | None:
    """What it has ended."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.create_time() == created:
            process.kill()
            return process
    return None


def _delete(folder: Path, identity: str) -> None:
    """Only the folder that the driver has made: nothing else that is called so by now."""
    with contextlib.suppress(OSError):
        if _identity(folder) == identity:
            shutil.rmtree(folder, ignore_errors=True)


def _identity(folder: Path) -> str:
    """Raises `OSError`. A link is itself, not what it leads to."""
    found = folder.lstat()
    return f"{found.st_dev}:{found.st_ino}"
