"""`p2pchat history` and `p2pchat search`: what was said."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import running_node
from p2pchat.cli.advice import in_commands
from p2pchat.node.errors import ConfigError
from p2pchat.node.protocol.names import bare_room

HISTORY_EXAMPLE = "For example: p2pchat history --room lobby --limit 20"
SEARCH_EXAMPLE = 'For example: p2pchat search --with Bob "dinner at" eight*'

Room = Annotated[
    str,
    typer.Option(metavar="ROOM", help="Of this room.", show_default=False, callback=bare_room),
]
With = Annotated[
    str,
    typer.Option("--with", metavar="WHO", help="Of the conversation with.", show_default=False),
]
Before = Annotated[
    str,
    typer.Option(metavar="CURSOR", help="Go on where a page ended.", show_default=False),
]


def history(
    context: typer.Context,
    room: Room = "",
    with_: With = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1_000)] = 50,
    before: Before = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Show the newest messages of a room or of a conversation, the oldest of them first."""
    if bool(room) == bool(with_):
        raise ConfigError("Say of what: either --room ROOM or --with WHO.")
    from p2pchat.proto import control_pb2 as control

    request = control.ReadHistoryRequest(limit=limit, before=before)
    if room:
        request.room = room
    else:
        request.who = with_
    with running_node.asking(context, data_dir) as node:
        found = node.ask(request)
    if json:
        running_node.show_json(found)
        return
    from p2pchat.cli.message_lines import history_lines

    running_node.show_lines(history_lines(found.messages))
    _point_to_older(found.cursor)


def search(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="All of which a message contains.")
    ],
    room: Room = "",
    with_: With = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100)] = 20,
    before: Before = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Search all that is stored: words, "phrases" in quotes, beginnings of words with a * behind."""
    if room and with_:
        raise ConfigError("--room and --with are two searches.")
    _check_words(" ".join(words))
    from p2pchat.proto import control_pb2 as control

    request = control.SearchRequest(words=" ".join(words), limit=limit, before=before)
    if room:
        request.room = room
    if with_:
        request.who = with_
    with running_node.asking(context, data_dir) as node:
        found = node.ask(request)
    if json:
        running_node.show_json(found)
        return
    from p2pchat.cli.message_lines import history_lines

    running_node.show_lines(history_lines(reversed(found.messages), where=True))
    if found.waiting:
        running_node.remark(f"{found.waiting:,} stored messages are not in the index yet.")
    if not found.messages:
        running_node.remark("Nothing contains that.")
    _point_to_older(found.cursor)


def _check_words(words: str) -> None:
    """Raises `ConfigError` where there is nothing to look for, or too much."""
    from p2pchat.node.protocol.search_query import parse_query

    try:
        parse_query(words)
    except ValueError as error:
        raise ConfigError(in_commands(str(error))) from error


def _point_to_older(cursor: str) -> None:
    if cursor:
        running_node.remark(f"There are older ones: --before {cursor}")
