"""What an actor is: state, handlers for protobuf messages, and background tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, TypeVarTuple

import trio
from google.protobuf.message import Message

from p2pchat.node.runtime.mailbox import DEFAULT_MAILBOX_SIZE, Letter

M = TypeVar("M", bound=Message)
A = TypeVar("A", bound="Actor")
Ts = TypeVarTuple("Ts")

Handler = Callable[[A, M], Awaitable[Message | None]]
BatchHandler = Callable[[A, Sequence[M]], Awaitable[Sequence[Message]]]

STALL_AFTER = 10.0  # seconds on one message until the watchdog says so
HUNG_AFTER = 60.0  # seconds on one message until the watchdog treats the actor as crashed


@dataclass(frozen=True, slots=True)
class _Route:
    name: str
    at_most: int
    batch: bool


def handles(message_type: type[M]) -> Callable[[Handler[A, M]], Handler[A, M]]:
    """Mark `async def _verb(self, message) -> reply | None` as the handler of a message type."""
    return _mark(message_type, at_most=1, batch=False)


def handles_batch(
    message_type: type[M], at_most: int
) -> Callable[[BatchHandler[A, M]], BatchHandler[A, M]]:
    """Mark a handler that takes up to `at_most` queued messages at once and answers each.

    Only messages that stand next to each other in the mailbox are put together, so order is kept.
    """
    return _mark(message_type, at_most=at_most, batch=True)


def _mark(message_type: type[Message], *, at_most: int, batch: bool) -> Callable[[Any], Any]:
    def decorate(method: Any) -> Any:
        method.handles = (message_type, _Route(method.__name__, at_most, batch))
        return method

    return decorate


class Actor:
    """Base of all actors. Subclasses own their state and touch nobody else's.

    A new object is made for every incarnation. An exception from a handler, from `started` or from a
    background task is a crash: the supervisor decides what comes next.
    """

    mailbox_size: ClassVar[int] = DEFAULT_MAILBOX_SIZE
    stall_after: ClassVar[float] = STALL_AFTER
    hung_after: ClassVar[float] = HUNG_AFTER

    routes: ClassVar[dict[type[Message], _Route]] = {}
    at_most: ClassVar[dict[type[Message], int]] = {}

    _tasks: trio.Nursery

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # Of all bases: an actor may be put together from parts.
        members = (member for base in reversed(cls.__mro__) for member in vars(base).values())
        marks = (getattr(member, "handles", None) for member in members)
        cls.routes = dict(mark for mark in marks if mark)
        cls.at_most = {kind: route.at_most for kind, route in cls.routes.items()}

    def bind(self, tasks: trio.Nursery) -> None:
        """Called by the runtime before `started`."""
        self._tasks = tasks

    async def started(self) -> None:
        """Open what the actor owns. Its siblings to the right start after this returns."""

    async def stopping(self) -> None:
        """Close what the actor owns; not called after a crash. Siblings to the left still run."""

    def spawn(
        self, task: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: object = None
    ) -> None:
        """Run a background task that ends with this incarnation; its crash is the actor's."""
        self._tasks.start_soon(task, *args, name=name)

    async def spawn_started(self, task: Callable[..., Awaitable[object]]) -> None:
        """Run a background task and wait until it has called `task_status.started()`."""
        await self._tasks.start(task)

    async def receive(self, letters: Sequence[Letter]) -> None:
        """Handle letters of one type and settle their reply slots."""
        route = self.routes.get(type(letters[0].message))
        if route is None:
            raise TypeError(f"{type(self).__name__} has no handler for {_kind(letters[0])}")
        handler = getattr(self, route.name)
        if route.batch:
            replies = await handler([letter.message for letter in letters])
        else:
            replies = [await handler(letters[0].message)]
        for letter, reply in zip(letters, replies, strict=True):
            if letter.slot is not None:
                letter.slot.answer(reply)


def _kind(letter: Letter) -> str:
    return type(letter.message).__name__
