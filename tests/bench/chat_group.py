"""Several real nodes on loopback, each a process, all connected to the first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any


class Member:
    """One process of the group."""

    def __init__(self, folder: Path, others: int, bootstrap: Sequence[str]) -> None:
        command = [sys.executable, "-m", "tests.bench.chat_process", "--data-dir", str(folder)]
        command += ["--others", str(others), "--bootstrap", *bootstrap]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def hear(self, key: str) -> Any:
        """The value of `key` in the next answer that has it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if key in answer:
                return answer if key in ("latencies_ms", "began") else answer[key]
        raise RuntimeError(f"a node ended before it answered {key}")

    def end(self) -> None:
        try:
            self.say("quit")
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()


@contextmanager
def group(folder: Path, size: int) -> Iterator[list[Member]]:
    """`size` nodes that all know each other to be in the room; the first is everybody's bootstrap."""
    with ExitStack() as stack:
        members: list[Member] = []
        bootstrap: list[str] = []
        for number in range(size):
            member = Member(folder / str(number), size - 1, bootstrap)
            stack.callback(member.end)
            members.append(member)
            # A full mesh, as mDNS would make it: everybody dials everybody before.
            bootstrap = [*bootstrap, member.hear("addresses")[0]]
        for member in members:
            member.hear("ready")
        yield members
