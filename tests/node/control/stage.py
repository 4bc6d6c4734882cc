"""A ui actor that is played, and a node around it, for tests of the control API."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import trio
from google.protobuf.message import Message

from p2pchat.node import control
from p2pchat.node.adapters.grpc_server import address, serving
from p2pchat.node.config import NodeConfig
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import control_pb2_grpc

ME = Identity(b"\1" * 32)
BOB = Identity(b"\2" * 32)
EVE = Identity(b"\3" * 32)

Answer = Callable[[Any], Message | Awaitable[Message]]


class PlayedUi(Actor):
    """Answers each question with what `answers` holds for its type, or what that returns."""

    def __init__(self, world: PlayedNode) -> None:
        self._world = world

    async def receive(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            asked = letter.message
            self._world.asked.append(asked)
            answer: Any = self._world.answers.get(type(asked), actors.Done())
            if callable(answer):
                answer = answer(asked)
            if isinstance(answer, Awaitable):
                answer = await answer
            assert letter.slot is not None
            letter.slot.answer(answer)


@dataclass
class PlayedNode:
    """What `control.serve` needs. `asked` are the questions to the ui actor."""

    config: NodeConfig
    answers: dict[type[Message], Message | Answer] = field(default_factory=dict)
    asked: list[Message] = field(default_factory=list)
    hub: EventHub = field(default_factory=EventHub)
    identity: Identity = ME
    stops: int = 0

    def __post_init__(self) -> None:
        cell = ActorCell.of("ui", PlayedUi, lambda: PlayedUi(self))
        self.tree = Supervisor("root", [cell], root=True)
        self.ui: ActorRef = cell.ref
        self.answers.setdefault(actors.ListContacts, actors.ContactStatusList())

    def stop(self) -> None:
        self.stops += 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[control.NodeControl]:
        async with trio.open_nursery() as nursery:
            await nursery.start(lambda task_status: self.tree.run(task_status=task_status))
            servant = control.NodeControl(self, self.stop)
            nursery.start_soon(servant.keep_journal)
            yield servant
            self.tree.request_stop()
            nursery.cancel_scope.cancel()

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[Path]:
        path = self.config.data_dir / "node.sock"
        async with self.running(), control.serve(path, self, self.stop):
            yield path


def played(folder: Path, answers: dict[type[Message], Any] | None = None) -> PlayedNode:
    return PlayedNode(NodeConfig(folder), answers or {})


@contextlib.asynccontextmanager
async def role_served(path: Path, front: ActorRef) -> AsyncIterator[None]:
    """As a role does that has a service of its own besides."""
    async with serving(path, [control.service(front)]):
        yield


async def ask(path: Path, name: str, request: Message) -> Any:
    """One call over the socket. Raises `grpc.RpcError`."""
    return await trio.to_thread.run_sync(partial(_ask, path, name, request))


def _ask(path: Path, name: str, request: Message) -> Any:
    with grpc.insecure_channel(address(path)) as channel:
        stub: Any = control_pb2_grpc.NodeStub(channel)  # type: ignore[no-untyped-call]
        return getattr(stub, name)(request, timeout=60)


def status(error: Any) -> tuple[str, str]:
    """Of a `grpc.RpcError` at a client."""
    return error.code().name, error.details()
