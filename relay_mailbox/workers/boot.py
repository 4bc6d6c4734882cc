"""The first thing that a worker's process runs: `python -P -m p2pchat.relay_mailbox.workers.boot`.

It sees to it that the process ends with its parent, however that ends. On Linux the kernel does so, also to a process
that hangs or is stopped (`PR_SET_PDEATHSIG`, prctl(2)): the signal comes when the *thread* ends that started the
process, which is why `processes` starts them in the main thread. Elsewhere, and as long as that is not set yet, a
thread waits for the end of standard input, whose other end only the parent holds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PARENT_GONE = 113  # exit code
NOT_UNDERSTOOD = 114  # exit code: the parent speaks otherwise, as one of another version does
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_LINE_BYTES = 4096  # at most, of what the parent says first


def first_line(parent: int, secret: bytes) -> bytes:
    """What the parent writes to standard input: not on the command line, which every user can see."""
    return f"{parent} {secret.hex()}\n".encode()


def main() -> None:
    parent, secret = _hear()
    _die_with(parent)
    from p2pchat.relay_mailbox.workers import admission, tractor_here

    tractor_here.prepare(secret)
    try:
        tractor_here.run_child()
    except admission.NotAdmittedError:
        os._exit(NOT_UNDERSTOOD)  # the parent says in a line what that means


def _hear() -> tuple[int, bytes]:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1) if len(line) < _LINE_BYTES else b""
        if not piece:
            os._exit(PARENT_GONE)
        line += piece
    try:
        parent, secret = line.decode().split()
        return int(parent), bytes.fromhex(secret)
    except ValueError:
        os._exit(NOT_UNDERSTOOD)


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended before that
        os._exit(PARENT_GONE)
    threading.Thread(target=_watch_input, name="parent watch", daemon=True).start()


def _watch_input() -> None:
    while os.read(0, 64):
        pass
    os._exit(PARENT_GONE)


if __name__ == "__main__":
    main()
