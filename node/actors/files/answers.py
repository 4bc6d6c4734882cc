"""Tells the other sides what is due to them, until each is told or can be told no more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol import uuid7
from p2pchat.node.protocol.file_policy import FilePolicy
from p2pchat.node.protocol.file_transfer import Key, Transfer
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

# Seconds until delivery is asked again whether it has what is not settled: it may have been restarted.
ASK_AGAIN = 30.0
FULL_PAUSE = 600.0  # seconds until lost parts are asked for again: the disk was full


class Answers:
    """An answer is due as long as its transfer says so on the disk."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        delivery: ActorRef,
        policy: FilePolicy,
        now_ms: Callable[[], int],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._ledger = ledger
        self._delivery = delivery
        self._policy = policy
        self._now_ms = now_ms
        self._randomness = randomness
        self._ids: dict[tuple[Key, wire.FileAnswer.Kind], bytes] = {}  # of answers under way
        self._held: dict[Key, float] = {}  # not before that time
        self._due = Bell()

    def ring(self) -> None:
        """Something may be due."""
        self._due.ring()

    def hold(self, key: Key) -> None:
        """Say nothing of this one for a while."""
        self._held[key] = trio.current_time() + FULL_PAUSE

    async def run(self) -> None:
        while True:
            due = self._ledger.having(lambda record: bool(record.answer_due))
            for key in due:
                if trio.current_time() >= self._held.get(key, 0.0):
                    await self._send(key)
            await self._due.wait_until(trio.current_time() + ASK_AGAIN if due else None)

    async def settled(self, note_id: bytes) -> bool:
        """Whether that was an answer: taken by the other side or a mailbox, or given up."""
        found = next((each for each, known in self._ids.items() if known == note_id), None)
        if found is None:
            return False
        key, kind = found
        del self._ids[found]
        await self._ledger.change(key, partial(rules.told, kind=kind))
        return True

    async def _send(self, key: Key) -> None:
        record = self._ledger.get(key)
        if record is None or not record.answer_due:
            return
        try:
            await self._delivery.ask(self._note(key, record), actors.Done)
        except (RequestRejectedError, ActorError) as error:
            log.info("an answer about a file waits: %s", error)

    def _note(self, key: Key, record: Transfer) -> actors.SendFileNote:
        kind = record.answer_due
        made = uuid7.make(self._now_ms(), self._randomness(10))
        answer = wire.FileAnswer(transfer=key.id, kind=kind)
        if kind == wire.FileAnswer.WANTED:
            answer.by_mailbox = self._policy.by_mailbox
        note_id = self._ids.setdefault((key, kind), made)
        return actors.SendFileNote(peer=key.peer, id=note_id, answer=answer)
