"""Lets an actor answer later: letters are accepted at once and worked off in lanes of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.errors import ActorStoppedError, P2pchatError
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors

LETTERS_IN_HAND = (
    1024  # letters not answered yet; one more is rejected, so that accepting never waits
)

# Awaited in turn; what it returns is awaited beside the others, and gives the answer.
Begin = Callable[[Message], Awaitable[Callable[[], Awaitable[Message]]]]


class Desk:
    """The letters that an actor has accepted and not answered yet."""

    def __init__(self, on_unheard: Callable[[actors.Rejected], None]) -> None:
        """`on_unheard` gets the rejections of letters that were told: nobody waits for their answer."""
        self._on_unheard = on_unheard
        self._open: dict[int, Letter] = {}
        self._settled = trio.Event()
        self._lanes: list[Lane] = []

    def lane(self, begin: Begin, width: int) -> Lane:
        """A new lane with up to `width` letters in work side by side; the others wait in order."""
        lane = Lane(self, begin, width)
        self._lanes.append(lane)
        return lane

    async def run(self) -> None:
        """Work until cancelled; then nobody is left waiting for an answer."""
        try:
            async with trio.open_nursery() as nursery:
                for lane in self._lanes:
                    nursery.start_soon(lane.run, nursery)
        finally:
            for letter in self._open.values():
                if letter.slot is not None:
                    letter.slot.fail(ActorStoppedError("the actor has stopped"))

    async def finish(self) -> None:
        """Wait until everything accepted is answered."""
        while self._open:
            self._settled = trio.Event()
            await self._settled.wait()

    def accept(self, letter: Letter) -> bool:
        if len(self._open) >= LETTERS_IN_HAND:
            detail = f"{LETTERS_IN_HAND:,} commands are waiting already; try again."
            self.settle(letter, actors.Rejected(reason=actors.TOO_MANY, detail=detail))
            return False
        self._open[id(letter)] = letter
        return True

    def settle(self, letter: Letter, answer: Message) -> None:
        self._open.pop(id(letter), None)
        if letter.slot is not None:
            letter.slot.answer(answer)
        elif isinstance(answer, actors.Rejected):
            self._on_unheard(answer)
        self._settled.set()


class Lane:
    """Begins letters in their order; an expected failure is answered `Rejected`."""

    def __init__(self, desk: Desk, begin: Begin, width: int) -> None:
        self._desk = desk
        self._begin = begin
        self._free = trio.Semaphore(width)
        # As long as all that the desk may hold: a letter that was accepted never finds it full.
        self._send, self._waiting = trio.open_memory_channel[Letter](LETTERS_IN_HAND)

    def put(self, letter: Letter) -> None:
        if self._desk.accept(letter):
            self._send.send_nowait(letter)

    async def run(self, nursery: trio.Nursery) -> None:
        async for letter in self._waiting:
            await self._free.acquire()
            try:
                finish = await self._begin(letter.message)
            except P2pchatError as error:
                self._settle(letter, rejection_of(error))
            else:
                nursery.start_soon(self._finish, letter, finish)

    async def _finish(self, letter: Letter, finish: Callable[[], Awaitable[Message]]) -> None:
        try:
            answer = await finish()
        except P2pchatError as error:
            answer = rejection_of(error)
        self._settle(letter, answer)

    def _settle(self, letter: Letter, answer: Message) -> None:
        self._free.release()
        self._desk.settle(letter, answer)
