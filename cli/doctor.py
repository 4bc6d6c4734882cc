"""`p2pchat doctor`: what may keep others from reaching this computer, and what to do about it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli import (
    control_client,
    data_folder,
    link_files,
    network_options,
    node,
    options,
    service,
    settings,
)
from p2pchat.cli.advice import in_commands
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ConfigError, ListenError, P2pchatError

if TYPE_CHECKING:
    from p2pchat.node.app import NodeHandle
    from p2pchat.proto.actors_pb2 import Check

FAILED = 1  # exit code when something does not work
SOCKET_PATIENCE = 5.0  # seconds for a node that has just started to open its socket
LOOK = 0.2  # seconds between two looks for it
STOPPED = "Nothing was found out: it was stopped."
LISTEN_ELSEWHERE = "Give --listen another port, or leave it away; or end the program that has it."

# What a node that runs already was told at its own start.
_OF_THE_NODE = ("listen", "bootstrap", "mdns", "dht", "upnp", "mailbox")


class StoppedError(P2pchatError):
    """The user has seen enough."""


def run(
    context: typer.Context,
    data_dir: Annotated[
        str,
        typer.Option(
            envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
            metavar="FOLDER",
            help="Of the node or mailbox to look at.",
            show_default="the node's, in the platform's place for user data",
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    listen: network_options.Listen = None,
    bootstrap: network_options.Bootstrap = None,
    mdns: network_options.Mdns = True,
    dht: network_options.Dht = True,
    upnp: network_options.Upnp = False,
    mailbox: network_options.Mailbox = None,
    config: Annotated[Path | None, network_options.config_option(node.FILE_KEYS)] = None,
) -> int:
    """Find out what may keep others from reaching you.

    Asks the node or mailbox that runs on the folder.

    If none does, a node starts for up to half a minute, and stops again.

    It has what is in the folder and the options below, and joins no room.

    Exit code 0: nothing has failed. 1: something has, or it could not be found out. 2: wrong use.
    """
    given = settings.Given(
        data_dir=data_dir,
        listen=options.several(context, "listen", listen),
        bootstrap=link_files.several(context, "bootstrap", bootstrap),
        mdns=mdns,
        dht=dht,
        upnp=upnp,
        mailboxes=link_files.several(context, "mailbox", mailbox),
        origins=options.origins(context, config),
    )
    wanted = settings.node_config(given)
    checks = _ask(wanted)
    if checks is None:
        checks = _try_out(wanted, is_default=not data_dir)
    else:
        _say_what_was_left_aside(context)
    _print(checks, json=json)

    from p2pchat.node.protocol.doctor import is_well

    return 0 if is_well(checks) else FAILED


def _remark(text: str) -> None:
    """Beside the answer, so that programs can read that."""
    typer.echo(f"p2pchat: {text}", err=True)


# ---- what runs ------------------------------------------------------------------------------------------


def _ask(config: NodeConfig) -> Sequence[Check] | None:
    """What runs on the folder says this of itself; None when nothing does."""
    deadline = time.monotonic() + SOCKET_PATIENCE
    while True:
        try:
            with control_client.node(config.data_dir) as running:
                return running.diagnose()
        except control_client.NotRunningError:
            if not data_folder.is_in_use(config.store_path):
                return None
        if time.monotonic() > deadline:
            raise control_client.ControlError(
                f"Something runs on {config.data_dir} and does not answer: it is just starting, hangs, is of an older "
                "version, or could not open its socket (its log says why). In a node, /doctor says the same as this."
            )
        time.sleep(LOOK)


def _say_what_was_left_aside(context: typer.Context) -> None:
    on_line = [name for name in _OF_THE_NODE if options.source_of(context, name) == "COMMANDLINE"]
    if on_line:
        flags = ", ".join(f"--{name}" for name in on_line)
        _remark(f"This was asked of what runs there already, so {flags} changed nothing.")


# ---- a node for this question ---------------------------------------------------------------------------


def _try_out(config: NodeConfig, *, is_default: bool) -> Sequence[Check]:
    if data_folder.is_a_mailbox_s(config.data_dir):
        where = shlex.quote(str(config.data_dir))
        raise control_client.NotRunningError(
            f"No mailbox is running on {config.data_dir}. Start it (p2pchat mailbox --data-dir {where}), then ask "
            "again."
        )
    with _folder_for(config, is_default=is_default) as folder:
        quiet = replace(config, data_dir=folder, rooms=(), default_room=False, rejoin=False)
        return _diagnose(quiet)


@contextlib.contextmanager
def _folder_for(config: NodeConfig, *, is_default: bool) -> Iterator[Path]:
    """The node's own; where there is none yet, a temporary one: a question makes nobody an identity."""
    if os.path.lexists(config.identity_path):
        settings.prepare_data_dir(config.data_dir)
        yield config.data_dir
        return
    if is_default:
        _point_to_mailbox(config.data_dir)
    _remark(
        f"There is no node in {config.data_dir} yet; this looks with a new one, in a temporary folder."
    )
    with tempfile.TemporaryDirectory(prefix="p2pchat-doctor-") as folder:
        yield Path(folder)


