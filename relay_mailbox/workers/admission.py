"""Who may connect to a supervisor or its processes on loopback: only who knows the secret of this start.

Any user of a machine can connect to a port on loopback, or listen on one before we do, and tractor does for everybody
what it is told, so that nobody gets as far as it: both sides send 32 random bytes, and each answers those of the other
with an HMAC-SHA-256 of them. The secret itself is never sent. The address that was connected to is in the answers, lest
somebody in between hands on the questions of one process to another.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from collections.abc import Iterator

import trio

SECRET_BYTES = 32  # random, made at each start of a mailbox
CHALLENGE_BYTES = 32  # random
ANSWER_BYTES = hashlib.sha256().digest_size
PATIENCE = 5.0  # seconds
MOST_STRANGERS = (
    16  # connections that have not answered yet; for one more, the oldest of them is closed
)
CONNECTED, LISTENED = b"connected", b"listened"  # who answers: no answer serves for the other side


class NotAdmittedError(OSError):
    """The other side does not know the secret, or says nothing."""


class Admission:
    """Of one process. An `address` is that of whoever listens, as both sides see it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._strangers: dict[trio.CancelScope, None] = {}  # the oldest first

    async def admit(self, stream: trio.abc.Stream, address: str) -> None:
        """Raises `NotAdmittedError` when whoever has connected does not answer rightly."""
        with trio.CancelScope() as scope:
            self._make_room()
            self._strangers[scope] = None
            try:
                await self._question(stream, address)
            finally:
                self._strangers.pop(scope, None)
        if scope.cancelled_caught:
            raise NotAdmittedError("too many at a time")

    def _make_room(self) -> None:
        """Who knows the secret answers at once, so that it is never the oldest for long."""
        if len(self._strangers) >= MOST_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.cancel()

    async def _question(self, stream: trio.abc.Stream, address: str) -> None:
        challenge = os.urandom(CHALLENGE_BYTES)
        with _patience():
            await stream.send_all(challenge)
            answer = await _receive(stream, ANSWER_BYTES)
            self._check(answer, CONNECTED, address, challenge)
            theirs = await _receive(stream, CHALLENGE_BYTES)
            await stream.send_all(self._answer(LISTENED, address, theirs))

    async def enter(self, stream: trio.abc.Stream, address: str) -> None:
        """Answer whoever this process has connected to, and ask it as well. Raises `NotAdmittedError`."""
        challenge = os.urandom(CHALLENGE_BYTES)
        with _patience():
            theirs = await _receive(stream, CHALLENGE_BYTES)
            await stream.send_all(self._answer(CONNECTED, address, theirs) + challenge)
            answer = await _receive(stream, ANSWER_BYTES)
        self._check(answer, LISTENED, address, challenge)

    def _check(self, answer: bytes, side: bytes, address: str, challenge: bytes) -> None:
        if not hmac.compare_digest(answer, self._answer(side, address, challenge)):
            raise NotAdmittedError("a wrong answer")

    def _answer(self, side: bytes, address: str, challenge: bytes) -> bytes:
        said = b" ".join((side, address.encode(), challenge))
        return hmac.new(self._secret, said, hashlib.sha256).digest()


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    try:
        with trio.fail_after(PATIENCE):
            yield
    except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise NotAdmittedError("no answer") from error


async def _receive(stream: trio.abc.Stream, size: int) -> bytes:
    """So many bytes, and no more of them: what follows is for somebody else."""
    heard = b""
    while len(heard) < size:
        piece = await stream.receive_some(size - len(heard))
        if not piece:
            raise NotAdmittedError("the connection has ended")
        heard += bytes(piece)
    return heard
