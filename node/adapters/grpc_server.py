"""gRPC services on a Unix socket, answered by trio.

gRPC calls handlers in threads of its own. They meet trio at one place, `_Bridge`: each call runs as a task of the
trio loop while its thread waits. gRPC itself is imported in a worker thread when the first server starts, because
it costs 0.1 s and 20 MB.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

import trio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from p2pchat.node.adapters.unix_socket import standing_at
from p2pchat.node.errors import ActorError, ActorStoppedError, P2pchatError, RequestRejectedError
from p2pchat.proto import actors_pb2

if TYPE_CHECKING:
    import grpc

log = logging.getLogger(__name__)

MAX_THREADS = 4  # calls that are answered at a time ...
MAX_CALLS = 32  # ... and with those that wait; more are refused with RESOURCE_EXHAUSTED
GRACE = 0.2  # seconds for calls under way when the server stops

STOPPING = "The process is stopping."
FAULT = "The request met a fault in the program; its log says more."

Answer = Callable[[Message], Awaitable[Message]]

# Rejections that blame the request itself; the others blame the state of things.
_BAD_ARGUMENT = frozenset({actors_pb2.TOO_LONG, actors_pb2.EMPTY, actors_pb2.INVALID})


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a .proto file, and who answers it.

    `servant` has an async method for each of the service's that it answers, by its name in snake case (`ListInvites`:
    `list_invites`), which takes the request and returns the response. Without it gRPC answers UNIMPLEMENTED.
    """

    descriptor: ServiceDescriptor
    servant: object

    def answers(self) -> Iterator[tuple[MethodDescriptor, Answer]]:
        for method in self.descriptor.methods:
            answer = getattr(self.servant, snake_case(method.name), None)
            if answer is not None:
                yield method, answer


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@contextlib.asynccontextmanager
async def serving(path: Path, services: Sequence[Service]) -> AsyncIterator[None]:
    """Serve on a socket at `path`, mode 0600, while the context lasts.

    What services raise is answered by a status: `RequestRejectedError` with INVALID_ARGUMENT, FAILED_PRECONDITION or
    UNAVAILABLE, other expected errors with UNAVAILABLE, anything else with INTERNAL. Raises what `standing_at` raises.
    """
    bridge = _Bridge(trio.lowlevel.current_trio_token())
    running = contextlib.ExitStack()
    try:
        await trio.to_thread.run_sync(_start, path, services, bridge, running)
        yield
    finally:
        bridge.stop()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(running.close)


def _start(
    path: Path, services: Sequence[Service], bridge: _Bridge, running: contextlib.ExitStack
) -> None:
    """In a worker thread. `running` ends what has been started, also when this fails."""
    import grpc

    threads = running.enter_context(futures.ThreadPoolExecutor(MAX_THREADS, "control"))
    server = grpc.server(threads, maximum_concurrent_rpcs=MAX_CALLS)
    running.callback(lambda: server.stop(GRACE).wait())
    for service in services:
        server.add_generic_rpc_handlers([_handler(service, bridge)])
    running.enter_context(standing_at(path, lambda place: _bind(server, place)))
    server.start()


def _bind(server: grpc.Server, path: Path) -> None:
    """Raises `OSError`."""
    try:
        server.add_insecure_port(address(path))
    except RuntimeError as error:
        raise OSError(f"the system gives no socket at {path}") from error


def address(path: Path) -> str:
    """How gRPC is told of a Unix socket: as a URI, in which some characters have to be escaped."""
    return f"unix:{quote(str(path))}"


def _handler(service: Service, bridge: _Bridge) -> grpc.GenericRpcHandler:
    import grpc

    methods = {
        method.name: grpc.unary_unary_rpc_method_handler(
            bridge.behaviour(method.full_name, answer),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method, answer in service.answers()
    }
    return grpc.method_handlers_generic_handler(service.descriptor.full_name, methods)


class _Bridge:
    """Takes calls from gRPC's threads to the trio loop of that token, and errors back as statuses."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._running: set[trio.CancelScope] = set()  # one for each call that is being answered
        self._is_stopped = False

    def stop(self) -> None:
        """Answer nobody any more: the threads of calls under way come back at once. Called on the trio loop."""
        self._is_stopped = True
        for scope in self._running:
            scope.cancel()

    def behaviour(
        self, name: str, answer: Answer
    ) -> Callable[[Message, grpc.ServicerContext], Message]:
        """What a thread of gRPC's does with a call of the method `name`."""

        def call(request: Message, context: grpc.ServicerContext) -> Message:
            try:
                return trio.from_thread.run(self._run, answer, request, trio_token=self._token)
            except (trio.Cancelled, trio.RunFinishedError):
                # `Cancelled` is no `Exception`: left alone, it would end the thread without an answer.
                _abort(context, "UNAVAILABLE", STOPPING)
            except P2pchatError as error:
                _abort(context, status_of(error), str(error))
            except Exception:
                log.exception("%s failed", name)
                _abort(context, "INTERNAL", FAULT)

        return call

    async def _run(self, answer: Answer, request: Message) -> Message:
        """As a task of the trio loop."""
        if not self._is_stopped:
            with trio.CancelScope() as scope:
                self._running.add(scope)
                try:
                    return await answer(request)
                finally:
                    self._running.discard(scope)
        raise ActorStoppedError(STOPPING)


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


def _abort(context: grpc.ServicerContext, code: str, detail: str) -> NoReturn:
    import grpc

    context.abort(grpc.StatusCode[code], detail)
