"""Receipts that are due: gathered for each peer, so that one envelope carries many."""

from __future__ import annotations

from collections.abc import Iterable

from p2pchat.node.protocol.limits import MAX_RECEIPTS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

GATHER = 0.3  # seconds from the first receipt that is due for a peer to sending


class DueReceipts:
    """What is to be told to whom. "Read" says "delivered" as well."""

    def __init__(self) -> None:
        self._delivered: dict[str, dict[bytes, None]] = {}
        self._read: dict[str, dict[bytes, None]] = {}
        self._since: dict[str, float] = {}

    def __len__(self) -> int:
        return sum(len(ids) for side in (self._delivered, self._read) for ids in side.values())

    def delivered(self, peer: str, ids: Iterable[bytes], now: float) -> None:
        read = self._read.get(peer, {})
        self._add(self._delivered, peer, [i for i in ids if i not in read], now)

    def read(self, peer: str, ids: Iterable[bytes], now: float) -> None:
        ids = list(ids)
        for message_id in ids:
            self._delivered.get(peer, {}).pop(message_id, None)
        self._add(self._read, peer, ids, now)

    def due(self, now: float) -> list[actors.PeerReceipts]:
        """What has gathered long enough or is enough for an envelope; it is forgotten here."""
        ready = [peer for peer in self._since if self._due_at(peer) <= now]
        return [batch for peer in ready for batch in self._take(peer)]

    def next_due(self) -> float | None:
        return min(map(self._due_at, self._since), default=None)

    def _due_at(self, peer: str) -> float:
        waiting = len(self._delivered.get(peer, ())) + len(self._read.get(peer, ()))
        return self._since[peer] + (GATHER if waiting < MAX_RECEIPTS else 0.0)

    def _add(
        self, side: dict[str, dict[bytes, None]], peer: str, ids: Iterable[bytes], now: float
    ) -> None:
        for message_id in ids:
            side.setdefault(peer, {})[message_id] = None
            self._since.setdefault(peer, now)

    def _take(self, peer: str) -> list[actors.PeerReceipts]:
        del self._since[peer]
        delivered = list(self._delivered.pop(peer, ()))
        read = list(self._read.pop(peer, ()))
        batches = []
        while delivered or read:
            batch = actors.PeerReceipts(peer=peer, delivered=delivered[:MAX_RECEIPTS])
            delivered = delivered[MAX_RECEIPTS:]
            room = MAX_RECEIPTS - len(batch.delivered)
            batch.read.extend(read[:room])
            read = read[room:]
            batches.append(batch)
        return batches


def content_of(
    receipts: actors.PeerReceipts, message_id: bytes, nick: str, now_ms: int
) -> wire.Content:
    """The content of an envelope that carries receipts; it is never acknowledged itself."""
    return wire.Content(
        id=message_id,
        sent_at_ms=now_ms,
        lamport=now_ms,
        nick=nick,
        receipts=wire.Receipts(delivered=receipts.delivered, read=receipts.read),
    )
