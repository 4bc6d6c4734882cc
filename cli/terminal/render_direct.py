"""How direct messages look, and how far they are. Everything from others passes through `safe_text` here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from p2pchat.cli.terminal import render_files
from p2pchat.cli.terminal.lines import HANGING_INDENT, Line, Span, line
from p2pchat.cli.terminal.render import (
    by_day,
    clock,
    count,
    dated,
    hint,
    note,
    peer_style,
    person,
    several,
    warning,
    with_mark,
)
from p2pchat.cli.terminal.safe_text import safe_line, safe_lines, safe_name
from p2pchat.cli.times import when
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import NAME_LIMIT
from p2pchat.proto import records_pb2 as records

EXCERPT = 24  # characters of an own text by which it is recognised again
NOT_TAKEN = "nobody took it in time"

_MARK_OF_TEXT = str.maketrans(":", "·")


@dataclass(frozen=True, slots=True)
class Partner:
    """The other side of a conversation."""

    peer: str
    name: str  # how to call it; a stranger's own choice unless `named`
    named: bool = False  # by the owner, so that nobody else can be meant


def label(partner: Partner) -> str:
    """ "Bob" for somebody whom the owner named, "Bob (…a1B2c3)" for everybody else.

    A colon ends the head of a message, so there is none in a name that a stranger chose.
    """
    if partner.named:
        return safe_name(partner.name, NAME_LIMIT)
    return person(partner.peer, partner.name.translate(_MARK_OF_TEXT)).text


def _span(partner: Partner) -> Span:
    return Span(label(partner), peer_style(partner.peer))


class DirectView:
    """Shows direct messages to their owner. `zone` is None for the computer's own time zone."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone

    def incoming(self, partner: Partner, record: records.DirectRecord) -> list[Line]:
        """`[14:23:15] Bob (…a1B2c3) to you: Hi`; with the day, if it was sent on another one."""
        head = (_span(partner), Span(" to you", "direct"))
        return _message(self._time(record), head, record)

    def own(
        self, partner: Partner, record: records.DirectRecord, delivery: records.Delivery
    ) -> list[Line]:
        """`[14:23:15] you to Bob (…a1B2c3): Hi  - delivered`."""
        head = (Span("you", "me"), Span(" to ", "direct"), _span(partner))
        *others, last = _message(self._time(record), head, record)
        return [*others, (*last, Span("  - ", "dim"), _state(delivery))]

    def history(self, partner: Partner, page: Sequence[records.DirectRecord]) -> Iterator[Line]:
        """Oldest first, with a line where a new day begins."""
        yield from by_day((self._at(record), self._either(partner, record)) for record in page)

    def _either(self, partner: Partner, record: records.DirectRecord) -> list[Line]:
        if record.outgoing:
            return self.own(partner, record, record.delivery)
        head = (_span(partner), Span(" to you", "direct"))
        return _message(clock(self._at(record)), head, record)

    def _at(self, record: records.DirectRecord) -> datetime | None:
        return when(record.sent_at_ms, self._zone)

    def _time(self, record: records.DirectRecord) -> str:
        """What comes out of a mailbox may have been written on another day than it arrived."""
        here = when(record.received_at_ms, self._zone) if record.received_at_ms else None
        return dated(self._at(record), here)


def said(record: records.DirectRecord) -> str:
    """What a message says; one that offers a file says which."""
    if record.HasField("file"):
        return render_files.offered(record.file)
    return record.alteration.text or record.text


def _message(time: str, head: Sequence[Span], record: records.DirectRecord) -> list[Line]:
    first, *others = safe_lines(said(record))
    lines = [
        line(Span(f"[{time}] ", "time"), *head, f": {first}"),
        *(line(" " * HANGING_INDENT + other) for other in others),
    ]
    return with_mark(lines, record.alteration)


def stranger(partner: Partner) -> list[Line]:
    """For the first message of somebody who is no contact."""
    end = safe_line(peer_id.short(partner.peer))
    text = (
        f"{label(partner)} is not among your contacts yet: /dm …{end} answers, "
        f"/contact add …{end} <name> keeps a name."
    )
    return several(hint, text)


# ---- how far own messages are ---------------------------------------------------------------------------


def state(delivery: records.Delivery) -> str:
    """ "stored 1/2", "delivered", "refused: the mailbox is full" and so on."""
    match delivery.stage:
        case records.SENDING if not delivery.reason:
            return "sending"
        case records.STORED:
            return f"stored {len(delivery.stored_at)}/{_mailboxes(delivery)}"
        case records.DELIVERED:
            return "delivered"
        case records.READ:
            return "read"
        case records.REFUSED:
            return _with_reason("refused", delivery.reason)
        case records.EXPIRED:
            return _with_reason("expired", delivery.reason or NOT_TAKEN)
    return _with_reason("waiting", delivery.reason)


def _state(delivery: records.Delivery) -> Span:
    is_bad = delivery.stage in (records.REFUSED, records.EXPIRED)
    return Span(state(delivery), "warning" if is_bad else "dim")


def _with_reason(word: str, reason: str) -> str:
    return f"{word}: {safe_line(reason)}" if reason else word


def _mailboxes(delivery: records.Delivery) -> int:
    return max(delivery.mailboxes, len(delivery.stored_at))


def excerpt(text: str) -> str:
    """The beginning of an own text, on one line."""
    first, *others = safe_lines(text.strip())
    is_whole = not others and len(first) <= EXCERPT
    return first[:EXCERPT].rstrip() + ("" if is_whole else "…")


def progress(
    partner: Partner, delivery: records.Delivery, number: int, beginning: str = ""
) -> list[Line]:
    """One line about `number` own messages that have all come this far.

    `beginning` is the excerpt of a single one; empty: not known, as of messages of an earlier run.
    """
    what = f"'{beginning}'" if beginning and number == 1 else count(number, "message")
    name = label(partner)
    verb = "is" if number == 1 else "are"
    match delivery.stage:
        case records.STORED:
            where = f"{len(delivery.stored_at)} of {_mailboxes(delivery)} mailboxes"
            return [note(f"{name}: {what} {verb} in {where} - {state(delivery)}")]
        case records.DELIVERED:
            return [note(f"{name} has {what} - delivered")]
        case records.READ:
            return [note(f"{name} has read {what}")]
        case records.REFUSED | records.EXPIRED:
            return several(warning, f"{name}: {what} - {state(delivery)}")
    return [note(f"{name}: {what} - {state(delivery)}")]


def left_behind(number: int) -> Line:
    """At the end of a session, about own messages that nobody else holds."""
    verb, pronoun = ("waits", "goes") if number == 1 else ("wait", "go")
    return warning(
        f"{count(number, 'message')} to others {verb} in the outbox here and {pronoun} out at the next start."
    )
