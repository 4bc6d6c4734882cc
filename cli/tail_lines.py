"""How an entry of `p2pchat tail` is written: as an object for programs, or as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from p2pchat.cli.json_output import control_data
from p2pchat.cli.message_lines import conversation_name, message_lines
from p2pchat.cli.tail_entries import Entry
from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import note, several, warning
from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.proto import control_pb2 as control

LOST = "Something may be missing here; p2pchat history shows all that is stored."


def as_json(entry: Entry) -> Mapping[str, object]:
    """`type`, `cursor` and `at_ms`, then what the event or message has."""
    head = {"type": entry.kind, "cursor": entry.cursor, "at_ms": entry.at_ms}
    more: dict[str, object] = {"late": entry.late} if entry.kind == "message" else {}
    if entry.kind == "message_deleted" and entry.conversation is not None:
        more = {"conversation": control_data(entry.conversation)}
    return {**head, **more, **control_data(entry.content)}


def as_lines(entry: Entry) -> Iterator[Line]:
    content = entry.content
    match content:
        case control.Message():
            yield from message_lines(content)
        case control.DeletedMessage():
            where = conversation_name(entry.conversation or control.Conversation())
            yield line(where, Span(f" message {safe_line(content.id)} was deleted here", "dim"))
        case control.FellBehind():
            yield from several(warning, f"{LOST} {content.reason}")
        case control.Subscribed():
            return
        case control.Notice():
            yield from several(note, content.text)
        case _:
            yield note(f"{entry.kind.replace('_', ' ')}: {_in_words(content)}")


def _in_words(content: object) -> str:
    """The fields that are set; nobody reads these every day."""
    return safe_line(" ".join(str(content).split()))
