"""What is going to happen: who says what when, and which fault befalls whom. The same seed gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from p2pchat.cli.testnet.vocabulary import SILENCING, Fault, Kind, Member, Role

DAY = 86_400.0  # seconds
AT_A_TIME = 1 / 3  # of the members have a fault; one in any case
FIRST = 3.0  # seconds of traffic before the first fault
REST = 6.0  # seconds that a member is left alone after a fault: it has to start, and to have something to lose again
PAUSE = 4.0  # seconds between two faults, on average, for each that is possible at a time
LONGEST_SHARE = 1 / 3  # of the whole time that one fault may last
TRIES = 8  # to find a member for a fault, before there is none

ROOM_SHARE = 0.25  # of the messages go to the room, where each has many readers
LONG_SHARE = 0.05  # of the messages are long
LINE = (1, 160)  # bytes of an ordinary text, besides its mark
LONG = (1_000, 20_000)

# Seconds that a fault lasts: from, to.
DURATIONS: dict[Kind, tuple[float, float]] = {
    Kind.KILL: (0.0, 6.0),
    Kind.STOP: (2.0, 20.0),
    Kind.RESTART: (0.0, 4.0),
    Kind.FULL_DISK: (4.0, 15.0),
    Kind.SLOW_DISK: (5.0, 20.0),
    Kind.CLOCK_SKEW: (5.0, 25.0),
    Kind.DISCONNECT: (3.0, 25.0),
    Kind.PARTITION: (5.0, 25.0),
}
SLOWNESS = (0.05, 1.0)  # seconds that a sync takes longer
# Seconds that a clock is wrong. docs/protocol.md bears a day in everything; the last two are far beyond.
SKEWS = (-90.0, 90.0, -0.5 * DAY, 0.5 * DAY, -0.9 * DAY, 0.9 * DAY, -3 * DAY, 3 * DAY)

# A message dated so far ahead is not taken by others' rooms until its time has come, which is days after the test.
AHEAD = 1.0 * DAY  # seconds
ASKING = 20.0  # seconds that a message may be on its way into its own node, which dates it


@dataclass(frozen=True, slots=True)
class Post:
    at: float  # seconds from the start of the traffic
    sender: str
    to: str  # a node; empty: the room
    size: int  # bytes of text behind its mark


def faults(
    members: Sequence[Member], kinds: Sequence[Kind], seconds: float, seed: int
) -> tuple[Fault, ...]:
    """Every fault, in the order of their begins; all of them have ended when `seconds` are over."""
    return _Fates(members, kinds, seconds, random.Random(f"faults {seed}")).drawn()


class _Fates:
    def __init__(
        self, members: Sequence[Member], kinds: Sequence[Kind], seconds: float, rng: random.Random
    ) -> None:
        self._members = members
        self._kinds = sorted(kinds)
        self._seconds = seconds
        self._rng = rng
        self._deck: list[Kind] = []
        self._found: list[Fault] = []

    def drawn(self) -> tuple[Fault, ...]:
        if not self._kinds:
            return ()
        lanes = [FIRST + self._pause() * lane for lane in range(most_at_a_time(len(self._members)))]
        while lanes:
            lanes.sort()
            begins = lanes.pop(0)
            if begins >= self._seconds:
                continue
            ends = self._draw(begins)
            lanes.append(ends + self._pause())
        return tuple(sorted(self._found, key=lambda fault: (fault.begins, fault.number)))

    def _draw(self, begins: float) -> float:
        """Add a fault that begins then, and say when it ends."""
        kind = self._next_kind()
        shortest, longest = DURATIONS[kind]
        longest = max(min(longest, self._seconds * LONGEST_SHARE), shortest)
        ends = min(begins + self._rng.uniform(shortest, longest), self._seconds)
        members = self._many(begins, ends) if kind is Kind.PARTITION else self._one(begins, ends)
        if members:
            number = len(self._found) + 1
            fault = Fault(number, kind, members, _tenths(begins), _tenths(ends), self._amount(kind))
            self._found.append(fault)
        return ends

    def _next_kind(self) -> Kind:
        """As cards are drawn: each kind comes before any comes again."""
        if not self._deck:
            self._deck = self._rng.sample(self._kinds, len(self._kinds))
        return self._deck.pop()

    def _one(self, begins: float, ends: float) -> tuple[str, ...]:
        """Empty when everybody has a fault, or has just had one."""
        for _ in range(TRIES):
            member = self._rng.choice(self._members)
            if self._is_free(member, begins, ends):
                return (member.name,)
        return ()

    def _is_free(self, member: Member, begins: float, ends: float) -> bool:
        """A mailbox is also not free while another one has a fault."""
        mailboxes = {each.name for each in self._members if each.role is Role.MAILBOX}
        alike = mailboxes if member.role is Role.MAILBOX else {member.name}
        return not any(
            fault.kind is not Kind.PARTITION
            and not alike.isdisjoint(fault.members)
            and fault.begins - REST < ends
            and begins < fault.ends + REST
            for fault in self._found
        )

    def _many(self, begins: float, ends: float) -> tuple[str, ...]:
        """One side of a partition; empty while there is another one."""
        others = (fault for fault in self._found if fault.kind is Kind.PARTITION)
        if any(fault.begins < ends and begins < fault.ends + REST for fault in others):
            return ()
        names = [member.name for member in self._members]
        most = max(1, len(names) // 2)
        return tuple(sorted(self._rng.sample(names, self._rng.randint(1, most))))

    def _amount(self, kind: Kind) -> float:
        if kind is Kind.SLOW_DISK:
            return round(self._rng.uniform(*SLOWNESS), 2)
        return self._rng.choice(SKEWS) if kind is Kind.CLOCK_SKEW else 0.0

    def _pause(self) -> float:
        return self._rng.expovariate(1 / PAUSE)


def _tenths(seconds: float) -> float:
    return round(seconds, 1)


def most_at_a_time(members: int) -> int:
    """How many of them may have a fault at a time, partitions not counted."""
    return max(1, int(members * AT_A_TIME))


def traffic(
    nodes: Sequence[str], planned: Sequence[Fault], seconds: float, rate: float, seed: int
) -> Iterator[Post]:
    """Every message, in the order of their times. Nobody is asked to write while it does not run, or may not."""
    rng = random.Random(f"traffic {seed}")
    at = 0.0
    while (at := at + rng.expovariate(rate)) < seconds:
        to_room, size = rng.random() < ROOM_SHARE, _size(rng)
        able = [node for node in nodes if _may_write(node, at, planned, to_room=to_room)]
        sender = rng.choice(able or nodes)
        to = "" if to_room else rng.choice([node for node in nodes if node != sender])
        if able:
            yield Post(round(at, 3), sender, to, size)


def _size(rng: random.Random) -> int:
    return rng.randint(*(LONG if rng.random() < LONG_SHARE else LINE))


def _may_write(node: str, at: float, planned: Sequence[Fault], *, to_room: bool) -> bool:
    for fault in planned:
        if node in fault.members and keeps_quiet(fault, to_room=to_room):
            # What is on its way into its own node is dated there: not before the fault begins, or after it ends.
            margin = 0.0 if fault.kind in SILENCING else ASKING
            if fault.begins - margin <= at < fault.ends + margin:
                return False
    return True


def keeps_quiet(fault: Fault, *, to_room: bool) -> bool:
    """Whether whom it befalls is not asked to write meanwhile.

    Somebody whose clock is days ahead would date a message to the room so that nobody takes it before the test is over.
    """
    if fault.kind in SILENCING:
        return True
    return to_room and fault.kind is Kind.CLOCK_SKEW and fault.amount >= AHEAD
