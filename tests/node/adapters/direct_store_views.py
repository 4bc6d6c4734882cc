"""What tests of direct messages look at in a store: messages by their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from p2pchat.node.ports import MessageStore
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.direct_builders import message_id, peer_text


def save(store: MessageStore, *batch: records.DirectRecord) -> list[bool]:
    return store.save_direct([actors.DirectSave(record=record) for record in batch])


def number_of(id_: bytes) -> int:
    return int.from_bytes(id_, "big")


def history(store: MessageStore, peer: int = 0) -> list[records.DirectRecord]:
    return list(store.direct_history(peer_text(peer), 1000).records)


def numbers(store: MessageStore, peer: int = 0) -> list[int]:
    return [number_of(record.id) for record in history(store, peer)]


def waiting(store: MessageStore) -> list[int]:
    return [number_of(record.id) for record in store.outbox(1000).records]


def stage_of(store: MessageStore, number: int) -> records.Stage:
    (found,) = (r for r in history(store) if r.outgoing and r.id == message_id(number))
    return found.delivery.stage


def due(store: MessageStore, limit: int = 1000) -> dict[str, tuple[list[int], list[int]]]:
    """For each peer the messages that are due as delivered, and as read."""
    return {
        found.peer: ([*map(number_of, found.delivered)], [*map(number_of, found.read)])
        for found in store.due_receipts(limit)
    }


def settle(
    store: MessageStore, *, delivered: Sequence[int] = (), read: Sequence[int] = (), peer: int = 0
) -> None:
    receipts = actors.PeerReceipts(
        peer=peer_text(peer),
        delivered=map(message_id, delivered),
        read=map(message_id, read),
    )
    store.settle_receipts(receipts)
