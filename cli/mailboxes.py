"""`p2pchat mailboxes`: where mail for a running node is taken."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import running_node

EXAMPLE = "For example: p2pchat mailboxes add p2pchat:mailbox/12D3KooW..."

app = typer.Typer(invoke_without_command=True)


@app.callback(epilog=EXAMPLE)
def mailboxes(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """List the own mailboxes; or add one, remove one. (To run one: p2pchat mailbox.)"""
    if context.invoked_subcommand is not None:
        return
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.ListMailboxesRequest(), json=json)
    if found is None:
        return
    from p2pchat.cli.node_lines import mailbox_lines

    running_node.show_lines(mailbox_lines(found.mailboxes, running_node.terminal_width()))


@app.command(epilog=EXAMPLE)
def add(
    context: typer.Context,
    link: Annotated[
        str, typer.Argument(metavar="LINK", help="Of the mailbox.", show_default=False)
    ],
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> int:
    """Let a mailbox take mail. Exit code 1: it has not agreed yet."""
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.AddMailboxRequest(link=link))
    if running_node.as_json(context, json):
        running_node.show_json(found)
    elif found.mailbox.registered:
        running_node.say(f"It takes mail: {found.mailbox.peer}")
    else:
        running_node.remark(f"It is added, and not registered yet: {found.mailbox.problem}")
    return 0 if found.mailbox.registered else running_node.NOT_REACHED


@app.command(epilog="For example: p2pchat mailboxes remove 1")
def remove(
    context: typer.Context,
    which: Annotated[
        str,
        typer.Argument(
            metavar="MAILBOX", help="Its number, peer id, or the end of it.", show_default=False
        ),
    ],
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Let a mailbox take no more mail."""
    from p2pchat.proto import control_pb2 as control

    request = control.RemoveMailboxRequest(which=which)
    if running_node.answer(context, data_dir, request, json=json) is not None:
        running_node.say(f"Removed: {which}")
