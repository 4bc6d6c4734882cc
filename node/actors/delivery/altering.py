"""Edits and retractions of direct messages: own ones are made here, those of others are told to front ends."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.actors.delivery.problems import of_recipient
from p2pchat.node.actors.patience import find_patiently
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.protocol import alterations, names, peer_id
from p2pchat.node.protocol.outbox import Item
from p2pchat.node.protocol.seal import SealError
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

log = logging.getLogger(__name__)


NOT_YOURS = "There is no such message of yours here."
TAKEN_BACK = "That message has been taken back already."
A_FILE = "That message offers a file: it can be taken back, and not be edited."


class Altering:
    """`me` is the own binary peer id."""

    def __init__(
        self,
        *,
        me: bytes,
        storage: ActorRef,
        ui: ActorRef,
        outgoing: Outgoing,
        nick: Callable[[], str],
        now_ms: Callable[[], int],
        lifetime_ms: int,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._me = me
        self._storage = storage
        self._ui = ui
        self._outgoing = outgoing
        self._nick = nick
        self._now_ms = now_ms
        self._lifetime_ms = lifetime_ms

    # ---- own ones -------------------------------------------------------------------------------------

    async def alter(self, command: actors.AlterMessage) -> actors.Done | actors.Rejected:
        """Saved, told and sent in this order."""
        try:
            waiting = len(self._outgoing.outbox)
            if wrong := of_recipient(command.peer, self._outgoing.contacts, waiting):
                return wrong
            found = await self._own(command)
            if problem := _problem(command, found):
                return actors.Rejected(reason=actors.INVALID, detail=problem)
            save = await self._compose(command, found[0].alteration.lamport)
            await self._save(command.peer, save)
        except (RequestRejectedError, ActorError) as error:
            return actors.Rejected(reason=actors.STORE_FAILED, detail=f"Not changed: {error}")
        await self._tell(command.peer, [_changed(found[0], save.record)])
        self._send(command.peer, save)
        return actors.Done()

    async def _own(self, command: actors.AlterMessage) -> Sequence[records.DirectRecord]:
        """The message that is meant, if it is there."""
        question = actors.FindMessages(peer=command.peer, names=[_name(self._me, command.id)])
        return (await self._storage.request(question, actors.MessagesFound)).direct_records

    async def _compose(self, command: actors.AlterMessage, above: int) -> actors.DirectSave:
        talk = await self._outgoing.conversations.of(command.peer)
        record = talk.compose(
            "" if command.retract else command.text,
            self._nick(),
            self._now_ms(),
            self._lifetime_ms,
            above=above,
        )
        record.target, record.retraction = command.id, command.retract
        save = actors.DirectSave(record=record)
        if self._outgoing.contacts.seal_key(command.peer):
            with contextlib.suppress(SealError):  # it waits for a key that can be used
                envelope, save.record_sequence = self._outgoing.envelopes.seal(command.peer, record)
                save.envelope.CopyFrom(envelope)
        return save

    async def _save(self, peer: str, save: actors.DirectSave) -> None:
        try:
            await self._storage.request(actors.SaveDirect(saves=[save]), actors.DirectSaved)
        except (RequestRejectedError, ActorError):
            self._outgoing.conversations.not_saved(peer)
            raise

    def _send(self, peer: str, save: actors.DirectSave) -> None:
        record = save.record
        if save.HasField("envelope"):
            self._outgoing.envelopes.remember(peer, record.id, save.envelope, save.record_sequence)
        self._outgoing.enter(Item(peer, record.id, record.expires_at_ms, alteration=True))

    # ---- those of others ------------------------------------------------------------------------------

    async def arrived(
        self, peer: str, fresh: Sequence[records.DirectRecord], altered: Collection[bytes]
    ) -> list[records.DirectRecord]:
        """Of fresh messages from a peer, of which some have been `altered` already: what is to be shown as new.

        What the others among them have changed is told.
        """
        sender = peer_id.from_text(peer)
        said = [record for record in fresh if not record.target]
        about = dict.fromkeys(record.target for record in fresh if record.target)
        late = [record.id for record in said if record.id in altered]
        again = await self._as_they_read(peer, sender, [*about, *late])
        new = {record.id for record in said}
        await self._tell(peer, [again[i] for i in about if i in again and i not in new])
        await self._count_ignored(peer, [i for i in about if i not in again])
        return [again.get(record.id, record) for record in said]

    async def _as_they_read(
        self, peer: str, sender: bytes, ids: Iterable[bytes]
    ) -> dict[bytes, records.DirectRecord]:
        wanted = [_name(sender, message_id) for message_id in dict.fromkeys(ids)]
        if not wanted:
            return {}
        found = await find_patiently(self._storage, actors.FindMessages(peer=peer, names=wanted))
        return {record.id: record for record in found.direct_records}

    async def _count_ignored(self, peer: str, ids: Sequence[bytes]) -> None:
        """Who tries to alter messages of the owner's. Of others the message may still come."""
        tried = await self._as_they_read(peer, self._me, ids)
        if tried:
            self.counters["alterations_ignored"] += len(tried)

    async def _tell(self, peer: str, changed: Sequence[records.DirectRecord]) -> None:
        if not changed:
            return
        told = actors.MessagesAltered(peer=peer, direct_records=changed)
        await self._ui.inform(told)
        if any(record.HasField("file") for record in changed):
            await self._outgoing.notes.pass_on(told)


def _changed(record: records.DirectRecord, by: records.DirectRecord) -> records.DirectRecord:
    """As it reads after another edit."""
    known = record.alteration if record.HasField("alteration") else None
    alterations.join_direct(record, alterations.folded(known, alterations.of_direct(by)))
    return record


def _problem(command: actors.AlterMessage, found: Sequence[records.DirectRecord]) -> str | None:
    if not command.retract and (problem := names.text_problem(command.text)):
        return problem
    if not found:
        return NOT_YOURS
    if found[0].HasField("file") and not command.retract:
        return A_FILE
    return TAKEN_BACK if found[0].alteration.retracted else None


def _name(sender: bytes, message_id: bytes) -> actors.FindMessages.Name:
    return actors.FindMessages.Name(sender=sender, id=message_id)
