"""One conversation's order: its Lamport clock and the newest messages seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from p2pchat.node.protocol import room_message, uuid7
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

HOUR_MS = 3600 * 1000

Randomness = Callable[[int], bytes]


class Conversation:
    """With one peer, by its binary id. `randomness(n)` gives n random bytes.

    `lamport` and `parents`, the newest first, are what the store says of the conversation so far.
    """

    def __init__(
        self, peer: bytes, lamport: int, parents: Sequence[bytes], randomness: Randomness
    ) -> None:
        self._peer = peer
        self._stored = lamport
        self._lamport = 0
        # The oldest first: it is the one that makes room.
        newest = reversed(parents[: room_message.MAX_PARENTS])
        self._newest = deque(newest, maxlen=room_message.MAX_PARENTS)
        self._randomness = randomness

    def compose(
        self, text: str, nick: str, now_ms: int, lifetime_ms: int, *, above: int = 0
    ) -> records.DirectRecord:
        """An own message; its Lamport time is above everything seen in the conversation, and above `above`."""
        self._see(self._stored, now_ms)
        self._lamport = max(now_ms, self._lamport + 1, above + 1)
        record = records.DirectRecord(
            peer=self._peer,
            outgoing=True,
            id=uuid7.make(now_ms, self._randomness(10)),
            sent_at_ms=now_ms,
            lamport=self._lamport,
            parents=self._newest,
            nick=nick,
            text=text,
            received_at_ms=now_ms,
            # To the hour: with the envelope a mailbox would else learn when exactly it was written.
            expires_at_ms=-(-(now_ms + lifetime_ms) // HOUR_MS) * HOUR_MS,
            delivery=records.Delivery(stage=records.QUEUED, changed_at_ms=now_ms),
        )
        self._newest.append(record.id)
        return record

    def accept(self, record: records.DirectRecord, now_ms: int) -> None:
        """Move the clock on by a fresh message of the other side."""
        self._see(record.lamport, now_ms)
        # The conversation may have been read back with it already.
        if record.id not in self._newest:
            self._newest.append(record.id)

    def _see(self, lamport: int, now_ms: int) -> None:
        # Bounded, so that nobody can push the clock to its end.
        self._lamport = max(self._lamport, min(lamport, now_ms + room_message.MAX_AHEAD_MS))


def content_of(record: records.DirectRecord, own: wire.MailboxRecord | None) -> wire.Content:
    """What goes into the envelope of an own message; `own` tells the recipient where to answer."""
    content = wire.Content(
        id=record.id,
        sent_at_ms=record.sent_at_ms,
        lamport=record.lamport,
        parents=record.parents,
        nick=record.nick,
        record=own,
    )
    if record.retraction:
        content.retraction.target = record.target
    elif record.target:
        content.edit.CopyFrom(wire.Edit(target=record.target, text=record.text))
    elif record.HasField("file"):
        content.file.CopyFrom(record.file)
    else:
        content.text.text = record.text
    return content


def record_of(sender: bytes, content: wire.Content, now_ms: int) -> records.DirectRecord:
    """What is kept of a message that was received now."""
    return records.DirectRecord(
        peer=sender,
        id=content.id,
        sent_at_ms=content.sent_at_ms,
        lamport=content.lamport,
        parents=content.parents,
        nick=content.nick,
        text=content.edit.text or content.text.text,
        target=content.edit.target or content.retraction.target,
        retraction=content.HasField("retraction"),
        received_at_ms=now_ms,
        file=content.file if content.HasField("file") else None,
    )
