"""What the operator can ask of the mailbox that is running: `p2pchat mailbox status|invites|block|unblock|blocks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli.control_client import MailboxClient, RequestRefusedError, mailbox
from p2pchat.node.errors import ConfigError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from p2pchat.proto.actors_pb2 import Check

SETTLED = 21_000  # ms after the start; before, a diagnosis waits for what is still being found out

DataDir = Annotated[
    str,
    typer.Option(
        metavar="FOLDER",
        help="Of the mailbox that is running.",
        show_default="p2pchat-mailbox in the platform's place for user data",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Peer = Annotated[str, typer.Argument(metavar="PEER", help="Its peer id.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    for command in (status, invites, block, unblock, blocks):
        app.command()(command)


def status(context: typer.Context, data_dir: DataDir = "", json: Json = False) -> None:
    """Show how the mailbox does: what it holds, every limit and how often it has refused something."""
    with _client(context, data_dir) as running:
        here = running.status()
        checks = _settled_checks(running, here.uptime_ms)
    if json:
        from p2pchat.cli.json_output import diagnosis

        _print_json(here, more={"diagnosis": diagnosis(checks) if checks else None})
        return
    from p2pchat.cli.mailbox_tables import status_lines

    _print(status_lines(here, checks))


def _settled_checks(running: MailboxClient, uptime_ms: int) -> Sequence[Check]:
    """None of a mailbox that has just started, which would take its time, or of an older version."""
    if uptime_ms < SETTLED:
        return ()
    try:
        return running.diagnose()
    except RequestRefusedError:
        return ()


def invites(
    context: typer.Context,
    data_dir: DataDir = "",
    new: Annotated[bool, typer.Option("--new", help="Make one.")] = False,
    uses: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many peers may join with it.", show_default="1"),
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="TEXT", help="To know it by.", show_default=False)
    ] = None,
    revoke: Annotated[
        str,
        typer.Option(metavar="ID", help="Take one back; who has joined stays.", show_default=False),
    ] = "",
    json: Json = False,
) -> None:
    """List the invites with their links; make or revoke one."""
    if not new and (uses is not None or label is not None):
        raise ConfigError("--uses and --label belong to --new.")
    if new and revoke:
        raise ConfigError("--new and --revoke are two commands.")
    if uses is not None and not 0 < uses < 1 << 32:
        raise ConfigError(f"--uses: {uses:,} is no number of uses.")
    with _client(context, data_dir) as running:
        if revoke:
            running.revoke_invite(revoke)
            found = []
        else:
            found = [running.make_invite(uses or 1, label or "")] if new else [*running.invites()]
    if json:
        _print_json(*found, as_list=not new)
        return
    from p2pchat.cli.mailbox_tables import invite_lines

    _print([f"Revoked: {revoke}"] if revoke else invite_lines(found))


def block(
    context: typer.Context,
    peer: Peer,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="Why, for the operator.", show_default=False)
    ] = "",
    data_dir: DataDir = "",
) -> None:
    """Take no more mail from a peer or for it."""
    with _client(context, data_dir) as running:
        running.block(peer, note)
    _print([f"Blocked: {peer}"])


def unblock(context: typer.Context, peer: Peer, data_dir: DataDir = "") -> None:
    """Let a blocked peer use the mailbox again."""
    with _client(context, data_dir) as running:
        running.unblock(peer)
    _print([f"Unblocked: {peer}"])


def blocks(context: typer.Context, data_dir: DataDir = "", json: Json = False) -> None:
    """List the blocked peers."""
    with _client(context, data_dir) as running:
        found = running.blocks()
    if json:
        _print_json(*found, as_list=True)
        return
    from p2pchat.cli.mailbox_tables import block_lines

    _print(block_lines(found))


def _client(context: typer.Context, given: str) -> AbstractContextManager[MailboxClient]:
    """`--data-dir` behind the command goes before one in front of it, the environment and the file."""
    from p2pchat.cli.mailbox_settings import data_dir

    before = context.parent.params["data_dir"] if context.parent is not None else ""
    return mailbox(data_dir(given or before))


def _print(lines: list[str]) -> None:
    typer.echo("\n".join(lines))


def _print_json(
    *messages: Message, as_list: bool = False, more: Mapping[str, object] | None = None
) -> None:
    """`more`: fields besides those of each message."""
    import json

    from p2pchat.cli.json_output import as_data

    found = [{**as_data(message), **(more or {})} for message in messages]
    typer.echo(json.dumps(found if as_list else found[0], indent=2, ensure_ascii=False))
