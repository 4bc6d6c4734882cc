"""Making a room complete, between two real nodes on loopback: a few missing among many, and joining late."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from p2pchat.proto import records_pb2 as records
from tests.bench.children import Child, Row, row, scratch
from tests.bench.room_history import said, write

MISSING = 100  # messages
TRIALS = 3
LOOK = 0.1  # seconds between two looks whether it is over
AFTERWARDS = 1.0  # seconds in which nothing more should be compared
PATIENCE = 300.0  # seconds

Records = Sequence[records.RoomRecord]


class Traffic(NamedTuple):
    received: int  # bytes that came to the one that lacks something
    sent: int  # bytes from it
    comparing: int  # requests that compare, of both

    @property
    def bytes(self) -> int:
        return self.received + self.sent


class Pair:
    """A node that lacks something, and one that has everything; told what they have seen."""

    def __init__(self, lacking: Child, full: Child) -> None:
        self.lacking, self.full = lacking, full

    def wait(self, missing: int) -> None:
        """Until the one has everything, or they know that nothing is missing; and a moment longer."""
        deadline = time.monotonic() + PATIENCE
        while not self._is_over(missing):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.seen['arrived']} of {missing} messages came")
            time.sleep(LOOK)
        time.sleep(AFTERWARDS)
        self._is_over(missing)

    def _is_over(self, missing: int) -> bool:
        self.seen: dict[str, Any] = self.lacking.ask("report")
        self.sessions = self.seen["sessions"] + self.full.ask("report")["sessions"]
        ended = self.sessions and all(each["ended"] for each in self.sessions)
        return bool(ended and self.seen["arrived"] >= missing)

    def traffic(self) -> Traffic:
        ours, theirs = self.lacking.ask("counters"), self.full.ask("counters")
        rounds = ours.get("sync_rounds", 0) + theirs.get("sync_rounds", 0)
        return Traffic(ours["sync_bytes_in"], ours["sync_bytes_out"], rounds)

    @property
    def began(self) -> float:
        """When the first stream was opened."""
        return float(min(each["began"] for each in self.sessions))


@contextmanager
def connected(
    folder: Path, *options: str, before: Callable[[Child], object] = lambda _: None
) -> Iterator[Pair]:
    """The nodes in `full` and `lacking`, each of them in its own process; `before` may prepare the first one."""
    full = Child("sync_process", "--data-dir", folder / "full")
    try:
        address = full.hear("addresses")[0]
        before(full)
        arguments = ("--data-dir", folder / "lacking", "--bootstrap", address, *options)
        lacking = Child("sync_process", *arguments)
        try:
            yield Pair(lacking, full)
        finally:
            lacking.end()
    finally:
        full.end()


# ---- a few missing --------------------------------------------------------------------------------


def catching_up(what: str, folder: Path, have: Records, lack: Records) -> list[Row]:
    write(folder / "of lacking", have)
    trials = [_catch_up(folder, len(lack), len(have)) for _ in range(TRIALS)]
    shutil.rmtree(folder / "of lacking")
    seconds, since_connected, total, received, comparing, comparisons = (
        median(values) for values in zip(*trials, strict=True)
    )
    return [
        row(f"{what}: from the stream's opening", seconds, "s"),
        row(f"{what}: from being connected", since_connected, "s"),
        row(f"{what}: traffic", total / 1e3, "kB"),
        row(f"{what}: of that received", received / 1e3, "kB"),
        row(f"{what}: requests that compare", comparing, ""),
        row(f"{what}: comparisons begun, by both nodes", comparisons, ""),
    ]


def _catch_up(folder: Path, missing: int, stored: int) -> tuple[float, ...]:
    for name in ("lacking", "full"):
        shutil.copytree(folder / f"of {name}", folder / name)
    with connected(folder) as pair:
        pair.wait(missing)
        traffic = pair.traffic()
        _check(pair, missing + stored)
    for name in ("lacking", "full"):
        shutil.rmtree(folder / name)
    ended = [each["ended"] for each in pair.sessions if each["ended"]]
    end = pair.seen["last_arrived"] or min(ended)
    times = end - pair.began, end - pair.seen["connected"]
    return *times, traffic.bytes, traffic.received, traffic.comparing, len(pair.sessions)


def _check(pair: Pair, messages: int) -> None:
    stored = pair.lacking.ask("stored")
    if stored != messages or pair.seen["missed"]:
        raise RuntimeError(f"{stored} of {messages} messages are stored")


# ---- joining late ---------------------------------------------------------------------------------


def late_join(folder: Path, messages: int) -> list[Row]:
    shutil.copytree(folder / "of full", folder / "full")
    with connected(folder, "--probe", before=lambda full: full.ask("indexed")) as pair:
        pair.wait(messages)
        traffic = pair.traffic()
        _check(pair, messages)
        memory = [child.ask("memory") for child in (pair.lacking, pair.full)]
    seen = pair.seen
    seconds = seen["last_arrived"] - seen["connected"]
    transfer = seen["last_arrived"] - pair.began
    what = f"late join into a room of {messages:,}"
    return [
        row(f"{what}: everything stored, from being connected", seconds, "s"),
        row(f"{what}: rate, from the stream's opening", messages / transfer, "messages/s"),
        row(f"{what}: first page shown, from being connected", _until(seen, "first_arrived"), "s"),
        row(f"{what}: first word on how it goes", _until(seen, "first_progress"), "s"),
        row(f"{what}: words on how it goes", seen["progress"], ""),
        row(f"{what}: traffic", traffic.bytes / 1e6, "MB"),
        row(f"{what}: slowest answer of the newcomer's ui", seen["slowest_ask"] * 1e3, "ms"),
        row(f"{what}: peak memory (RSS) of the newcomer", memory[0], "MB"),
        row(f"{what}: peak memory (RSS) of the other one", memory[1], "MB"),
    ]


def _until(seen: dict[str, Any], what: str) -> float:
    return float(seen[what] - seen["connected"])


def main(quick: bool) -> dict[str, Any]:
    many = 10_000 if quick else 100_000
    messages = list(said(many, seed=1))
    lost = set(random.Random(2).sample(range(many), MISSING))
    scattered = [messages[index] for index in sorted(lost)]
    others = [each for index, each in enumerate(messages) if index not in lost]
    with scratch() as folder:
        write(folder / "of full", messages)
        rows = [
            *catching_up(f"{MISSING} scattered of {many:,}", folder, others, scattered),
            *catching_up(
                f"{MISSING} newest of {many:,}", folder, messages[:-MISSING], messages[-MISSING:]
            ),
            *catching_up(f"none of {many:,}", folder, messages, ()),
            *late_join(folder, many),
        ]
    return {"name": "sync", "rows": rows}


if __name__ == "__main__":
    for each in main(quick=True)["rows"]:
        print(each)
