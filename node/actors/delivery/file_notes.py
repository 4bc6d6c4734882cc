"""Words about file transfers, on their way to others; the files actor asks again for what is not settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from p2pchat.node.protocol import file_notes
from p2pchat.node.protocol.outbox import Change, Item
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

if TYPE_CHECKING:
    from p2pchat.node.actors.delivery.outgoing import Outgoing

MAX_NOTES = 256  # in the outbox, of up to 128 KiB each; one more is refused


class FileNotes:
    """`files` hears what became of them; without it nobody does."""

    def __init__(self, files: ActorRef | None, now_ms: Callable[[], int]) -> None:
        self._files = files
        self._now_ms = now_ms
        self._waiting: set[bytes] = set()  # ids

    async def send(
        self, note: actors.SendFileNote, outgoing: Outgoing
    ) -> actors.Done | actors.Rejected:
        """Put it into the outbox, once for each id, as long as it is not settled."""
        if outgoing.outbox.holds(note.peer, note.id):
            return actors.Done()
        if len(self._waiting) >= MAX_NOTES:
            detail = "Too many words about files wait already."
            return actors.Rejected(reason=actors.TOO_MANY, detail=detail)
        if note.HasField("part") and not _can_go(note.peer, outgoing):
            detail = f"{outgoing.contacts.label(note.peer)} is away, and has no mailbox that you know of."
            return actors.Rejected(reason=actors.UNAVAILABLE, detail=detail)
        self._waiting.add(note.id)
        if note.answer.kind == wire.FileAnswer.WANTED:
            # The owner has answered: a stranger no more.
            await outgoing.keep_contact(note.peer, chosen=True)
        expires = self._now_ms() + file_notes.LIFETIME_MS
        outgoing.enter(Item(note.peer, note.id, expires, note=note))
        return actors.Done()

    async def pass_on(self, event: actors.DeliveriesChanged | actors.MessagesAltered) -> None:
        """What has become of messages, some of which may offer files. Good news may be lost: nobody waits for them."""
        if self._files is None:
            return
        if isinstance(event, actors.DeliveriesChanged) and not _has_failed(event):
            self._files.offer(event)
            return
        await self._files.inform(event)

    async def settled(self, change: Change) -> None:
        self._waiting.discard(change.item.id)
        taken = change.delivery.stage in (records.STORED, records.DELIVERED, records.READ)
        if self._files is not None:
            await self._files.inform(actors.FileNoteSettled(id=change.item.id, taken=taken))


def _has_failed(event: actors.DeliveriesChanged) -> bool:
    return any(each.delivery.stage in (records.REFUSED, records.EXPIRED) for each in event.changes)


def _can_go(peer: str, outgoing: Outgoing) -> bool:
    """Whether there is a way for more than a few words."""
    return outgoing.courier.is_connected(peer) or bool(outgoing.contacts.mailboxes(peer))
