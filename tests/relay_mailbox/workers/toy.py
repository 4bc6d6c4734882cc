"""A worker for tests of its supervisor: does in its process what its order says."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import trio

_up = False


async def ping() -> bool:
    return _up


def _is_first(path: Path) -> bool:
    """Whether it is not there yet; then it is from now on."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _block() -> None:
    time.sleep(1000)


async def run(order: str) -> dict[str, str]:
    """`order`: what to do, and once only if it ends in "@<file>", which is made then."""
    global _up
    _up = True
    what, _, path = order.partition("@")
    print(f"toy {what}", file=sys.stderr, flush=True)
    if path and not _is_first(Path(path)):
        what = "live"
    match what:
        case "raise":
            raise ValueError("as ordered")
        case "exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segv":
            ctypes.string_at(0)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "block":
            _block()
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "refuse":
            return {"refused": "Nothing goes here."}
        case "return":
            return {"ended": "it has had enough"}
    await trio.sleep_forever()
    raise AssertionError
