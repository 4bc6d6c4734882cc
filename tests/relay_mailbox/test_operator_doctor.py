"""A mailbox is looked over as a node is, and nothing waits for it."""

from __future__ import annotations

import pytest
import trio

from p2pchat.node.actors.doctor import SETTLING
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from tests.relay_mailbox.rig import Scene, running


async def test_everything_but_mailboxes_is_looked_at(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene):
        found = await scene.operator.ask(actors_pb2.Diagnose(), actors_pb2.Diagnosis)
    names = [check.name for check in found.checks]
    assert len(names) == 9
    assert "mailboxes" not in names


async def test_the_operator_answers_others_while_a_diagnosis_waits(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene):
        slot = await scene.operator.post(actors_pb2.Diagnose(wait=True))
        begun = trio.current_time()
        await scene.operator.ask(actors.DescribeMailbox(), actors.MailboxDescription)
        assert trio.current_time() - begun < 1
        assert isinstance(await slot.wait(), actors_pb2.Diagnosis)
        assert trio.current_time() - begun <= SETTLING + 5


async def test_news_of_the_network_is_taken(autojump_clock: object) -> None:
    scene = Scene()
    async with running(scene):
        await scene.operator.tell(actors_pb2.PeerMoved(peer="somebody"))
        for state in (actors_pb2.PUBLIC, actors_pb2.PRIVATE, actors_pb2.UNKNOWN):
            await scene.operator.tell(actors_pb2.ReachabilityChanged(reachability=state))
        await scene.describe()
        assert scene.cell("operator").stats().restarts == 0


@pytest.mark.parametrize(
    ("confirmed", "outside"),
    [
        (["/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.7/tcp/1"], "is not known"),
        (["/ip4/192.168.1.7/tcp/1", "/ip4/9.9.9.9/tcp/1"], "people outside can connect"),
        ([], "people outside can connect"),
    ],
)
async def test_what_neighbours_say_is_not_taken_for_more(
    autojump_clock: object,
    caplog: pytest.LogCaptureFixture,
    confirmed: list[str],
    outside: str,
) -> None:
    caplog.set_level("INFO", "p2pchat.relay_mailbox.operator")
    scene = Scene()
    public = actors_pb2.ReachabilityChanged(reachability=actors_pb2.PUBLIC, addresses=confirmed)
    async with running(scene):
        await scene.operator.tell(public)
        await scene.describe()
    (line,) = [text for text in caplog.messages if "can connect to this mailbox" in text]
    assert outside in line
