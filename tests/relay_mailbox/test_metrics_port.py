"""Asks for a description, and for what each of its processes takes."""

from __future__ import annotations

import os

import pytest

from p2pchat.node.errors import AskTimeoutError
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox import metrics_port
from tests.node.metrics.test_translate import value
from tests.relay_mailbox.rig import Scene, running


async def test_of_one_process(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene) as nursery:
        await scene.client(nursery, 1)
        found = await metrics_port.of_operator(scene.operator)()
        assert value(found, "p2pchat_mailbox_registered_peers", worker="0") == 1
        assert value(found, "process_threads", worker="0")


async def test_of_several() -> None:
    async def describe() -> actors.MailboxDescription:
        here = actors.MailboxDescription()
        mailbox = actors.MailboxDescription(registered=4)
        here.workers.add(number=0, pid=os.getppid(), mailbox=mailbox)
        here.workers.add(number=1, pid=2**22 + 1)  # beyond what Linux gives: it is gone
        return here

    found = await metrics_port.collecting(describe)()
    assert value(found, "p2pchat_mailbox_registered_peers", worker="0") == 4
    memory = next(f for f in found if f.metric.name == "process_resident_memory_bytes")
    assert {sample.labels["worker"] for sample in memory.samples} == {"root", "0"}


async def test_no_answer_is_no_metrics() -> None:
    async def describe() -> actors.MailboxDescription:
        raise AskTimeoutError("no answer")

    with pytest.raises(AskTimeoutError):
        await metrics_port.collecting(describe)()
