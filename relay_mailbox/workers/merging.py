"""What several workers say of themselves, as one answer. No I/O.

Numbers are added up. A room that several of them keep counts once, with the bytes of every copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from p2pchat.node.protocol.links import MailboxLink, MailboxWorker, format_link, parse_link
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors

# Limits that were divided among the workers, as `sharing` does: their sum is what the operator has set.
_DIVIDED = frozenset(
    {
        "max_total_bytes",
        "max_archive_bytes",
        "max_registrations",
        "relay.max_reservations",
        "relay.max_circuits",
    }
)
_ADDED = ("registered", "streams", "collecting", "held_envelopes", "held_bytes", "tasks")


def one_link(links: Sequence[str], token: str = "") -> str:
    """One for all workers, from a link of each; the first one's is whole, those of others may be empty: not known."""
    parsed = [parse_link(link) for link in links if link]
    first, *others = [link for link in parsed if isinstance(link, MailboxLink)]
    workers = tuple(MailboxWorker(link.peer, link.addresses) for link in others if link.addresses)
    return format_link(MailboxLink(first.peer, first.addresses, token or first.token, workers))


def one_description(
    workers: Sequence[actors.WorkerDescription], link: str, uptime_ms: int
) -> actors.MailboxDescription:
    """Of those that answer. All of them have the same list of blocks."""
    here = [worker.mailbox for worker in workers if worker.HasField("mailbox")]
    merged = actors.MailboxDescription(link=link, uptime_ms=uptime_ms, workers=workers)
    if not here:
        return merged
    first = here[0]
    merged.registration, merged.blocked = first.registration, first.blocked
    if workers[0].HasField("mailbox"):  # its peer id is the mailbox's, and it keeps the invites
        merged.peer, merged.invites = first.peer, first.invites
    merged.addresses.extend(address for one in here for address in one.addresses)
    for name in _ADDED:
        setattr(merged, name, sum(getattr(one, name) for one in here))
    _add_stores(merged, here)
    _add_relays(merged, [one.relay for one in here if one.HasField("relay")])
    merged.limits.extend(_limits([one.limits for one in here]))
    for one in here:
        _add_counters(merged.counters, one.counters)
        for name, histogram in one.latencies.items():
            _add_histogram(merged.latencies[name], histogram)
    merged.archives.extend(_archives([archive for one in here for archive in one.archives]))
    for worker in workers:
        merged.actors.extend(_parts(worker))
    return merged


def one_diagnosis(
    found: Mapping[int, Sequence[actors_pb2.Check]], away: Sequence[str] = ()
) -> actors_pb2.Diagnosis:
    """The worst verdict of each check, saying which worker it is of, if not of all that have answered.

    `found` is by worker, in their order; the checks are in the order of the first one's. `away` has a sentence for
    each worker that has not answered: that is a check of its own.
    """
    names = dict.fromkeys(check.name for checks in found.values() for check in checks)
    checks = [_worst(name, found) for name in names]
    return actors_pb2.Diagnosis(checks=[_workers(len(found), away), *checks])


def _workers(here: int, away: Sequence[str]) -> actors_pb2.Check:
    if not away:
        finding = "The one worker answers." if here == 1 else f"All {here} workers answer."
        return actors_pb2.Check(name="workers", verdict=actors_pb2.Check.OK, finding=finding)
    return actors_pb2.Check(
        name="workers",
        verdict=actors_pb2.Check.FAILED,
        finding=" ".join(away),
        advice="It is started again by itself; the log says of what it ended. What follows is of the others.",
    )


