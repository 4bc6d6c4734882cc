"""A mailbox in several processes: what a second worker adds, how soon a killed one serves again, what they take.

The senders run on the same machine, and sign, encrypt and verify as much as the mailbox does: on two processors they
keep a second worker from having one for itself. So the processor time of both sides stands beside each rate.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import trio

from p2pchat.cli import control_client
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import limits, worker_choice
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.limits import MAX_BATCH
from p2pchat.node.protocol.links import MailboxLink, format_link, parse_link
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from tests.bench.bench_mailbox import PIPELINED, SENDERS_TOGETHER
from tests.bench.children import LISTEN, Child, Mailbox, Row, row, scratch
from tests.soak.workers import free_ports

PROCESSES = 2  # of senders
ROUNDS = 5  # with one and with two workers, in turn
KILLS = 5  # as many as a mailbox takes in a minute
QUOTA = "4GiB"  # of a recipient: every worker's share of the whole has room for one
LOOK = 0.005  # seconds between two attempts to reach a worker


def main(quick: bool) -> dict[str, Any]:
    with scratch() as folder:
        rows = [*starts(folder / "starts"), *deposits(folder / "deposits", quick)]
        rows += killed(folder / "killed")
    return {"name": "workers", "rows": rows}


class Workers(Mailbox):
    """`p2pchat mailbox --workers N`, on ports that a worker has again after a restart."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        ports = free_ports(workers)
        listen = f"/ip4/127.0.0.1/tcp/{ports}"
        super().__init__(folder, **{"workers": workers, "listen": listen, "quota-bytes": QUOTA})
        link = parse_link(self.link)
        assert isinstance(link, MailboxLink)
        self.whole = link

    def described(self) -> actors.MailboxDescription:
        with control_client.mailbox(self.folder) as running:
            return running.status()

    def processes(self) -> list[psutil.Process]:
        """Who starts the others first."""
        here = psutil.Process(self.pid)
        return [here, *here.children()]

    def cpu_seconds(self) -> float:
        times = [process.cpu_times() for process in self.processes()]
        return sum(one.user + one.system for one in times)

    def recipient(self, number: int) -> tuple[Identity, MailboxLink]:
        """A peer of that worker, and the link that it takes out of the whole one."""
        wanted = worker_choice.workers_of(self.whole)[number].peer
        for _ in count():
            who = Identity.generate()
            link = worker_choice.choose(self.whole, who.peer_bytes, ())
            if link.peer == wanted:
                return who, link
        raise AssertionError


@contextmanager
def running(folder: Path, workers: int) -> Iterator[Workers]:
    found = Workers(folder, workers)
    try:
        yield found
    finally:
        found.end()


# ---- deposits -------------------------------------------------------------------------------------------


@dataclass
class Side:
    """A mailbox, and the senders that deposit at all of its workers."""

    mailbox: Workers
    senders: list[Child]
    rates: list[float] = field(default_factory=list)
    kept: int = 0
    cpu_s: float = 0.0
    senders_cpu_s: float = 0.0

    def measure(self, each: int) -> None:
        for child in self.senders:
            child.say(prepare=each, frame=MAX_BATCH)
        for child in self.senders:
            child.hear("prepare")
        cpu, theirs = self.mailbox.cpu_seconds(), self._senders_cpu()
        for child in self.senders:
            child.say(deposit=PIPELINED)
        answers = [child.hear("deposit") for child in self.senders]
        kept = sum(answer["kept"] for answer in answers)
        began = min(answer["began"] for answer in answers)
        ended = max(answer["ended"] for answer in answers)
        self.rates.append(kept / (ended - began) * 1e9)
        self.kept += kept
        self.cpu_s += self.mailbox.cpu_seconds() - cpu
        self.senders_cpu_s += self._senders_cpu() - theirs

    def _senders_cpu(self) -> float:
        return sum(child.cpu_seconds() for child in self.senders)

    def rows(self, what: str) -> list[Row]:
        senders = self.senders_cpu_s / (self.senders_cpu_s + self.cpu_s)
        return [
            row(f"{what}: durable deposits", median(self.rates), "envelopes/s"),
            row(f"{what}: for each second of its processors", self.per_cpu, "envelopes"),
            row(f"{what}: the senders' share of all processor time", senders * 100, "%"),
        ]

    @property
    def per_cpu(self) -> float:
        return self.kept / self.cpu_s


