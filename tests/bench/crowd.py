"""Many real nodes on loopback that know one address, and nobody of each other."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

P2PCHAT = Path(sys.executable).with_name("p2pchat")
GOODBYE = 15.0  # seconds for a process to end by itself


class Stranger:
    """One process of the crowd."""

    def __init__(self, folder: Path, others: int, bootstrap: Sequence[str]) -> None:
        command = [sys.executable, "-m", "tests.bench.crowd_process", "--data-dir", str(folder)]
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
                return answer[key]
        raise RuntimeError(f"a node ended before it answered {key}")

    def end(self) -> None:
        try:
            self.say("quit")
            self._process.wait(GOODBYE)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def mailbox(folder: Path) -> Iterator[str]:
    """A mailbox on loopback; its address."""
    command = [P2PCHAT, "mailbox", "--data-dir", folder, "--listen", "/ip4/127.0.0.1/tcp/0"]
    command += ["--bootstrap", "none", "--no-mdns", "--registration", "open"]
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Listening: "):
                yield line.removeprefix("Listening: ").strip()
                return
        raise RuntimeError("the mailbox ended before it listened")
    finally:
        process.terminate()
        process.wait(GOODBYE)


@contextmanager
def crowd(folder: Path, size: int, *, by_mailbox: bool) -> Iterator[tuple[list[Stranger], float]]:
    """`size` nodes that know the same address: a mailbox's, or that of the first of them. Also yields when the last
    one began to listen (Unix time)."""
    with ExitStack() as stack:
        people: list[Stranger] = []

        def add(bootstrap: Sequence[str]) -> Stranger:
            stranger = Stranger(folder / str(len(people)), size - 1, bootstrap)
            stack.callback(stranger.end)
            people.append(stranger)
            return stranger

        if by_mailbox:
            address = stack.enter_context(mailbox(folder / "mailbox"))
            waiting = []
        else:
            address = add([]).hear("addresses")[0]
            waiting = [people[0]]
        while len(people) < size:
            add([address])
        for stranger in people:
            if stranger not in waiting:
                stranger.hear("addresses")
        yield people, time.time()
