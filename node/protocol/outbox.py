"""Own direct messages that are not finished: where each stands, and which go over which route next.

A route leads to a recipient itself or to one of its mailboxes. Each route has a lane: what waits for it, and what is
under way on it. Delivery stages only move forward; see `records.Stage` for their order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.limits import CLOCK_GRACE_MS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records


class Route(NamedTuple):
    """Where to hand something over for `peer`: at `mailbox`, or to the peer itself if that is empty."""

    peer: str
    mailbox: str = ""


@dataclass(slots=True, eq=False)
class Item:
    """A message on its way; or receipts, which have no stages of their own and are settled by `receipts`; or a note
    about a file, which has none either."""

    peer: str
    id: bytes
    expires_at_ms: int
    stage: records.Stage = records.QUEUED
    stored_at: dict[str, int] = field(
        default_factory=dict
    )  # mailbox -> until when, Unix milliseconds
    refused: dict[str, str] = field(default_factory=dict)  # by which mailbox, for good, and why
    reason: str = ""
    receipts: actors.PeerReceipts | None = None
    note: actors.SendFileNote | None = None
    alteration: bool = False  # an edit or a retraction, which no front end lists
    announced: bool = False  # whether "sending" was told
    finished: bool = False
    counted: records.Stage = records.STAGE_UNSPECIFIED  # the last that was counted
    number: int = 0  # counts up in the order of `Outbox.add`; 0: never in one

    @property
    def is_message(self) -> bool:
        return self.receipts is None and self.note is None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an item; `finished` items have left the outbox."""

    item: Item
    delivery: records.Delivery
    finished: bool


@dataclass(slots=True)
class _Lane:
    """Exactly what is still of use to hand over by one route, each item in one of the two."""

    waiting: OrderedDict[bytes, Item] = field(default_factory=OrderedDict)  # the oldest first
    under_way: dict[bytes, Item] = field(default_factory=dict)

    def line_up(self, items: Iterable[Item]) -> None:
        """Each where its age puts it. Costs by what is overtaken: nothing, as a rule."""
        moved = list(items)
        youngest = max(map(_age, moved), default=0)
        while self.waiting and _age(next(iter(self.waiting.values()))) < youngest:
            moved.append(self.waiting.popitem(last=False)[1])
        for item in sorted(moved, key=_age, reverse=True):
            self.waiting[item.id] = item
            self.waiting.move_to_end(item.id, last=False)

    def drop(self, message_id: bytes) -> None:
        self.waiting.pop(message_id, None)
        self.under_way.pop(message_id, None)

    def holds(self, message_id: bytes) -> bool:
        return message_id in self.waiting or message_id in self.under_way


