"""Asks that are put in order and awaited later, so that what follows need not wait for the answer."""

from __future__ import annotations

import trio
from google.protobuf.message import Message

from p2pchat.node.errors import AskTimeoutError
from p2pchat.node.runtime.mailbox import Letter, ReplySlot
from p2pchat.node.runtime.ref import ASK_DEADLINE, ActorRef


async def post(ref: ActorRef, message: Message) -> ReplySlot:
    """Put a message into the mailbox, waiting while it is full; the slot is waited for later.

    Two concurrent `ActorRef.ask`s may arrive in any order (trio shuffles its tasks); two posts by one task
    arrive in theirs. Raises `ActorStoppedError`, and `AskTimeoutError` when the mailbox stays full.
    """
    slot = ReplySlot()
    with trio.move_on_after(ASK_DEADLINE):
        await ref._mailbox.put(Letter(message, slot))
        return slot
    raise AskTimeoutError(f"{ref.name} takes no messages")
