"""A mailbox: durable deposits, handing over to a node that returns, and what 100,000 stored envelopes cost.

Compare: magic-wormhole's server, synced, takes 489 messages a second one by one and 876 pipelined; LXMF hands over
4,700 without a sync.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from p2pchat.node import identity
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.limits import MAX_BATCH, WINDOW
from tests.bench.children import Child, Mailbox, Row, row, scratch

PIPELINED = WINDOW // MAX_BATCH  # frames under way, as a node has them
SENDERS_TOGETHER = 4  # in one process: each has a connection of its own
SLICE = 20_000  # envelopes that a process of senders has in memory
LEVELS = (0, 10_000, 100_000)  # envelopes stored
ROUNDS = 12  # of measuring at each level
SINGLE = 20  # envelopes in one round, one by one ...
FRAMES = 4  # ... and frames of 128, one by one


def main(quick: bool) -> dict[str, Any]:
    with scratch() as folder:
        rows = [
            *deposits(folder / "deposits", quick),
            *returning(folder / "returning", quick),
            *stored(folder / "stored", quick),
        ]
    return {"name": "mailbox", "rows": rows}


@contextmanager
def senders(
    mailbox: Mailbox, recipient: Identity, count: int = 1, *more: str, known: bool = False
) -> Iterator[Child]:
    """A process of them; the recipient is registered unless it is `known` already."""
    options = ("--mailbox", mailbox.link, "--recipient", recipient.seed.hex(), "--senders", count)
    child = Child("mail_process", *options, *more)
    try:
        child.hear("ready")
        if not known:
            child.ask("register")
        yield child
    finally:
        child.end()


@contextmanager
def running(folder: Path) -> Iterator[Mailbox]:
    mailbox = Mailbox(folder)
    try:
        yield mailbox
    finally:
        mailbox.end()


# ---- deposits -------------------------------------------------------------------------------------------


@dataclass
class Deposits:
    """What several processes of senders have deposited at a time."""

    answers: list[dict[str, Any]]
    cpu_s: float

    @property
    def count(self) -> int:
        return sum(answer["kept"] for answer in self.answers)

    @property
    def rate(self) -> float:
        began = min(answer["began"] for answer in self.answers)
        ended = max(answer["ended"] for answer in self.answers)
        return float(self.count / (ended - began) * 1e9)

    @property
    def frame_ms(self) -> float:
        return median(self.all_ms)

    @property
    def all_ms(self) -> list[float]:
        """From writing a frame to its receipt."""
        return [ms for answer in self.answers for ms in answer["frame_ms"]]

    def rows(self, what: str) -> list[Row]:
        return [
            row(f"{what}: durable deposits", self.rate, "envelopes/s"),
            row(f"{what}: until a frame is receipted, p50", self.frame_ms, "ms"),
            row(f"{what}: processor time", self.cpu_s / self.count * 1e6, "us/envelope"),
        ]


def deposit(
    mailbox: Mailbox, children: list[Child], each: int, frame: int, under_way: int
) -> Deposits:
    """`each` of every sender in every process; made before, sent and receipted meanwhile."""
    for child in children:
        child.say(prepare=each, frame=frame)
    for child in children:
        child.hear("prepare")
    cpu = mailbox.cpu_seconds()
    for child in children:
        child.say(deposit=under_way)
    answers = [child.hear("deposit") for child in children]
    return Deposits(answers, mailbox.cpu_seconds() - cpu)


def deposits(folder: Path, quick: bool) -> list[Row]:
    single, many = (200, 4_000) if quick else (1_000, 20_000)
    recipient = Identity.generate()
    with running(folder) as mailbox, ExitStack() as stack:
        alone = stack.enter_context(senders(mailbox, recipient))
        deposit(mailbox, [alone], many // 10, MAX_BATCH, PIPELINED)  # warm-up
        one_by_one = deposit(mailbox, [alone], single, 1, 1)
        one = deposit(mailbox, [alone], many, MAX_BATCH, PIPELINED)
        children = [
            stack.enter_context(senders(mailbox, recipient, SENDERS_TOGETHER, known=True))
            for _ in range(8 // SENDERS_TOGETHER)
        ]
        eight = deposit(mailbox, children, many // 8, MAX_BATCH, PIPELINED)
    return [
        *one_by_one.rows("1 sender, one by one"),
        *one.rows("1 sender, window as built"),
        *eight.rows("8 senders, window as built"),
    ]


# ---- handing over ---------------------------------------------------------------------------------------


def returning(folder: Path, quick: bool) -> list[Row]:
    """To the real node, which comes back to a full mailbox."""
    many = 4_000 if quick else 20_000
    with running(folder / "mailbox") as mailbox:
        options = ("--data-dir", folder / "node", "--mailbox", mailbox.link)
        node = Child("direct_process", *options)
        node.ask("registered")
        node.end()
        recipient = identity.load(folder / "node" / "identity.key")
        with senders(mailbox, recipient, 1, "--sealed", known=True) as child:
            deposit(mailbox, [child], many, MAX_BATCH, PIPELINED)
        mailbox.calm_down()
        node = Child("direct_process", *options)
        try:
            times, count = node.ask("handed_over"), 0
            while count < many:
                shown = node.ask("shown")
                count += len(shown["ms"])
        finally:
            node.end()
    acknowledged = many / (times["caught_up"] - times["collect"]) * 1e9
    opened = many / (shown["last"] - times["collect"]) * 1e9
    cpu_us = (shown["cpu"] - times["cpu"]) / many / 1e3
    return [
        row("a node returns: handed over and acknowledged", acknowledged, "envelopes/s"),
        row("a node returns: opened and in its history", opened, "envelopes/s"),
        row("a node returns: processor time of the node", cpu_us, "us/envelope"),
    ]


# ---- what is stored -------------------------------------------------------------------------------------


@dataclass
class Level:
    """A mailbox with so many envelopes in it, and its measurements."""

    held: int
    mailbox: Mailbox
    sender: Child
    single: list[Deposits] = field(default_factory=list)
    frames: list[Deposits] = field(default_factory=list)

    def fill(self) -> None:
        for start in range(0, self.held, SLICE):
            count = min(SLICE, self.held - start)
            deposit(self.mailbox, [self.sender], count, MAX_BATCH, PIPELINED)

    def measure(self) -> None:
        self.single.append(deposit(self.mailbox, [self.sender], SINGLE, 1, 1))
        frames = deposit(self.mailbox, [self.sender], FRAMES * MAX_BATCH, MAX_BATCH, 1)
        self.frames.append(frames)

    def rows(self) -> list[Row]:
        both = (("one envelope", self.single), (f"{MAX_BATCH} at once", self.frames))
        return [found for name, runs in both for found in self._rows(name, runs)]

    def _rows(self, name: str, runs: list[Deposits]) -> list[Row]:
        """The fastest tenth is what other programs disturb the least."""
        what, times = f"{self.held:,} stored, {name}", [ms for run in runs for ms in run.all_ms]
        return [
            row(f"{what}: p50", median(times), "ms"),
            row(f"{what}: p10", quantiles(times, n=10)[0], "ms"),
            row(f"{what}: processor time", _cpu_ms(runs), "ms"),
        ]


def _cpu_ms(runs: list[Deposits]) -> float:
    frames = sum(len(run.all_ms) for run in runs)
    return sum(run.cpu_s for run in runs) / frames * 1e3


def stored(folder: Path, quick: bool) -> list[Row]:
    """Latency at each level, in turn, so that whatever else the machine does meets all of them."""
    held = [level // 10 for level in LEVELS] if quick else LEVELS
    with ExitStack() as stack:
        levels = []
        for count in held:
            mailbox = stack.enter_context(running(folder / str(count)))
            sender = stack.enter_context(senders(mailbox, Identity.generate()))
            levels.append(Level(count, mailbox, sender))
        empty = levels[0].mailbox.memory()
        for level in levels:
            level.fill()
        full = levels[-1].mailbox.memory()
        for level in levels:
            level.mailbox.calm_down()
        for first in range(ROUNDS):
            for number in range(len(levels)):
                levels[(first + number) % len(levels)].measure()
    return [
        row("memory (RSS), nothing stored", empty, "MB"),
        row(f"memory (RSS), {held[-1]:,} stored", full, "MB"),
        *(found for level in levels for found in level.rows()),
    ]


if __name__ == "__main__":
    for found in main(quick=True)["rows"]:
        print(found)
