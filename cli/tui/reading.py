"""What of the messages has been read: what was shown counts once somebody has done something after that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from textual import events

from p2pchat.cli.tui.conversation import Conversation
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.notifying import QUIET_FOR
from p2pchat.cli.tui.state import ChatState
from p2pchat.proto import control_pb2 as control

_WITH_FOCUS = (events.Key, events.MouseDown, events.Paste)

MARK_PAUSE = 0.5  # seconds between two times the node is told: not for each of many messages


class Reading:
    """`now` gives a time in seconds."""

    def __init__(self, link: NodeLink, state: ChatState, now: Callable[[], float]) -> None:
        self.has_focus = True  # of the terminal, as far as it says
        self.below = 0  # new messages below what is shown
        self._link = link
        self._state = state
        self._now = now
        self._told_at = 0.0
        self._at_bottom = True
        self._acted = False  # and the node was not told yet
        self._marks = False  # a task is at it

    def begin(self, conversation: Conversation) -> None:
        """Somebody opens a conversation: its unread messages begin below a line."""
        self.below = 0
        conversation.unread_begins(conversation.status.unread)

    def count_below(self, arrived: Sequence[control.Message]) -> None:
        for message in arrived:
            conversation = self._state.conversation_of(message)
            self.below += conversation is not None and conversation.key == self._state.current

    def act(self, at_bottom: bool) -> Coroutine[Any, Any, Any] | None:
        """Somebody is there. What tells the node that what is shown was read; None: there is nothing to tell."""
        self._at_bottom = at_bottom
        self._acted = self._seen() is not None  # not what comes later
        if self._marks or not self._acted:
            return None
        self._marks = True
        return self._mark()

    async def _mark(self) -> None:
        try:
            while self._acted and (seen := self._seen()) is not None:
                self._acted = False
                seen.status.unread = 0
                which = seen.status.conversation
                await self._link.ask(control.MarkReadRequest(conversation=which))
                await asyncio.sleep(MARK_PAUSE)
        finally:
            self._marks = False

    def _seen(self) -> Conversation | None:
        """The open conversation, if somebody looks at unread messages in it."""
        here = self._state.here
        is_looked_at = here is not None and self._at_bottom and self.has_focus
        return here if here and is_looked_at and here.status.unread else None

    def notice_focus(self, event: events.Event) -> None:
        """A terminal that does not say that it is looked at again has keys pressed in it all the same."""
        self.has_focus |= isinstance(event, _WITH_FOCUS)

    def may_tell(self) -> bool:
        """Not again at once."""
        if 0 <= self._now() - self._told_at < QUIET_FOR:
            return False
        self._told_at = self._now()
        return True
