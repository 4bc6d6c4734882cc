"""`p2pchat contacts verify`: whether a contact is who it says, by comparing safety numbers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli import running_node
from p2pchat.node.errors import ConfigError

if TYPE_CHECKING:
    from p2pchat.cli.control_client import NodeClient
    from p2pchat.proto import control_pb2 as control

EXAMPLE = "For example: p2pchat contacts verify Bob"
GROUPS_IN_ROW = 4
EXPLANATION = (
    "Both of you see the same digits, if nobody stands between you. Compare them in person or on the telephone, not "
    "in this chat."
)
NOT_ASKED = "Nothing is noted: there is no terminal to ask in. --matches or --no answers."


def verify(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="WHO", help="Name or peer id.", show_default=False)],
    matches: Annotated[
        bool, typer.Option("--matches", "--yes", help="You have compared them: they are the same.")
    ] = False,
    no: Annotated[
        bool, typer.Option("--no", help="They differ, or you take the verification back.")
    ] = False,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> int:
    """Show the safety number with somebody, and note whether it is the same at the other side.

    With --json, or without a terminal, and neither --matches nor --no it is only shown.

    Exit code 0: as wanted. 1: you have answered that the numbers differ, or the node refuses.
    """
    if matches and no:
        raise ConfigError("--matches and --no are two answers.")
    from p2pchat.proto import control_pb2 as control

    is_json = running_node.as_json(context, json)
    with running_node.asking(context, data_dir) as node:
        found = node.ask(control.GetSafetyNumberRequest(who=who))
        if not is_json:
            _show(found)
        if matches or no:
            _note(node, found, is_same=matches)
            found.verified = matches
    if is_json:
        running_node.show_json(found)
    if is_json or matches or no:
        return 0
    if not _can_ask():
        running_node.remark(NOT_ASKED)
        return 0
    return _ask_owner(context, data_dir, found)


def _can_ask() -> bool:
    """Whether somebody reads the question, and can answer it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _show(found: control.GetSafetyNumberResponse) -> None:
    running_node.say(f"Safety number with {found.name} ({found.peer}):")
    from p2pchat.node.protocol.safety_number import in_groups

    groups = in_groups(found.digits)
    for start in range(0, len(groups), GROUPS_IN_ROW):
        running_node.say("    " + "  ".join(groups[start : start + GROUPS_IN_ROW]))
    running_node.say("You have verified it before." if found.verified else EXPLANATION)


def _ask_owner(
    context: typer.Context, data_dir: str, found: control.GetSafetyNumberResponse
) -> int:
    """Nothing is open to the node while somebody thinks."""
    is_same = typer.confirm("Do they match?")
    with running_node.asking(context, data_dir) as node:
        _note(node, found, is_same=is_same)
    if is_same:
        running_node.say(f"{found.name} is verified.")
        return 0
    running_node.remark(
        f"{found.name} is not verified: somebody else may read what you write, or one of you looks at another number."
    )
    return running_node.NOT_REACHED


def _note(node: NodeClient, found: control.GetSafetyNumberResponse, *, is_same: bool) -> None:
    """By its peer id: a name may mean somebody else by now."""
    from p2pchat.proto import control_pb2 as control

    node.ask(control.SetVerifiedRequest(who=found.peer, verified=is_same))
