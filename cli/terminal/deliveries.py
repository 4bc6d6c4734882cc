"""How far own direct messages are, and when the screen says so. Pure: the time comes in, lines come out.

An own message waits a moment for its line, so that what is delivered at once says so on the same line. What
changes after that is put together: one line for all messages of a conversation that have come equally far.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from p2pchat.cli.terminal import render_direct
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render_direct import DirectView, Partner
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

PATIENCE = 0.3  # seconds that a line waits for its state; a direct delivery takes less
TOGETHER = 0.5  # seconds from a first change until it is told, with all that came meanwhile
FOLLOWED = 10_000  # messages; of older ones only how many they are is told

_UNSENT = frozenset({records.QUEUED, records.SENDING})
_FAILED = frozenset({records.REFUSED, records.EXPIRED})


@dataclass(slots=True)
class _Own:
    """An own message. `told` is the state that the user has seen; none as long as its line waits."""

    delivery: records.Delivery
    excerpt: str = ""  # empty: it was written in an earlier run
    told: records.Delivery | None = None
    of_this_run: bool = False


@dataclass(slots=True)
class _Pending:
    """What one conversation has yet to show: lines in their order, then what is new about earlier ones."""

    partner: Partner
    lines: deque[tuple[float, records.DirectRecord, _Own]] = field(default_factory=deque)
    news: list[_Own] = field(default_factory=list)
    news_due: float = math.inf

    @property
    def due_at(self) -> float:
        """News never overtake a line."""
        return self.lines[0][0] if self.lines else self.news_due


class Deliveries:
    """Follows own messages from `written` on. All times are seconds of one clock."""

    def __init__(self, view: DirectView) -> None:
        self._view = view
        self._own: OrderedDict[bytes, _Own] = OrderedDict()  # by message id
        self._pending: dict[str, _Pending] = {}  # by peer id
        self._unsafe: dict[bytes, _Own] = {}  # of this run; neither stored elsewhere nor delivered

    # ---- what happens -------------------------------------------------------------------------------

    def saved(self, record: records.DirectRecord) -> _Own:
        """An own message of this run is on the disk. Its line comes with `written`, before or after this."""
        own = self._own.get(record.id)
        if own is None:
            own = self._follow(record.id, _Own(_copy(record.delivery)))
        if not own.of_this_run:
            own.of_this_run = True
            own.excerpt = render_direct.excerpt(render_direct.said(record))
            self._note_safety(record.id, own)
        return own

    def written(self, partner: Partner, record: records.DirectRecord, now: float) -> None:
        """Its line is due soon."""
        own = self.saved(record)
        self._of(partner).lines.append((now + PATIENCE, record, own))

    def changed(self, partner: Partner, change: actors.DeliveryChange, now: float) -> None:
        own = self._own.get(change.id) or self._unsafe.get(change.id)
        if own is None:  # of an earlier run, or forgotten
            own = self._follow(change.id, _Own(records.Delivery(), told=records.Delivery()))
        if change.delivery.stage < own.delivery.stage not in _UNSENT:
            return  # overtaken by what came before it
        own.delivery = _copy(change.delivery)
        if own.of_this_run:
            self._note_safety(change.id, own)
        if own.told is not None and is_news(own.told, own.delivery):
            pending = self._of(partner)
            pending.news.append(own)
            pending.news_due = min(pending.news_due, now + TOGETHER)

    # ---- what is to be shown ------------------------------------------------------------------------

    @property
    def due_at(self) -> float:
        """When to call `due` next; infinite when nothing waits."""
        return min((pending.due_at for pending in self._pending.values()), default=math.inf)

    def due(self, now: float) -> list[Line]:
        """What need not or must not wait longer."""
        return [line for peer in list(self._pending) for line in self._due(peer, now)]

    def flush(self, peer: str) -> list[Line]:
        """Everything that waits in one conversation, because something else of it is to be shown."""
        return list(self._due(peer, math.inf))

    def flush_all(self) -> list[Line]:
        return self.due(math.inf)

    # ---- what became of the messages of this run ----------------------------------------------------

    @property
    def unsent(self) -> int:
        """Those that only this node holds."""
        return sum(own.delivery.stage not in _FAILED for own in self._unsafe.values())

    @property
    def failed(self) -> int:
        """Those that were refused or have expired."""
        return len(self._unsafe) - self.unsent

    # -------------------------------------------------------------------------------------------------

    def _due(self, peer: str, now: float) -> Iterator[Line]:
        pending = self._pending.get(peer)
        if pending is None:
            return
        while pending.lines and (pending.due_at <= now or _is_settled(pending.lines[0][2])):
            _, record, own = pending.lines.popleft()
            own.told = _copy(own.delivery)
            yield from self._view.own(pending.partner, record, own.told)
        if pending.news and pending.due_at <= now:
            yield from _told(pending)
        if not pending.lines and not pending.news:
            del self._pending[peer]

    def _of(self, partner: Partner) -> _Pending:
        pending = self._pending.setdefault(partner.peer, _Pending(partner))
        pending.partner = partner
        return pending

    def _follow(self, message: bytes, own: _Own) -> _Own:
        self._own[message] = own
        if len(self._own) > FOLLOWED:
            self._own.popitem(last=False)
        return own

    def _note_safety(self, message: bytes, own: _Own) -> None:
        if own.delivery.stage in (records.STORED, records.DELIVERED, records.READ):
            self._unsafe.pop(message, None)
        else:
            self._unsafe[message] = own


def is_news(told: records.Delivery, now: records.Delivery) -> bool:
    """Whether a change is worth a line: attempts are not, the first reason for waiting is."""
    match now.stage:
        case records.QUEUED | records.SENDING | records.STAGE_UNSPECIFIED:
            return bool(now.reason) and not told.reason and told.stage in _UNSENT
        case records.STORED if told.stage == records.STORED:
            return len(now.stored_at) > len(told.stored_at)
    return now.stage > told.stage


def _is_settled(own: _Own) -> bool:
    """Whether waiting longer would hardly tell more."""
    if own.delivery.stage == records.STORED:
        return len(own.delivery.stored_at) >= own.delivery.mailboxes
    return own.delivery.stage not in _UNSENT | {records.STAGE_UNSPECIFIED}


def _told(pending: _Pending) -> Iterator[Line]:
    """The news of a conversation, those that say the same on one line."""
    groups: dict[str, list[_Own]] = {}
    for own in pending.news:
        if own.told is not None and is_news(own.told, own.delivery):
            own.told = _copy(own.delivery)
            groups.setdefault(render_direct.state(own.delivery), []).append(own)
    pending.news.clear()
    pending.news_due = math.inf
    for group in groups.values():
        first = group[0]
        yield from render_direct.progress(
            pending.partner, first.delivery, len(group), first.excerpt
        )


def _copy(delivery: records.Delivery) -> records.Delivery:
    copied = records.Delivery()
    copied.CopyFrom(delivery)
    return copied
