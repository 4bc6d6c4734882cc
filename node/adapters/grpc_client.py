"""Calls to a gRPC service on the Unix socket of another process of ours."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from p2pchat.node.adapters.grpc_server import address
from p2pchat.node.adapters.unix_socket import target
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2

R = TypeVar("R", bound=Message)

MAX_RESPONSE = 64 << 20  # bytes
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_RESPONSE),
    ("grpc.enable_http_proxy", 0),
    (
        "grpc.use_local_subchannel_pool",
        1,
    ),  # calls at a time would share how long not to connect again
)
AT_ONCE = 8  # calls, each in a thread; more wait: those threads are not taken from anybody else
_REASONS = {
    "INVALID_ARGUMENT": actors_pb2.INVALID,
    "FAILED_PRECONDITION": actors_pb2.REFUSED,
}


class GrpcClient:
    """One service of a process. A call has a connection of its own: whoever is asked may have been started anew."""

    def __init__(self, path: Path, service: ServiceDescriptor) -> None:
        self._path = path
        self._service = service
        self._threads = trio.CapacityLimiter(AT_ONCE)

    async def ask(self, request: Message, response: type[R], seconds: float) -> R:
        """Within so many seconds. Raises `RequestRejectedError`: UNAVAILABLE when there is no answer."""
        call = partial(self._call, request, response, seconds)
        with trio.move_on_after(seconds):
            return await trio.to_thread.run_sync(
                call, abandon_on_cancel=True, limiter=self._threads
            )
        raise RequestRejectedError(actors_pb2.UNAVAILABLE, "no answer")

    def _call(self, request: Message, response: type[R], seconds: float) -> R:
        import grpc  # costs 0.1 s and 15 MB

        method = request.DESCRIPTOR.name.removesuffix("Request")
        with grpc.insecure_channel(address(target(self._path)), options=_OPTIONS) as channel:
            call: Any = channel.unary_unary(
                f"/{self._service.full_name}/{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=response.FromString,
            )
            try:
                answer: R = call(request, timeout=seconds)
            except grpc.RpcError as error:
                raise _rejection(error) from error
        return answer


def _rejection(error: Any) -> RequestRejectedError:
    """`error` is a `grpc.RpcError`, which at a client is a `grpc.Call` as well."""
    reason = _REASONS.get(error.code().name, actors_pb2.UNAVAILABLE)
    return RequestRejectedError(reason, error.details() or "no answer")
