"""Sends small files in envelopes to recipients that are away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.actors.files.source import facts_of
from p2pchat.node.actors.storage_calls import Runner
from p2pchat.node.errors import ActorError, FileChangedError, RequestRejectedError
from p2pchat.node.ports import Files, Network
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol import uuid7
from p2pchat.node.protocol.file_policy import FilePolicy
from p2pchat.node.protocol.file_transfer import Key
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds for a recipient that wants a file to come for it
LOOK = 5.0  # seconds between two looks
PARTS_EACH = 4  # parts of one file that nobody has yet ...
PARTS_IN_ALL = 64  # ... and of all: 8 MiB in memory
PAUSE = 60.0  # seconds until it is tried again when there is no mailbox, or until delivery is asked again


@dataclass(slots=True)
class _Mail:
    """One file on its way in parts."""

    begin_at: float  # seconds of trio's clock
    taken: set[int] = field(default_factory=set)  # offsets
    under_way: dict[int, bytes] = field(default_factory=dict)  # offset -> id of the note
    ask_at: float = 0.0


class Mailing:
    def __init__(
        self,
        *,
        network: Network,
        files: Files,
        run: Runner,
        ledger: Ledger,
        delivery: ActorRef,
        policy: FilePolicy,
        now_ms: Callable[[], int],
        randomness: Callable[[int], bytes],
    ) -> None:
        """`run` performs one call on `files`."""
        self._network = network
        self._files = files
        self._run = run
        self._ledger = ledger
        self._delivery = delivery
        self._policy = policy
        self._now_ms = now_ms
        self._randomness = randomness
        self._mails: dict[Key, _Mail] = {}
        self._bell = Bell()

    def ring(self) -> None:
        self._bell.ring()

    def begin_anew(self, key: Key) -> None:
        """The recipient asks for all parts of it."""
        self._mails.pop(key, None)
        self._bell.ring()

    async def settled(self, note_id: bytes, *, taken: bool) -> None:
        """The recipient or a mailbox has a part, or it was given up."""
        for key, mail in self._mails.items():
            offset = next((at for at, known in mail.under_way.items() if known == note_id), None)
            if offset is None:
                continue
            del mail.under_way[offset]
            if taken:
                mail.taken.add(offset)
            record = self._ledger.get(key)
            if record is not None and len(mail.taken) == len(rules.parts_of(record.offer.size)):
                await self._ledger.change(key, rules.mailed)
            self._bell.ring()
            return

    async def run(self) -> None:
        while True:
            due = self._ledger.having(
                lambda record: rules.goes_by_mailbox(record, self._policy) and not record.by_mailbox
            )
            self._mails = {key: mail for key, mail in self._mails.items() if key in due}
            there = {connection.peer for connection in self._network.connections()}
            for key in due:
                now = trio.current_time()
                mail = self._mails.setdefault(key, _Mail(now + PATIENCE))
                if now >= max(mail.begin_at, mail.ask_at) and key.peer not in there:
                    await self._send(key, mail)
            await self._bell.wait_until(trio.current_time() + LOOK if due else None)

    async def _send(self, key: Key, mail: _Mail) -> None:
        record = self._ledger.get(key)
        if record is None:
            return
        if len(mail.taken) == len(rules.parts_of(record.offer.size)):
            await self._ledger.try_to_change(key, rules.mailed)
            return
        if len(mail.under_way) >= PARTS_EACH:
            mail.ask_at = trio.current_time() + PAUSE
        try:
            for offset in self._next_parts(mail, record.offer.size):
                await self._send_part(key, record, mail, offset)
        except FileChangedError as error:
            await self._ledger.try_to_change(key, partial(rules.failed, problem=str(error)))
        except (RequestRejectedError, ActorError) as error:
            mail.ask_at = trio.current_time() + PAUSE
            await self._ledger.try_to_change(key, partial(rules.waits, problem=str(error)))

    def _next_parts(self, mail: _Mail, size: int) -> list[int]:
        """Those under way as well: delivery may have been restarted, and does nothing with what it has."""
        in_all = sum(len(each.under_way) for each in self._mails.values())
        room = min(PARTS_EACH - len(mail.under_way), PARTS_IN_ALL - in_all)
        fresh = [at for at in rules.parts_of(size) if at not in mail.taken | mail.under_way.keys()]
        return [*mail.under_way, *fresh[: max(room, 0)]]

    async def _send_part(self, key: Key, record: rules.Transfer, mail: _Mail, offset: int) -> None:
        read = partial(self._files.read, facts_of(record), offset, rules.PART)
        data = await self._run(read)
        made = uuid7.make(self._now_ms(), self._randomness(10))
        note_id = mail.under_way.setdefault(offset, made)
        part = wire.FilePart(transfer=key.id, offset=offset, data=data)
        note = actors.SendFileNote(peer=key.peer, id=note_id, part=part)
        try:
            await self._delivery.ask(note, actors.Done)
        except RequestRejectedError:
            mail.under_way.pop(offset, None)
            raise
