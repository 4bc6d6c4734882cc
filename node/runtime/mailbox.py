"""A bounded queue of letters that outlives the actor reading it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import trio
from google.protobuf.message import Message

from p2pchat.node.errors import ActorStoppedError

DEFAULT_MAILBOX_SIZE = 64  # letters; a full mailbox makes tell() wait and offer() drop


@dataclass(slots=True)
class ReplySlot:
    """Where an asker waits; settled once, with a reply or an error."""

    _settled: trio.Event = field(default_factory=trio.Event)
    _reply: Message | None = None
    _error: Exception | None = None

    def answer(self, reply: Message | None) -> None:
        if not self._settled.is_set():
            self._reply = reply
            self._settled.set()

    def fail(self, error: Exception) -> None:
        if not self._settled.is_set():
            self._error = error
            self._settled.set()

    async def wait(self) -> Message | None:
        await self._settled.wait()
        if self._error is not None:
            raise self._error
        return self._reply


@dataclass(slots=True)
class Letter:
    message: Message
    slot: ReplySlot | None = None  # None: told, nobody waits for the reply


class Mailbox:
    """FIFO of at most `size` letters; one reader.

    `pause()` makes the reader return empty-handed although letters may wait: that is how an actor is
    asked to stop for a restart. `close()` refuses new letters and lets the reader finish the rest.
    """

    def __init__(self, owner: str, size: int = DEFAULT_MAILBOX_SIZE) -> None:
        self._owner = owner
        self._size = size
        self._letters: deque[Letter] = deque()
        self._space = trio.lowlevel.ParkingLot()
        self._arrivals = trio.lowlevel.ParkingLot()
        self._closed = False
        self._paused = False

    def __len__(self) -> int:
        return len(self._letters)

    async def put(self, letter: Letter) -> None:
        """Wait for space. Raises `ActorStoppedError` once closed."""
        await trio.lowlevel.checkpoint()
        while not self.put_nowait(letter):
            await self._space.park()

    def put_nowait(self, letter: Letter) -> bool:
        if self._closed:
            raise ActorStoppedError(f"{self._owner} has stopped")
        if len(self._letters) >= self._size:
            return False
        self._letters.append(letter)
        self._arrivals.unpark_all()
        return True

    async def take(self, at_most: dict[type[Message], int]) -> list[Letter]:
        """The next letter with those right behind it of the same type, up to `at_most` of that type.

        Empty when paused, or closed and read to the end.
        """
        while not self._letters or self._paused:
            if self._paused or self._closed:
                return []
            await self._arrivals.park()
        first = self._letters.popleft()
        kind = type(first.message)
        taken = [first]
        while (
            len(taken) < at_most.get(kind, 1)
            and self._letters
            and type(self._letters[0].message) is kind
        ):
            taken.append(self._letters.popleft())
        self._space.unpark(count=len(taken))
        return taken

    def pause(self) -> None:
        self._paused = True
        self._arrivals.unpark_all()

    def resume(self) -> None:
        self._paused = False

    def close(self) -> None:
        self._closed = True
        self._arrivals.unpark_all()
        self._space.unpark_all()

    def reject_rest(self) -> None:
        """Tell whoever still waits for a reply that none will come."""
        while self._letters:
            letter = self._letters.popleft()
            if letter.slot is not None:
                letter.slot.fail(ActorStoppedError(f"{self._owner} has stopped"))
