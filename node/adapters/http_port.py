"""A small HTTP/1.1 server on trio, for who reads something now and then: one request a connection, all of it bounded.

Only what has neither a body nor a query is asked. h11 reads and writes HTTP; who is slow or talks nonsense loses the
connection.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import h11
import trio

from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.host_port import host_and_port

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 16  # at a time; one more is closed at once
MAX_HEAD = 8 << 10  # bytes of a request, up to the empty line
READ_TIMEOUT = 5.0  # seconds in which a request must be there
WRITE_TIMEOUT = 10.0  # seconds in which an answer must be taken
READ_SIZE = 4 << 10  # bytes
METHODS = {b"GET": True, b"HEAD": False}  # whether the body is sent


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Answer = Callable[[str, str], Awaitable[Response]]  # path and Accept header


@dataclass(slots=True)
class HttpPort:
    """Where it answers: (host, port), as the system says them."""

    addresses: list[tuple[str, int]]
    refused: int = 0  # connections beyond the limit

    @property
    def is_open_to_others(self) -> bool:
        return not all(ipaddress.ip_address(host).is_loopback for host, _ in self.addresses)

    def urls(self) -> list[str]:
        hosts = ((f"[{host}]" if ":" in host else host, port) for host, port in self.addresses)
        return [f"http://{host}:{port}" for host, port in hosts]


@contextlib.asynccontextmanager
async def http_port(listen: str, answer: Answer) -> AsyncIterator[HttpPort]:
    """On `listen`, "host:port", while the context lasts. Raises `ConfigError` when it cannot be there."""
    host, port = host_and_port(listen)
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise ConfigError(f"--metrics {listen}: {_problem(error)}.") from error
    except UnicodeError as error:  # of a part of the name that is empty or has more than 63 signs
        raise ConfigError(f"--metrics {listen}: no host is called that.") from error
    names = [listener.socket.getsockname() for listener in listeners]
    opened = HttpPort([(name[0], name[1]) for name in names])
    server = _Server(opened, answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, server.serve, listeners)
        yield opened
        nursery.cancel_scope.cancel()


def _problem(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "this address is in use by another program"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this computer does not have this address"
    return error.strerror or str(error)


class _Server:
    def __init__(self, port: HttpPort, answer: Answer) -> None:
        self._port = port
        self._answer = answer
        self._open = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        """Whatever a client does, it ends with its connection."""
        if self._open >= MAX_CONNECTIONS:
            self._port.refused += 1
            await trio.aclose_forcefully(stream)
            return
        self._open += 1
        try:
            await self._serve(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            pass  # the client is gone, or as good as that
        except Exception:
            log.exception("a request for metrics failed")
        finally:
            self._open -= 1
            await trio.aclose_forcefully(stream)

    async def _serve(self, stream: trio.SocketStream) -> None:
        talk = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        try:
            with trio.fail_after(READ_TIMEOUT):
                request = await _read(stream, talk)
        except h11.RemoteProtocolError as error:
            await _write(stream, talk, _plain(error.error_status_hint, "No such request.\n"))
            return
        if request is not None:
            await _write(stream, talk, await self._response(request), request.method)

    async def _response(self, request: h11.Request) -> Response:
        if request.method not in METHODS:
            return _plain(405, "Only GET and HEAD.\n")
        accept = b",".join(value for name, value in request.headers if name == b"accept")
        path = request.target.partition(b"?")[0]
        return await self._answer(path.decode("ascii"), accept.decode("latin-1"))


def _plain(status: int, text: str) -> Response:
    return Response(status, text.encode())


async def _read(stream: trio.SocketStream, talk: h11.Connection) -> h11.Request | None:
    """The head of the request; None when the client left before its end. Raises `h11.RemoteProtocolError`."""
    while True:
        event = talk.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        talk.receive_data(await stream.receive_some(READ_SIZE))


async def _write(
    stream: trio.SocketStream, talk: h11.Connection, response: Response, method: bytes = b"GET"
) -> None:
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
    ]
    if response.status == 405:
        headers.append(("Allow", "GET, HEAD"))
    head = h11.Response(status_code=response.status, headers=headers)
    data = talk.send(head) or b""
    if METHODS.get(method, True):
        data += talk.send(h11.Data(data=response.body)) or b""
    with trio.fail_after(WRITE_TIMEOUT):
        await stream.send_all(data)
        await stream.send_eof()
        while await stream.receive_some(READ_SIZE):
            pass  # what the client still sends: closing over it would lose the answer
