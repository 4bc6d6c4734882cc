"""How edits, retractions, and whom the owner hears less of, look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import HANGING_INDENT, Line, Span, line
from p2pchat.cli.terminal.render import clock, hint, note, person
from p2pchat.cli.terminal.render_direct import Partner, label
from p2pchat.cli.terminal.safe_text import safe_lines
from p2pchat.cli.times import when
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

SHOWN = 20  # changes that come at once and are shown; the others are counted

YOU = Span("You", "me")


def changed_in_room(
    record: records.RoomRecord, who: Span, *, elsewhere: bool = False
) -> list[Line]:
    """`* Bob (…a1B2c3) changed: It is at nine`; `elsewhere` names the room."""
    message = record.message
    where = (Span(f" in {room(message.room)}", "dim"),) if elsewhere else ()
    return _changed(who, where, record.alteration, message.sent_at_ms)


def changed_directly(record: records.DirectRecord, partner: Partner) -> list[Line]:
    who = YOU if record.outgoing else Span(label(partner), "direct")
    to = f" (to {label(partner)})" if record.outgoing else " (to you)"
    return _changed(who, (Span(to, "dim"),), record.alteration, record.sent_at_ms)


def _changed(
    who: Span, where: Sequence[Span], alteration: records.Alteration, sent_at_ms: int
) -> list[Line]:
    if alteration.retracted:
        what = f" took back the message of {clock(when(sent_at_ms, None))}"
        return [line("* ", who, Span(what, "dim"), *where)]
    first, *others = safe_lines(alteration.text)
    head = line("* ", who, Span(" changed", "dim"), *where, f": {first}")
    return [head, *(line(" " * HANGING_INDENT + other) for other in others)]


def many_changed(number: int, where: str) -> Line:
    return note(f"{number:,} more messages {where} were changed; /history shows them")


def blocked(partner: Partner) -> Line:
    name = label(partner)
    return note(f"{name} is blocked: you see and hear nothing of {name}; /unblock takes it back")


def unblocked(partner: Partner) -> Line:
    return note(f"{label(partner)} is not blocked any more")


def blocked_list(found: Sequence[actors.BlockedPeer]) -> Iterator[Line]:
    if not found:
        yield hint("You have blocked nobody.")
    for each in found:
        at = when(each.blocked_at_ms, None)
        since = f"  since {at:%Y-%m-%d}" if at else ""
        yield line("  ", person(each.peer, each.name), since)


def muted(what: str, *, undo: bool) -> Line:
    if undo:
        return note(f"{what} is not muted any more")
    return note(f"{what} is muted: no notifications")


def deleted() -> Line:
    return note("Deleted here; others keep theirs")
