"""gRPC on a real socket: trio answers, and errors come back as statuses."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio

from p2pchat.node.adapters import grpc_bridge, grpc_server
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
NODE = control.DESCRIPTOR.services_by_name["Node"]
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
    assert statuses == [f"UNAVAILABLE: {grpc_bridge.STOPPING}"]


async def test_calls_are_answered_side_by_side(tmp_path: Path) -> None:
    """All that are allowed; none of them has a thread of the server's."""
    waiting = 0
    go_on = trio.Event()
    statuses = []

    async def answer(_: str) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == grpc_server.MAX_CALLS:
            go_on.set()
        await go_on.wait()

    async def client() -> None:
        statuses.append(
            await trio.to_thread.run_sync(revoke, path, limiter=trio.CapacityLimiter(1))
        )

    path = tmp_path / "node.sock"
    async with (
        serving(path, [Service(MAILBOX, Servant(answer))]),
        trio.open_nursery() as nursery,
    ):
        threads = threading.active_count()
        for _ in range(grpc_server.MAX_CALLS):
            nursery.start_soon(client)
        await go_on.wait()
        assert threading.active_count() - threads <= grpc_server.MAX_CALLS + 2  # the clients' own
    assert statuses == ["OK"] * grpc_server.MAX_CALLS


async def test_one_call_too_many_is_refused(tmp_path: Path) -> None:
    waiting = 0

    async def answer(_: str) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == grpc_server.MAX_CALLS:
            assert (await ask(path, "more")).startswith("RESOURCE_EXHAUSTED")
            nursery.cancel_scope.cancel()
        await trio.sleep_forever()

    async def client() -> None:
        await trio.to_thread.run_sync(
            revoke, path, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
        )

    path = tmp_path / "node.sock"
    async with (
        serving(path, [Service(MAILBOX, Servant(answer))]),
        trio.open_nursery() as nursery,
    ):
        for _ in range(grpc_server.MAX_CALLS):
            nursery.start_soon(client)
    assert waiting == grpc_server.MAX_CALLS


@pytest.mark.parametrize("deadline", [0.1, None])
async def test_a_call_whose_client_is_gone_is_cancelled(
    tmp_path: Path, deadline: float | None
) -> None:
    """By its deadline, or because it has closed the connection."""
    asked, cancelled = trio.Event(), trio.Event()

    async def answer(_: str) -> None:
        asked.set()
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    path = tmp_path / "node.sock"
    async with serving(path, [Service(MAILBOX, Servant(answer))]):
        channel = grpc.insecure_channel(address(path))
        call: Any = channel.unary_unary(f"{SERVICE}/RevokeInvite")
        pending = call.future(
            control.RevokeInviteRequest(id="x").SerializeToString(), timeout=deadline
        )
        with trio.fail_after(30):
            await asked.wait()
            if deadline is None:
                await trio.to_thread.run_sync(channel.close)
            await cancelled.wait()
        assert pending.done() or deadline  # it lives until here: forgotten, it were cancelled
        await trio.to_thread.run_sync(channel.close)


async def test_a_request_that_is_too_long_is_refused(tmp_path: Path) -> None:
    async def answer(_: str) -> None:
        raise AssertionError

    path = tmp_path / "node.sock"
    async with serving(path, [Service(MAILBOX, Servant(answer))]):
        refused = await ask(path, "x" * (grpc_server.MAX_REQUEST + 1))
    assert refused.startswith("RESOURCE_EXHAUSTED")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_nobody_else_may_open_the_socket(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Even where every folder on the way is open to everybody."""

    async def answer(_: str) -> None: ...

    with tempfile.TemporaryDirectory(prefix="p2pchat-test-") as folder:
        os.chmod(folder, 0o777)
        path = Path(folder) / "node.sock"
        async with serving(path, [Service(MAILBOX, Servant(answer))]):
            attempt = [sys.executable, "-c", CONNECT, str(path)]
            run = functools.partial(
                subprocess.run, attempt, capture_output=True, text=True, check=False, timeout=60
            )
            for user, outcome in (("0", "connected"), ("65534", "PermissionError")):
                found = await trio.to_thread.run_sync(functools.partial(run, env={"AS_USER": user}))
                assert found.stdout.strip() == outcome, found.stderr


CONNECT = """
import os, socket, sys
os.setgid(int(os.environ["AS_USER"]))
os.setuid(int(os.environ["AS_USER"]))
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""


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
