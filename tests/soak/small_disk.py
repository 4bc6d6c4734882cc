"""A file system of a few megabytes that can be filled and emptied again, in a mount namespace of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

CHUNK = b"x" * 4096


class SmallDisk:
    """Commands run `before` them see the disk at `path`; nobody else does, and it is gone with its holder."""

    def __init__(self, path: Path, holder: subprocess.Popen[bytes]) -> None:
        self.path = path
        self.before: Sequence[object] = (
            *("nsenter", "--target", holder.pid, "--user", "--mount", "--preserve-credentials"),
            *("sh", "-c", 'cd "$0" && exec "$@"', os.getcwd()),
        )
        self._inside = Path(f"/proc/{holder.pid}/root") / path.relative_to("/")
        self._ballast = self._inside / "ballast"

    def fill(self) -> None:
        """To the last byte."""
        with self._ballast.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(CHUNK)

    def empty(self) -> None:
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """At `path`, which is made."""
    path.mkdir()
    script = f'mount -t tmpfs -o size={megabytes}m none "$0" && echo mounted && exec cat'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip("needs a mount namespace, for a small file system")
        try:
            yield SmallDisk(path, holder)
        finally:
            holder.kill()
