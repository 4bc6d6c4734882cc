"""Texts on their way into the store: sent in order, many at a time."""

from __future__ import annotations

from collections.abc import Callable

import trio

from p2pchat.cli.terminal import greeting, render
from p2pchat.cli.terminal.front import Front
from p2pchat.node.errors import AskTimeoutError, P2pchatError
from p2pchat.node.runtime.mailbox import ReplySlot
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

IN_FLIGHT = 256  # texts sent and not saved yet; reading more input waits for them
EXCERPT = 40  # characters of a text that are quoted when it could not be sent

Post = actors.PostText | actors.SendDirect

UNHEARD = (
    "Nobody else is in {room} right now: what you say is kept here, and whoever comes gets it."
)
UNHEARD_PLAIN = "Nobody else is in {room} right now, and a plain room keeps nothing for others."


class Posts:
    """Failures are shown, because what was saved shows itself. `on_direct` takes every direct message saved."""

    def __init__(
        self,
        front: Front,
        nursery: trio.Nursery,
        on_direct: Callable[[records.DirectRecord], None],
    ) -> None:
        self._front = front
        self._nursery = nursery
        self._on_direct = on_direct
        self._free = trio.Semaphore(IN_FLIGHT, max_value=IN_FLIGHT)
        self._idle = trio.Event()
        self._idle.set()
        self._silent: set[str] = set()  # rooms in which the last text reached nobody
        self.unheard = 0  # texts that were saved while nobody else was in the room
        self.unsaved = 0  # direct messages that the node did not take

    async def send(self, post: Post) -> None:
        """Returns when the text stands in the ui actor's mailbox."""
        await self._free.acquire()
        self._idle = trio.Event() if self._idle.is_set() else self._idle
        try:
            slot = await self._front.node.ui.post(post)
        except P2pchatError as error:
            self._release()
            await self._failed(post, error)
        except BaseException:
            self._release()
            raise
        else:
            self._nursery.start_soon(self._settle, slot, post)

    async def finish(self) -> None:
        """Wait until every text is saved or was refused."""
        await self._idle.wait()

    async def refuse(self, text: str, reason: str) -> None:
        """A direct message that could not even be sent, because nobody knows to whom."""
        self.unsaved += 1
        await self._quote("Not sent", text, reason)

    async def _settle(self, slot: ReplySlot, post: Post) -> None:
        try:
            answer = await slot.wait()
            if isinstance(answer, actors.Rejected):
                await self._failed(post, answer.detail)
            if isinstance(answer, actors.Posted):
                await self._note_listeners(answer)
            if isinstance(answer, actors.DirectSent):
                self._on_direct(answer.record)
        except P2pchatError as error:
            await self._failed(post, error)
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
            unheard = UNHEARD_PLAIN if posted.record.plain else UNHEARD
            hint = unheard.format(room=greeting.room(room))
            await self._front.show(render.several(render.hint, hint))

    def _release(self) -> None:
        self._free.release()
        if self._free.value == IN_FLIGHT:
            self._idle.set()

    async def _failed(self, post: Post, reason: str | P2pchatError) -> None:
        self.unsaved += isinstance(post, actors.SendDirect)
        # Whoever did not answer in time may have done it all the same.
        what = "Perhaps not sent" if isinstance(reason, AskTimeoutError) else "Not sent"
        await self._quote(what, post.text, str(reason).removeprefix("Not sent: "))

    async def _quote(self, what: str, text: str, reason: str) -> None:
        excerpt = text if len(text) <= EXCERPT else text[:EXCERPT] + "…"
        await self._front.show(render.several(render.warning, f"{what} ({excerpt!r}): {reason}"))
