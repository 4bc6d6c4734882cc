"""What is shown before the node is up: read from the disk by whoever starts the UI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.proto import control_pb2 as control


@dataclass(frozen=True, slots=True)
class OpeningScreen:
    """The first of `conversations` is the one that is opened."""

    conversations: Sequence[control.ConversationStatus] = ()
    # By conversation, see `conversation_key`; oldest first.
    messages: Mapping[str, Sequence[control.Message]] = field(default_factory=dict)
    peer: str = ""  # the own peer id
    name: str = ""  # the own name


def conversation_key(conversation: control.Conversation) -> str:
    """`#lobby` or `@12D3KooW...`."""
    return f"#{conversation.room}" if conversation.room else f"@{conversation.peer}"
