"""The words of a test network: who is in it, and what can be done to them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Role(enum.StrEnum):
    NODE = "node"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class Member:
    """One process, or container, of the network."""

    name: str  # "node-1", "mailbox-2": unlike any other's
    role: Role


class Kind(enum.StrEnum):
    """What can be done to a member, in the words of `--faults`. Each has a begin and an end."""

    KILL = "kill"  # SIGKILL; at its end a new start
    STOP = "stop"  # SIGSTOP; SIGCONT
    RESTART = "restart"  # SIGTERM; at its end a new start
    FULL_DISK = "full-disk"  # nothing can be written to the data folder
    SLOW_DISK = "slow-disk"  # every sync takes `amount` seconds longer
    CLOCK_SKEW = "clock-skew"  # the clock is `amount` seconds ahead, or behind when negative
    DISCONNECT = "disconnect"  # no network
    PARTITION = "partition"  # the members see each other, and nobody else


# To what a member a fault is done so that it does not run meanwhile, or answers nobody.
SILENCING = frozenset({Kind.KILL, Kind.STOP, Kind.RESTART, Kind.DISCONNECT})


@dataclass(frozen=True, slots=True)
class Fault:
    number: int
    kind: Kind
    members: tuple[str, ...]  # one, but for a partition
    begins: float  # seconds from the start of the traffic
    ends: float
    amount: float = 0.0  # of a slow disk or a skewed clock, in seconds


@dataclass(frozen=True, slots=True)
class Vitals:
    """How much a member takes of the machine; None: not known."""

    memory: int | None = None  # bytes, resident
    descriptors: int | None = None  # open files and sockets
    starts: int = 1  # how often it was started so far: what it takes begins anew each time
