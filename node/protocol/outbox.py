"""Own direct messages that are not finished: where each stands, and which go over which route next.

A route leads to a recipient itself or to one of its mailboxes. Each route has a lane: what waits for it, and what is
under way on it. Delivery stages only move forward; see `records.Stage` for their order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from p2pchat.node.protocol import peer_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records


class Route(NamedTuple):
    """Where to hand something over for `peer`: at `mailbox`, or to the peer itself if that is empty."""

    peer: str
    mailbox: str = ""


@dataclass(slots=True, eq=False)
class Item:
    """A message on its way, or receipts, which have no stages of their own and are settled by `receipts`."""

    peer: str
    id: bytes
    expires_at_ms: int
    stage: records.Stage = records.QUEUED
    stored_at: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # by which mailbox, for good, and why
    reason: str = ""
    receipts: actors.PeerReceipts | None = None
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an item; `finished` items have left the outbox."""

    item: Item
    delivery: records.Delivery
    finished: bool


@dataclass(slots=True)
class _Lane:
    waiting: deque[Item] = field(default_factory=deque)
    under_way: dict[bytes, Item] = field(default_factory=dict)


class Outbox:
    """All unfinished items. Peers and mailboxes are named in base58."""

    def __init__(self) -> None:
        self._items: dict[str, dict[bytes, Item]] = {}
        self._lanes: dict[Route, _Lane] = {}
        self._mailboxes: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._items.values()))

    def waiting(self, peer: str) -> int:
        """Messages for `peer` that are not finished, receipts left out."""
        return sum(item.receipts is None for item in self._items.get(peer, {}).values())

    def peers(self) -> list[str]:
        """Those for whom there is anything."""
        return list(self._items)

    def holds(self, peer: str, message_id: bytes) -> bool:
        return message_id in self._items.get(peer, {})

    # ---- what is to be sent ---------------------------------------------------------------------------

    def add(self, item: Item) -> None:
        """At the end of each of the recipient's lanes."""
        self._items.setdefault(item.peer, {})[item.id] = item
        for route in self._routes(item.peer):
            if _has_business(item, route):
                self._lane(route).waiting.append(item)

    def set_mailboxes(self, peer: str, mailboxes: Sequence[str]) -> None:
        """The recipient's mailboxes; what is not stored at a new one yet gets in line there."""
        before = self._mailboxes.get(peer, ())
        self._mailboxes[peer] = tuple(mailboxes)
        for gone in set(before) - set(mailboxes):
            self._lanes.pop(Route(peer, gone), None)
        for new in set(mailboxes) - set(before):
            route = Route(peer, new)
            items = self._items.get(peer, {}).values()
            self._lane(route).waiting.extend(i for i in items if _has_business(i, route))

    def mailboxes(self, peer: str) -> tuple[str, ...]:
        return self._mailboxes.get(peer, ())

    def has_work(self, route: Route) -> bool:
        """Whether something waits for this route."""
        lane = self._lanes.get(route)
        if lane is None:
            return False
        while lane.waiting and not _has_business(lane.waiting[0], route):
            lane.waiting.popleft()
        return bool(lane.waiting)

    def is_idle(self, route: Route) -> bool:
        """Whether nothing waits for this route and nothing is under way on it."""
        lane = self._lanes.get(route)
        return lane is None or not (lane.under_way or self.has_work(route))

    def take(self, route: Route, limit: int) -> list[Item]:
        """The next items for a route, oldest first: they are under way until answered, or until `give_back`."""
        lane = self._lane(route)
        taken: list[Item] = []
        while lane.waiting and len(taken) < limit:
            item = lane.waiting.popleft()
            if _has_business(item, route) and item.id not in lane.under_way:
                lane.under_way[item.id] = item
                item.stage = max(item.stage, records.SENDING)
                taken.append(item)
        return taken

    def give_back(self, route: Route, ids: Iterable[bytes] | None = None) -> None:
        """These, or all, got no answer: they go to the front of the line again."""
        lane = self._lane(route)
        returned = [
            item
            for key in (list(lane.under_way) if ids is None else ids)
            if (item := lane.under_way.pop(key, None)) is not None
        ]
        lane.waiting.extendleft(i for i in reversed(returned) if _has_business(i, route))

    # ---- what has become of it ------------------------------------------------------------------------

    def delivered(self, peer: str, ids: Iterable[bytes], now_ms: int) -> list[Change]:
        """The recipient has these."""
        return self._finish(peer, ids, records.DELIVERED, now_ms)

    def read(self, peer: str, ids: Iterable[bytes], now_ms: int) -> list[Change]:
        return self._finish(peer, ids, records.READ, now_ms)

    def stored(self, route: Route, ids: Iterable[bytes], now_ms: int) -> list[Change]:
        """A mailbox has given its word for these."""
        changes = []
        for item in self._answered(route, ids):
            if route.mailbox in item.stored_at:
                continue
            item.stored_at.append(route.mailbox)
            item.stage = max(item.stage, records.STORED)
            item.reason = ""
            # One mailbox is enough for receipts: if it is lost, the message itself is delivered again.
            changes.append(self._change(item, now_ms, finished=item.receipts is not None))
        return changes

    def refused(self, route: Route, ids: Iterable[bytes], reason: str, now_ms: int) -> list[Change]:
        """For good. A refusal by the recipient ends it; mailboxes only when none is left that might take it."""
        changes = []
        for item in self._answered(route, ids):
            if route.mailbox:
                item.refused[route.mailbox] = reason
                left = set(self.mailboxes(item.peer)) - item.refused.keys()
                if left or item.stored_at:
                    continue
            item.stage = max(item.stage, records.REFUSED)
            item.reason = reason
            changes.append(self._change(item, now_ms, finished=not route.mailbox))
        return changes

    def put_off(self, route: Route, ids: Iterable[bytes], reason: str, now_ms: int) -> list[Change]:
        """Not now: they wait on, and their state says why."""
        changes = []
        ids = list(ids)
        lane = self._lane(route)
        for item in filter(None, map(lane.under_way.get, ids)):
            if item.stage < records.STORED and item.reason != reason:
                item.reason = reason
                changes.append(self._change(item, now_ms))
        self.give_back(route, ids)
        return changes

    def explain(self, peer: str, reason: str, now_ms: int) -> list[Change]:
        """Why everything for `peer` that is nowhere yet still waits; empty: it does not any more."""
        changes = []
        for item in self._items.get(peer, {}).values():
            if item.receipts is None and item.stage < records.REFUSED and item.reason != reason:
                item.reason = reason
                changes.append(self._change(item, now_ms))
        return changes

    def expire(self, now_ms: int) -> list[Change]:
        """Give up what has been tried for its whole lifetime. A receipt that comes later still counts."""
        due = [
            item
            for items in self._items.values()
            for item in items.values()
            if item.expires_at_ms < now_ms
        ]
        for item in due:
            item.stage = max(item.stage, records.EXPIRED)
            item.reason = item.reason or "Its time is over, and nobody said that it arrived."
        return [self._change(item, now_ms, finished=True) for item in due]

    def forget(self, peer: str, message_id: bytes) -> None:
        """It is not to be sent any more, and there is nothing to tell."""
        if item := self._items.get(peer, {}).get(message_id):
            self._remove(item)

    # ---- inside ---------------------------------------------------------------------------------------

    def _finish(
        self, peer: str, ids: Iterable[bytes], stage: records.Stage, now_ms: int
    ) -> list[Change]:
        """Also for items that have left already: the store knows whether that is news."""
        changes = []
        for message_id in ids:
            item = self._items.get(peer, {}).get(message_id) or Item(peer, message_id, 0)
            item.stage = max(item.stage, stage)
            item.reason = ""
            changes.append(self._change(item, now_ms, finished=True))
        return changes

    def _answered(self, route: Route, ids: Iterable[bytes]) -> list[Item]:
        lane = self._lane(route)
        found = (lane.under_way.pop(message_id, None) for message_id in ids)
        return [item for item in found if item is not None and not item.finished]

    def _change(self, item: Item, now_ms: int, *, finished: bool = False) -> Change:
        if finished:
            self._remove(item)
        delivery = records.Delivery(
            stage=item.stage,
            stored_at=map(peer_id.from_text, item.stored_at),
            mailboxes=len(self.mailboxes(item.peer)),
            reason=item.reason,
            changed_at_ms=now_ms,
        )
        return Change(item, delivery, finished)

    def _remove(self, item: Item) -> None:
        item.finished = True
        if items := self._items.get(item.peer):
            items.pop(item.id, None)
            if not items:
                del self._items[item.peer]
                for route in self._routes(item.peer):
                    self._lanes.pop(route, None)
        for route in self._routes(item.peer):
            if lane := self._lanes.get(route):
                lane.under_way.pop(item.id, None)

    def _routes(self, peer: str) -> list[Route]:
        return [Route(peer), *(Route(peer, mailbox) for mailbox in self.mailboxes(peer))]

    def _lane(self, route: Route) -> _Lane:
        return self._lanes.setdefault(route, _Lane())


def _has_business(item: Item, route: Route) -> bool:
    """Whether it is still of use to hand the item over by this route."""
    return not (item.finished or route.mailbox in item.stored_at or route.mailbox in item.refused)


def restored(record: records.OutboxRecord) -> Item:
    """An item as it was when the program ended."""
    delivery = record.delivery
    return Item(
        peer=peer_id.to_text(record.peer),
        id=record.id,
        expires_at_ms=record.expires_at_ms,
        stage=delivery.stage or records.QUEUED,
        stored_at=[peer_id.to_text(mailbox) for mailbox in delivery.stored_at],
        reason=delivery.reason,
    )