def _worst(name: str, found: Mapping[int, Sequence[actors_pb2.Check]]) -> actors_pb2.Check:
    each = [(number, c) for number, checks in found.items() for c in checks if c.name == name]
    number, check = max(each, key=lambda one: _weight(one[1]))  # of equal ones the first
    worst = actors_pb2.Check()
    worst.CopyFrom(check)
    if any(c.verdict != check.verdict for _, c in each):
        if check.verdict > actors_pb2.Check.HINT:
            worst.finding = f"Worker {number}: {check.finding}"
    elif name == "listening" and len(each) > 1:  # each has ports of its own
        worst.finding = " ".join(f"Worker {n}: {c.finding}" for n, c in each)
    return worst


def _weight(check: actors_pb2.Check) -> int:
    """A hint is nothing to worry about: that one worker is fine says more than that another one is idle."""
    return -check.verdict if check.verdict <= actors_pb2.Check.HINT else check.verdict


def _add_stores(
    merged: actors.MailboxDescription, here: Sequence[actors.MailboxDescription]
) -> None:
    for name in ("store", "rooms"):
        stores = [getattr(one, name) for one in here]
        into = getattr(merged, name)
        into.path, into.schema_version = stores[0].path, stores[0].schema_version
        into.size_bytes = sum(store.size_bytes for store in stores)
        into.messages = sum(store.messages for store in stores)
        into.free_bytes = min(store.free_bytes for store in stores)  # most often of one disk
        for store in stores:
            _add_histogram(into.commits, store.commits)
    merged.fullest_recipient = max(one.fullest_recipient for one in here)


def _add_relays(
    merged: actors.MailboxDescription, relays: Sequence[actors.RelayDescription]
) -> None:
    for relay in relays:
        into = merged.relay
        into.serving |= relay.serving
        for name in ("reservations", "circuits", "most_reservations", "most_circuits"):
            setattr(into, name, getattr(into, name) + getattr(relay, name))
        _add_counters(into.counters, relay.counters)


def _add_counters(into: Mapping[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        into[name] += number  # type: ignore[index]


def _add_histogram(into: actors_pb2.Histogram, more: actors_pb2.Histogram) -> None:
    """Those of one name have the same bounds in every worker: one that has others is of another version."""
    if not into.counts:
        into.CopyFrom(more)
    elif into.bounds == more.bounds:
        counts = [a + b for a, b in zip(into.counts, more.counts, strict=True)]
        into.counts[:] = counts
        into.sum += more.sum


def _limits(tables: Sequence[Sequence[actors.Limit]]) -> Iterable[actors.Limit]:
    merged: dict[str, actors.Limit] = {}
    for limit in (limit for table in tables for limit in table):
        if limit.name not in merged:
            merged[limit.name] = actors.Limit()
            merged[limit.name].CopyFrom(limit)
            continue
        into = merged[limit.name]
        into.bitten += limit.bitten
        if limit.name in _DIVIDED:
            into.value += limit.value
    return merged.values()


def _archives(
    archives: Sequence[actors.ArchiveDescription],
) -> Iterable[actors.ArchiveDescription]:
    merged: dict[str, actors.ArchiveDescription] = {}
    for archive in archives:
        into = merged.setdefault(archive.usage.room, actors.ArchiveDescription())
        if not into.usage.room:
            into.CopyFrom(archive)
            continue
        usage, more = into.usage, archive.usage
        usage.messages = max(usage.messages, more.messages)
        usage.newest_lamport = max(usage.newest_lamport, more.newest_lamport)
        usage.bytes += more.bytes
        into.clients += archive.clients
        into.members = max(into.members, archive.members)
        into.joined |= archive.joined
        into.by_operator |= archive.by_operator
        wanted = not (into.deleted_at_ms and archive.deleted_at_ms)
        into.deleted_at_ms = 0 if wanted else max(into.deleted_at_ms, archive.deleted_at_ms)
    return [merged[room] for room in sorted(merged)]


def _parts(worker: actors.WorkerDescription) -> Iterable[actors_pb2.ActorStatus]:
    for part in worker.mailbox.actors:
        named = actors_pb2.ActorStatus()
        named.CopyFrom(part)
        named.name = f"{worker.number}: {part.name}"
        yield named
