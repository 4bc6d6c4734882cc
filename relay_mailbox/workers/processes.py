"""A process of ours that ends with this one, and whose words on standard error are handed on.

Not `trio.lowlevel.open_process`: that starts processes in a thread which ends when nobody needs it, and with it, by the
rules of `boot`, the process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable

import trio

LINE_LIMIT = 64 << 10  # bytes; a longer line is handed on in pieces
LOOK_EVERY = 0.05  # seconds between looks for the end where the kernel does not tell
PIECE = 16 << 10  # bytes


class OwnProcess:
    """Runs from the start on. Whoever makes one awaits `wait` until it returns, after `kill` if need be."""

    def __init__(self, command: list[str], first_line: bytes) -> None:
        """`first_line` (at most 4 KiB, which a pipe takes at once) is what it reads first. Raises `OSError`."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a process would end with this thread")
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is for the parent, which ends everything in order
        )
        assert self._popen.stdin is not None
        assert self._popen.stderr is not None
        self._stderr = os.dup(self._popen.stderr.fileno())
        self._popen.stderr.close()
        with contextlib.suppress(OSError):  # it has ended already, as `wait` will say
            os.write(self._popen.stdin.fileno(), first_line)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        return self._popen.returncode

    def poll(self) -> int | None:
        return self._popen.poll()

    def terminate(self) -> None:
        self._popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Also a process that is stopped."""
        self._popen.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Until it has ended; its exit code, or the negative number of the signal that ended it."""
        while self._popen.poll() is None:
            await _until_ended(self._popen.pid)
        assert self._popen.returncode is not None
        return self._popen.returncode

    async def read_words(self, take: Callable[[str], None]) -> None:
        """Give `take` each line of its standard error, until that ends. Called once."""
        rest = b""
        async with trio.lowlevel.FdStream(self._stderr) as stream:
            while piece := bytes(await stream.receive_some(PIECE)):
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > LINE_LIMIT:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    take(line.decode(errors="replace"))
        if rest:
            take(rest.decode(errors="replace"))

    def forget(self) -> None:
        """Once it has ended: the pipe to it."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()


async def _until_ended(pid: int) -> None:
    try:
        watched = os.pidfd_open(pid)
    except (AttributeError, OSError):  # macOS; an old kernel
        await trio.sleep(LOOK_EVERY)
        return
    try:
        await trio.lowlevel.wait_readable(watched)
    finally:
        os.close(watched)


def how_it_ended(code: int) -> str:
    """As a part of a sentence."""
    if code >= 0:
        return f"it has ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}"
