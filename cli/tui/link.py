"""The port through which the terminal UI sees a node, which runs in another process and may be gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from p2pchat.proto import control_pb2 as control

Phase = Literal["starting", "running", "gone", "restarting", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class NodeState:
    """How the node's process stands."""

    phase: Phase
    detail: str = ""  # a sentence for people; empty: nothing to add


class NodeLink(Protocol):
    async def ask(self, request: Message) -> Any:
        """The response of proto/control.proto that belongs to the request: FooRequest -> FooResponse.

        Raises `RequestRefusedError` (a sentence for people), `LinkDownError` (no node at the moment), or
        `ControlError`.
        """
        ...

    def events(self) -> AsyncIterator[control.Event | NodeState]:
        """In order, for ever.

        Goes on by itself over reconnects, behind the last cursor. A `FellBehind` event means: read anew.
        """
        ...
