"""Reads a conversation back until a message is there that was found by a search."""

from __future__ import annotations

from collections.abc import Callable

from p2pchat.cli.tui.conversation import key_of, message_key
from p2pchat.cli.tui.feed import Feed
from p2pchat.cli.tui.state import ChatState
from p2pchat.proto import control_pb2 as control

PAGES = 50  # read back at most; a message that is older still is not gone to


async def reach(
    message: control.Message, state: ChatState, feed: Feed, open_: Callable[[str], None]
) -> bool:
    """Whether it is there now. Raises what `NodeLink.ask` raises."""
    which = message.conversation
    conversation = state.room_or_person(which, message.name)
    open_(key_of(message))
    key = message_key(message.sender, message.id)
    conversation.held = True
    for _ in range(PAGES):
        if conversation.find(key) is not None or conversation.cursor == "":
            break
        await feed.read_older()
    return conversation.find(key) is not None
