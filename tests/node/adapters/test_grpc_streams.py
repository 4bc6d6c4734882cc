"""Streams of gRPC on a real socket, from async generators of the trio loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import trio

from p2pchat.node.adapters.grpc_server import Service, address, serving
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2
from p2pchat.proto import control_pb2 as control

NODE = control.DESCRIPTOR.services_by_name["Node"]
SUBSCRIBE = "/p2pchat.control.v1.Node/Subscribe"


class Streamer:
    """`subscribe` yields what `batches` does."""

    def __init__(
        self, batches: Callable[[], AsyncGenerator[Sequence[control.Event], None]]
    ) -> None:
        self._batches = batches

    def subscribe(
        self, _: control.SubscribeRequest
    ) -> AsyncGenerator[Sequence[control.Event], None]:
        return self._batches()


def listen(channel: grpc.Channel) -> Any:
    """What it gives are serialized messages."""
    call: Any = channel.unary_stream(SUBSCRIBE)
    return call(b"")


def event(number: int) -> control.Event:
    return control.Event(at_ms=number)


def subscribe(path: Path) -> tuple[list[int], str]:
    """Blocks. What was heard, and how it ended."""
    heard: list[int] = []
    with grpc.insecure_channel(address(path)) as channel:
        call = channel.unary_stream(
            SUBSCRIBE,
            control.SubscribeRequest.SerializeToString,
            control.Event.FromString,
        )
        try:
            heard.extend(each.at_ms for each in call(control.SubscribeRequest(), timeout=60))
        except grpc.RpcError as error:
            call_too: Any = error
            return heard, f"{call_too.code().name}: {call_too.details()}"
    return heard, "OK"


async def test_a_stream_has_its_messages_in_order_and_its_end(tmp_path: Path) -> None:
    async def batches() -> AsyncGenerator[Sequence[control.Event], None]:
        for start in range(0, 300, 3):
            await trio.lowlevel.checkpoint()
            yield [event(start), event(start + 1), event(start + 2)]

    path = tmp_path / "node.sock"
    async with serving(path, [Service(NODE, Streamer(batches))]):
        assert await trio.to_thread.run_sync(subscribe, path) == (list(range(300)), "OK")


async def test_an_error_ends_a_stream_behind_what_was_said(tmp_path: Path) -> None:
    async def batches() -> AsyncGenerator[Sequence[control.Event], None]:
        yield [event(1)]
        raise RequestRejectedError(actors_pb2.INVALID, "No.")

    path = tmp_path / "node.sock"
    async with serving(path, [Service(NODE, Streamer(batches))]):
        heard = await trio.to_thread.run_sync(subscribe, path)
    assert heard == ([1], "INVALID_ARGUMENT: No.")


async def test_a_stream_whose_reader_is_gone_is_closed(tmp_path: Path) -> None:
    closed = trio.Event()

    async def batches() -> AsyncGenerator[Sequence[control.Event], None]:
        try:
            yield [event(1)]
            await trio.sleep_forever()
        finally:
            closed.set()

    path = tmp_path / "node.sock"
    async with serving(path, [Service(NODE, Streamer(batches))]):
        channel = grpc.insecure_channel(address(path))
        call = listen(channel)
        assert await trio.to_thread.run_sync(next, call)
        await trio.to_thread.run_sync(channel.close)
        with trio.fail_after(30):
            await closed.wait()


async def test_a_stream_is_not_ahead_of_its_reader(tmp_path: Path) -> None:
    """What nobody takes stays with who says it, but for what the connection holds."""
    said = 0

    async def batches() -> AsyncGenerator[Sequence[control.Event], None]:
        nonlocal said
        while True:
            said += 1
            yield [control.Event(cursor="x" * 100_000)]

    path = tmp_path / "node.sock"
    async with serving(path, [Service(NODE, Streamer(batches))]):
        channel = grpc.insecure_channel(address(path))
        call = listen(channel)
        assert await trio.to_thread.run_sync(next, call)
        before = -1
        while before != said:  # it comes to a standstill
            before = said
            await trio.sleep(0.3)
        assert said < 200
        call.cancel()
        await trio.to_thread.run_sync(channel.close)
