"""`p2pchat identity`: who this node is to others."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from p2pchat.cli import data_folder, settings
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import IdentityError

app = typer.Typer(help="Who this node is to others.", invoke_without_command=True)

DataDir = Annotated[
    str,
    typer.Option(
        envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
        metavar="FOLDER",
        help="Where the identity is kept.",
        show_default="the platform's place for user data",
    ),
]


@app.callback()
def _group(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def show(data_dir: DataDir = "") -> None:
    """Show the peer id, and where its key is kept."""
    path = _config(data_dir).identity_path
    if not path.exists():
        where = f" --data-dir {shlex.quote(data_dir)}" if data_dir else ""
        raise IdentityError(
            f"There is no identity in {path} yet; this makes one: p2pchat identity new{where}"
        )
    _print(identity.load(path), path)


@app.command()
def new(
    data_dir: DataDir = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if there is one, which is then lost for good.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make a new identity."""
    config = _config(data_dir)
    path = config.identity_path
    if path.exists():
        if not replace:
            raise IdentityError(
                f"There is an identity in {path} already; --replace throws it away."
            )
        if data_folder.is_in_use(config.store_path):
            raise IdentityError(
                f"A node is running on {config.data_dir} and would go on as who it is: stop it first."
            )
        if not yes:
            typer.confirm(
                f"Others will see you as somebody else, and {path} is lost. Go on?", abort=True
            )
    settings.prepare_data_dir(path.parent)
    _print(identity.create(path, replace=replace), path)


def _config(data_dir: str) -> NodeConfig:
    return NodeConfig(data_dir=settings.data_dir(data_dir))


def _print(who: identity.Identity, path: Path) -> None:
    typer.echo(f"Peer id:  {who.peer}\nKept in:  {path}")
