"""gRPC on a real socket: trio answers, and errors come back as statuses."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio

from p2pchat.node.adapters import grpc_server
from p2pchat.node.adapters.grpc_server import Service, address, serving, snake_case
from p2pchat.node.errors import (
    ActorCrashedError,
    ActorStoppedError,
    AskTimeoutError,
    NetworkError,
    RequestRejectedError,
)
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control

MAILBOX = control.DESCRIPTOR.services_by_name["Mailbox"]
SERVICE = "/p2pchat.control.v1.Mailbox"


class Servant:
    """Answers what it is told to; every other method revokes nothing."""

    def __init__(self, answer: Callable[[str], Awaitable[None]]) -> None:
        self._answer = answer

    async def revoke_invite(
        self, request: control.RevokeInviteRequest
    ) -> control.RevokeInviteResponse:
        await self._answer(request.id)
        return control.RevokeInviteResponse()

    def __getattr__(self, name: str) -> object:
        return self.revoke_invite


def revoke(path: Path, invite_id: str = "some", method: str = "RevokeInvite") -> str:
    """Blocks. The status code's name: "OK" when it is answered."""
    with grpc.insecure_channel(address(path)) as channel:
        call = channel.unary_unary(
            f"{SERVICE}/{method}",
            control.RevokeInviteRequest.SerializeToString,
            control.RevokeInviteResponse.FromString,
        )
        try:
            call(control.RevokeInviteRequest(id=invite_id), timeout=60)
        except grpc.RpcError as error:
            call_too: Any = error  # at a client
            return f"{call_too.code().name}: {call_too.details()}"
    return "OK"


async def ask(path: Path, invite_id: str = "some", method: str = "RevokeInvite") -> str:
    return await trio.to_thread.run_sync(functools.partial(revoke, path, invite_id, method))


async def test_trio_answers(tmp_path: Path) -> None:
    heard = []

    async def answer(invite_id: str) -> None:
        await trio.lowlevel.checkpoint()
        heard.append(invite_id)

    path = tmp_path / "node.sock"
    async with serving(path, [Service(MAILBOX, Servant(answer))]):
        assert await ask(path, "one") == "OK"
        assert await ask(path, "two") == "OK"
        assert (await ask(path, method="Explode")).startswith("UNIMPLEMENTED")
    assert heard == ["one", "two"]
    assert not path.exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestRejectedError(actors_pb2.INVALID, "No."), "INVALID_ARGUMENT: No."),
        (RequestRejectedError(actors_pb2.TOO_LONG, "No."), "INVALID_ARGUMENT: No."),
        (RequestRejectedError(actors_pb2.TOO_MANY, "No."), "FAILED_PRECONDITION: No."),
        (RequestRejectedError(actors_pb2.STORE_FAILED, "No."), "FAILED_PRECONDITION: No."),
        (RequestRejectedError(actors_pb2.UNAVAILABLE, "No."), "UNAVAILABLE: No."),
        (ActorStoppedError("No."), "UNAVAILABLE: No."),
        (ActorCrashedError("No."), "UNAVAILABLE: No."),
        (AskTimeoutError("No."), "UNAVAILABLE: No."),
        (NetworkError("No."), "UNAVAILABLE: No."),
        (ZeroDivisionError("secret"), f"INTERNAL: {grpc_server.FAULT}"),
    ],
)
async def test_errors_come_back_as_statuses(tmp_path: Path, error: Exception, status: str) -> None:
    async def answer(_: str) -> None:
        raise error

    path = tmp_path / "node.sock"
    async with serving(path, [Service(MAILBOX, Servant(answer))]):
        assert await ask(path) == status


async def test_the_end_does_not_wait_for_an_answer(tmp_path: Path) -> None:
    """An actor may take 10 s; a stop must not."""
    asked = trio.Event()
    statuses = []

    async def answer(_: str) -> None:
        asked.set()
        await trio.sleep_forever()

    async def client() -> None:
        statuses.append(await ask(path))

    path = tmp_path / "node.sock"
    async with (
        trio.open_nursery() as nursery,
        serving(path, [Service(MAILBOX, Servant(answer))]),
    ):
        nursery.start_soon(client)
        await asked.wait()
    assert statuses == [f"UNAVAILABLE: {grpc_server.STOPPING}"]


async def test_more_calls_than_threads_wait_for_their_turn(tmp_path: Path) -> None:
    waiting = 0
    go_on = trio.Event()
    statuses = []

    async def answer(_: str) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == grpc_server.MAX_THREADS:
            go_on.set()
        await go_on.wait()

    async def client() -> None:
        statuses.append(await ask(path))

    path = tmp_path / "node.sock"
    async with (
        serving(path, [Service(MAILBOX, Servant(answer))]),
        trio.open_nursery() as nursery,
    ):
        for _ in range(2 * grpc_server.MAX_THREADS):
            nursery.start_soon(client)
    assert statuses == ["OK"] * 2 * grpc_server.MAX_THREADS


@pytest.mark.parametrize("name", ["sp ace", "100%41", "ha#sh", "qu?est", "ümlaut", "a,b", "x" * 90])
async def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    async def answer(_: str) -> None:
        await trio.lowlevel.checkpoint()

    path = tmp_path / name / "node.sock"
    path.parent.mkdir()
    async with serving(path, [Service(MAILBOX, Servant(answer))]):
        place = path.readlink() if path.is_symlink() else path
        assert await ask(place) == "OK"


def test_names_of_methods() -> None:
    assert snake_case("ListInvites") == "list_invites"
    assert snake_case("Status") == "status"


def test_grpc_is_loaded_only_when_it_serves() -> None:
    look = "import sys, p2pchat.relay_mailbox.control; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
