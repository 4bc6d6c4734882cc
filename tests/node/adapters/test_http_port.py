"""The HTTP port over loopback: what it answers, and that no client can hold it up."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from p2pchat.node.adapters import http_port
from p2pchat.node.adapters.http_port import HttpPort, Response
from p2pchat.node.errors import ConfigError

PATIENCE = 60.0  # seconds
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def answer(path: str, accept: str) -> Response:
    if path == "/metrics":
        return Response(200, b"seen 1\n")
    if path == "/accept":
        return Response(200, accept.encode())
    if path == "/broken":
        raise ValueError("a bug")
    return Response(404, b"nothing here\n")


@asynccontextmanager
async def opened(listen: str = "127.0.0.1:0") -> AsyncIterator[HttpPort]:
    with trio.fail_after(PATIENCE):
        async with http_port.http_port(listen, answer) as port:
            yield port


async def connect(port: HttpPort) -> trio.SocketStream:
    return await trio.open_tcp_stream(*port.addresses[0])


async def rest_of(stream: trio.SocketStream) -> bytes:
    """Until the server closes, in whatever way."""
    data = b""
    try:
        while chunk := await stream.receive_some(4096):
            data += chunk
    except trio.BrokenResourceError:
        pass
    return data


async def ask(port: HttpPort, request: bytes) -> tuple[int, str, bytes]:
    """Status, head and body."""
    async with await connect(port) as stream:
        await stream.send_all(request)
        head, _, body = (await rest_of(stream)).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body


async def test_it_answers_and_closes() -> None:
    async with opened() as port:
        status, head, body = await ask(port, GET)
        assert (status, body) == (200, b"seen 1\n")
        assert "Content-Length: 7" in head
        assert "Connection: close" in head


async def test_head_has_no_body() -> None:
    async with opened() as port:
        status, head, body = await ask(port, GET.replace(b"GET", b"HEAD"))
        assert (status, body) == (200, b"")
        assert "Content-Length: 7" in head


async def test_a_query_changes_nothing_and_headers_are_handed_on() -> None:
    async with opened() as port:
        assert (await ask(port, GET.replace(b"/metrics", b"/metrics?a=b")))[0] == 200
        request = b"GET /accept HTTP/1.1\r\nHost: x\r\nAccept: a/b;q=1\r\nAccept: c/d\r\n\r\n"
        assert (await ask(port, request))[2] == b"a/b;q=1,c/d"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS \r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_is_asked_wrongly_is_refused(request_: bytes, status: int) -> None:
    async with opened() as port:
        assert (await ask(port, request_))[0] == status
        assert (await ask(port, GET))[0] == 200


async def test_a_body_that_nobody_wants_holds_up_nothing() -> None:
    async with opened() as port:
        head = b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
        async with await connect(port) as stream:
            await stream.send_all(head + b"x" * 100_000)
            assert b" 405 " in await stream.receive_some(1000)


async def test_who_says_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "READ_TIMEOUT", 0.05)
    async with opened() as port:
        async with await connect(port) as stream:
            await stream.send_all(b"GET /metrics HTT")
            assert await rest_of(stream) == b""
        assert (await ask(port, GET))[0] == 200


async def test_who_does_not_hang_up_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "WRITE_TIMEOUT", 0.05)
    async with opened() as port, await connect(port) as stream:
        await stream.send_all(GET)
        assert (await rest_of(stream)).endswith(b"seen 1\n")
        with pytest.raises(trio.BrokenResourceError):
            while True:  # the server is gone: this reaches nobody, and the system says so
                await stream.send_all(b"x" * 1000)


async def test_more_than_so_many_at_a_time_are_closed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_port, "MAX_CONNECTIONS", 2)
    async with opened() as port:
        held = [await connect(port) for _ in range(2)]
        for stream in held:
            await stream.send_all(b"GET")
        while not port.refused:  # those before may not have been accepted yet
            async with await connect(port) as one_more:
                assert await rest_of(one_more) == b""
        for stream in held:
            await stream.aclose()
        while (await attempt(port)) != 200:
            pass


async def attempt(port: HttpPort) -> int:
    try:
        return (await ask(port, GET))[0]
    except (IndexError, trio.BrokenResourceError):
        return 0


async def test_a_bug_ends_one_connection_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with opened() as port:
        async with await connect(port) as stream:
            await stream.send_all(GET.replace(b"/metrics", b"/broken"))
            assert await rest_of(stream) == b""
        assert "a request for metrics failed" in caplog.text
        assert (await ask(port, GET))[0] == 200


async def test_an_address_in_use_is_said_in_plain_words() -> None:
    async with opened() as port:
        taken = f"127.0.0.1:{port.addresses[0][1]}"
        with pytest.raises(ConfigError, match=rf"--metrics {taken}: .*in use by another"):
            await _fails(taken)


@pytest.mark.parametrize("host", ["nowhere.invalid", "no..where", 64 * "x"])
async def test_a_host_that_is_none_is_said_in_plain_words(host: str) -> None:
    with pytest.raises(ConfigError, match=rf"--metrics {re.escape(host)}:0: "):
        await _fails(f"{host}:0")


async def _fails(listen: str) -> None:
    async with http_port.http_port(listen, answer):
        pytest.fail("it listens")


async def test_where_it_is() -> None:
    async with opened() as port:
        assert port.urls() == [f"http://127.0.0.1:{port.addresses[0][1]}"]
        assert not port.is_open_to_others
    async with opened("0.0.0.0:0") as port:
        assert port.is_open_to_others
    assert HttpPort([("::1", 9)]).urls() == ["http://[::1]:9"]
    assert not HttpPort([("::1", 9), ("127.0.0.1", 9)]).is_open_to_others
    assert HttpPort([("::1", 9), ("192.0.2.1", 9)]).is_open_to_others
