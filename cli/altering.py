"""`p2pchat edit`, `retract` and `delete`: single messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli import running_node
from p2pchat.cli.history import Room, With
from p2pchat.node.errors import ConfigError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from p2pchat.cli.control_client import NodeClient
    from p2pchat.proto import control_pb2 as control

EDIT_EXAMPLE = "For example: p2pchat edit --room lobby 019a...c4 At nine, not at eight"
RETRACT_EXAMPLE = "For example: p2pchat retract --with Bob 019a...c4"
DELETE_EXAMPLE = "For example: p2pchat delete --room lobby 019a...c4"

PAGE = 1000  # messages read at a time to find out who has written one ...
PAGES = 20  # ... and how often, from the newest on

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the message, whole.", show_default=False)]


def edit(
    context: typer.Context,
    id_: Id,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Without: standard input.", show_default=False),
    ] = None,
    room: Room = "",
    with_: With = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Let an own message say something else, for everybody who has it."""
    from p2pchat.cli.send import one_text
    from p2pchat.proto import control_pb2 as control

    _check(room, with_)
    said = one_text(text or [])
    with running_node.asking(context, data_dir) as node:
        where = _conversation(node, room, with_)
        found = node.ask(control.EditMessageRequest(conversation=where, id=id_, text=said))
    _show(found, f"Edited: {id_}", json=json)


def retract(
    context: typer.Context,
    id_: Id,
    room: Room = "",
    with_: With = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Take an own message back, for everybody who has it; and the file that it offers."""
    from p2pchat.proto import control_pb2 as control

    _check(room, with_)
    with running_node.asking(context, data_dir) as node:
        where = _conversation(node, room, with_)
        found = node.ask(control.RetractMessageRequest(conversation=where, id=id_))
    _show(found, f"Taken back: {id_}", json=json)


def delete(
    context: typer.Context,
    id_: Id,
    room: Room = "",
    with_: With = "",
    by: Annotated[
        str,
        typer.Option("--by", metavar="PEER", help="Who has written it.", show_default="look it up"),
    ] = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Delete a message on this node, and nowhere else."""
    from p2pchat.proto import control_pb2 as control

    _check(room, with_)
    with running_node.asking(context, data_dir) as node:
        where = _conversation(node, room, with_)
        sender = by or _author(node, where, id_)
        request = control.DeleteMessageRequest(conversation=where, sender=sender, id=id_)
        found = node.ask(request)
    _show(found, f"Deleted here: {id_}", json=json)


def _check(room: str, with_: str) -> None:
    """Raises `ConfigError`."""
    if bool(room) == bool(with_):
        raise ConfigError("Say where it stands: either --room ROOM or --with WHO.")


def _conversation(node: NodeClient, room: str, who: str) -> control.Conversation:
    from p2pchat.proto import control_pb2 as control

    if room:
        return control.Conversation(room=room)
    return running_node.conversation_with(node, who)


def _author(node: NodeClient, where: control.Conversation, id_: str) -> str:
    """Peer id; empty in plain rooms. Raises `FailedError`: somebody else may have used the same id."""
    from p2pchat.proto import control_pb2 as control

    request = control.ReadHistoryRequest(limit=PAGE)
    if where.room:
        request.room = where.room
    else:
        request.who = where.peer
    for _ in range(PAGES):
        page = node.ask(request)
        authors = {each.sender for each in page.messages if each.id == id_.lower()}
        if len(authors) > 1:
            raise running_node.FailedError("Several have written one with that id: say --by PEER.")
        if authors:
            return str(authors.pop())
        if not page.cursor:
            break
        request.before = page.cursor
    raise running_node.FailedError("There is no message with that id.")


def _show(found: Message, words: str, *, json: bool) -> None:
    if json:
        running_node.show_json(found)
    else:
        running_node.say(words)
