"""`p2pchat health`: whether what runs on the data folder answers; containers ask it every few seconds."""

from __future__ import annotations

from pathlib import Path

from p2pchat.cli import control_client, network_options, running_node, settings
from p2pchat.cli.control_client import MailboxClient, NotRunningError, RequestRefusedError
from p2pchat.node.errors import P2pchatError

EXAMPLE = "For example: p2pchat health && echo well"
PATIENCE = 5.0  # seconds for each of two questions


class UnwellError(P2pchatError):
    """Nothing answers; exit code 1, also when nothing runs: an engine takes 2 for something else."""


def run(data_dir: network_options.DataDir = "", json: running_node.Json = False) -> int:
    """Say whether the node or mailbox on the folder runs and answers.

    Exit code 0: it does. 1: it does not.
    """
    folder = settings.data_dir(data_dir)
    try:
        role = _who_answers(folder)
    except NotRunningError as error:
        raise UnwellError(f"Nothing runs on {folder}.") from error
    except P2pchatError as error:
        raise UnwellError(str(error)) from error
    if json:
        running_node.show_json({"role": role})
    else:
        running_node.say(f"The {role} answers.")
    return 0


def _who_answers(folder: Path) -> str:
    """The answer has to come from an actor, so that more than the process is alive."""
    with control_client.mailbox(folder) as client:
        try:
            return _node_answers(client)
        except RequestRefusedError:  # not a method of a mailbox
            client.status(timeout=PATIENCE)
            return "mailbox"


def _node_answers(client: MailboxClient) -> str:
    from p2pchat.proto import control_pb2 as control

    client.ask(control.GetInfoRequest(), timeout=PATIENCE)
    return "node"
