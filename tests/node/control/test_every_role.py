"""What every role answers on the control socket, by a real one, from an actor that is played."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
import trio

from p2pchat.node.control.every_role import EveryRole, end_this_process
from p2pchat.node.errors import AskTimeoutError
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2 as control
from tests.node.control.stage import ask, played, role_served, status


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


def every_role(front: ActorRef) -> EveryRole:
    return EveryRole(front, lambda: None)


async def well() -> actors.Diagnosis:
    return actors.Diagnosis(checks=[actors.Check(name="disk", finding="All is well.")])


async def stopping() -> actors.Rejected:
    return actors.Rejected(reason=actors.UNAVAILABLE, detail="The program is stopping.")


async def test_a_diagnosis(tmp_path: Path) -> None:
    path = tmp_path / "node.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as left_behind:
        left_behind.bind(str(path))
    async with playing(well) as front, role_served(path, front):
        assert path.stat().st_mode & 0o777 == 0o600
        found = await ask(path, "Diagnose", control.DiagnoseRequest())
    assert found.diagnosis.checks[0].finding == "All is well."
    assert not path.exists()


async def test_a_node_that_cannot_answer(tmp_path: Path) -> None:
    path = tmp_path / "node.sock"
    async with playing(stopping) as front, role_served(path, front):
        with pytest.raises(grpc.RpcError) as caught:
            await ask(path, "Diagnose", control.DiagnoseRequest())
    assert status(caught.value) == ("UNAVAILABLE", "The program is stopping.")


async def test_a_role_of_another_kind_does_not_chat(tmp_path: Path) -> None:
    path = tmp_path / "node.sock"
    async with playing(well) as front, role_served(path, front):
        with pytest.raises(grpc.RpcError) as caught:
            await ask(path, "ListRooms", control.ListRoomsRequest())
    assert status(caught.value)[0] == "UNIMPLEMENTED"


async def test_an_answer_that_does_not_come(autojump_clock: trio.testing.MockClock) -> None:
    async with playing(trio.sleep_forever) as front:
        with pytest.raises(AskTimeoutError):
            await every_role(front).diagnose(control.DiagnoseRequest())


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
    front = SlowFront()
    servant = every_role(cast("ActorRef", front))
    question = control.DiagnoseRequest()
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
    servant = every_role(cast("ActorRef", front))
    for _ in range(2):
        with pytest.raises(AskTimeoutError):
            await servant.diagnose(control.DiagnoseRequest())
    assert front.waited == [True, True]


async def test_a_shutdown_is_answered_before_the_server_stops(tmp_path: Path) -> None:
    node = played(tmp_path)
    stopped = trio.Event()
    node.stop = stopped.set  # type: ignore[method-assign]
    answers = []

    async def client() -> None:
        answers.append(await ask(tmp_path / "node.sock", "Shutdown", control.ShutdownRequest()))

    async with trio.open_nursery() as nursery, node.served():
        nursery.start_soon(client)
        await stopped.wait()
    assert answers == [control.ShutdownResponse()]


async def test_the_end_of_a_process_comes_as_a_signal() -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        end_this_process()
        with trio.fail_after(30):
            assert await anext(signals) == signal.SIGTERM
