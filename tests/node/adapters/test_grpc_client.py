"""Asking another process of ours that may be away, or stand still."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from p2pchat.node.adapters import grpc_client
from p2pchat.node.adapters.grpc_client import GrpcClient
from p2pchat.node.adapters.grpc_server import Service, serving
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control

MAILBOX = control.DESCRIPTOR.services_by_name["Mailbox"]
REQUEST = control.RevokeInviteRequest(id="some")
PATIENCE = 30.0  # seconds until a test gives up; nothing is measured by it


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gc-", dir="/tmp") as folder:
        yield Path(folder) / "sock"


class Servant:
    async def revoke_invite(self, _: object) -> control.RevokeInviteResponse:
        return control.RevokeInviteResponse()

    def __getattr__(self, name: str) -> object:
        return self.revoke_invite


async def ask(client: GrpcClient, seconds: float) -> str:
    """The reason of a refusal; empty: it was answered."""
    try:
        await client.ask(REQUEST, control.RevokeInviteResponse, seconds)
    except RequestRejectedError as error:
        return actors_pb2.Reason.Name(error.reason)
    return ""


async def test_somebody_who_comes_later_is_reached_at_once(path: Path) -> None:
    client = GrpcClient(path, MAILBOX)
    assert await ask(client, PATIENCE) == "UNAVAILABLE"
    async with serving(path, [Service(MAILBOX, Servant())]):
        assert await ask(client, PATIENCE) == ""


async def test_who_stands_still_takes_no_thread_from_anybody_else(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as still:
        still.bind(str(path))
        still.listen(64)
        client = GrpcClient(path, MAILBOX)
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for _ in range(5 * grpc_client.AT_ONCE):
                    nursery.start_soon(ask, client, 3.0)
                await trio.testing.wait_all_tasks_blocked(0.05)
                assert client._threads.borrowed_tokens == grpc_client.AT_ONCE
                assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
                nursery.cancel_scope.cancel()


async def test_who_waits_for_a_turn_waits_no_longer_than_it_was_given(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as still:
        still.bind(str(path))
        still.listen(64)
        client = GrpcClient(path, MAILBOX)
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for _ in range(grpc_client.AT_ONCE):
                    nursery.start_soon(ask, client, 3.0)
                await trio.testing.wait_all_tasks_blocked(0.05)
                assert await ask(client, 0.1) == "UNAVAILABLE"
                nursery.cancel_scope.cancel()
