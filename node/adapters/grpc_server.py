"""gRPC services on a Unix socket, and if that is wanted on a TLS port, answered by trio.

gRPC runs on an asyncio loop in one thread of its own: a stream that lasts for days costs a task there, and no
thread. `grpc_bridge` is where it meets trio. gRPC itself is imported in a worker thread when the first server starts,
because it costs 0.1 s and 15 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import trio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from p2pchat.node.adapters.grpc_bridge import Bridge, LoopThread
from p2pchat.node.adapters.unix_socket import standing_at
from p2pchat.node.errors import ActorError, ConfigError, P2pchatError, RequestRejectedError
from p2pchat.proto import actors_pb2

if TYPE_CHECKING:
    import grpc.aio

    from p2pchat.node.adapters.tls_port import TlsPort  # loads much of cryptography

log = logging.getLogger(__name__)

MAX_STREAMS = 16  # answered at a time over all ports; one more is refused
MAX_CALLS = 64  # at a time on one port, streams included; gRPC refuses more with RESOURCE_EXHAUSTED
MAX_REQUEST = 4 << 20  # bytes; the longest is an import of 3 MiB
GRACE = 0.2  # seconds for calls under way when the server stops
SILENCE = (
    60_000  # milliseconds after which a client that says nothing is asked whether it is still there
)

FAULT = "The request met a fault in the program; its log says more."
TOO_MANY_STREAMS = f"{MAX_STREAMS} streams of events are open already: close one first."

# One message, or one that has been serialized already.
Sent = Message | bytes
Answer = Callable[[Message], Awaitable[Message]]
Stream = Callable[[Message], AsyncGenerator[Sequence[Sent], None]]

# Rejections that blame the request itself; the others blame the state of things.
_BAD_ARGUMENT = frozenset({actors_pb2.TOO_LONG, actors_pb2.EMPTY, actors_pb2.INVALID})

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_REQUEST),
    ("grpc.keepalive_time_ms", SILENCE),
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a .proto file, and who answers it.

    `servant` has an async method for each of the service's that it answers, by its name in snake case (`ListInvites`:
    `list_invites`), which takes the request and returns the response; for a stream, an async generator that yields
    batches of them. What it lacks gRPC answers with UNIMPLEMENTED.
    """

    descriptor: ServiceDescriptor
    servant: object

    def answers(self) -> Iterator[tuple[MethodDescriptor, Any]]:
        """Each method with an `Answer`, or a `Stream` if it is one."""
        for method in self.descriptor.methods:
            answer = getattr(self.servant, snake_case(method.name), None)
            if answer is not None:
                yield method, answer


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@contextlib.asynccontextmanager
async def serving(
    path: Path, services: Sequence[Service], tls: TlsPort | None = None
) -> AsyncIterator[None]:
    """Serve on a socket at `path`, mode 0600, and on `tls`, while the context lasts.

    What services raise is answered by a status: `RequestRejectedError` with INVALID_ARGUMENT, FAILED_PRECONDITION or
    UNAVAILABLE, other expected errors with UNAVAILABLE, anything else with INTERNAL. Raises what `standing_at` raises,
    and `ConfigError` when the port is not to be had.
    """
    bridge = Bridge(trio.lowlevel.current_trio_token())
    running = contextlib.ExitStack()
    try:
        await trio.to_thread.run_sync(_start, path, services, tls, bridge, running)
        yield
    finally:
        with trio.CancelScope(shield=True):
            await bridge.stop()
            await trio.to_thread.run_sync(running.close)


def _start(
    path: Path,
    services: Sequence[Service],
    tls: TlsPort | None,
    bridge: Bridge,
    running: contextlib.ExitStack,
) -> None:
    """In a worker thread. `running` ends what has been started, also when this fails."""
    import grpc.aio  # noqa: F401  here, and not on the loop that it would hold up

    loop = running.enter_context(LoopThread("control"))
    calls = _Calls(bridge)
    server = loop.run(_make(services, calls))
    running.callback(lambda: loop.run(server.stop(GRACE)))
    running.enter_context(standing_at(path, lambda place: loop.run(_bind(server, place))))
    loop.run(server.start())
    if tls is not None:
        guarded = loop.run(_make(services, calls, tls))
        running.callback(lambda: loop.run(guarded.stop(GRACE)))
        loop.run(_bind_tls(guarded, tls))
        loop.run(guarded.start())


