"""The last events of a process, numbered, so that who was away or slow for a moment goes on without a gap.

Every event has a sequence number, from 1 on, within the epoch that one run of the process is. A cursor names both, and
means: everything behind this one. Readers hold nothing but a position: what a slow one costs is bounded by the
journal itself, which forgets the oldest events. A reader whose next event is forgotten is told that it fell behind,
with how many it has missed, and goes on with what happens from then on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from p2pchat.proto import control_pb2 as control

MAX_EVENTS = 8192  # in the journal ...
MAX_BYTES = 4 << 20  # ... and of them together, serialized; the oldest go first
BATCH_BYTES = 256 << 10  # that a reader is given at a time, or one event
BATCH_EVENTS = 256

EPOCH_BYTES = 8
_LONGEST_CURSOR = 64  # characters

TOO_OLD = "The node does not have the events behind this cursor any more."
ANOTHER_RUN = "The node has been started anew since."
TOO_SLOW = "The events came faster than they were read."


class EventJournal:
    def __init__(
        self, epoch: bytes, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES
    ) -> None:
        """`epoch` is random: no other run has the same."""
        self._epoch = epoch.hex()
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events: deque[bytes] = deque()  # serialized: they go out to every reader as they are
        self._bytes = 0
        self.end = 0  # sequence number of the newest event

    @property
    def start(self) -> int:
        """Of the newest event that is forgotten; 0: none is."""
        return self.end - len(self._events)

    def append(self, event: control.Event) -> None:
        """The cursor is filled in."""
        self.end += 1
        event.cursor = self.cursor(self.end)
        content = event.SerializeToString()
        self._events.append(content)
        self._bytes += len(content)
        while len(self._events) > self._max_events or self._bytes > self._max_bytes:
            self._bytes -= len(self._events.popleft())

    def lose(self, number: int) -> None:
        """So many events happened that nobody has: whoever reads now falls behind."""
        if number > 0:
            self._events.clear()
            self._bytes = 0
            self.end += number

    def cursor(self, sequence: int) -> str:
        return f"{self._epoch}-{sequence:x}"

    def sequence(self, cursor: str) -> int | None:
        """None for a cursor of another run, or none at all."""
        epoch, _, number = cursor[:_LONGEST_CURSOR].partition("-")
        try:
            sequence = int(number, 16)
        except ValueError:
            return None
        # Written as we write it: else one event had many cursors.
        is_ours = epoch == self._epoch and cursor == self.cursor(sequence)
        return sequence if is_ours and 0 <= sequence <= self.end else None

    def read(self, after: int) -> list[bytes]:
        """A batch of what stands behind that event; empty: nothing does. Only for `after` from `start` on."""
        places = range(after - self.start, len(self._events))
        return list(_batch(self._events[place] for place in places))


def _batch(events: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for content in islice(events, BATCH_EVENTS):
        size += len(content)
        if size > BATCH_BYTES and size > len(content):
            return
        yield content


class EventReader:
    """One stream of events, from now on or from behind a cursor."""

    def __init__(self, journal: EventJournal, after: str = "") -> None:
        self._journal = journal
        self._position = journal.end
        subscribed = control.Event(subscribed=control.Subscribed())
        self._greeting = [subscribed]
        if after:
            self._resume(after, subscribed)

    def _resume(self, after: str, subscribed: control.Event) -> None:
        sequence = self._journal.sequence(after)
        if sequence is not None and sequence >= self._journal.start:
            self._position = sequence
            subscribed.subscribed.resumed = True
            return
        # Who is cut off before it hears of the gap comes back with the same cursor, and hears of it then.
        subscribed.cursor = after[:_LONGEST_CURSOR]
        if sequence is None:
            self._greeting.append(_fell_behind(ANOTHER_RUN, 0))
        else:
            self._greeting.append(_fell_behind(TOO_OLD, self._journal.end - sequence))

    def read(self, now_ms: int) -> list[bytes]:
        """What is to be said next, serialized; empty: nothing has happened."""
        if self._greeting:
            said = [self._said(event, now_ms) for event in self._greeting]
            self._greeting.clear()
            return said
        if self._position < self._journal.start:
            missed = self._journal.end - self._position
            self._position = self._journal.end
            return [self._said(_fell_behind(TOO_SLOW, missed), now_ms)]
        batch = self._journal.read(self._position)
        self._position += len(batch)
        return batch

    def _said(self, event: control.Event, now_ms: int) -> bytes:
        """An event of this reader alone has the cursor of the place where it is said."""
        event.at_ms = now_ms
        event.cursor = event.cursor or self._journal.cursor(self._position)
        return event.SerializeToString()


def _fell_behind(reason: str, missed: int) -> control.Event:
    return control.Event(fell_behind=control.FellBehind(reason=reason, missed=missed))
