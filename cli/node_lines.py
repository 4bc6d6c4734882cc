"""How peers, rooms, members, contacts and mailboxes look in a table. Everything from others passes `safe_text`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from p2pchat.cli.tables import table
from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import count, duration, hint, person, size
from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.cli.times import when
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import NAME_LIMIT
from p2pchat.proto import control_pb2 as control

NOBODY_CONNECTED = "Nobody is connected. Finding each other can take up to a minute."
NO_ROOMS = "There are no rooms here; this goes into one: p2pchat rooms join lobby"
NO_CONTACTS = "There are no contacts; this adds one: p2pchat contacts add LINK"
NO_MAILBOXES = (
    "There is no mailbox, so messages arrive only while this node is online; this adds one: "
    "p2pchat mailboxes add LINK"
)


def peer_lines(found: Sequence[control.Peer], width: int = 0) -> Iterator[Line]:
    if not found:
        yield hint(NOBODY_CONNECTED)
        return
    rows = [
        (
            person(each.peer, each.name).text,
            _way(each),
            each.transport or "-",
            "out" if each.outbound else "in",
            f"{each.rtt_ms:.1f} ms" if each.rtt_ms else "-",
            each.address or "-",
        )
        for each in sorted(found, key=lambda each: (not each.name, each.name.casefold()))
    ]
    yield from table(("Peer", "Way", "Transport", "", "Round trip", "Address"), rows, width)


def _way(peer: control.Peer) -> str:
    if peer.relayed:
        return f"relay …{peer_id.short(peer.relay)}" if peer.relay else "relay"
    return "punched" if peer.punched else "direct"


def room_lines(found: Sequence[control.Room], width: int = 0) -> Iterator[Line]:
    if not found:
        yield hint(NO_ROOMS)
        return
    rows = [
        (
            room(each.name),
            f"{each.listeners:,}" if each.joined else "not joined",
            f"{each.messages:,}",
            size(each.bytes),
            _kept(each),
            _marks(each),
        )
        for each in found
    ]
    yield from table(("Room", "Listeners", "Messages", "Size", "Kept for", ""), rows, width)


def _marks(each: control.Room) -> str:
    said = ("plain: unsigned", each.plain), ("muted", each.muted)
    return ", ".join(words for words, is_so in said if is_so)


def _kept(each: control.Room) -> str:
    if not each.HasField("keep_days"):
        return "as the node is set"
    return count(each.keep_days, "day") if each.keep_days else "ever"


def member_lines(
    found: Sequence[control.Member], width: int = 0, zone: tzinfo | None = None
) -> Iterator[Line]:
    rows = [
        (
            person(each.peer, each.name).text,
            "you" if each.self else "connected" if each.connected else "by way of others",
            "" if each.self else _day(each.seen_ms, zone),
        )
        for each in found
    ]
    yield from table(("Member", "", "Heard of"), rows, width)


def contact_lines(
    found: Sequence[control.Contact], width: int = 0, zone: tzinfo | None = None
) -> Iterator[Line]:
    if not found:
        yield hint(NO_CONTACTS)
        return
    rows = [
        (
            person(each.peer, each.name).text,
            "connected" if each.connected else "-",
            _day(each.last_message_ms, zone),
            ", ".join(_remarks(each)),
        )
        for each in found
    ]
    yield from table(("Contact", "Now", "Last message", ""), rows, width)


def _remarks(each: control.Contact) -> Iterator[str]:
    words = {
        "verified": each.verified,
        "blocked": each.blocked,
        "muted": each.muted,
        "not added by you": not each.added,
    }
    yield from (word for word, holds in words.items() if holds)
    yield count(each.mailboxes, "mailbox") if each.mailboxes else "no mailbox"
    if each.waiting:
        yield f"{each.waiting:,} not delivered yet"
    if each.missed:
        yield f"{each.missed:,} not seen"
    if each.given_name and each.nick not in ("", each.given_name):
        yield f"calls itself {safe_name(each.nick, NAME_LIMIT)}"


def mailbox_lines(found: Sequence[control.OwnMailbox], width: int = 0) -> Iterator[Line]:
    if not found:
        yield hint(NO_MAILBOXES)
        return
    rows = [
        (
            f"{number}",
            each.peer if not each.workers else f"{each.peer}, of {each.workers:,} workers",
            "connected" if each.connected else "not connected",
            "yes" if each.registered else "not yet",
            size(each.quota_bytes) if each.quota_bytes else "-",
            duration(each.retention_ms // 1000) if each.retention_ms else "-",
            each.problem,
        )
        for number, each in enumerate(found, 1)
    ]
    head = ("", "Mailbox", "Now", "Registered", "Space", "Keeps for", "Problem")
    yield from table(head, rows, width)


def info_lines(info: control.GetInfoResponse) -> Iterator[Line]:
    rows = (
        ("Name", safe_name(info.name, NAME_LIMIT)),
        ("Peer id", safe_line(info.peer)),
        ("Version", safe_line(info.version)),
        ("Data in", safe_line(info.data_dir)),
        ("Up for", duration(info.uptime_ms // 1000)),
        ("Reachability", safe_line(info.reachability) or "unknown"),
        ("Connections", f"{info.connections:,}"),
        ("Not delivered", count(info.outbox, "message")),
        ("Mailboxes", f"{info.mailboxes:,}, {info.mailboxes_connected:,} connected"),
    )
    for name, value in rows:
        yield line(f"{name:15}", value)
    for address in info.addresses:
        yield line(f"{'Address':15}", Span(safe_line(address), "address"))


def _day(unix_ms: int, zone: tzinfo | None) -> str:
    at = when(unix_ms, zone) if unix_ms else None
    return at.strftime("%Y-%m-%d %H:%M") if at else "-"