class Outbox:
    """All unfinished items. Peers and mailboxes are named in base58."""

    def __init__(self) -> None:
        self._items: dict[str, dict[bytes, Item]] = {}
        self._lanes: dict[Route, _Lane] = {}
        self._mailboxes: dict[str, tuple[str, ...]] = {}
        self._added = 0

    def __len__(self) -> int:
        """Own messages that are not finished."""
        return sum(map(self.waiting, self._items))

    def waiting(self, peer: str) -> int:
        """Messages for `peer` that are not finished, receipts and notes left out."""
        return sum(item.is_message for item in self._items.get(peer, {}).values())

    def items(self) -> Iterator[Item]:
        return (item for items in self._items.values() for item in items.values())

    def peers(self) -> list[str]:
        """Those for whom there is anything."""
        return list(self._items)

    def holds(self, peer: str, message_id: bytes) -> bool:
        return message_id in self._items.get(peer, {})

    # ---- what is to be sent ---------------------------------------------------------------------------

    def add(self, item: Item) -> None:
        """At the end of each of the recipient's lanes; one that is there already stays where it is."""
        if self.holds(item.peer, item.id):
            return
        self._added += 1
        item.number = self._added
        self._items.setdefault(item.peer, {})[item.id] = item
        for route in self._routes(item.peer):
            if _has_business(item, route):
                self._lanes.setdefault(route, _Lane()).waiting[item.id] = item

    def set_mailboxes(self, peer: str, mailboxes: Sequence[str]) -> None:
        """The recipient's mailboxes; what is not stored at a new one yet gets in line there.

        Whoever changes mailboxes may have registered anew as well, so those that refused are asked once more.
        """
        before = self._mailboxes.get(peer, ())
        if set(before) == set(mailboxes):
            return
        self._mailboxes[peer] = tuple(mailboxes)
        for gone in set(before) - set(mailboxes):
            self._lanes.pop(Route(peer, gone), None)
        items = self._items.get(peer, {}).values()
        for item in items:
            item.refused.clear()
        for route in self._routes(peer)[1:]:
            lane = self._lanes.get(route, _Lane())
            fresh = [i for i in items if _has_business(i, route) and not lane.holds(i.id)]
            if fresh:
                self._lanes.setdefault(route, lane).line_up(fresh)

    def mailboxes(self, peer: str) -> tuple[str, ...]:
        return self._mailboxes.get(peer, ())

    def has_work(self, route: Route) -> bool:
        """Whether something waits for this route."""
        lane = self._lanes.get(route)
        return lane is not None and bool(lane.waiting)

    def is_idle(self, route: Route) -> bool:
        """Whether nothing waits for this route and nothing is under way on it."""
        lane = self._lanes.get(route)
        return lane is None or not (lane.under_way or lane.waiting)

    def take(self, route: Route, limit: int) -> list[Item]:
        """The next items for a route, oldest first: they are under way until answered, or until `give_back`."""
        lane = self._lanes.get(route)
        taken: list[Item] = []
        while lane is not None and lane.waiting and len(taken) < limit:
            _, item = lane.waiting.popitem(last=False)
            lane.under_way[item.id] = item
            item.stage = max(item.stage, records.SENDING)
            taken.append(item)
        return taken

    def begun(self, items: Iterable[Item], now_ms: int) -> list[Change]:
        """Those of them that are being sent for the first time; nothing that needs to be stored."""
        new = [
            item
            for item in items
            if item.stage == records.SENDING and not item.announced and item.is_message
        ]
        for item in new:
            item.announced = True
        return [self._change(item, now_ms) for item in new]

    def give_back(self, route: Route, ids: Iterable[bytes] | None = None) -> None:
        """These, or all, got no answer: they wait again, before everything younger."""
        lane = self._lanes.get(route)
        if lane is None:
            return
        returned = (
            lane.under_way.pop(key, None) for key in (list(lane.under_way) if ids is None else ids)
        )
        lane.line_up(item for item in returned if item is not None)

    # ---- what has become of it ------------------------------------------------------------------------

    def delivered(self, peer: str, ids: Iterable[bytes], now_ms: int) -> list[Change]:
        """The recipient has these."""
        return self._finish(peer, ids, records.DELIVERED, now_ms)

    def read(self, peer: str, ids: Iterable[bytes], now_ms: int) -> list[Change]:
        return self._finish(peer, ids, records.READ, now_ms)

    def stored(
        self,
        route: Route,
        ids: Iterable[bytes],
        now_ms: int,
        until_ms: Mapping[bytes, int] | None = None,
    ) -> list[Change]:
        """A mailbox has given its word for these, until the given times on its clock (else: as long as they live)."""
        changes = []
        self._believe_again(route)
        for item in self._answered(route, ids):
            until = (until_ms or {}).get(item.id, item.expires_at_ms)
            item.stored_at[route.mailbox] = until
            item.stage = max(item.stage, records.STORED)
            item.reason = ""
            # One mailbox is enough for receipts: if it is lost, the message itself is delivered again. And for notes,
            # which are asked for again.
            changes.append(self._change(item, now_ms, finished=not item.is_message))
        return changes

    def _believe_again(self, route: Route) -> None:
        """A mailbox that takes something has changed its mind about what it refused before."""
        for item in self._items.get(route.peer, {}).values():
            if item.refused.pop(route.mailbox, None) is not None:
                self._line_up_again(item, route)

    def refused(self, route: Route, ids: Iterable[bytes], reason: str, now_ms: int) -> list[Change]:
        """For good. A refusal by the recipient ends it; mailboxes only when none is left that might take it."""
        changes = []
        for item in self._answered(route, ids):
            if route.mailbox:
                item.refused[route.mailbox] = reason
                left = set(self.mailboxes(item.peer)) - item.refused.keys()
                if left or item.stored_at:
                    continue
            # A mailbox may hold what the recipient does not want. `stored` would be its last word for ever, and
            # it cannot go back to `refused`: it ends as what nobody will come for, with the reason.
            is_stored = item.stage >= records.STORED
            item.stage = records.EXPIRED if is_stored else records.REFUSED
            item.reason = reason
            changes.append(self._change(item, now_ms, finished=not route.mailbox))
        return changes

    def put_off(self, route: Route, ids: Iterable[bytes], reason: str, now_ms: int) -> list[Change]:
        """Not now: they wait on, and their state says why."""
        changes = []
        ids = list(ids)
        lane = self._lanes.get(route, _Lane())
        for item in filter(None, map(lane.under_way.get, ids)):
            if item.stage < records.REFUSED and item.reason != reason:
                item.reason = reason
                changes.append(self._change(item, now_ms))
        self.give_back(route, ids)
        return changes

    def explain(self, peer: str, reason: str, now_ms: int) -> list[Change]:
        """Why everything for `peer` that is nowhere yet still waits; empty: it does not any more."""
        changes = []
        for item in self._items.get(peer, {}).values():
            if not item.is_message or item.stage >= records.REFUSED:
                continue
            whole = " ".join([*dict.fromkeys(item.refused.values()), reason])
            if item.reason != whole:
                item.reason = whole
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
            # Why it was refused stays true; why it waited does not, for it is not tried again.
            if item.stage != records.REFUSED:
                item.reason = "Its time is over, and nobody said that it arrived."
            item.stage = max(item.stage, records.EXPIRED)
        return [self._change(item, now_ms, finished=True) for item in due]

    def lapse(self, now_ms: int) -> list[Change]:
        """Mailboxes keep things for a time of their own: when that is over, what lives longer is left there again."""
        changes = []
        for items in self._items.values():
            for item in items.values():
                over = [m for m, until in item.stored_at.items() if until + CLOCK_GRACE_MS < now_ms]
                for mailbox in over:
                    del item.stored_at[mailbox]
                    self._line_up_again(item, Route(item.peer, mailbox))
                if over:
                    item.reason = "A mailbox has kept it for as long as it keeps things; it is left there again."
                    changes.append(self._change(item, now_ms))
        return changes

    def _line_up_again(self, item: Item, route: Route) -> None:
        if route.mailbox in self.mailboxes(route.peer) and _has_business(item, route):
            self._lanes.setdefault(route, _Lane()).line_up([item])

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

    def _answered(self, route: Route, ids: Iterable[bytes]) -> Iterator[Item]:
        """Those to which this is an answer, off their lane. It counts also for one that waits again by now."""
        items = self._items.get(route.peer, {})
        for message_id in ids:
            lane, item = self._lanes.get(route), items.get(message_id)
            # No lane: the recipient does not use that mailbox any more.
            if lane is not None and item is not None and _has_business(item, route):
                lane.drop(message_id)
                yield item

    def _change(self, item: Item, now_ms: int, *, finished: bool = False) -> Change:
        if finished:
            self._remove(item)
        return Change(item, self.delivery_of(item, now_ms), finished)

    def delivery_of(self, item: Item, now_ms: int) -> records.Delivery:
        """Where an item stands at the moment."""
        return records.Delivery(
            stage=item.stage,
            stored_at=map(peer_id.from_text, item.stored_at),
            stored_until_ms=item.stored_at.values(),
            # One that the recipient has given up may hold it still: "2 of 1" says nothing to anybody.
            mailboxes=len({*self.mailboxes(item.peer), *item.stored_at}),
            reason=item.reason,
            changed_at_ms=now_ms,
        )

    def _remove(self, item: Item) -> None:
        item.finished = True
        items = self._items.get(item.peer)
        if not items:
            return
        items.pop(item.id, None)
        for route in self._routes(item.peer):
            if not items:
                self._lanes.pop(route, None)
            elif lane := self._lanes.get(route):
                lane.drop(item.id)
        if not items:
            del self._items[item.peer]

    def _routes(self, peer: str) -> list[Route]:
        return [Route(peer), *(Route(peer, mailbox) for mailbox in self.mailboxes(peer))]


def _age(item: Item) -> int:
    return item.number


def _has_business(item: Item, route: Route) -> bool:
    """Whether it is still of use to hand the item over by this route."""
    return not (item.finished or route.mailbox in item.stored_at or route.mailbox in item.refused)


def restored(record: records.OutboxRecord) -> Item:
    """An item as it was when the program ended."""
    delivery = record.delivery
    until = delivery.stored_until_ms or [record.expires_at_ms] * len(delivery.stored_at)
    return Item(
        peer=peer_id.to_text(record.peer),
        id=record.id,
        expires_at_ms=record.expires_at_ms,
        stage=delivery.stage if delivery.stage > records.SENDING else records.QUEUED,
        stored_at=dict(zip(map(peer_id.to_text, delivery.stored_at), until, strict=False)),
        reason=delivery.reason,
        alteration=record.alteration,
        counted=delivery.stage,
    )


def lasting(delivery: records.Delivery) -> records.Delivery:
    """As it is stored: "sending" is of the moment."""
    if delivery.stage != records.SENDING:
        return delivery
    lasting = records.Delivery()
    lasting.CopyFrom(delivery)
    lasting.stage = records.QUEUED
    return lasting
