"""How messages look that a node answers with. Everything from others passes through `safe_text` here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from p2pchat.cli.terminal.greeting import room
from p2pchat.cli.terminal.lines import HANGING_INDENT, Line, Span, line
from p2pchat.cli.terminal.render import by_day, clock, person, size
from p2pchat.cli.terminal.safe_text import safe_line, safe_lines, safe_name
from p2pchat.cli.times import when
from p2pchat.node.protocol.names import NAME_LIMIT
from p2pchat.proto import control_pb2 as control

NAME_WIDTH = 80  # characters of a file's name that are shown
TEXT_SHOWN = 2000  # characters of a text; somebody may send 64 KiB


def message_lines(
    message: control.Message, zone: tzinfo | None = None, *, where: bool = True
) -> list[Line]:
    """`#lobby [14:23:15] Bob (…a1B2c3): Hi`; further lines are indented. `where`: with the conversation."""
    first, *others = _body(message)
    time = Span(f"[{clock(when(message.sent_at_ms, zone))}] ", "time")
    head = line(*(_place(message) if where else ()), time, _sender(message), ": ", first)
    rest = [line(" " * HANGING_INDENT, other) for other in others]
    *before, last = [head, *rest]
    return [*before, (*last, *_marks(message))]


def history_lines(
    messages: Iterable[control.Message], zone: tzinfo | None = None, *, where: bool = False
) -> Iterator[Line]:
    """Oldest first, with a line where a new day begins."""
    yield from by_day(
        (when(each.sent_at_ms, zone), message_lines(each, zone, where=where)) for each in messages
    )


def conversation_name(conversation: control.Conversation, name: str = "") -> Span:
    """`#lobby`, or `@ Bob (…a1B2c3)`."""
    if conversation.room:
        return Span(room(conversation.room), "room")
    return Span(f"@ {person(conversation.peer, name).text}", "direct")


def _place(message: control.Message) -> tuple[Span, ...]:
    name = "" if message.own else message.name
    return (conversation_name(message.conversation, name), Span(" "))


def _sender(message: control.Message) -> Span:
    if not message.sender:
        return Span(f"{safe_name(message.name, NAME_LIMIT)} (unsigned)")
    who = person(message.sender, message.name)
    return Span(who.text, "me") if message.own else who


def _body(message: control.Message) -> list[Span]:
    if message.retracted:
        return [Span("taken back", "dim")]
    if message.HasField("file"):
        file = message.file
        name = safe_name(file.name, NAME_WIDTH)
        return [Span(f"file {name}, {size(file.size)}, transfer {safe_line(file.transfer)}")]
    lines = [Span(text) for text in safe_lines(message.text[:TEXT_SHOWN])]
    left_out = len(message.text) - TEXT_SHOWN
    more = f"... ({left_out:,} more characters; --json shows all)"
    return [*lines, Span(more, "dim")] if left_out > 0 else lines


def _marks(message: control.Message) -> Iterator[Span]:
    if message.edited_at_ms and not message.retracted:
        yield Span(" (edited)", "dim")
    if message.HasField("delivery"):
        yield Span(f" [{delivery_words(message.delivery)}]", "dim")


def delivery_words(delivery: control.Delivery) -> str:
    """`stored by 1 of 2 mailboxes`, `delivered`, `refused: why`."""
    known = delivery.stage in control.Stage.values() and delivery.stage
    words = control.Stage.Name(delivery.stage).lower() if known else "unknown"
    if delivery.stage == control.STORED:
        mailboxes = "mailbox" if delivery.mailboxes == 1 else "mailboxes"
        words = f"stored by {delivery.stored} of {delivery.mailboxes} {mailboxes}"
    reason = safe_line(delivery.reason) if delivery.reason else ""
    return f"{words}: {reason}" if reason else words
