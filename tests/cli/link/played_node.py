"""A node as its callers see it: the control API on a socket, answered as a test says. Runs on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from p2pchat.cli.control_client import SOCKET_NAME
from p2pchat.proto import control_pb2 as control
from p2pchat.proto import control_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class PlayedNode(control_pb2_grpc.NodeServicer):
    """Events carry their number as cursor. It remembers none of those before its start."""

    def __init__(self) -> None:
        self.asked_after: list[str] = []
        self.is_refusing = ""
        self.is_hanging = False
        self.was_asked = asyncio.Event()
        self.happened: asyncio.Queue[control.Event] = asyncio.Queue()
        self.known: Sequence[str] = ()  # cursors from which it can go on

    async def Subscribe(
        self, request: control.SubscribeRequest, context: Context
    ) -> AsyncIterator[control.Event]:
        self.asked_after.append(request.after)
        resumed = bool(request.after) and request.after in self.known
        yield control.Event(cursor="0", subscribed=control.Subscribed(resumed=resumed))
        while True:
            yield await self.happened.get()

    async def ListRooms(
        self, request: control.ListRoomsRequest, context: Context
    ) -> control.ListRoomsResponse:
        self.was_asked.set()
        if self.is_hanging:
            await asyncio.sleep(3600)
        if self.is_refusing:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.is_refusing)
        return control.ListRoomsResponse(rooms=[control.Room(name="den")])

    def happens(self, cursor: str, text: str) -> None:
        self.happened.put_nowait(
            control.Event(cursor=cursor, notice=control.Notice(level="info", text=text))
        )


@asynccontextmanager
async def serving(node: object, folder: Path) -> AsyncIterator[None]:
    """`node` is a `PlayedNode`, or anything that a service can be made of."""
    path = folder / SOCKET_NAME
    path.unlink(missing_ok=True)
    server = grpc.aio.server()
    if isinstance(node, PlayedNode):
        control_pb2_grpc.add_NodeServicer_to_server(node, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
        path.unlink(missing_ok=True)
