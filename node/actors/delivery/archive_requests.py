"""Asks an own mailbox to archive a room, over the session that there is, and says in words what came of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox

PATIENCE = 8.0  # seconds that a mailbox has for its answer: less than the 10 s that front ends wait
MAX_WAITING = 16  # requests on one stream without an answer; a mailbox that owes so many is not asked for more
MAX_DETAIL = 200  # characters of a mailbox's own words

NOT_CONNECTED = "It is not connected at the moment: try again when it is."
NOT_REGISTERED = "It has not registered you (yet), and archives rooms only for those it has."
SILENT = "It did not answer: it may be of an older version, which archives no rooms."
BROKEN_OFF = (
    "It broke off instead of answering: it may be of an older version, which archives no rooms."
)
BUSY = "It still owes answers to earlier requests: try again later."

_WHY = {
    mailbox.NOT_OFFERED: "It archives no rooms for its clients.",
    mailbox.NOT_REGISTERED: NOT_REGISTERED,
    mailbox.BLOCKED: "It has blocked you.",
    mailbox.MALFORMED: "It does not take that for the name of a room.",
}


@dataclass(slots=True, eq=False)
class _Request:
    """Until it is answered or the stream ends."""

    wish: mailbox.Archive
    settled: trio.Event = field(default_factory=trio.Event)
    reply: mailbox.Archived | mailbox.Refused | None = None  # None when settled: broken off


class ArchiveRequests:
    """Those of one session. A mailbox answers in order, so one that nobody waits for any more keeps its place."""

    def __init__(self) -> None:
        self._unsent: deque[_Request] = deque()
        self._unanswered: deque[_Request] = deque()
        self._bell = Bell()
        self._ended = False

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come, also one that nobody waits for any more."""
        return bool(self._unsent or self._unanswered)

    async def ask(self, peer: str, wish: mailbox.Archive) -> actors.ArchiveStatus.Answer:
        """What the owner is told of the mailbox `peer`, within `PATIENCE`."""
        if self._ended:
            return problem_at(peer, NOT_CONNECTED)
        if len(self._unsent) + len(self._unanswered) >= MAX_WAITING:
            return problem_at(peer, BUSY)
        request = _Request(wish)
        self._unsent.append(request)
        self._bell.ring()
        with trio.move_on_after(PATIENCE):
            await request.settled.wait()
            return _answer_of(peer, request.reply)
        if request in self._unsent:
            self._unsent.remove(request)  # nobody waits for what was never said
        return problem_at(peer, SILENT)

    async def next(self) -> mailbox.Archive:
        """The next one to be written; for the one task that does it, so that no frame is cut off half-way."""
        while not self._unsent:
            await self._bell.wait()
        request = self._unsent.popleft()
        self._unanswered.append(request)
        return request.wish

    def answered(self, reply: mailbox.Archived | mailbox.Refused) -> bool:
        """Whether somebody had asked."""
        if not self._unanswered:
            return False
        request = self._unanswered.popleft()
        request.reply = reply
        request.settled.set()
        return True

    def end(self) -> None:
        """The stream is over."""
        self._ended = True
        for request in (*self._unsent, *self._unanswered):
            request.settled.set()


def problem_at(peer: str, sentence: str) -> actors.ArchiveStatus.Answer:
    return actors.ArchiveStatus.Answer(mailbox=peer, problem=sentence)


def _answer_of(
    peer: str, reply: mailbox.Archived | mailbox.Refused | None
) -> actors.ArchiveStatus.Answer:
    """None: the stream ended."""
    if isinstance(reply, mailbox.Archived):
        return actors.ArchiveStatus.Answer(
            mailbox=peer,
            archiving=reply.archiving,
            retention_ms=reply.retention_ms,
            quota_bytes=reply.quota_bytes,
        )
    return problem_at(peer, BROKEN_OFF if reply is None else _refusal(reply))


def _refusal(refused: mailbox.Refused) -> str:
    if known := _WHY.get(refused.reason):
        return known
    detail = refused.detail[:MAX_DETAIL]
    return f"It says: {detail}" if detail else "It refuses, and does not say why."
