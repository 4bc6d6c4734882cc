"""`p2pchat info`, `name`, `link` and `shutdown`: the running node itself."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated

import typer

from p2pchat.cli import running_node

INFO_EXAMPLE = "For example: p2pchat info --json"
NAME_EXAMPLE = 'For example: p2pchat name "Ada L."'
LINK_EXAMPLE = "For example: p2pchat link --no-qr"
SHUTDOWN_EXAMPLE = "For example: p2pchat shutdown --data-dir ~/bot"
TOO_HIGH = "The code is higher than this terminal; p2pchat link --no-qr shows the link alone."


def info(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """Show who the node is, where it can be reached, and how it does."""
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.GetInfoRequest(), json=json)
    if found is None:
        return
    from p2pchat.cli.node_lines import info_lines

    running_node.show_lines(info_lines(found))


def name(
    context: typer.Context,
    new: Annotated[
        str, typer.Argument(metavar="NAME", help="The new one.", show_default="show it")
    ] = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Show how the node is called, or call it otherwise."""
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        if new:
            node.ask(control.SetNameRequest(name=new))
        shown = new.strip() or node.ask(control.GetInfoRequest()).name
    if json:
        running_node.show_json({"name": shown})
    else:
        running_node.say(shown)


def link(
    context: typer.Context,
    qr: Annotated[bool, typer.Option("--qr/--no-qr", help="Draw it as a QR code, too.")] = True,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Show the link that others need to write to this node."""
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.GetLinkRequest(), json=json)
    if found is None:
        return
    running_node.say(found.link)
    if qr:
        from p2pchat.cli.qr import qr_text

        # Its own colours in a terminal; without them it is drawn for light text on a dark ground.
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        drawn = qr_text(found.link, color=color)
        typer.echo(drawn)
        if sys.stdout.isatty() and drawn.count("\n") + 1 >= shutil.get_terminal_size().lines:
            running_node.remark(TOO_HIGH)


def shutdown(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """Stop the node, or the mailbox, in order. Answered before it has stopped."""
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.ShutdownRequest())
    if json:
        running_node.show_json(found)
    else:
        running_node.say("It stops.")
