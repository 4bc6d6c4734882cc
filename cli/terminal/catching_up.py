"""What was missing: gaps, and what comes late. Late messages come in many pages, and are shown as few lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render import MessageView, count, note, warning
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

SHOWN = 20  # late messages shown at a time, the newest; the others are counted
QUIET = 1.0  # seconds after which no more page is expected
LONGEST = 10.0  # seconds that pages are gathered when nobody says how long it will take
STALLED = 30.0  # seconds without a word of a catching-up after which it is taken as over
PROGRESS = 3.0  # seconds between two lines about one
WORTH_A_LINE = 1000  # messages; what is shorter is over before it can be read


@dataclass(slots=True)
class _Late:
    """What has come late in a room, and is not shown yet."""

    since: float
    at: float  # when something was last heard
    messages: int = 0
    newest: list[records.RoomRecord] = field(default_factory=list)  # oldest first
    running: set[str] = field(default_factory=set)  # peers from which it is being fetched
    fetched: dict[str, int] = field(default_factory=dict)  # by peer
    expected: dict[str, int] = field(default_factory=dict)
    told_at: float = -math.inf  # when its progress was last shown
    broken: bool = False  # a part of it broke off

    @property
    def due_at(self) -> float:
        if self.running:
            return self.at + STALLED
        return min(self.at + QUIET, self.since + LONGEST)


class CatchingUp:
    """`is_elsewhere`: whether what is typed does not go to that room. Times are those of trio's clock."""

    def __init__(self, view: MessageView, is_elsewhere: Callable[[str], bool]) -> None:
        self._view = view
        self._is_elsewhere = is_elsewhere
        self._late: dict[str, _Late] = {}
        self._gaps: dict[str, bool] = {}  # rooms with a gap that was shown: whether some of it came

    @property
    def due_at(self) -> float:
        """When `due` has something to show; infinite when nothing waits."""
        return min((late.due_at for late in self._late.values()), default=math.inf)

    def arrived(self, event: actors.RoomMessagesArrived, now: float) -> None:
        late = self._of(event.room, now)
        late.messages += len(event.records)
        late.newest = sorted([*late.newest, *event.records], key=_order)[-SHOWN:]
        if event.room in self._gaps:
            self._gaps[event.room] = True

    def progressed(self, event: actors.SyncProgressed, now: float) -> list[Line]:
        late = self._of(event.room, now)
        late.fetched[event.peer], late.expected[event.peer] = event.fetched, event.expected
        late.broken |= event.broken
        if event.done:
            late.running.discard(event.peer)
            return [] if late.running else self._finish(event.room)
        late.running.add(event.peer)
        expected = sum(late.expected.values())
        if expected < WORTH_A_LINE or now < late.told_at + PROGRESS:
            return []
        late.told_at = now
        fetched = sum(late.fetched.values())
        return [
            note(f"Catching up in {room(event.room)}: {fetched:,} of {count(expected, MESSAGE)}")
        ]

    def gap(self, event: actors.RoomGap) -> list[Line]:
        name = room(event.room)
        what = count(event.missing, MESSAGE)
        are = "is" if event.missing == 1 else "are"
        if event.given_up:
            self._gaps.pop(event.room, None)
            them, come = ("it", "It comes") if event.missing == 1 else ("them", "They come")
            text = f"{what} of {name} {are} missing; nobody who is here has {them}."
            return [warning(f"{text} {come} when somebody does.")]
        if not event.missing:
            is_explained = self._gaps.pop(event.room, True)
            return [] if is_explained else [note(f"What was missing in {name} has come")]
        is_fetched = event.room in self._late and self._late[event.room].running
        if event.room in self._gaps or is_fetched:
            return []
        self._gaps[event.room] = False
        return [note(f"{what} {are} missing in {name}, asking the others …")]

    def due(self, now: float) -> list[Line]:
        over = [name for name, late in self._late.items() if late.due_at <= now]
        return [line for name in over for line in self._finish(name)]

    def flush(self) -> list[Line]:
        """Everything that waits, now."""
        return [line for name in list(self._late) for line in self._finish(name)]

    def _of(self, name: str, now: float) -> _Late:
        late = self._late.setdefault(name, _Late(since=now, at=now))
        late.at = now
        return late

    def _finish(self, name: str) -> list[Line]:
        late = self._late.pop(name)
        elsewhere = self._is_elsewhere(name)
        shown = (self._view.message(each, elsewhere=elsewhere, late=True) for each in late.newest)
        return [*_heading(name, late), *(line for lines in shown for line in lines)]


MESSAGE = "message"


def _heading(name: str, late: _Late) -> list[Line]:
    more = late.messages > len(late.newest)
    shown = len(late.newest)
    if late.told_at > -math.inf:
        text = _outcome(name, late)
        return [note(f"{text}. The last {shown}:" if shown else text)]
    if not shown:
        return []
    text = f"{count(late.messages, MESSAGE)} of {room(name)} came late"
    return [note(f"{text}, /history shows them. The last {shown}:" if more else f"{text}:")]


def _outcome(name: str, late: _Late) -> str:
    """How a catching-up ended that was worth a line. Some messages may have come in another way meanwhile."""
    fetched, expected = sum(late.fetched.values()), sum(late.expected.values())
    if late.broken or late.running:
        rest = "the rest comes from the next member who has it"
        return (
            f"Catching up in {room(name)} stopped at {fetched:,} of {expected:,} messages; {rest}"
        )
    return f"{room(name)} is complete: {count(fetched, MESSAGE)} came; /history shows them"


def _order(record: records.RoomRecord) -> tuple[int, bytes]:
    """Nearly the room's own; see node/protocol/items.py."""
    return record.message.lamport, record.message.id
