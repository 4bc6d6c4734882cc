"""`p2pchat contacts`: the people of a running node."""

from __future__ import annotations

from typing import Annotated

import typer

from p2pchat.cli import contact_safety, running_node

EXAMPLE = "For example: p2pchat contacts add p2pchat:12D3KooW... --name Bob"

app = typer.Typer(invoke_without_command=True)

Who = Annotated[
    str,
    typer.Argument(metavar="WHO", help="Name, peer id or the end of it.", show_default=False),
]


@app.callback(epilog=EXAMPLE)
def contacts(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """List the contacts, the last one written with first; or change something about one."""
    if context.invoked_subcommand is not None:
        return
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.ListContactsRequest(), json=json)
    if found is None:
        return
    from p2pchat.cli.node_lines import contact_lines

    running_node.show_lines(contact_lines(found.contacts, running_node.terminal_width()))


@app.command(epilog=EXAMPLE)
def add(
    context: typer.Context,
    who: Annotated[
        str,
        typer.Argument(metavar="LINK|WHO", help="Best a p2pchat: link.", show_default=False),
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Yours for it.", show_default="its own")
    ] = "",
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Keep somebody, with the addresses and mailboxes in the link."""
    from p2pchat.proto import control_pb2 as control

    request = control.AddContactRequest(who=who, name=name)
    found = running_node.answer(context, data_dir, request, json=json)
    if found is not None:
        running_node.say(f"{found.contact.name} is among the contacts: {found.contact.peer}")


@app.command(epilog="For example: p2pchat contacts rename Bob Robert")
def rename(
    context: typer.Context,
    who: Who,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Yours for it.", show_default=False)],
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Call somebody otherwise. Only you see that name."""
    from p2pchat.proto import control_pb2 as control

    request = control.RenameContactRequest(who=who, name=name)
    found = running_node.answer(context, data_dir, request, json=json)
    if found is not None:
        running_node.say(f"{found.contact.peer} is called {found.contact.name}.")


@app.command(epilog="For example: p2pchat contacts remove Bob")
def remove(
    context: typer.Context,
    who: Who,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Take somebody from the contacts. The messages stay."""
    from p2pchat.proto import control_pb2 as control

    request = control.RemoveContactRequest(who=who)
    if running_node.answer(context, data_dir, request, json=json) is not None:
        running_node.say(f"No longer among the contacts: {who}")


@app.command(epilog="For example: p2pchat contacts block Bob")
def block(
    context: typer.Context,
    who: Who,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Show nothing of somebody any more, and refuse what comes: whoever writes to you sees that.

    What is said in rooms is stored, not shown, and is there again after p2pchat contacts unblock.
    """
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.BlockPeerRequest(who=who), json=json)
    if found is not None:
        running_node.say(f"Blocked: {found.name} {found.peer}")


@app.command(epilog="For example: p2pchat contacts unblock Bob")
def unblock(
    context: typer.Context,
    who: Who,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Take a block back."""
    from p2pchat.proto import control_pb2 as control

    request = control.UnblockPeerRequest(who=who)
    if running_node.answer(context, data_dir, request, json=json) is not None:
        running_node.say(f"No longer blocked: {who}")


@app.command(epilog="For example: p2pchat contacts blocked --json")
def blocked(
    context: typer.Context, data_dir: running_node.DataDir = "", json: running_node.Json = False
) -> None:
    """List who is blocked."""
    from p2pchat.proto import control_pb2 as control

    found = running_node.answer(context, data_dir, control.ListBlockedPeersRequest(), json=json)
    if found is not None:
        for each in found.peers:
            running_node.say(f"{each.peer}  {each.name}".rstrip())


@app.command(epilog="For example: p2pchat contacts mute Bob")
def mute(
    context: typer.Context,
    who: Who,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """No notifications for somebody any more. The messages come all the same."""
    _mute(context, data_dir, who, muted=True, json=json)


@app.command(epilog="For example: p2pchat contacts unmute Bob")
def unmute(
    context: typer.Context,
    who: Who,
    data_dir: running_node.DataDir = "",
    json: running_node.Json = False,
) -> None:
    """Notifications for somebody again."""
    _mute(context, data_dir, who, muted=False, json=json)


def _mute(context: typer.Context, data_dir: str, who: str, *, muted: bool, json: bool) -> None:
    from p2pchat.proto import control_pb2 as control

    with running_node.asking(context, data_dir) as node:
        where = running_node.conversation_with(node, who)
        found = node.ask(control.MuteRequest(conversation=where, muted=muted))
    if running_node.as_json(context, json):
        running_node.show_json(found)
    else:
        running_node.say(f"{'Muted' if muted else 'No longer muted'}: {who}")


app.command(epilog=contact_safety.EXAMPLE)(contact_safety.verify)