def _point_to_mailbox(folder: Path) -> None:
    """Raises `ConfigError` where a mailbox is what there is."""
    from p2pchat.cli.mailbox_settings import data_dir

    mailbox = data_dir("")
    if data_folder.is_a_mailbox_s(mailbox):
        raise ConfigError(
            f"There is no node in {folder}, but a mailbox in {mailbox}; this looks at it: "
            f"p2pchat doctor --data-dir {shlex.quote(str(mailbox))}"
        )


def _diagnose(config: NodeConfig) -> Sequence[Check]:
    """Start a node, let it find out how it stands, and stop it. Raises `UserError`."""
    from p2pchat.proto.actors_pb2 import Check

    if sys.stderr.isatty():
        _remark("Looking around; that takes up to half a minute.")
    who = identity.load_or_create(config.identity_path)
    try:
        return _run(config, who)
    except ListenError as error:
        # No wrong use, but the very thing that was asked for.
        return [
            Check(
                name="listening",
                verdict=Check.FAILED,
                finding=str(error),
                advice=LISTEN_ELSEWHERE,
            )
        ]


def _run(config: NodeConfig, who: identity.Identity) -> Sequence[Check]:
    from p2pchat.cli.logs import log_to_file
    from p2pchat.cli.terminal.program import nothing_else_writes

    found: list[Check] = []
    with _stopped_by_signals(), nothing_else_writes():
        log_to_file(config.data_dir / "p2pchat.log", "info")
        from p2pchat.node.app import run_node

        async def main(until_stopped: service.UntilStopped) -> None:
            await run_node(config, who, lambda running: _look(running, until_stopped, found))

        service.run(main)
    if not found:
        raise StoppedError(STOPPED)
    return found


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """While nothing runs yet: for a service such an end is a good one, for a question it is none."""
    try:
        with service.ending_on_signals():
            yield
    except SystemExit as ended:
        raise StoppedError(STOPPED) from ended


async def _look(
    running: NodeHandle, until_stopped: service.UntilStopped, found: list[Check]
) -> None:
    """The front end of a node that is there for this one question."""
    import trio

    from p2pchat.proto import actors_pb2 as actors

    async with trio.open_nursery() as nursery:

        async def give_up() -> None:
            await until_stopped()
            nursery.cancel_scope.cancel()

        nursery.start_soon(give_up)
        # Without a deadline: the start takes as long as it takes.
        answer = await running.ui.request(actors.Diagnose(wait=True), actors.Diagnosis)
        found.extend(answer.checks)
        nursery.cancel_scope.cancel()


# ---- the answer -----------------------------------------------------------------------------------------


def _print(checks: Sequence[Check], *, json: bool) -> None:
    for check in checks:
        check.advice = in_commands(check.advice)
    if json:
        import json as json_module

        from p2pchat.cli.json_output import diagnosis

        typer.echo(json_module.dumps(diagnosis(checks), indent=2, ensure_ascii=False))
        return
    from p2pchat.cli.terminal.lines import Painter
    from p2pchat.cli.terminal.render_doctor import diagnosis as lines_of

    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else 0
    painter = Painter(color=is_terminal and "NO_COLOR" not in os.environ, width=width)
    typer.echo(painter.paint(lines_of(checks)), nl=False)
