"""What the parts of a session share: a node to ask, and a console to show lines on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from p2pchat.cli.terminal.completion import Names
from p2pchat.cli.terminal.console import Console
from p2pchat.cli.terminal.lines import Line

if TYPE_CHECKING:  # importing it imports the whole node
    from p2pchat.node.app import NodeHandle

R = TypeVar("R", bound=Message)

FIRST_LOOK = 10.0  # seconds at most for others to turn up, when the input is no terminal
POLL = 0.1  # seconds between two looks whether somebody is there


class Front:
    def __init__(self, node: NodeHandle, console: Console) -> None:
        self.node = node
        self.console = console
        self._names = Names()

    async def ask(self, question: Message, reply: type[R]) -> R:
        """Raises what `ActorRef.ask` raises."""
        return await self.node.ui.ask(question, reply)

    async def show(self, lines: Iterable[Line]) -> None:
        """Returns when they are written; nothing to show is fine."""
        if shown := list(lines):
            await self.console.show(shown)

    def offer_rooms(self, rooms: Iterable[str]) -> None:
        self._names = replace(self._names, rooms=tuple(rooms))
        self.console.set_names(self._names)

    def offer_people(self, people: Iterable[str]) -> None:
        self._names = replace(self._names, people=tuple(people))
        self.console.set_names(self._names)
