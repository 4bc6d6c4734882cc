"""One room's state: its Lamport clock, and what becomes of the messages that arrive."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.protocol import names, peer_id, uuid7
from p2pchat.node.protocol import room_message as rules
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

Randomness = Callable[[int], bytes]

IGNORED = "ignored alterations"  # of messages of somebody else, or that the owner has deleted


@dataclass(frozen=True, slots=True)
class Received:
    """What one gossip message has brought."""

    records: Sequence[records.RoomRecord]
    presences: Sequence[wire.Presence]


class Room:
    """Composes own messages and judges received ones. `randomness(n)` gives n random bytes."""

    def __init__(
        self,
        name: str,
        plain: bool,
        author: bytes,
        key: Ed25519PrivateKey,
        randomness: Randomness,
    ) -> None:
        self.name = name
        self.plain = plain
        self.topic = rules.topic_of(name, plain)
        self.counts: Counter[str] = Counter()
        self._author = author
        self._key = key
        self._randomness = randomness
        self._lamport = 0
        self._newest: list[tuple[int, bytes]] = []  # Lamport times and ids, the newest last

    @property
    def clock(self) -> int:
        """The greatest Lamport time seen, at most a day ahead of the own clock."""
        return self._lamport

    def resume(self, lamport: int, parents: Sequence[bytes], now_ms: int) -> None:
        """Go on from what is stored; `parents` newest first."""
        self._lamport = min(lamport, now_ms + rules.MAX_AHEAD_MS)
        # Only the newest one's time is known; the others are not newer.
        self._newest = [(lamport - age, parent) for age, parent in enumerate(parents)][::-1]

    def compose(
        self, text: str, nick: str, now_ms: int, *, target: bytes = b"", retraction: bool = False
    ) -> records.RoomRecord:
        """An own message, signed; its Lamport time is above everything seen in the room.

        With a `target` it says what that own message says now, or takes it back (without a text).
        """
        self.counts["said"] += 1
        # Bounded, for our own clock may have been ahead before it was set right.
        self._lamport = max(now_ms, min(self._lamport, now_ms + rules.MAX_AHEAD_MS) + 1)
        message = wire.RoomMessage(
            id=uuid7.make(now_ms, self._randomness(10)),
            room=self.name,
            sender=self._author,
            nick=nick,
            sent_at_ms=now_ms,
            lamport=self._lamport,
            parents=[parent for _, parent in self._newest],
            text=text,
            target=target,
            retraction=retraction,
        )
        if not self.plain:
            rules.sign(message, self._key)
        self._note(message)
        return records.RoomRecord(message=message, received_at_ms=now_ms, plain=self.plain)

    def take_back(self, message_id: bytes) -> None:
        """An own message that could not be saved: it is nobody's parent."""
        self.counts["said"] -= 1
        self._newest = [each for each in self._newest if each[1] != message_id]

    def encode(self, messages: Sequence[wire.RoomMessage]) -> list[bytes]:
        """Gossip messages that carry these, in order."""
        if self.plain:
            return [message.text.encode() for message in messages]
        return [batch.SerializeToString() for batch in rules.batches(messages)]

    def receive(self, source: str, data: bytes, now_ms: int) -> Received:
        """The good messages of one gossip message, and the presences in it, not verified yet; the others are counted.

        Whether the messages are new is for the store to say; call `accept` with those that are.
        """
        if self.plain:
            return Received(self._receive_plain(source, data, now_ms), ())
        batch = rules.parse_batch(data)
        if batch is None:
            self.counts[rules.Flaw.MALFORMED.value] += 1
            return Received((), ())
        return Received(self.good(batch.messages, now_ms), batch.presences)

    def good(self, messages: Iterable[wire.RoomMessage], now_ms: int) -> list[records.RoomRecord]:
        """Those without a flaw; the others are counted."""
        good = []
        for message in messages:
            if flaw := rules.flaw_of(message, self.name, now_ms):
                self.counts[flaw.value] += 1
            else:
                good.append(records.RoomRecord(message=message, received_at_ms=now_ms))
        return good

    def accept(self, fresh: Sequence[records.RoomRecord], now_ms: int) -> None:
        """Move the clock on by fresh, stored messages."""
        for record in fresh:
            # Bounded, so that nobody can push the room's clock to its end.
            seen = min(record.message.lamport, now_ms + rules.MAX_AHEAD_MS)
            self._lamport = max(self._lamport, seen)
            self._note(record.message)

    def _note(self, message: wire.RoomMessage) -> None:
        """The parents of what is said next are the newest messages in the room's order, however late they came."""
        # What is dated beyond our clock counts as said last, or it would be the parent of everything for days.
        lamport = min(message.lamport, self._lamport)
        if len(self._newest) >= rules.MAX_PARENTS and lamport < self._newest[0][0]:
            return
        insort(self._newest, (lamport, message.id))
        del self._newest[: -rules.MAX_PARENTS]

    @property
    def refused(self) -> int:
        """Messages, for whatever flaw."""
        return sum(self.counts[flaw.value] for flaw in rules.Flaw) + self.counts[IGNORED]

    def describe(self, subscribers: Sequence[str]) -> actors.Room:
        return actors.Room(
            name=self.name,
            plain=self.plain,
            subscribers=subscribers,
            received=self.counts["received"],
            duplicates=self.counts["duplicates"],
            refused=self.refused,
        )

    def _receive_plain(self, source: str, data: bytes, now_ms: int) -> list[records.RoomRecord]:
        """Plain messages carry neither id nor time: both are made here, the id from source and text."""
        if not data or len(data) > names.TEXT_LIMIT:
            self.counts[(rules.Flaw.TOO_LONG if data else rules.Flaw.MALFORMED).value] += 1
            return []
        self._lamport = max(now_ms, self._lamport + 1)
        sender = peer_id.from_text(source)
        stamp = self._lamport.to_bytes(8, "big")
        message = wire.RoomMessage(
            id=uuid7.make(now_ms, hashlib.sha256(sender + stamp + data).digest()[:10]),
            room=self.name,
            sender=sender,
            sent_at_ms=now_ms,
            lamport=self._lamport,
            text=data.decode("utf-8", "replace"),
        )
        return [records.RoomRecord(message=message, received_at_ms=now_ms, plain=True)]