def deposits(folder: Path, quick: bool) -> list[Row]:
    """In turn, so that whatever else the machine does meets both."""
    each = 2_000 if quick else 6_000
    with ExitStack() as stack:
        sides = [_side(stack, folder / str(workers), workers) for workers in (1, 2)]
        for side in sides:
            side.measure(each // 4)  # warm-up
            side.rates.clear()
        for _ in range(2 if quick else ROUNDS):
            for side in sides:
                side.measure(each)
                side.mailbox.calm_down()
        rows = [*sides[0].rows("1 process"), *sides[1].rows("2 workers")]
        rows.append(_gain(sides[0], sides[1]))
        rows += _memory(sides[0].mailbox, sides[1].mailbox)
    return rows


def _gain(one: Side, two: Side) -> Row:
    gain = median(two.rates) / median(one.rates)
    return row("2 workers: times the deposits of 1 process", gain, "x")


def _side(stack: ExitStack, folder: Path, workers: int) -> Side:
    box = stack.enter_context(running(folder, workers))
    children = []
    for number in range(PROCESSES):
        who, link = box.recipient(number % workers)
        options = ("--mailbox", format_link(link), "--recipient", who.seed.hex())
        child = Child("mail_process", *options, "--senders", SENDERS_TOGETHER)
        stack.callback(child.end)
        child.hear("ready")
        child.ask("register")
        children.append(child)
    return Side(box, children)


def _memory(one: Workers, two: Workers) -> list[Row]:
    sizes = [process.memory_info().rss / 1e6 for process in two.processes()]
    return [
        row("memory (RSS), 1 process", one.memory(), "MB"),
        row("memory (RSS), 2 workers: who starts them", sizes[0], "MB"),
        row("memory (RSS), 2 workers: each of them", median(sizes[1:]), "MB"),
    ]


# ---- starts and ends ------------------------------------------------------------------------------------


def starts(folder: Path) -> list[Row]:
    """Until it has said its link; the second time, with stores that are there."""
    rows = []
    for workers in (1, 2):
        times = []
        for _ in range(3):
            began = time.monotonic()
            with running(folder / str(workers), workers):
                times.append(time.monotonic() - began)
        what = "1 process" if workers == 1 else f"{workers} workers"
        rows.append(row(f"{what}: from the command to its link", median(times) * 1e3, "ms"))
    return rows


def killed(folder: Path) -> list[Row]:
    """From `kill -9` of a worker until it answers a peer that asks it something."""
    with running(folder, 2) as box:
        times = [trio.run(_until_it_answers, box, number) for number in range(KILLS)]
        assert box.described().workers[1].restarts == KILLS
    return [
        row("a killed worker serves again, median", median(times), "s"),
        row("a killed worker serves again, slowest", max(times), "s"),
    ]


async def _until_it_answers(box: Workers, restarts: int) -> float:
    worker = box.described().workers[1]
    assert (worker.restarts, worker.state) == (restarts, "running")
    _, link = box.recipient(1)
    network = Libp2pNetwork(Identity.generate(), LISTEN)
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        await _ask(network, link)
        began = time.monotonic()
        os.kill(worker.pid, signal.SIGKILL)
        while True:
            try:
                await _ask(network, link)
                break
            except (DialError, StreamError):
                await trio.sleep(LOOK)
        took = time.monotonic() - began
        nursery.cancel_scope.cancel()
    while box.described().workers[1].state != "running":
        await trio.sleep(LOOK)
    return took


async def _ask(network: Libp2pNetwork, link: MailboxLink) -> None:
    """Something that needs no registration."""
    await network.dial(link.peer, link.addresses)
    stream = await network.open_stream(link.peer, limits.MAILBOX_PROTOCOL)
    lookup = mailbox.Lookup(peer=Identity.generate().peer_bytes)
    await stream.write(frame(mailbox.MailboxRequest(lookup=lookup).SerializeToString()))
    reply = mailbox.MailboxReply.FromString(await stream.read_frame(limits.FRAME_LIMIT))
    assert reply.WhichOneof("reply") == "found"
    await stream.reset()


if __name__ == "__main__":
    for found in main(quick=True)["rows"]:
        print(found)
