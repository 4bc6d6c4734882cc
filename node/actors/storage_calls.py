"""Calls on the message store: in a worker thread, one at a time, with a failing disk as an answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.rejection import rejection_of
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.histogram import Histogram
from p2pchat.node.runtime import Actor
from p2pchat.proto import actors_pb2 as actors

MAX_PAGE = 1000  # entries in one page
SAVES_PER_COMMIT = 128  # queued commands that share one synced write; half of the mailbox

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class Runner(Protocol):
    """How a call on the store is made."""

    async def __call__(self, call: Callable[[], T], /) -> T: ...


async def in_thread(call: Callable[[], T]) -> T:
    """Never abandoned: a call that went on behind the next one would break "one at a time"."""
    return await trio.to_thread.run_sync(call, abandon_on_cancel=False)


async def in_thread_left_behind(call: Callable[[], T]) -> T:
    """For calls that only read and take long: who is cancelled does not wait for their end."""
    return await trio.to_thread.run_sync(call, abandon_on_cancel=True)


async def inline(call: Callable[[], T]) -> T:
    """At once: for stores that never block, and for virtual time, which does not wait for threads."""
    return call()


class StoreActor(Actor):
    """An actor that owns a message store."""

    def __init__(self, store: MessageStore, run: Runner | None = None) -> None:
        """`run` performs one call on the store; by default in a worker thread."""
        self._store = store
        self._run = run or in_thread
        self._commits = Histogram()  # of writes, from here to the end of the sync

    async def started(self) -> None:
        await self._run(self._store.open)

    async def stopping(self) -> None:
        await self._run(self._store.close)

    async def _answer(self, call: Callable[[], Message]) -> Message:
        try:
            return await self._run(call)
        except StoreError as error:
            return rejection_of(error)

    async def _answer_about(self, peer: str, call: Callable[[], Message]) -> Message:
        """As `_answer`, for a call that needs a peer id as text to be one."""
        return await self._answer(call) if _is_peer(peer) else _no_peer(peer)

    async def _write(self, call: Callable[[], object]) -> Message:
        """Done, or why not."""
        try:
            with timed(self._commits):
                return await self._run(lambda: _done(call()))
        except StoreError as error:
            return rejection_of(error)

    async def _write_about(self, peer: str, call: Callable[[], object]) -> Message:
        return await self._write(call) if _is_peer(peer) else _no_peer(peer)

    async def _save_together(
        self, batches: Sequence[Sequence[M]], save: Callable[[Sequence[M]], list[T]]
    ) -> list[list[T]] | actors.Rejected:
        """Save what is in all batches in one call; for each batch, what the call says of its items."""
        together = [item for batch in batches for item in batch]
        try:
            with timed(self._commits):
                answers = iter(await self._run(lambda: save(together)))
        except StoreError as error:
            return rejection_of(error)
        return [[next(answers) for _ in batch] for batch in batches]


@contextlib.contextmanager
def timed(commits: Histogram) -> Iterator[None]:
    """Around a write; one that fails is not counted."""
    begun = trio.current_time()
    yield
    commits.observe(trio.current_time() - begun)


def length_of_page(asked: int, at_most: int = MAX_PAGE) -> int:
    return min(max(asked, 1), at_most)


def wrong_peer(peers: Sequence[str]) -> actors.Rejected | None:
    """What to answer if one of them is no peer id."""
    return next((_no_peer(peer) for peer in peers if not _is_peer(peer)), None)


def _is_peer(text: str) -> bool:
    try:
        peer_id.from_text(text)
    except ValueError:
        return False
    return True


def _no_peer(text: str) -> actors.Rejected:
    return actors.Rejected(reason=actors.INVALID, detail=f"{text!r} is not a peer id.")


def _done(_: object) -> actors.Done:
    return actors.Done()
