"""`p2pchat tail`: what is said, as it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli import running_node, settings
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.names import bare_room

if TYPE_CHECKING:
    from p2pchat.cli.tail_entries import Entry
    from p2pchat.proto import control_pb2 as control

EXAMPLE = "For example: p2pchat tail --follow --json --room lobby"

GONE = "The node is gone, or busy; this waits for it."
MESSAGES = frozenset({"message", "message_changed", "message_deleted"})


def run(
    context: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on for ever, over restarts of the node.")
    ] = False,
    after: Annotated[
        str,
        typer.Option(metavar="CURSOR", help="Begin behind this line.", show_default="now"),
    ] = "",
    room: Annotated[
        str,
        typer.Option(
            metavar="ROOM", help="Only of this room.", show_default=False, callback=bare_room
        ),
    ] = "",
    with_: Annotated[
        str,
        typer.Option("--with", metavar="WHO", help="Only of this person.", show_default=False),
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All events, not only messages.")
    ] = False,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Show messages as they come.

    Without --follow: what there is behind the cursor, then it ends.

    With --json each line has a cursor: --after goes on behind that line, and nothing is lost or doubled.
    """
    if room and with_:
        raise ConfigError("--room and --with are two conversations.")
    if not (follow or after or json):
        raise ConfigError("Nothing is behind now: give --follow, or --after CURSOR.")
    wanted = _Wanted(context, data_dir, room=room, who=with_, everything=everything)
    try:
        for entry in _entries(settings.data_dir(data_dir), after, follow=follow):
            if wanted.has(entry):
                _show(entry, json=json)
    except KeyboardInterrupt:
        return  # how one ends what goes on for ever


class _Wanted:
    """Which entries are shown."""

    def __init__(
        self, context: typer.Context, data_dir: str, *, room: str, who: str, everything: bool
    ) -> None:
        self._room = room
        self._peer = _peer(context, data_dir, who) if who else ""
        self._everything = everything

    def has(self, entry: Entry) -> bool:
        from p2pchat.cli.tail_entries import ABOUT_THE_STREAM

        if entry.kind in ABOUT_THE_STREAM:
            return True
        if entry.kind not in MESSAGES and not self._everything:
            return False
        if not (self._room or self._peer):
            return True
        where = entry.conversation
        return where is not None and (where.room, where.peer) == (self._room, self._peer)


def _peer(context: typer.Context, data_dir: str, who: str) -> str:
    """Asked once: who is meant by a name may change, a stream should not."""
    with running_node.asking(context, data_dir) as node:
        return running_node.conversation_with(node, who).peer


# ---- where the entries come from ------------------------------------------------------------------------


def _entries(data_dir: Path, after: str, *, follow: bool) -> Iterator[Entry]:
    from p2pchat.cli.tail_entries import Entries, split_cursor

    cursor, known = split_cursor(after)
    entries = Entries(cursor, known)
    with running_node.failing():
        events = _endless(data_dir, cursor) if follow else _until_now(data_dir, cursor)
        for event in events:
            yield from entries.of(event)


def _endless(data_dir: Path, cursor: str) -> Iterator[control.Event]:
    from p2pchat.cli import event_stream

    return event_stream.follow(data_dir, cursor, on_gone=lambda _: running_node.remark(GONE))


def _until_now(data_dir: Path, cursor: str) -> Iterator[control.Event]:
    """Ends at the event that was the newest one when this began."""
    from p2pchat.cli import control_client

    with control_client.node(data_dir) as node:
        now = next(node.subscribe()).cursor
        for event in node.subscribe(cursor):
            yield event
            # Behind a gap stands what came after this began.
            if not cursor or event.cursor == now or event.HasField("fell_behind"):
                return


# ---- showing --------------------------------------------------------------------------------------------


def _show(entry: Entry, *, json: bool) -> None:
    if json:
        from p2pchat.cli.tail_lines import as_json

        running_node.show_json_line(as_json(entry))
        return
    from p2pchat.cli.tail_lines import as_lines

    running_node.show_lines(as_lines(entry))
