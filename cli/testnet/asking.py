"""A member's control API for trio: gRPC's own threads do the work, and nothing here ever waits in one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import trio
from google.protobuf.message import Message

from p2pchat.cli import control_client
from p2pchat.cli.control_client import ControlError
from p2pchat.proto import control_pb2 as control

if TYPE_CHECKING:
    import grpc

NODE, MAILBOX = "Node", "Mailbox"
EVENTS = 256  # of one member that wait for us; more wait in the member, which says in the end what was missed
PACKAGE = "p2pchat.control.v1"


async def ask(channel: grpc.Channel, request: Message, service: str = NODE) -> Any:
    """The answer of a member. Raises `RequestRefusedError`, or `ControlError` when there is none."""
    import grpc

    timeout = control_client.patience(request)
    method = _method(channel, request, service, streamed=False)
    try:
        return await _result(method.future(request, timeout=timeout))
    except grpc.RpcError as error:
        raise control_client.readable(error, service.lower(), timeout) from error
    except grpc.FutureCancelledError as error:
        raise ControlError("The question was taken back.") from error


async def _result(future: Any) -> Any:
    """What a gRPC future comes to. Raises what it raises; cancelled, it is taken back."""
    token, task = trio.lowlevel.current_trio_token(), trio.lowlevel.current_task()
    waiting = True

    def done(_: Any) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(wake)

    def wake() -> None:
        nonlocal waiting
        if waiting:
            waiting = False
            trio.lowlevel.reschedule(task)

    def cancelled(_: Any) -> trio.lowlevel.Abort:
        nonlocal waiting
        waiting = False
        future.cancel()
        return trio.lowlevel.Abort.SUCCEEDED

    future.add_done_callback(done)
    await trio.lowlevel.wait_task_rescheduled(cancelled)
    return future.result()


@asynccontextmanager
async def events(
    channel: grpc.Channel, after: str = ""
) -> AsyncIterator[trio.MemoryReceiveChannel[control.Event]]:
    """What happens at a node, from behind the cursor or from now on; ends when the node does."""
    import grpc

    request = control.SubscribeRequest(after=after)
    call = _method(channel, request, NODE, streamed=True)(request)
    send, receive = trio.open_memory_channel[control.Event](EVENTS)

    def pump() -> None:
        """In a thread of its own, as long as the stream goes on."""
        try:
            for event in call:
                trio.from_thread.run(send.send, event)
        except (grpc.RpcError, trio.BrokenResourceError, trio.Cancelled, trio.RunFinishedError):
            pass

    async def read() -> None:
        async with send:
            await trio.to_thread.run_sync(pump, limiter=trio.CapacityLimiter(1))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        try:
            async with receive:
                yield receive
        finally:
            call.cancel()


def _method(channel: grpc.Channel, request: Message, service: str, *, streamed: bool) -> Any:
    """What asks a request's question: a FooRequest is answered by the method Foo."""
    method = control.DESCRIPTOR.services_by_name[service].methods_by_name[
        request.DESCRIPTOR.name.removesuffix("Request")
    ]
    answer = getattr(control, method.output_type.name)
    kind = channel.unary_stream if streamed else channel.unary_unary
    return kind(
        f"/{PACKAGE}.{service}/{method.name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=answer.FromString,
    )
