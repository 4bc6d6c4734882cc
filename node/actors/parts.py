"""Asks an actor for its part of a description that others make up the rest of."""

from __future__ import annotations

from typing import TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.errors import P2pchatError
from p2pchat.node.runtime import ActorRef

PART_DEADLINE = 2.0  # seconds an actor has to describe itself before its part is left out

P = TypeVar("P", bound=Message)


async def ask_part(ref: ActorRef, question: Message, part: type[P]) -> P | None:
    """None when the actor is down or slow."""
    with trio.move_on_after(PART_DEADLINE):
        try:
            return await ref.ask(question, part)
        except P2pchatError:
            return None
    return None


async def fill_in(ref: ActorRef, question: Message, part: Message) -> None:
    """Put the answer into `part`, which stays empty when the actor is down or slow."""
    if (found := await ask_part(ref, question, type(part))) is not None:
        part.CopyFrom(found)
