"""gRPC on a TCP port: with TLS and the token, or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio

from p2pchat.node.adapters import tls_port
from p2pchat.node.adapters.grpc_server import Service, serving
from p2pchat.node.errors import ConfigError
from tests.node.adapters.test_grpc_server import MAILBOX, SERVICE, Servant, ask


def revoke_by_tls(port: int, certificate: bytes, token: str | None) -> str:
    """Blocks. The status code's name."""
    credentials = grpc.ssl_channel_credentials(certificate)
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
        call: Any = channel.unary_unary(f"{SERVICE}/RevokeInvite")
        metadata = [] if token is None else [("authorization", token)]
        try:
            call(b"", timeout=60, metadata=metadata)
        except grpc.RpcError as error:
            call_too: Any = error
            return str(call_too.code().name)
    return "OK"


@contextlib.asynccontextmanager
async def tls_serving(
    folder: Path, services: Sequence[Service]
) -> AsyncIterator[tuple[int, tls_port.TlsPort]]:
    ports: list[int] = []
    tls = dataclasses.replace(tls_port.tls_port("127.0.0.1:0", folder), bound=ports.append)
    async with serving(folder / "node.sock", services, tls):
        yield ports[0], tls


async def test_a_port_answers_who_has_the_token_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_port, "PENALTY", 0.01)
    heard = []

    async def answer(_: str) -> None:
        heard.append("call")

    async with tls_serving(tmp_path, [Service(MAILBOX, Servant(answer))]) as (port, tls):
        token = (tmp_path / "control.token").read_text().strip()
        certificate = (tmp_path / "control.crt").read_bytes()

        async def call(shown: str | None, trusted: bytes = certificate) -> str:
            return await trio.to_thread.run_sync(revoke_by_tls, port, trusted, shown)

        assert await call(f"Bearer {token}") == "OK"
        for wrong in (None, "", token, f"bearer {token}", f"Bearer {token}x", "Bearer "):
            assert await call(wrong) == "UNAUTHENTICATED"
        assert tls.token.refusals == 6
        assert await ask(tmp_path / "node.sock") == "OK"  # the socket needs none
        other = tls_port.tls_port("127.0.0.1:0", tmp_path_of(tmp_path, "other"))
        assert await call(f"Bearer {token}", other.certificate_pem) == "UNAVAILABLE"
    assert heard == ["call", "call"]


def tmp_path_of(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


async def test_without_tls_a_port_says_nothing(tmp_path: Path) -> None:
    async def answer(_: str) -> None: ...

    def plainly(port: int) -> str:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary(f"{SERVICE}/RevokeInvite")
            token = (tmp_path / "control.token").read_text().strip()
            try:
                call(b"", timeout=10, metadata=[("authorization", f"Bearer {token}")])
            except grpc.RpcError as error:
                call_too: Any = error
                return str(call_too.code().name)
        return "OK"

    async with tls_serving(tmp_path, [Service(MAILBOX, Servant(answer))]) as (port, _):
        assert await trio.to_thread.run_sync(plainly, port) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


async def test_a_port_that_is_taken_is_an_error_for_people(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        tls = tls_port.tls_port(place, tmp_path)
        with pytest.raises(ConfigError, match="cannot listen on 127"):
            async with serving(tmp_path / "node.sock", [], tls):
                pass
    assert not (tmp_path / "node.sock").exists()
