"""Actors that do what the message says and write down what happened, and a way to run them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from p2pchat.node.backoff import Backoff
from p2pchat.node.runtime import (
    Actor,
    ActorCell,
    ActorRef,
    RestartLimit,
    Strategy,
    Supervisor,
    handles,
    handles_batch,
)


class BoomError(Exception):
    """What a probe crashes with."""


class Probe(Actor):
    """Takes orders as text: "crash", "sleep 3" (seconds), anything else is answered in upper case."""

    mailbox_size = 4
    stall_after = 2.0
    hung_after = 5.0

    def __init__(self, name: str, trace: list[str]) -> None:
        self.name = name
        self.trace = trace

    async def started(self) -> None:
        self.trace.append(f"{self.name} up")

    async def stopping(self) -> None:
        self.trace.append(f"{self.name} down")

    @handles(StringValue)
    async def _obey(self, order: StringValue) -> StringValue:
        self.trace.append(f"{self.name} took {order.value}")
        match order.value.split():
            case ["crash"]:
                raise BoomError
            case ["sleep", seconds]:
                await trio.sleep(float(seconds))
        return StringValue(value=order.value.upper())

    @handles_batch(Int32Value, at_most=3)
    async def _add(self, numbers: Sequence[Int32Value]) -> Sequence[Int32Value]:
        values = [number.value for number in numbers]
        self.trace.append(f"{self.name} took {values}")
        return [Int32Value(value=value + 1) for value in values]


class SteadyRandom(random.Random):
    """No jitter: `uniform` is always in the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def order(text: str) -> StringValue:
    return StringValue(value=text)


async def obeyed(ref: ActorRef, text: str) -> str:
    """Ask a probe and return its answer's text."""
    return (await ref.ask(order(text), StringValue)).value


def probe_cell(name: str, trace: list[str], probe: type[Probe] = Probe) -> ActorCell:
    return ActorCell.of(name, probe, lambda: probe(name, trace))


def tree(
    *children: ActorCell | Supervisor,
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    limit: RestartLimit | None = None,
    name: str = "root",
    root: bool = True,
) -> Supervisor:
    """A supervisor with an exact backoff of 1, 2, 4 and then 5 seconds."""
    return Supervisor(
        name,
        children,
        strategy=strategy,
        limit=limit,
        backoff=Backoff(first=1.0, most=5.0),
        rng=SteadyRandom(),
        root=root,
    )


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[None]:
    """Its tree is up in the body, and stopped in order at the end."""
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        yield
        supervisor.request_stop()
