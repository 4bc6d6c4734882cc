"""The address of an actor: it survives restarts, and is all that others hold."""

from __future__ import annotations

import contextlib
from typing import TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.errors import ActorStoppedError, AskTimeoutError, RequestRejectedError
from p2pchat.node.runtime.mailbox import Letter, Mailbox, ReplySlot
from p2pchat.proto import actors_pb2

ASK_DEADLINE = 10.0  # seconds; a caller with less patience opens a tighter cancel scope

R = TypeVar("R", bound=Message)


class ActorRef:
    """Send messages to one actor by `tell` (waits for space), `offer` (drops) or `ask` (waits for the reply)."""

    def __init__(self, name: str, mailbox: Mailbox) -> None:
        self.name = name
        self.drops = 0  # offers that found the mailbox full
        self._mailbox = mailbox

    def __repr__(self) -> str:
        return f"<ActorRef {self.name}>"

    async def tell(self, message: Message) -> None:
        """Put into the mailbox, waiting while it is full. Raises `ActorStoppedError`."""
        await self._mailbox.put(Letter(message))

    async def inform(self, message: Message) -> None:
        """As `tell`, and nothing where the actor has stopped: at the end nobody looks any more."""
        with contextlib.suppress(ActorStoppedError):
            await self.tell(message)

    def offer(self, message: Message) -> bool:
        """Put into the mailbox, or drop and count when it is full or the actor has stopped."""
        try:
            taken = self._mailbox.put_nowait(Letter(message))
        except Exception:
            taken = False
        if not taken:
            self.drops += 1
        return taken

    async def post(self, message: Message) -> ReplySlot:
        """Ask, and wait for the reply later: two posts by one task arrive in their order.

        Raises `ActorStoppedError`, and `AskTimeoutError` when the mailbox stays full.
        """
        slot = ReplySlot()
        with trio.move_on_after(ASK_DEADLINE):
            await self._mailbox.put(Letter(message, slot))
            return slot
        raise AskTimeoutError(f"{self.name} takes no messages")

    async def ask(self, message: Message, reply: type[R]) -> R:
        """Send and wait for a reply of that type, at most `ASK_DEADLINE`.

        Raises what `request` raises, and `AskTimeoutError`; the message may be handled all the same.
        """
        with trio.move_on_after(ASK_DEADLINE):
            return await self.request(message, reply)
        raise AskTimeoutError(f"no answer from {self.name} within {ASK_DEADLINE:g} s")

    async def request(self, message: Message, reply: type[R]) -> R:
        """Send and wait for a reply of that type, however long it takes.

        Raises `RequestRejectedError` when the actor answers `Rejected`, `ActorCrashedError` when it
        crashed on the message, and `ActorStoppedError`.
        """
        slot = ReplySlot()
        await self._mailbox.put(Letter(message, slot))
        answer = await slot.wait()
        if isinstance(answer, actors_pb2.Rejected):
            raise RequestRejectedError(answer.reason, answer.detail)
        if not isinstance(answer, reply):
            got = type(answer).__name__
            raise TypeError(f"{self.name} answered {got} where {reply.__name__} was asked")
        return answer
