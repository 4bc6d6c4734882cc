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

    found = running_node.answer(context, data_dir, control.ListTransfersRequest(), json=json)
    if found is None:
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

    request = control.AcceptFileRequest(transfer=transfer)
    found = running_node.answer(context, data_dir, request, json=json)
    if found is None:
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

    request = control.DeclineFileRequest(transfer=transfer)
    if running_node.answer(context, data_dir, request, json=json) is not None:
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

    request = control.CancelTransferRequest(transfer=transfer)
    if running_node.answer(context, data_dir, request, json=json) is not None:
        running_node.say(f"Cancelled: {transfer}")
