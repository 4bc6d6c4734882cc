from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from p2pchat.node.adapters.process_use import process_use


def test_this_process() -> None:
    use = process_use()
    assert use is not None
    assert use.resident_bytes > 1 << 20
    assert use.cpu_seconds > 0
    assert use.threads >= 1
    assert use.started_at <= time.time()
    if sys.platform == "linux":
        assert use.open_fds is not None
        assert use.max_fds is not None
        assert 0 < use.open_fds <= use.max_fds
    assert process_use(os.getpid()) is not None


def test_a_system_that_does_not_say_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(_: psutil.Process) -> float:
        raise FileNotFoundError("/proc/stat")

    monkeypatch.setattr(psutil.Process, "create_time", hidden)
    assert process_use() is None


def test_one_that_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert process_use(process.pid) is None
