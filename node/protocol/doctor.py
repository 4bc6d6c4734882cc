"""What keeps a node from being reached: findings in plain words, and what to do about each.

Nothing is asked here: see `Facts` for what has to be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from p2pchat.node.protocol import doctor_company, doctor_reach
from p2pchat.node.protocol.doctor_facts import (
    FAILED,
    HINT,
    OK,
    WARNING,
    Facts,
    count,
    no_answer,
    size,
    time_span,
)
from p2pchat.proto import actors_pb2 as actors

CLOCK_ODD = 30_000  # ms off those of the others; a room's order suffers
CLOCK_WRONG = 600_000  # ms; others may refuse what is said
DISK_LOW = 1 << 30  # bytes free
DISK_FULL = 100 << 20  # bytes free; RocksDB needs room to tidy up

SET_THE_CLOCK = (
    "Set it, and have it set by itself (network time): what is said in rooms is ordered by clocks. If it is right, "
    "those of the others are wrong."
)
MAKE_ROOM = "Make room on that disk; /keep and /forget delete old messages of rooms."


def diagnose(facts: Facts) -> actors.Diagnosis:
    """One check for each thing, always in the same order; a mailbox has no mailboxes."""
    looks: list[Callable[[Facts], actors.Check]] = [
        doctor_reach.listening,
        doctor_reach.addresses,
        doctor_reach.nat,
        doctor_company.bootstrap,
        doctor_company.dht,
        doctor_reach.relays,
        *([] if facts.mailbox else [doctor_company.mailboxes]),
        clock,
        disk,
        doctor_company.peers,
    ]
    return actors.Diagnosis(checks=[look(facts) for look in looks])


def is_well(checks: Iterable[actors.Check]) -> bool:
    """Whether nothing has failed."""
    return all(check.verdict != FAILED for check in checks)


def is_settled(facts: Facts, found: actors.Diagnosis) -> bool:
    """Whether waiting promises nothing better."""
    if _stays_alone(facts):
        return True
    reach = facts.node.reachability
    is_known = not facts.node.HasField("reachability") or reach.reachability != actors.UNKNOWN
    return is_known and is_well(found.checks)


def _stays_alone(facts: Facts) -> bool:
    """Nobody is there, and this node looks for nobody."""
    node = facts.node
    is_looking = node.discovery.mdns or node.discovery.bootstrap_peers or node.transport.known_peers
    is_known = node.HasField("discovery") and node.HasField("transport")
    return is_known and facts.is_alone and not is_looking


def clock(facts: Facts) -> actors.Check:
    name, transport = "clock", facts.node.transport
    if not transport.HasField("clock_ms"):
        finding = "There is nobody yet to compare this computer's clock with."
        return actors.Check(name=name, verdict=HINT, finding=finding)
    off = abs(transport.clock_ms)
    others = f"those of {count(transport.clocks, 'peer')}" if transport.clocks > 1 else "a peer's"
    if off <= CLOCK_ODD:
        finding = f"This computer's clock agrees with {others} ({time_span(off)} off)."
        return actors.Check(name=name, verdict=OK, finding=finding)
    side = "behind" if transport.clock_ms > 0 else "ahead of"
    finding = f"This computer's clock is {time_span(off)} {side} {others}."
    verdict = FAILED if off > CLOCK_WRONG else WARNING
    return actors.Check(name=name, verdict=verdict, finding=finding, advice=SET_THE_CLOCK)


def disk(facts: Facts) -> actors.Check:
    name, store = "disk", facts.node.store
    if not facts.node.HasField("store"):
        return no_answer(name, "storage")
    if not store.free_bytes and not store.size_bytes:  # in memory
        return actors.Check(name=name, verdict=OK, finding="Messages are kept in memory only.")
    finding = f"{size(store.free_bytes)} are free on the disk of {store.path}."
    if store.free_bytes >= DISK_LOW:
        return actors.Check(name=name, verdict=OK, finding=finding)
    verdict = FAILED if store.free_bytes < DISK_FULL else WARNING
    return actors.Check(name=name, verdict=verdict, finding=f"Only {finding}", advice=MAKE_ROOM)
