"""What the operator of a mailbox reads in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.render import count, duration, size
from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto.actors_pb2 import Check
from p2pchat.relay_mailbox.config import RegistrationPolicy

Row = Sequence[str]

WORKERS = ("Worker", "State", "Process", "Takes mail for", "Holds", "Restarts", "Ended last")


def status_lines(here: actors.MailboxDescription, checks: Sequence[Check] = ()) -> list[str]:
    """A summary, then one table each for limits, counters and the parts of the program.

    `checks`: what its doctor says, if that is known already.
    """
    lines = [f"Mailbox {here.peer}", *table([*_summary(here), *_ways(checks)])]
    if here.workers:
        lines += ["", *table([WORKERS, *_workers(here)])]
    lines += ["", "Addresses", *(f"  {safe_line(address)}" for address in here.addresses)]
    if here.archives:
        columns = ("Room", "Messages", "Size", "Newest", "Members now", "Kept for")
        lines += ["", *table([columns, *_archives(here)], numbers=True)]
    lines += ["", *table([("Limit", "Value", "Has bitten"), *_limits(here)], numbers=True)]
    if here.counters:
        counters = [(name, f"{here.counters[name]:,}") for name in sorted(here.counters)]
        lines += ["", *table([("Counted", "Times"), *counters], numbers=True)]
    head = ("Part", "State", "Restarts", "Waiting", "Handled", "Dropped", "Stalls")
    return [*lines, "", *table([head, *_parts(here)], numbers=True)]


def invite_lines(invites: Iterable[actors.InviteDescription]) -> list[str]:
    """Two lines for each."""
    lines = []
    for described in invites:
        invite = described.invite
        label = f' "{safe_line(invite.label)}"' if invite.label else ""
        uses = f"{count(invite.uses_left, 'use')} left, used {count(invite.used, 'time')}"
        lines.append(f"{safe_line(invite.id)}{label}: {uses}, made {_day(invite.made_at_ms)}")
        lines.append(f"  {safe_line(described.link)}")
    return lines or ["There are no invites; this makes one: p2pchat mailbox invites --new"]


def block_lines(blocks: Iterable[actors.BlockDescription]) -> list[str]:
    """One for each."""
    lines = []
    for block in blocks:
        note = f'  "{safe_line(block.note)}"' if block.note else ""
        lines.append(f"{safe_line(block.peer)}  since {_day(block.blocked_at_ms)}{note}")
    return lines or ["Nobody is blocked."]


def table(rows: Iterable[Row], *, numbers: bool = False) -> Iterator[str]:
    """Columns as wide as they need to be; with `numbers`, all but the first stand to the right."""
    shown = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}".rstrip()


def _summary(here: actors.MailboxDescription) -> Iterator[Row]:
    yield "Up for", duration(here.uptime_ms // 1000)
    invites = f", {count(here.invites, 'invite')} with uses left" if here.invites else ""
    yield "Registration", f"{here.registration}{invites}"
    yield "Takes mail for", f"{count(here.registered, 'peer')}; {here.blocked:,} blocked"
    yield "Holds", f"{count(here.held_envelopes, 'envelope')}, {size(here.held_bytes)}"
    yield "On disk", f"{size(here.store.size_bytes)} in {safe_line(here.store.path)}"
    yield "Clients", f"{count(here.streams, 'stream')}, {here.collecting:,} collecting"
    yield "Relay", _relay(here)
    without = " (no invite in it)" if here.registration == RegistrationPolicy.INVITE else ""
    yield "Link", f"{safe_line(here.link)}{without}"


def _ways(checks: Sequence[Check]) -> Iterator[Row]:
    """Whether people reach the mailbox, and can find it."""
    found = {check.name: check for check in checks}
    for name, head in (("nat", "Reachability"), ("dht", "DHT")):
        if name in found:
            check = found[name]
            yield head, safe_line(" ".join(filter(None, [check.finding, check.advice])))
        else:
            yield head, "not known yet"


def _workers(here: actors.MailboxDescription) -> Iterator[Row]:
    for worker in here.workers:
        its = worker.mailbox
        answers = worker.HasField("mailbox")
        state = worker.state if answers or worker.state != "running" else "does not answer"
        yield (
            str(worker.number),
            state,
            str(worker.pid or "-"),
            count(its.registered, "peer") if answers else "?",
            f"{count(its.held_envelopes, 'envelope')}, {size(its.held_bytes)}" if answers else "?",
            f"{worker.restarts:,}",
            safe_line(worker.last_end) or "-",
        )


def _relay(here: actors.MailboxDescription) -> str:
    if not here.HasField("relay"):
        return "no"
    relay = here.relay
    now = f"{count(relay.reservations, 'reservation')}, {count(relay.circuits, 'circuit')}"
    return f"{now}; at most {relay.most_reservations:,} and {relay.most_circuits:,} so far"


def _archives(here: actors.MailboxDescription) -> Iterator[Row]:
    for archive in here.archives:
        usage = archive.usage
        # Lamport times are never far from the clock's: that of the newest message says when it was written.
        newest = _day(usage.newest_lamport) if usage.newest_lamport else "-"
        members = f"{archive.members:,}" if archive.joined else "not joined"
        messages, taken = f"{usage.messages:,}", size(usage.bytes)
        yield room(usage.room), messages, taken, newest, members, _wanted_by(archive)


def _wanted_by(archive: actors.ArchiveDescription) -> str:
    """Because of whom a room is kept, or until when it stays without that."""
    if archive.deleted_at_ms:
        return f"nobody, until {_day(archive.deleted_at_ms)}"
    clients = count(archive.clients, "client") if archive.clients else ""
    return ", ".join(filter(None, ["operator" if archive.by_operator else "", clients]))


def _limits(here: actors.MailboxDescription) -> Iterator[Row]:
    for limit in here.limits:
        value = (
            size(round(limit.value))
            if limit.unit == "bytes"
            else f"{limit.value:,.10g} {limit.unit}".rstrip()
        )
        yield limit.name, value, f"{limit.bitten:,}"


def _parts(here: actors.MailboxDescription) -> Iterator[Row]:
    for part in here.actors:
        numbers = (part.restarts, part.queue, part.handled, part.drops, part.stalls)
        yield part.name, part.state, *(f"{number:,}" for number in numbers)


def _day(unix_ms: int) -> str:
    """On this machine's clock, in its time zone."""
    try:
        return datetime.fromtimestamp(unix_ms / 1000).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "at an unknown time"
