"""What is on the screen at once. Kept apart from `render`, because protobuf takes its time to load."""

from __future__ import annotations

from collections.abc import Iterable

from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.node.protocol.names import NAME_LIMIT, ROOM_LIMIT

CLEARED = line(Span("* Ctrl-C again, or /quit, to stop", "hint"))


def banner(peer: str, name: str, data_dir: str, concerns: Iterable[str] = ()) -> list[Line]:
    """An empty name is one that only the store knows: it has a line of its own once that is open."""
    return [
        line(Span("p2pchat", "strong"), " - chat without a server in the middle"),
        line(f"  Peer id:  {safe_line(peer)}"),
        *([line(f"  Name:     {safe_name(name, NAME_LIMIT)}")] if name else []),
        line(f"  Data in:  {safe_line(data_dir)}"),
        line("  Type a message and press Enter; /help lists the commands, /quit stops."),
        *(line(Span(f"* {safe_line(concern)}", "warning")) for concern in concerns),
    ]


def prompt(name: str, current_room: str = "", partner: str = "") -> str:
    """`ada>`, or `ada #lobby>` for somebody in several rooms, or `>` for somebody not known yet.

    `ada @ Bob>` in a conversation; `partner` is safe to show.
    """
    where = f" @ {partner}" if partner else f" {room(current_room)}" if current_room else ""
    return f"{safe_name(name, NAME_LIMIT) if name else ''}{where}>"


def room(name: str) -> str:
    return f"#{safe_name(name, ROOM_LIMIT)}"
