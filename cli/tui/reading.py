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

IDS_MOST = 500  # messages that are named; with more, or where not all are held, all are meant
MARK_PAUSE = 0.1  # seconds between two times the node is told: not for each of many messages


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
        self._due: dict[str, control.MarkReadRequest] = {}  # what the node was not told yet
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
        if (seen := self._seen()) is not None:
            request, earlier = _request(seen), self._due.get(seen.key)
            self._due[seen.key] = _both(earlier, request) if earlier else request
            seen.status.unread = 0
        if self._marks or not self._due:
            return None
        self._marks = True
        return self._mark()

    async def _mark(self) -> None:
        try:
            while self._due:
                await self._link.ask(self._due.pop(next(iter(self._due))))
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


def _request(seen: Conversation) -> control.MarkReadRequest:
    """Of what is there now, not of what comes until the node is told. Those are marked here."""
    which, unread = seen.status.conversation, seen.status.unread
    found = [each for each in seen.messages() if not each.own and not each.read]
    for each in found:
        each.read = True
    if seen.is_room or not unread <= len(found) <= IDS_MOST:
        return control.MarkReadRequest(conversation=which)
    return control.MarkReadRequest(conversation=which, ids=[each.id for each in found])


def _both(one: control.MarkReadRequest, other: control.MarkReadRequest) -> control.MarkReadRequest:
    """Of one conversation. Without ids, everything that is there is meant."""
    ids = [*one.ids, *other.ids] if one.ids and other.ids else []
    named = ids if len(ids) <= IDS_MOST else []
    return control.MarkReadRequest(conversation=one.conversation, ids=named)
