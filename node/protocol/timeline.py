"""In what order a room's messages are shown: causes before effects where that is possible, gaps where it is not.

A message whose parents are not there is held back for a moment, so that a parent that was overtaken, or is fetched,
stands above it. What was shown is never moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from p2pchat.node.protocol import items
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

GRACE = 1.0  # seconds that a message waits for its parents
PATIENCE = 0.3  # seconds of them until others are asked: mostly a parent was only overtaken
MAX_HELD = 512  # messages held back; then the oldest are shown
MAX_MISSING = 1024  # ids that are looked for; then the oldest are given up
REMEMBERED = 4096  # ids known to be stored, and ids given up; the oldest are forgotten
# Gaps that are told of: who names parents that do not exist shall not be heard each time.
_RATE, _BURST = 1 / 20, 3.0


@dataclass(slots=True)
class Step:
    """What follows from something that happened; everything in the order in which it is to be shown."""

    late: list[records.RoomRecord] = field(default_factory=list)  # shown before `show`, as late
    show: list[records.RoomRecord] = field(default_factory=list)
    gap: actors.RoomGap | None = None
    ask: bool = False  # parents are lacking: other members should be asked now


@dataclass(slots=True)
class _Held:
    record: records.RoomRecord
    since: float
    needs: set[bytes]  # parents that are not shown: held back too, or not there


class _Remembered:
    """The newest ids of a kind."""

    def __init__(self, bound: int) -> None:
        self._ids: dict[bytes, None] = {}
        self._bound = bound

    def __contains__(self, name: bytes) -> bool:
        return name in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, name: bytes) -> None:
        self._ids.pop(name, None)
        self._ids[name] = None
        if len(self._ids) > self._bound:
            del self._ids[next(iter(self._ids))]

    def discard(self, name: bytes) -> None:
        self._ids.pop(name, None)


class Timeline:
    """Of one room. Times are seconds of any monotonic clock, records fresh and saved, ids those of messages."""

    def __init__(self, room: str, now: float, known: Iterable[bytes] = ()) -> None:
        """`known`: ids of stored messages, as far as they are at hand."""
        self._room = room
        self._held: dict[bytes, _Held] = {}  # by id, in the order in which they came
        self._unasked: dict[bytes, None] = {}  # those of them for which nobody was asked yet
        self._waiting: dict[bytes, set[bytes]] = {}  # parent id -> ids held back for it
        self._known = _Remembered(REMEMBERED)
        self._missing: dict[bytes, float] = {}  # id -> since when, in that order
        self._given_up = _Remembered(REMEMBERED)
        self._lost = 0  # given up, and not told of yet
        self._told = (
            0  # how large the gap was when it was told of; 0: there is none, or nobody knows
        )
        self._reports = TokenBucket(_RATE, _BURST, now)
        for name in known:
            self._known.add(name)

    @property
    def missing(self) -> int:
        """Messages that are known to be missing."""
        return len(self._missing)

    def waits_for(self, name: bytes) -> bool:
        """Whether something is held back until this message is there."""
        return name in self._waiting

    def due(self) -> float | None:
        """When `expire` has something to do."""
        unasked = (self._held[name].since + PATIENCE for name in self._unasked)
        times = (held.since + GRACE for held in self._held.values())
        return min((*islice(unasked, 1), *islice(times, 1)), default=None)

    def unsure(self, fresh: Sequence[records.RoomRecord]) -> list[bytes]:
        """Parents of which only the store can say whether they are there; at most three for each record."""
        coming = {record.message.id for record in fresh}
        asked = {name: None for record in fresh for name in record.message.parents}
        return [name for name in asked if name not in coming and not self._is_settled(name)]

    # ---- what happens -------------------------------------------------------------------------------

    def arrived(
        self, fresh: Sequence[records.RoomRecord], unknown: Collection[bytes], now: float
    ) -> Step:
        """Fresh messages came by gossip. `unknown`: what the store does not have of what `unsure` named."""
        step = Step()
        came = self._learn(fresh)
        lacking = set(unknown)
        for record in fresh:
            if record.message.id in self._held:  # of another sender, with the same id
                step.show.append(record)
            else:
                self._hold(record, came, lacking, now)
        self._release([name for name in came if not self._held[name].needs], step)
        self._make_room(step, now)
        return self._finish(step, now)

    def synced(self, fresh: Sequence[records.RoomRecord], now: float) -> Step:
        """Fresh messages came from another member. What held messages wait for, or above, is not late yet."""
        step = Step()
        self._learn(fresh)
        for record in sorted(fresh, key=_item_of):
            name = record.message.id
            if name not in self._held and not self._held.keys().isdisjoint(record.message.parents):
                self._hold(record, set(), set(), now)
            elif name in self._waiting:
                step.show.append(record)
                self._release(self._freed_by(name), step)
            else:
                step.late.append(record)
        self._make_room(step, now)
        return self._finish(step, now)

    def posted(self, own: Sequence[records.RoomRecord], now: float) -> Step:
        """Own messages are shown at once, below everything that they name as their parents."""
        step = Step()
        for record in own:
            for name in record.message.parents:
                self._force(name, now, step)
        self._learn(own)
        self._finish(step, now)
        step.show += own
        return step

    def expire(self, now: float) -> Step:
        """The time of some is up: they are shown although something is missing."""
        step = Step()
        for name, held in list(self._held.items()):
            if held.since + GRACE > now:
                break
            self._force(name, now, step)
        for name in list(self._unasked):
            if self._held[name].since + PATIENCE > now:
                break
            del self._unasked[name]
            step.ask = step.ask or not self._held[name].needs <= self._held.keys()
        return self._finish(step, now)

    def compared(self, now: float, since: float | None = None) -> Step:
        """Whoever should have what is missing does not: it is given up, and not looked for again.

        `since`: when the comparison began; what is missed for a shorter time stays missing.
        """
        for name, at in list(self._missing.items()):
            if since is None or at <= since:
                self._give_up(name)
        return self._finish(Step(), now)

    def flush(self, now: float) -> Step:
        """Everything that is held is shown now, e.g. because the room is left."""
        step = Step()
        for name in list(self._held):
            self._force(name, now, step)
        return self._finish(step, now)

    # ---- holding back -------------------------------------------------------------------------------

    def _is_settled(self, name: bytes) -> bool:
        """Whether it is known without asking the store; what is held is known too."""
        return name in self._known or name in self._missing or name in self._given_up

    def _learn(self, fresh: Sequence[records.RoomRecord]) -> set[bytes]:
        came = {record.message.id for record in fresh}
        for name in came:
            self._known.add(name)
            self._missing.pop(name, None)
            self._given_up.discard(name)
        return came

    def _hold(
        self, record: records.RoomRecord, came: set[bytes], lacking: set[bytes], now: float
    ) -> None:
        """Until what it needs is shown: of its own batch, held back, or lacking and not looked for in vain yet."""
        name = record.message.id
        needs = {
            parent
            for parent in record.message.parents
            if parent != name
            and (
                parent in came
                or parent in self._held
                or (parent in lacking and not self._is_settled(parent))
            )
        }
        self._held[name] = _Held(record, now, needs)
        self._unasked[name] = None
        for parent in needs:
            self._waiting.setdefault(parent, set()).add(name)

    def _make_room(self, step: Step, now: float) -> None:
        while len(self._held) > MAX_HELD:
            self._force(next(iter(self._held)), now, step)

    def _release(self, ready: Iterable[bytes], step: Step) -> None:
        """Show these, and everything that waited for nothing else."""
        stack = list(ready)
        while stack:
            name = stack.pop()
            held = self._held.pop(name, None)
            if held is None:
                continue
            self._unasked.pop(name, None)
            for parent in held.needs:
                self._stop_waiting(name, parent)
            step.show.append(held.record)
            stack += self._freed_by(name)

    def _freed_by(self, shown: bytes) -> list[bytes]:
        """Ids of held messages that waited for this one only."""
        freed = []
        for name in self._waiting.pop(shown, ()):
            needs = self._held[name].needs
            needs.discard(shown)
            if not needs:
                freed.append(name)
        return freed

    def _stop_waiting(self, name: bytes, parent: bytes) -> None:
        waiting = self._waiting.get(parent)
        if waiting is not None:
            waiting.discard(name)
            if not waiting:
                del self._waiting[parent]

    def _force(self, name: bytes, now: float, step: Step) -> None:
        """Show this one and those above it although something is missing, which is looked for from now on."""
        above: set[bytes] = set()
        stack = [name]
        while stack:
            each = stack.pop()
            if each in above or each not in self._held:
                continue
            above.add(each)
            stack += self._held[each].needs
        lacking = {parent for each in above for parent in self._held[each].needs - above}
        for parent in lacking:
            self._miss(parent, now, step)
        self._release(above, step)

    # ---- gaps ---------------------------------------------------------------------------------------

    def _miss(self, name: bytes, now: float, step: Step) -> None:
        if not self._is_settled(name):
            step.ask = True
            self._missing[name] = now
            if len(self._missing) > MAX_MISSING:
                self._give_up(next(iter(self._missing)))

    def _give_up(self, name: bytes) -> None:
        del self._missing[name]
        self._given_up.add(name)
        self._lost += 1

    def _finish(self, step: Step, now: float) -> Step:
        """What is shown together is in the room's order."""
        step.show.sort(key=_item_of)
        step.late.sort(key=_item_of)
        step.gap = self._gap(now)
        return step

    def _gap(self, now: float) -> actors.RoomGap | None:
        """What is to be told of the gap, if anything. What was told of is always brought to an end."""
        if self._lost and (self._told or self._reports.allows(now)):
            gap = actors.RoomGap(room=self._room, missing=self._lost, given_up=True)
            self._lost = self._told = 0
            return gap
        closed = self._told and not self._missing
        has_grown = len(self._missing) > 2 * self._told
        if closed or (has_grown and self._reports.allows(now)):
            self._told = len(self._missing)
            return actors.RoomGap(room=self._room, missing=self._told)
        return None


def _item_of(record: records.RoomRecord) -> bytes:
    return items.item_of(record.message)
