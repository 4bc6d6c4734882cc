"""A node in another process, through its control socket: questions, and events that go on over reconnects."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from google.protobuf.message import Message

from p2pchat.cli import control_client
from p2pchat.cli.control_client import (
    ControlError,
    LinkDownError,
    NotRunningError,
    RequestRefusedError,
)
from p2pchat.cli.tui.link import NodeState
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

if TYPE_CHECKING:
    import grpc.aio

SERVICE = "p2pchat.control.v1.Node"
EVENTS = 1024  # events that wait for the UI; more wait in the node, which says in the end what was missed
QUESTIONS = 16  # that are with the node at a time; more wait here
RETRY = Backoff(first=0.05, most=1.0)  # seconds between two tries to reach the node

NOBODY = "The node does not run at the moment."
NEW_START = "The node has been started anew."


class GrpcLink:
    """A `NodeLink` on the socket in `data_dir`; `run` keeps it connected. To be used in one event loop."""

    def __init__(self, data_dir: Path, rng: random.Random | None = None) -> None:
        self._data_dir = data_dir
        self._rng = rng or random.Random()
        self._channel: grpc.aio.Channel | None = None  # while the node answers
        self._events: asyncio.Queue[control.Event | NodeState] = asyncio.Queue(EVENTS)
        self._questions = asyncio.Semaphore(QUESTIONS)
        self._wake = asyncio.Event()
        self._cursor = ""
        self._has_connected = False  # before, to this or another run of the node

    # ---- what the UI sees -------------------------------------------------------------------------

    async def ask(self, request: Message) -> Any:
        """Raises `RequestRefusedError`, `LinkDownError` or `ControlError`."""
        timeout = control_client.patience(request)
        async with self._questions:
            if self._channel is None:
                raise LinkDownError(NOBODY)
            import grpc

            try:
                return await _method(self._channel, request)(request, timeout=timeout)
            except grpc.RpcError as error:
                if await self._is_down(error):
                    raise LinkDownError(NOBODY) from error
                raise control_client.readable(error, "node", timeout) from error
            except asyncio.CancelledError:
                if _is_being_cancelled():
                    raise
                raise LinkDownError(NOBODY) from None  # the channel was closed meanwhile

    async def _is_down(self, error: Any) -> bool:
        """Whether nobody is there; somebody who is may be unable to answer as well."""
        if error.code().name not in ("UNAVAILABLE", "CANCELLED"):
            return False
        try:
            await asyncio.to_thread(control_client.living_socket, self._data_dir, "node")
        except NotRunningError:
            return True
        except P2pchatError:
            return False
        return False

    async def events(self) -> AsyncIterator[control.Event | NodeState]:
        """In order, for ever; for one reader."""
        while True:
            yield await self._events.get()

    # ---- what the program does --------------------------------------------------------------------

    async def tell(self, state: NodeState) -> None:
        """Put into the row of events; waits while the UI is behind."""
        await self._events.put(state)

    async def note(self, text: str, level: str = "info") -> None:
        """A sentence for people among the events, as one of the node's own."""
        notice = control.Notice(level=level, text=text)
        await self._events.put(control.Event(at_ms=time.time_ns() // 1_000_000, notice=notice))

    def try_now(self) -> None:
        """The node is there: no more waiting before the next try."""
        self._wake.set()

    async def run(self) -> None:
        """Connect, and connect again, for ever. Raises `UserError` when what runs there is no node, or not ours."""
        control_client.keep_grpc_quiet()
        await asyncio.to_thread(_load)
        attempt = 0
        while True:
            was_up = await self._follow()
            attempt = 1 if was_up else attempt + 1
            if was_up:
                await self.tell(NodeState("gone"))
            await self._pause(RETRY.delay(attempt, self._rng))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _follow(self) -> bool:
        """One connection, until it breaks; whether there was one. Raises `UserError`."""
        was_up = False
        try:
            place = await asyncio.to_thread(control_client.living_socket, self._data_dir, "node")
            async for event in self._stream(place):
                was_up = True
                await self._take(event)
        except RequestRefusedError:
            if not self._cursor:
                raise
            self._cursor = ""  # the node does not take it; without one it says that it begins anew
        except (NotRunningError, ControlError):
            pass
        return was_up

    async def _stream(self, place: Path) -> AsyncIterator[control.Event]:
        """What happens, while the node answers. Raises `RequestRefusedError` or `ControlError`."""
        import grpc

        target = f"unix:{quote(str(place))}"
        async with grpc.aio.insecure_channel(target, control_client.CHANNEL_OPTIONS) as channel:
            request = control.SubscribeRequest(after=self._cursor)
            try:
                async for event in _method(channel, request, streamed=True)(request):
                    self._channel = channel
                    yield event
            except grpc.RpcError as error:
                raise control_client.readable(error, "node", 0.0) from error
            finally:
                self._channel = (
                    None  # before it closes: who still asks is told that there is nobody
                )

    async def _take(self, event: control.Event) -> None:
        behind = None
        if event.HasField("subscribed"):
            await self.tell(NodeState("running"))
            if self._has_connected and not event.subscribed.resumed:
                # What happened meanwhile is nowhere: the UI has to look at everything again.
                behind = control.FellBehind(reason=NEW_START)
            self._has_connected = True
        self._cursor = event.cursor or self._cursor
        await self._events.put(event)
        if behind is not None:
            await self._events.put(control.Event(at_ms=event.at_ms, fell_behind=behind))


def _load() -> None:
    """In a thread, behind the first screen: it takes 0.1 s."""
    import grpc.aio  # noqa: F401


def _method(channel: grpc.aio.Channel, request: Message, *, streamed: bool = False) -> Any:
    """What asks a request's question: a FooRequest is answered by the method Foo."""
    method = control.DESCRIPTOR.services_by_name["Node"].methods_by_name[
        request.DESCRIPTOR.name.removesuffix("Request")
    ]
    answer = getattr(control, method.output_type.name)
    kind = channel.unary_stream if streamed else channel.unary_unary
    return kind(
        f"/{SERVICE}/{method.name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=answer.FromString,
    )


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and bool(task.cancelling())
