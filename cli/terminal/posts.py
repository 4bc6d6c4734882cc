"""Texts on their way into the store: sent in order, many at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from p2pchat.cli.terminal import greeting, render
from p2pchat.cli.terminal.lines import Line
from p2pchat.node.errors import P2pchatError
from p2pchat.node.runtime import ActorRef
from p2pchat.node.runtime.mailbox import ReplySlot
from p2pchat.proto import actors_pb2 as actors

IN_FLIGHT = 256  # texts sent and not saved yet; reading more input waits for them
EXCERPT = 40  # characters of a text that are quoted when it could not be sent

Show = Callable[[Sequence[Line]], Awaitable[None]]
UNHEARD = "Nobody else is in {room} right now: what you say is kept here, and reaches nobody."


class Posts:
    """`ui` is the node's ui actor; failures are shown, because what was saved shows itself."""

    def __init__(self, ui: ActorRef, nursery: trio.Nursery, show: Show) -> None:
        self._ui = ui
        self._nursery = nursery
        self._show = show
        self._free = trio.Semaphore(IN_FLIGHT, max_value=IN_FLIGHT)
        self._idle = trio.Event()
        self._idle.set()
        self._silent: set[str] = set()  # rooms in which the last text reached nobody
        self.unheard = 0  # texts that were saved while nobody else was in the room

    async def send(self, room: str, text: str) -> None:
        """Returns when the text stands in the ui actor's mailbox."""
        await self._free.acquire()
        self._idle = trio.Event() if self._idle.is_set() else self._idle
        try:
            slot = await self._ui.post(actors.PostText(room=room, text=text))
        except P2pchatError as error:
            self._release()
            await self._failed(text, str(error))
        except BaseException:
            self._release()
            raise
        else:
            self._nursery.start_soon(self._settle, slot, text)

    async def finish(self) -> None:
        """Wait until every text is saved or was refused."""
        await self._idle.wait()

    async def _settle(self, slot: ReplySlot, text: str) -> None:
        try:
            answer = await slot.wait()
            if isinstance(answer, actors.Rejected):
                await self._failed(text, answer.detail)
            if isinstance(answer, actors.Posted):
                await self._note_listeners(answer)
        except P2pchatError as error:
            await self._failed(text, str(error))
        finally:
            self._release()

    async def _note_listeners(self, posted: actors.Posted) -> None:
        """Say so once when nobody hears what is said, until somebody does."""
        room = posted.record.message.room
        if posted.listeners:
            self._silent.discard(room)
            return
        self.unheard += 1
        if room not in self._silent:
            self._silent.add(room)
            await self._show(render.several(render.hint, UNHEARD.format(room=greeting.room(room))))

    def _release(self) -> None:
        self._free.release()
        if self._free.value == IN_FLIGHT:
            self._idle.set()

    async def _failed(self, text: str, reason: str) -> None:
        excerpt = text if len(text) <= EXCERPT else text[:EXCERPT] + "…"
        await self._show(
            render.several(
                render.warning, f"Not sent ({excerpt!r}): {reason.removeprefix('Not sent: ')}"
            )
        )
