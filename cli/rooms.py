"""`p2pchat rooms`: the rooms of a running node."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import running_node
from p2pchat.node.protocol.names import bare_room

EXAMPLE = "For example: p2pchat rooms join lobby"

app = typer.Typer(invoke_without_command=True)

Name = Annotated[
    str,
    typer.Argument(metavar="ROOM", help="Its name.", show_default=False, callback=bare_room),
]


@app.callback(epilog=EXAMPLE)
def rooms(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """List the rooms, those joined first; or join one, leave one, list who is there."""
    if context.invoked_subcommand is not None:
        return
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.ListRoomsRequest(), json=json)
    if found is None:
        return
    from p2pchat.cli.node_lines import room_lines

    running_node.show_lines(room_lines(found.rooms, running_node.terminal_width()))


@app.command(epilog="For example: p2pchat rooms join garden")
def join(
    context: typer.Context,
    room: Name,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Unsigned messages, best effort, as raw gossip has them."),
    ] = False,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Go into a room. The node comes back to it at every start."""
    from p2pchat.proto import control_pb2 as control

    request = control.JoinRoomRequest(room=room, plain=plain)
    found = running_node.answer(context, data_dir, request, json=json)
    if found is not None:
        running_node.say(f"{'Already' if found.already else 'Now'} in #{found.room}.")


@app.command(epilog="For example: p2pchat rooms leave garden")
def leave(
    context: typer.Context,
    room: Name,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Leave a room. What was said there stays stored here."""
    from p2pchat.proto import control_pb2 as control

    request = control.LeaveRoomRequest(room=room)
    if running_node.answer(context, data_dir, request, json=json) is not None:
        running_node.say(f"Left #{room}.")


@app.command(epilog="For example: p2pchat rooms mute garden")
def mute(
    context: typer.Context,
    room: Name,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """No notifications for a room any more."""
    _mute(context, data_dir, room, muted=True, json=json)


@app.command(epilog="For example: p2pchat rooms unmute garden")
def unmute(
    context: typer.Context,
    room: Name,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Notifications for a room again."""
    _mute(context, data_dir, room, muted=False, json=json)


def _mute(context: typer.Context, data_dir: str, room: str, *, muted: bool, json: bool) -> None:
    from p2pchat.proto import control_pb2 as control

    where = control.Conversation(room=room)
    request = control.MuteRequest(conversation=where, muted=muted)
    if running_node.answer(context, data_dir, request, json=json) is not None:
        running_node.say(f"{'Muted' if muted else 'No longer muted'}: #{room}")


@app.command(epilog="For example: p2pchat rooms members lobby --json")
def members(
    context: typer.Context,
    room: Name,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """List who is in a room, as far as it is known."""
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.ListMembersRequest(room=room), json=json)
    if found is None:
        return
    from p2pchat.cli.node_lines import member_lines

    running_node.show_lines(member_lines(found.members, running_node.terminal_width()))
