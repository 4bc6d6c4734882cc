"""How the answer to /info looks: the node and each of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import clock, count, duration, most_useful, size
from p2pchat.cli.terminal.render_contacts import mailbox
from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.cli.times import when
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.doctor_facts import is_known_outside
from p2pchat.node.protocol.names import NAME_LIMIT, shown_room
from p2pchat.proto import actors_pb2 as actors


def info(node: actors.NodeDescription, stored: Sequence[actors.RoomUsage] = ()) -> Iterator[Line]:
    """`stored`: what is kept of each room, as far as that is known."""
    yield line(f"Peer id:    {safe_line(node.peer)}")
    yield line(f"Name:       {safe_name(node.name, NAME_LIMIT)}")
    addresses = list(map(safe_line, most_useful(node.addresses))) or ["not listening yet"]
    for index, address in enumerate(addresses):
        yield line(f"{'' if index else 'Listening:':11} ", Span(address, "address"))
    yield line(f"Up for:     {duration(node.uptime_ms // 1000)}")
    yield from _store(node)
    yield from _discovery(node)
    yield line(f"Reachable:  {reachable(node)}")
    yield line(f"Relays:     {relays(node)}")
    yield line(f"DHT:        {dht(node)}")
    yield from _delivery(node)
    yield from _rooms(node, stored)
    yield line("Actors:")
    for actor in node.actors:
        yield line("  " + _actor(actor))
    yield from _counters(node)


def _store(node: actors.NodeDescription) -> Iterator[Line]:
    if not node.HasField("store"):
        yield line("Store:      no answer")
        return
    store = node.store
    yield line(
        f"Store:      {size(store.size_bytes)}, about {count(store.messages, 'message')}, "
        f"schema {store.schema_version}, in {safe_line(store.path)}"
    )


def _discovery(node: actors.NodeDescription) -> Iterator[Line]:
    if not node.HasField("discovery"):
        yield line("Discovery:  no answer")
        return
    found = node.discovery
    mdns = f"mDNS on, found {found.mdns_found:,}" if found.mdns else "mDNS off"
    problem = f" ({safe_line(found.mdns_problem)})" if found.mdns_problem else ""
    yield line(f"Discovery:  {count(found.bootstrap_peers, 'bootstrap address')}, {mdns}{problem}")


# One line each, as the operator of a mailbox reads them, too.


def reachable(node: actors.NodeDescription) -> str:
    """`directly (asked 5 times, 1 time in vain), seen as 203.0.113.7`."""
    if not node.HasField("reachability"):
        return "not known"
    found = node.reachability
    nearby = "" if is_known_outside(node) else " from the same network; from outside: not known"
    state = {
        actors.PUBLIC: f"directly{nearby}",
        actors.PRIVATE: "not directly: behind a router or firewall",
    }
    parts = [state.get(found.reachability, "not known yet")]
    if found.yes or found.no:
        parts[0] += f" ({found.yes:,} could connect, {found.no:,} could not)"
    if found.observed:
        parts.append(f"seen as {', '.join(map(safe_line, found.observed))}")
    if found.mapped:
        parts.append(f"the router lets in {', '.join(map(safe_line, found.mapped))}")
    elif found.upnp:
        parts.append(f"UPnP: {safe_line(found.upnp_problem) or 'no answer yet'}")
    if found.punches:
        parts.append(f"holes punched {found.punched:,} of {count(found.punches, 'time')}")
    return ", ".join(parts)


def relays(node: actors.NodeDescription) -> str:
    """`…a1B2c3 (mailbox) for 58 min; …d4E5f6: refused`."""
    found = node.reachability
    parts = [_reservation(each) for each in found.reservations]
    if not parts:
        parts = ["none yet" if found.wants_relays else "none"]
    if found.relays:
        parts.append("carries connections for others")
    return "; ".join(parts)


def _reservation(each: actors.Reservation) -> str:
    name = f"…{peer_id.short(each.relay)}{' (mailbox)' if each.mailbox else ''}"
    if each.held:
        return safe_line(f"{name} for {duration(each.seconds_left)}")
    waits = "nothing reserved yet" if each.connected else "not connected"
    return safe_line(f"{name}: {each.problem.rstrip('.') or waits}")


def dht(node: actors.NodeDescription) -> str:
    """`12 peers known, answers others, keeps 3 records, 1 own room to be found there`."""
    if not node.HasField("dht"):
        return "switched off, or no answer"
    found = node.dht
    part = "answers others" if found.server else "asks only"
    parts = [f"{count(found.table, 'peer')} known", part]
    if kept := found.records + found.provided:
        parts.append(f"keeps {count(kept, 'record')} for others")
    if found.topics:
        parts.append(f"{count(found.topics, 'own room')} to be found there")
    if found.record:
        parts.append("own mailboxes told")
    return ", ".join(parts)


def _delivery(node: actors.NodeDescription) -> Iterator[Line]:
    if not node.HasField("delivery"):
        yield line("Delivery:   no answer")
        return
    found = node.delivery
    yield line(
        f"Delivery:   {count(found.outbox, 'own message')} not delivered yet, "
        f"{count(found.due_receipts, 'receipt')} to be sent"
    )
    if not found.mailboxes:
        yield line("Mailboxes:  none, so messages reach you only while you are online")
    for index, each in enumerate(found.mailboxes):
        yield line(f"{'' if index else 'Mailboxes:':11} ", *mailbox(each))


def _rooms(node: actors.NodeDescription, stored: Sequence[actors.RoomUsage]) -> Iterator[Line]:
    """`Rooms:  #den  1,234 messages stored, 1.2 MiB; complete at 14:23:15, 12 fetched`."""
    usage = {each.room: each for each in stored if each.messages}
    synced = {each.room: each for each in node.sync.rooms}
    for index, name in enumerate(sorted(usage.keys() | synced.keys())):
        parts = []
        if name in usage:
            kept = usage[name]
            parts.append(f"{count(kept.messages, 'message')} stored, {size(kept.bytes)}")
        if name in synced:
            parts.append(_compared(synced[name]))
        yield line(f"{'' if index else 'Rooms:':11} ", _room(name), f"  {'; '.join(parts)}")


def _room(stored: str) -> Span:
    name = shown_room(stored)
    return Span(room(name) if name == stored else f"{room(name)} (plain)", "room")


def _compared(sync: actors.RoomSync) -> str:
    """How far a room is like that of the other members."""
    if sync.running:
        state = "being compared with another member"
    elif sync.last_ms:
        state = f"compared at {clock(when(sync.last_ms, None))}"
    else:
        state = "not compared with anybody yet"
    return f"{state}, {sync.fetched:,} fetched" if sync.fetched else state


def _counters(node: actors.NodeDescription) -> Iterator[Line]:
    """Of the whole node; what never happened is left out."""
    parts = (
        node.transport.counters,
        node.reachability.counters,
        {f"dht_{name.removeprefix('dht_')}": n for name, n in node.dht.counters.items()},
        node.delivery.counters,
        node.sync.counters,
    )
    found = sorted((name, value) for part in parts for name, value in part.items() if value)
    if found:
        yield line("Counters:")
    for name, value in found:
        yield line(f"  {safe_line(name)}: {value:,}")


def _actor(actor: actors.ActorStatus) -> str:
    parts = [f"{actor.name:12} {actor.state}, {count(actor.handled, 'message')} handled"]
    for value, what in (
        (actor.restarts, "restart"),
        (actor.drops, "drop"),
        (actor.stalls, "stall"),
    ):
        parts.append(count(value, what))
    if actor.queue:
        parts.append(f"{actor.queue:,} waiting")
    return safe_line(", ".join(parts))
