"""mDNS with real sockets, each scene in a network namespace of its own: no multicast leaves this machine."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys

import pytest

from tests.integration import mdns_scenes

TIMEOUT = 60.0  # seconds; a scene gives up by itself long before

pytestmark = pytest.mark.bed


@functools.cache
def namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


@pytest.mark.parametrize("scene", mdns_scenes.SCENES)
def test_scene(scene: str) -> None:
    if not namespaces_work():
        pytest.skip("network namespaces need Linux, root and unshare(1)")
    program = [sys.executable, "-W", "error", mdns_scenes.__file__, scene]
    done = subprocess.run(
        ["unshare", "-n", *program], capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
