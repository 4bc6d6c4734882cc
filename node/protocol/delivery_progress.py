"""Counts which states own direct messages came to, and how long after they were written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from p2pchat.node.protocol import uuid7
from p2pchat.node.protocol.histogram import PATIENT, Histogram
from p2pchat.node.protocol.outbox import Change, Item
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

QUEUED = "queued"
COUNTED = {
    records.REFUSED: "refused",
    records.STORED: "stored",
    records.EXPIRED: "expired",
    records.DELIVERED: "delivered",
    records.READ: "read",
}
TIMED = ("stored", "delivered", "read")  # the others are an end for other reasons


class DeliveryProgress:
    """Since this process began; messages that were written before it count with their whole time.

    Edits, receipts and notes are no messages here.
    """

    def __init__(self) -> None:
        self._reached: Counter[str] = Counter()
        self._latencies = {state: Histogram(PATIENT) for state in TIMED}

    def written(self, messages: int = 1) -> None:
        self._reached[QUEUED] += messages

    def news(self, changes: Sequence[Change], changed: Sequence[bool], now_ms: int) -> list[Change]:
        """Counts, and returns, those that the store says it did not know yet."""
        news = [change for change, is_news in zip(changes, changed, strict=True) if is_news]
        for change in news:
            self._came(change.item, change.delivery.stage, now_ms)
        return news

    def _came(self, item: Item, stage: records.Stage, now_ms: int) -> None:
        """A second mailbox, or another reason, is no other state."""
        if stage not in COUNTED or stage <= item.counted or not _is_counted(item):
            return
        # Who has read it has it: then there is no other word about that.
        if stage == records.READ and item.number and item.counted < records.DELIVERED:
            self._count(item, records.DELIVERED, now_ms)
        item.counted = stage
        self._count(item, stage, now_ms)

    def _count(self, item: Item, stage: records.Stage, now_ms: int) -> None:
        state = COUNTED[stage]
        self._reached[state] += 1
        if state in TIMED:
            self._latencies[state].observe((now_ms - uuid7.time_ms(item.id)) / 1000)

    def describe(self, into: actors.DeliveryDescription) -> None:
        into.reached.update(self._reached)
        for state, histogram in self._latencies.items():
            into.latencies[state].CopyFrom(histogram.describe())


def states(items: Iterable[Item]) -> Counter[str]:
    """How many of the outbox's messages are in which state."""
    names = {records.QUEUED: QUEUED, records.SENDING: "sending", **COUNTED}
    return Counter(names[item.stage] for item in items if _is_counted(item))


def _is_counted(item: Item) -> bool:
    return item.is_message and not item.alteration
