"""What comes from the node, a frame at a time: a thousand messages do not draw the screen a thousand times."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.state import (
    CONVERSATIONS,
    EVERYTHING,
    INFO,
    MEMBERS,
    TRANSFERS,
    Changes,
    ChatState,
)
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

FRAME = 1 / 15  # seconds between two looks at what has come
LONGEST_WAIT = 0.25  # seconds that a frame may wait longer while there is too much to do
EVENTS_A_FRAME = (
    64  # events taken at once; the others wait for the next frame, so that keys come in between
)
EVENTS_WAITING = 256  # events; more wait in the link
ASK_PAUSE = 1.0  # seconds between two times the same is asked again
PAGE = 100  # messages read at a time

Drawn = Callable[[Changes], None]


class Feed:
    """`draw` is told of changes, from the event loop."""

    def __init__(self, link: NodeLink, state: ChatState, draw: Drawn) -> None:
        self._link = link
        self._state = state
        self._draw = draw
        self._events: asyncio.Queue[object] = asyncio.Queue(EVENTS_WAITING)
        self._wanted: set[str] = set()
        self._asked = asyncio.Event()
        self._late = 0.0  # seconds that the next frame waits longer

    async def take_events(self) -> None:
        """For ever."""
        async for event in self._link.events():
            await self._events.put(event)

    async def draw_frames(self) -> None:
        """For ever."""
        while True:
            changes = self._state.apply(await self._events.get())  # type: ignore[arg-type]
            for _ in range(EVENTS_A_FRAME):
                if self._events.empty():
                    break
                changes.add(self._state.apply(self._events.get_nowait()))  # type: ignore[arg-type]
            self.ask(changes.ask)
            self._draw(changes)
            await self._rest()

    async def _rest(self) -> None:
        """Longer where the loop has too much to do: then keys come before new messages."""
        loop = asyncio.get_running_loop()
        pause = FRAME + self._late
        until = loop.time() + pause
        await asyncio.sleep(pause)
        self._late = min(LONGEST_WAIT, 2 * (loop.time() - until))

    # ---- asking -----------------------------------------------------------------------------------------

    def ask(self, what: set[str]) -> None:
        """Soon, and once however often it is wanted until then."""
        if what:
            self._wanted |= what
            self._asked.set()

    async def answer_wants(self) -> None:
        """For ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            wanted, self._wanted = self._wanted, set()
            await self._ask_all(wanted)
            await asyncio.sleep(ASK_PAUSE)

    async def _ask_all(self, wanted: set[str]) -> None:
        """A node that is gone is asked again when it is back: its stream then begins with everything."""
        if EVERYTHING in wanted:
            wanted = {CONVERSATIONS, INFO, MEMBERS, TRANSFERS, EVERYTHING}
        steps = {
            INFO: self._ask_info,
            CONVERSATIONS: self._ask_conversations,
            TRANSFERS: self._ask_transfers,
            MEMBERS: self.ask_members,
            EVERYTHING: self._read_anew,
        }
        for name, step in steps.items():
            if name in wanted:
                await self._tried(step)

    async def _tried(self, step: Callable[[], Awaitable[Changes]]) -> None:
        try:
            self._draw(await step())
        except P2pchatError:
            return

    async def _ask_info(self) -> Changes:
        return self._state.set_info(await self._link.ask(control.GetInfoRequest()))

    async def _ask_conversations(self) -> Changes:
        found = await self._link.ask(control.ListConversationsRequest())
        self._state.is_listed = True
        return self._state.set_conversations(found.conversations)

    async def _ask_transfers(self) -> Changes:
        found = await self._link.ask(control.ListTransfersRequest())
        changes = Changes()
        for transfer in reversed(found.transfers):
            changes.add(self._state.note_transfer(transfer))
        return changes

    async def ask_members(self) -> Changes:
        here = self._state.here
        if here is None or not here.is_room or not here.status.joined:
            return Changes()
        room = here.status.conversation.room
        found = await self._link.ask(control.ListMembersRequest(room=room))
        return self._state.set_members(room, found.members)

    # ---- history ----------------------------------------------------------------------------------------

    async def _read_anew(self) -> Changes:
        for conversation in self._state.conversations.values():
            conversation.cursor = None
        return await self.read_newest()

    async def read_newest(self) -> Changes:
        """Of the current conversation, as the node has it."""
        here = self._state.here
        if here is None:
            return Changes()
        found = await self._link.ask(_history(here.status.conversation, ""))
        self._state.learn_from(found.messages)
        here.read_newest(found.messages, found.cursor)
        return Changes({here.key})

    async def read_older(self) -> Changes:
        """What stands before what is shown; nothing when that is all."""
        here = self._state.here
        if here is None or here.cursor == "":
            return Changes()
        found = await self._link.ask(_history(here.status.conversation, here.cursor or ""))
        self._state.learn_from(found.messages)
        here.put_page(found.messages)
        here.cursor = found.cursor
        return Changes({here.key})


def _history(which: control.Conversation, before: str) -> control.ReadHistoryRequest:
    if which.room:
        return control.ReadHistoryRequest(room=which.room, limit=PAGE, before=before)
    return control.ReadHistoryRequest(who=which.peer, limit=PAGE, before=before)
