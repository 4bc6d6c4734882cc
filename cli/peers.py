"""`p2pchat peers`: who is connected."""

from __future__ import annotations

import typer

from p2pchat.cli import running_node

EXAMPLE = "For example: p2pchat peers --json"


def run(
    context: typer.Context,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """List the peers that this node is connected to."""
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.ListPeersRequest(), json=json)
    if found is None:
        return
    from p2pchat.cli.node_lines import peer_lines

    running_node.show_lines(peer_lines(found.peers, running_node.terminal_width()))
