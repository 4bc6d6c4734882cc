"""Keeps our questions well below what a server of the DHT allows one peer: with few servers all of them go to one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from p2pchat.node.actors.dht.serving import BURST, MAX_STREAMS_OF_PEER, RATE
from p2pchat.node.errors import NetworkError
from p2pchat.node.protocol.token_bucket import TokenBucket

QUESTIONS_AT_ONCE = (
    MAX_STREAMS_OF_PEER // 2
)  # at one peer; as many that have just ended here may count there still
QUESTION_RATE = RATE / 2  # a second, to one peer ...
QUESTION_BURST = BURST / 2  # ... and at once
MAX_PEERS = 256  # whose questions are counted; of more the one asked least recently is forgotten
TURN_TIMEOUT = 10.0  # seconds to wait for a turn


class NotTriedError(NetworkError):
    """The peer was not even asked: too much is under way here. It says nothing of the peer."""


@dataclass(slots=True)
class _Line:
    """Of questions to one peer."""

    free: trio.Semaphore
    pace: TokenBucket


class Turns:
    """Who asks one peer waits here for his turn."""

    def __init__(self) -> None:
        self._lines: dict[bytes, _Line] = {}  # asked last stands last

    @asynccontextmanager
    async def turn(self, peer: bytes) -> AsyncIterator[None]:
        """Raises `NotTriedError` when it does not come in time."""
        line = self._line(peer)
        with trio.move_on_after(TURN_TIMEOUT) as patience:
            await line.free.acquire()
        if patience.cancelled_caught:
            raise NotTriedError("too many questions to that peer are waiting")
        try:
            # With so few at once this is less than a second.
            await trio.sleep(line.pace.spend(1.0, trio.current_time()))
            yield
        finally:
            line.free.release()

    def _line(self, peer: bytes) -> _Line:
        line = self._lines.pop(peer, None) or _Line(
            trio.Semaphore(QUESTIONS_AT_ONCE),
            TokenBucket(QUESTION_RATE, QUESTION_BURST, trio.current_time()),
        )
        self._lines[peer] = line
        if len(self._lines) > MAX_PEERS:
            del self._lines[next(iter(self._lines))]
        return line
