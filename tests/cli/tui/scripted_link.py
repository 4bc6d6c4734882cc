"""A node that says what a test wants, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import Message

from p2pchat.cli.tui.link import NodeState
from p2pchat.proto import control_pb2 as control


class ScriptedLink:
    """`answers` holds by request type what is answered, or what makes the answer or raises."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.answers: dict[type[Message], Message | Callable[[Any], Message]] = {}
        self._events: asyncio.Queue[control.Event | NodeState] = asyncio.Queue()

    async def ask(self, request: Message) -> Any:
        await asyncio.sleep(0)
        self.asked.append(request)
        answer = self.answers.get(type(request))
        if callable(answer):
            return answer(request)
        if answer is not None:
            return answer
        name = type(request).__name__.removesuffix("Request")
        return getattr(control, f"{name}Response")()

    async def events(self) -> AsyncIterator[control.Event | NodeState]:
        while True:
            yield await self._events.get()

    def tell(self, event: Message | NodeState) -> None:
        """A bare event, e.g. a `MessagesArrived`, is put into its envelope."""
        if isinstance(event, NodeState | control.Event):
            self._events.put_nowait(event)
            return
        for field in control.Event.DESCRIPTOR.fields:
            if field.message_type is not None and field.message_type == event.DESCRIPTOR:
                whole = control.Event()
                getattr(whole, field.name).CopyFrom(event)
                self._events.put_nowait(whole)

    def asked_for(self, kind: type[Message]) -> list[Any]:
        return [each for each in self.asked if isinstance(each, kind)]
