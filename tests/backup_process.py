"""Backs a folder up or restores one, and kills itself on the way: `python -m tests.backup_process <what> ...`."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from p2pchat.node.backup import making, restoring
from p2pchat.node.protocol import age
from tests.node.backup.folders import MADE_AT_MS, PASSPHRASE, stores

ROOT = Path(__file__).parent.parent

_LIGHT = """
import sys
from p2pchat.cli import main
from p2pchat.node.protocol import age
age.WORK_FACTOR = 4
sys.exit(main.run(sys.argv[1:]))
"""
# The command p2pchat, with a key that costs less to derive from the passphrase.
LIGHT = (sys.executable, "-c", _LIGHT)


def run(what: str, source: Path, target: Path, place: str, times: int) -> int:
    """The exit code of a process that dies at its call number `times` of `place`, e.g. "os:fsync"."""
    command = [sys.executable, "-m", "tests.backup_process", what, source, target, place, times]
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode


def backup(folder: Path, target: Path) -> None:
    making.make(folder, stores(folder), target, PASSPHRASE, made_at_ms=MADE_AT_MS, replace=True)


def restore(source: Path, folder: Path) -> None:
    restoring.restore(source, folder, PASSPHRASE)


def die_at(place: str, times: int) -> None:
    """Kill this process instead of calling the function at `place` for the last of so many times."""
    module_name, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module_name)
    for each in owners:
        owner = getattr(owner, each)
    original: Callable[..., Any] = getattr(owner, name)
    left = times

    def dying(*args: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **options)

    setattr(owner, name, dying)


if __name__ == "__main__":
    _, what, source, target, place, times = sys.argv
    age.WORK_FACTOR = 4
    die_at(place, int(times))
    {"backup": backup, "restore": restore}[what](Path(source), Path(target))
