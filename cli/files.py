"""`p2pchat files`: files that are sent and offered."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import running_node

EXAMPLE = "For example: p2pchat files accept 3f9c"

app = typer.Typer(invoke_without_command=True)

Which = Annotated[
    str, typer.Argument(metavar="TRANSFER", help="Its id, or the end of it.", show_default=False)
]


@app.callback(epilog=EXAMPLE)
def files(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """List the files that are sent and offered, the newest first; or accept, decline, cancel one."""
    if context.invoked_subcommand is not None:
        return
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.ListTransfersRequest())
    if running_node.as_json(context, json):
        running_node.show_json(found)
        return
    from p2pchat.cli.transfer_lines import transfer_lines

    running_node.show_lines(transfer_lines(found.transfers, running_node.terminal_width()))


@app.command(epilog=EXAMPLE)
def accept(
    context: typer.Context,
    transfer: Which,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Take a file that is offered."""
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.AcceptFileRequest(transfer=transfer))
    if running_node.as_json(context, json):
        running_node.show_json(found)
        return
    from p2pchat.cli.transfer_lines import progress

    running_node.say(progress(found.transfer))


@app.command(epilog="For example: p2pchat files decline 3f9c")
def decline(
    context: typer.Context,
    transfer: Which,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Do not take a file that is offered."""
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.DeclineFileRequest(transfer=transfer))
    if running_node.as_json(context, json):
        running_node.show_json(found)
    else:
        running_node.say(f"Declined: {transfer}")


@app.command(epilog="For example: p2pchat files cancel 3f9c")
def cancel(
    context: typer.Context,
    transfer: Which,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Give up a file, of whichever side."""
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.CancelTransferRequest(transfer=transfer))
    if running_node.as_json(context, json):
        running_node.show_json(found)
    else:
        running_node.say(f"Cancelled: {transfer}")