async def _make(
    services: Sequence[Service], calls: _Calls, tls: TlsPort | None = None
) -> grpc.aio.Server:
    """On the loop that it is to run on. With `tls`, every call has to show the token first."""
    import grpc.aio

    server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MAX_CALLS)
    for service in services:
        server.add_generic_rpc_handlers([_handler(service, calls, tls)])
    return server


async def _bind(server: grpc.aio.Server, path: Path) -> None:
    """Raises `OSError`."""
    try:
        server.add_insecure_port(address(path))
    except RuntimeError as error:  # grpc's own words name neither path nor reason
        raise OSError(f"the system gives no socket at {path}") from error


async def _bind_tls(server: grpc.aio.Server, tls: TlsPort) -> None:
    """Raises `ConfigError`."""
    import grpc

    credentials = grpc.ssl_server_credentials([(tls.key_pem, tls.certificate_pem)])
    try:
        port = server.add_secure_port(tls.address, credentials)
    except RuntimeError as error:
        raise ConfigError(f"The control API cannot listen on {tls.address}.") from error
    log.info("control API on %s, port %d, with TLS", tls.address, port)
    tls.bound(port)


def address(path: Path) -> str:
    """How gRPC is told of a Unix socket: as a URI, in which some characters have to be escaped."""
    return f"unix:{quote(str(path))}"


def _handler(service: Service, calls: _Calls, tls: TlsPort | None) -> grpc.GenericRpcHandler:
    import grpc

    def handler(method: MethodDescriptor, answer: Any) -> Any:
        make = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        behave = calls.stream if method.server_streaming else calls.unary
        return make(
            behave(method.full_name, answer, tls),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=_serialized,
        )

    methods = {method.name: handler(method, answer) for method, answer in service.answers()}
    return grpc.method_handlers_generic_handler(service.descriptor.full_name, methods)


def _serialized(response: Sent) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()


# What gRPC is given for one method; it hands over the request and a context. A type of grpc's own would load it.
Behaviour = Callable[[Message, Any], Coroutine[Any, Any, Any]]


class _Calls:
    """What is done with calls, on the asyncio loop: answers come over the bridge, and errors become statuses."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._streams = 0

    def unary(self, name: str, answer: Answer, tls: TlsPort | None) -> Behaviour:
        async def call(request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
            async with _statuses(name, context):
                await _admit(tls, context)
                return await self._bridge.run(partial(answer, request))

        return call

    def stream(self, name: str, stream: Stream, tls: TlsPort | None) -> Behaviour:
        async def call(request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            async with _statuses(name, context):
                await _admit(tls, context)
                if self._streams >= MAX_STREAMS:
                    await _abort(context, "RESOURCE_EXHAUSTED", TOO_MANY_STREAMS)
                self._streams += 1
                try:
                    messages = self._bridge.stream(partial(stream, request))
                    async with contextlib.aclosing(messages):
                        async for message in messages:
                            # Waits while the client does not read.
                            await context.write(message)
                finally:
                    self._streams -= 1

        return call


@contextlib.asynccontextmanager
async def _statuses(name: str, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
    """The call ends with a status when something is raised inside."""
    import grpc.aio

    try:
        yield
    except P2pchatError as error:
        await _abort(context, status_of(error), str(error))
    except (grpc.aio.AbortError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("%s failed", name)
        await _abort(context, "INTERNAL", FAULT)


async def _admit(tls: TlsPort | None, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Everybody, or who shows the token; the others are kept waiting a moment, and refused."""
    if tls is None or tls.token.fits(context.invocation_metadata() or ()):
        return
    with tls.token.penalty() as seconds:
        await asyncio.sleep(seconds)
    await _abort(context, "UNAUTHENTICATED", tls.token.REFUSAL)


def status_of(error: P2pchatError) -> str:
    """The name of gRPC's status code."""
    match error:
        case RequestRejectedError(reason=reason) if reason in _BAD_ARGUMENT:
            return "INVALID_ARGUMENT"
        case RequestRejectedError(reason=actors_pb2.UNAVAILABLE) | ActorError():
            return "UNAVAILABLE"
        case RequestRejectedError():
            return "FAILED_PRECONDITION"
        case _:
            return "UNAVAILABLE"


async def _abort(context: grpc.aio.ServicerContext[Any, Any], code: str, detail: str) -> NoReturn:
    import grpc

    await context.abort(grpc.StatusCode[code], detail)
    raise AssertionError("abort has returned")
