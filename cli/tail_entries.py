"""What `p2pchat tail` gives for an event: one entry for each message, each with a cursor to go on behind it exactly.

An event may carry many messages. The entry of its last one has the event's own cursor; those before have the cursor of
the event before, and how many entries were given since: "CURSOR~2".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p2pchat.proto import control_pb2 as control

if TYPE_CHECKING:
    from google.protobuf.message import Message

SEPARATOR = "~"
# Of these always: without them a script could not know that something is missing.
ABOUT_THE_STREAM = frozenset({"subscribed", "fell_behind"})


@dataclass(frozen=True, slots=True)
class Entry:
    kind: (
        str  # "message", "message_changed", "message_deleted", or the event's name in control.proto
    )
    cursor: str
    at_ms: int
    content: Message
    conversation: control.Conversation | None = None  # None: it is about none
    late: bool = False


def split_cursor(text: str) -> tuple[str, int]:
    """The event's cursor, and how many entries of the next event are known already."""
    cursor, separator, known = text.rpartition(SEPARATOR)
    if separator and known.isascii() and known.isdigit():
        return cursor, int(known[:9])
    return text, 0


class Entries:
    """Turns events, in their order, into entries. `after`: where the stream begins, as `split_cursor` gave it."""

    def __init__(self, after: str = "", known: int = 0) -> None:
        self._before = after
        self._known = known

    def of(self, event: control.Event) -> Iterator[Entry]:
        kind = event.WhichOneof("event") or "unknown"
        if kind == "subscribed":
            yield self._begin(event)
            return
        found = list(_contents(event, kind))
        for number, (name, content, conversation) in enumerate(found, 1):
            if number > self._known:
                is_last = number == len(found)
                cursor = event.cursor if is_last else f"{self._before}{SEPARATOR}{number}"
                late = event.messages_arrived.late
                yield Entry(name, cursor, event.at_ms, content, conversation, late)
        self._known = 0
        self._before = event.cursor

    def _begin(self, event: control.Event) -> Entry:
        """Resumed, the stream stands where it stood; otherwise at a new place, of which nothing is known yet."""
        if not (self._before and event.subscribed.resumed):
            self._before, self._known = event.cursor, 0
        cursor = f"{self._before}{SEPARATOR}{self._known}" if self._known else self._before
        return Entry("subscribed", cursor, event.at_ms, event.subscribed)


def _contents(
    event: control.Event, kind: str
) -> Iterator[tuple[str, Message, control.Conversation | None]]:
    """Messages one by one; any other event is one entry itself."""
    content: Any = event if kind == "unknown" else getattr(event, kind)
    where = content.conversation if "conversation" in content.DESCRIPTOR.fields_by_name else None
    if kind == "messages_arrived":
        for message in content.messages:
            yield "message", message, where
    elif kind == "messages_changed":
        for message in content.messages:
            yield "message_changed", message, where
        for deleted in content.deleted:
            yield "message_deleted", deleted, where
    else:
        yield kind, content, where
