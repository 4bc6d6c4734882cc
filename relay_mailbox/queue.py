"""How one recipient is handed its mail, as a state machine without I/O: events in, commands out.

    ABSENT -- collect --> HANDING_OVER -- read to the end --> LIVE
                               ^                               |
                               +--- does not fit, or a gap ----+

Handing over reads the store from a cursor, oldest first. A live client gets new deposits from memory, as long as they
fit; whatever does not is read from the store later, so that memory holds at most a window of mail.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from p2pchat.proto import wire_pb2 as wire

# Bytes of envelopes handed over and not written to the stream yet: more wait in the store.
UNWRITTEN_BYTES = 1 << 20
# Reading goes on while the writer still has this much, so that neither waits for the other.
READ_AHEAD_BYTES = UNWRITTEN_BYTES // 2

NEVER = 1 << 64  # above every sequence number


class State(enum.Enum):
    ABSENT = "absent"
    HANDING_OVER = "handing over"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Mail:
    """One stored envelope. Sequence numbers of a recipient are given without gaps, from 1."""

    sequence: int
    id: bytes
    size: int  # bytes of the serialized envelope
    envelope: wire.Envelope


@dataclass(frozen=True, slots=True)
class Read:
    """Read up to `limit` envelopes behind `after`, and answer with `page` of the same round."""

    round: int
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class HandOver:
    mail: Sequence[Mail]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    pass


Command: TypeAlias = Read | HandOver | CaughtUp


class RecipientQueue:
    """One recipient's hand-over. At most one `Read` of a round is under way; memory is bounded by the window."""

    def __init__(self) -> None:
        self.state = State.ABSENT
        self._round = 0  # counts collects; answers to reads of earlier ones are void
        self._window = 0
        self._unwritten = 0  # bytes; of all rounds, because all of them are in memory
        self._begin()

    def _begin(self) -> None:
        self._round += 1
        self._cursor = 0  # everything up to here was handed over in this round, or is gone
        self._newest = 0  # the highest sequence number that is known to exist
        self._unacknowledged: dict[bytes, int] = {}  # id -> sequence, handed over in this round
        self._reading = False
        self._target: int | None = None  # the newest when the first page was read; None: not yet
        self._owed = 0  # of the unacknowledged, those up to the target
        self._caught_up = False

    @property
    def unacknowledged(self) -> int:
        return len(self._unacknowledged)

    def collect(self, window: int) -> list[Command]:
        """A client asks for its mail, 1 to `limits.MAX_WINDOW` at a time; an earlier collect is over."""
        self._begin()
        self.state = State.HANDING_OVER
        self._window = window
        return self._go_on()

    def disconnected(self) -> None:
        """The client is gone: what it did not acknowledge is handed over again the next time."""
        self._begin()
        self.state = State.ABSENT
        self._unwritten = 0

    def page(self, round_: int, mail: Sequence[Mail], end: int, more: bool) -> list[Command]:
        """What a `Read` has found; `end` is the highest sequence number given until then."""
        if round_ != self._round or self.state is State.ABSENT:
            return []
        self._reading = False
        self._newest = max(self._newest, end)
        if self._target is None:
            self._target = end
        commands = self._hand_over(mail)
        if not more:
            self._cursor = max(self._cursor, end)  # what is missing before it is gone
            if self._cursor == self._newest:
                self.state = State.LIVE
        return commands + self._go_on()

    def deposited(self, mail: Sequence[Mail]) -> list[Command]:
        """New mail, stored already, in the order of its sequence numbers."""
        if self.state is State.ABSENT or not mail:
            return []
        self._newest = max(self._newest, mail[-1].sequence)
        if self.state is State.HANDING_OVER:
            return []
        commands = self._hand_over(self._fitting(mail))
        if self._cursor < self._newest:
            self.state = State.HANDING_OVER
        return commands + self._go_on()

    def acknowledged(self, ids: Iterable[bytes]) -> list[Command]:
        """The client has these, and the store has let them go. Unknown ids change nothing."""
        for id_ in ids:
            sequence = self._unacknowledged.pop(id_, None)
            if sequence is not None and self._is_owed(sequence):
                self._owed -= 1
        return self._go_on()

    def written(self, size: int) -> list[Command]:
        """So many bytes of envelopes are out of memory."""
        self._unwritten = max(0, self._unwritten - size)
        return self._go_on()

    def _fitting(self, mail: Sequence[Mail]) -> list[Mail]:
        """What of new mail follows the cursor without a gap and fits into the window and the memory."""
        ready: list[Mail] = []
        unwritten = self._unwritten
        for one in mail:
            if one.sequence <= self._cursor:
                continue  # a page had it already
            unwritten += one.size
            has_gap = one.sequence != self._cursor + len(ready) + 1
            if has_gap or len(ready) >= self._room() or unwritten > UNWRITTEN_BYTES:
                break
            ready.append(one)
        return ready

    def _hand_over(self, mail: Sequence[Mail]) -> list[Command]:
        if not mail:
            return []
        for one in mail:
            # The same envelope again: it expired before it was acknowledged, and was deposited anew.
            self._owed -= self._is_owed(self._unacknowledged.pop(one.id, NEVER))
            self._unacknowledged[one.id] = one.sequence
            self._unwritten += one.size
            self._owed += self._is_owed(one.sequence)
        self._cursor = mail[-1].sequence
        return [HandOver(mail)]

    def _is_owed(self, sequence: int) -> bool:
        return self._target is not None and sequence <= self._target

    def _room(self) -> int:
        return self._window - len(self._unacknowledged)

    def _go_on(self) -> list[Command]:
        """Say so once everything that was there is acknowledged; read more when that is worth it."""
        commands: list[Command] = []
        if not self._caught_up and self._has_caught_up():
            self._caught_up = True
            commands.append(CaughtUp())
        if self.state is State.HANDING_OVER and not self._reading and self._may_read():
            self._reading = True
            commands.append(Read(self._round, self._cursor, self._room()))
        return commands

    def _has_caught_up(self) -> bool:
        return self._target is not None and self._cursor >= self._target and not self._owed

    def _may_read(self) -> bool:
        # Half a window at a time: reading one by one costs the store as much as reading many.
        return self._room() >= (self._window + 1) // 2 and self._unwritten <= READ_AHEAD_BYTES
