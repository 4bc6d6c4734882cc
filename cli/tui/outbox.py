"""What was said while the node could not take it yet: kept on the screen, and handed over in order when it can."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from p2pchat.cli.control_client import LinkDownError, RequestRefusedError
from p2pchat.cli.tui.conversation import Conversation, Item
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.state import Changes, ChatState
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

TEXTS_WAITING = 100  # texts; one more is refused and stays where it was typed
RETRY = 0.5  # seconds between two tries
LOOKED_AT = 50  # messages in which one is looked for of which nobody knows whether it was taken
CLOCKS = 2_000  # milliseconds that two processes' clocks of one machine may seem apart


@dataclass(slots=True)
class _Waiting:
    conversation: Conversation
    item: Item
    text: str
    unsure: bool = False  # it was handed over, and the node was gone before it answered


class Outbox:
    def __init__(self, link: NodeLink, state: ChatState, draw: Callable[[Changes], None]) -> None:
        self._link = link
        self._state = state
        self._draw = draw
        self._waiting: deque[_Waiting] = deque()
        self._early: list[str] = []
        self._more = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def hold(self, text: str) -> bool:
        """Said before it is known in which conversation; whether there is room for it."""
        if len(self._early) >= TEXTS_WAITING:
            return False
        self._early.append(text)
        return True

    def let_go(self) -> Sequence[str]:
        """What was held, in order; now it is known."""
        held, self._early = self._early, []
        return held

    def say(self, conversation: Conversation, text: str, now_ms: int) -> bool:
        """Whether there is room for it."""
        if len(self._waiting) >= TEXTS_WAITING:
            return False
        people = self._state.people
        message = control.Message(
            conversation=conversation.status.conversation,
            sender=people.me,
            name=people.name,
            own=True,
            text=text,
            sent_at_ms=now_ms,
        )
        self._waiting.append(_Waiting(conversation, conversation.pend(message), text))
        self._more.set()
        self._draw(Changes({conversation.key}))
        return True

    async def hand_over(self) -> None:
        """For ever."""
        while True:
            await self._more.wait()
            while self._waiting:
                if await self._handed_over(self._waiting[0]):
                    self._waiting.popleft()
                else:
                    await asyncio.sleep(RETRY)
            self._more.clear()

    async def _handed_over(self, each: _Waiting) -> bool:
        """Or refused for good."""
        try:
            sent = await self._found(each) if each.unsure else None
            if sent is None:
                each.unsure = self._state.node.phase == "running"
                response = await self._link.ask(_request(each))
                sent = response.message
            each.conversation.put(sent)
            each.conversation.remove(each.item.key)
        except LinkDownError:
            return False
        except RequestRefusedError as error:
            self._failed(each, str(error))
        except P2pchatError as error:
            self._failed(each, f"{error} It may have been sent all the same.")
        self._draw(Changes({each.conversation.key}, overview=True))
        return True

    def _failed(self, each: _Waiting, reason: str) -> None:
        shown = reason.removeprefix("Not sent: ")  # the mark begins like that
        each.conversation.fail(each.item, shown)

    async def _found(self, each: _Waiting) -> control.Message | None:
        """The message, if the node took it before it was gone."""
        which = each.conversation.status.conversation
        request = (
            control.ReadHistoryRequest(room=which.room, limit=LOOKED_AT)
            if which.room
            else control.ReadHistoryRequest(who=which.peer, limit=LOOKED_AT)
        )
        typed_at = each.item.message.sent_at_ms if each.item.message else 0
        for message in (await self._link.ask(request)).messages:
            is_since = message.received_at_ms + CLOCKS >= typed_at
            if message.own and message.text == each.text and is_since:
                return message  # type: ignore[no-any-return]
        return None


def _request(each: _Waiting) -> control.SendMessageRequest:
    which = each.conversation.status.conversation
    if which.room:
        return control.SendMessageRequest(room=which.room, text=each.text)
    return control.SendMessageRequest(who=which.peer, text=each.text)
