"""What every role answers on the control socket, by a real one, from an actor that is played."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
import trio

from p2pchat.node import control
from p2pchat.node.errors import AskTimeoutError
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2, control_pb2_grpc


class PlayedFront(Actor):
    """Answers as the ui actor does."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    @handles(actors.Diagnose)
    async def _diagnose(self, question: actors.Diagnose) -> actors.Diagnosis | actors.Rejected:
        assert question.wait
        return await self._answer()  # type: ignore[no-any-return]


@contextlib.asynccontextmanager
async def playing(answer: Callable[[], Any]) -> AsyncIterator[ActorRef]:
    cell = ActorCell.of("ui", PlayedFront, lambda: PlayedFront(answer))
    tree = Supervisor("root", [cell], root=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: tree.run(task_status=task_status))
        yield cell.ref
        tree.request_stop()


async def well() -> actors.Diagnosis:
    return actors.Diagnosis(checks=[actors.Check(name="disk", finding="All is well.")])


async def stopping() -> actors.Rejected:
    return actors.Rejected(reason=actors.UNAVAILABLE, detail="The program is stopping.")


def ask(path: Path) -> Any:
    with grpc.insecure_channel(f"unix:{path}") as channel:
        stub: Any = control_pb2_grpc.NodeStub(channel)  # type: ignore[no-untyped-call]
        return stub.Diagnose(control_pb2.DiagnoseRequest())


async def test_a_diagnosis(tmp_path: Path) -> None:
    path = tmp_path / "node.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left_behind:
        left_behind.bind(str(path))
    async with playing(well) as front, control.serve(path, front):
        assert path.stat().st_mode & 0o777 == 0o600
        found = await trio.to_thread.run_sync(ask, path)
    assert found.diagnosis.checks[0].finding == "All is well."
    assert not path.exists()


async def test_a_node_that_cannot_answer(tmp_path: Path) -> None:
    path = tmp_path / "node.sock"
    async with playing(stopping) as front, control.serve(path, front):
        with pytest.raises(grpc.RpcError) as caught:
            await trio.to_thread.run_sync(ask, path)
    error: Any = caught.value
    assert (error.code().name, error.details()) == ("UNAVAILABLE", "The program is stopping.")


async def test_an_answer_that_does_not_come(autojump_clock: trio.testing.MockClock) -> None:
    async with playing(trio.sleep_forever) as front:
        with pytest.raises(AskTimeoutError):
            await control.NodeControl(front).diagnose(control_pb2.DiagnoseRequest())


class SlowFront:
    """Finds something out until it is let go on."""

    name = "ui"

    def __init__(self) -> None:
        self.waited: list[bool] = []
        self.go_on = trio.Event()

    async def request(self, question: actors.Diagnose, _: object) -> actors.Diagnosis:
        self.waited.append(question.wait)
        if question.wait:
            await self.go_on.wait()
        return actors.Diagnosis()


async def test_one_waits_and_the_others_are_answered_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Or they would occupy every thread there is, and a mailbox could not be operated."""
    front = SlowFront()
    servant = control.NodeControl(cast("ActorRef", front))
    question = control_pb2.DiagnoseRequest()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(servant.diagnose, question)
        await trio.testing.wait_all_tasks_blocked()
        await servant.diagnose(question)
        await servant.diagnose(question)
        assert front.waited == [True, False, False]
        front.go_on.set()
    await servant.diagnose(question)
    assert front.waited[-1]


async def test_who_gave_up_waits_no_longer(autojump_clock: trio.testing.MockClock) -> None:
    front = SlowFront()
    servant = control.NodeControl(cast("ActorRef", front))
    for _ in range(2):
        with pytest.raises(AskTimeoutError):
            await servant.diagnose(control_pb2.DiagnoseRequest())
    assert front.waited == [True, True]
