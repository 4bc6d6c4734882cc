"""`p2pchat node`: chat in this terminal."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from p2pchat.cli import data_folder, network_options, options, settings
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig

# The keys of a configuration file, and what each may hold.
FILE_KEYS: options.FileKeys = {
    "data-dir": str,
    "name": str,
    "room": list,
    "plain": bool,
    "listen": list,
    "bootstrap": list,
    "mdns": bool,
    "dht": bool,
    "upnp": bool,
    "mailbox": list,
    "read-receipts": bool,
    "message-days": int,
    "room-days": int,
    "log-level": str,
    "log-file": str,
}


def run(
    context: typer.Context,
    data_dir: network_options.DataDir = "",
    room: Annotated[
        list[str] | None,
        typer.Option(
            envvar=["P2PCHAT_ROOM", "CHAT_TOPIC"],
            metavar="NAME",
            help="Join this room; may be repeated. Rooms are remembered.",
            show_default="the rooms of the last time",
        ),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            envvar="P2PCHAT_PLAIN",
            help="The rooms of --room speak raw text on the bare topic, as other libp2p chats do.",
        ),
    ] = False,
    name: Annotated[
        str,
        typer.Option(
            envvar="P2PCHAT_NAME",
            help="What others see you as.",
            show_default="the name of the last time",
        ),
    ] = "",
    listen: network_options.Listen = None,
    bootstrap: network_options.Bootstrap = None,
    mdns: network_options.Mdns = True,
    dht: network_options.Dht = True,
    upnp: network_options.Upnp = False,
    mailbox: network_options.Mailbox = None,
    read_receipts: Annotated[
        bool,
        typer.Option(
            envvar="P2PCHAT_READ_RECEIPTS", help="Tell senders that you have read their messages."
        ),
    ] = True,
    message_days: Annotated[
        int,
        typer.Option(
            envvar="P2PCHAT_MESSAGE_DAYS",
            metavar="N",
            help="Try to deliver a direct message for so many days, 1 to 365.",
        ),
    ] = 30,
    room_days: Annotated[
        int,
        typer.Option(
            envvar="P2PCHAT_ROOM_DAYS",
            metavar="N",
            help="Keep what is said in rooms for so many days; 0: for ever. /keep changes it for one room.",
        ),
    ] = 0,
    log_level: Annotated[
        str,
        typer.Option(envvar="P2PCHAT_LOG_LEVEL", help="One of debug, info, warning, error."),
    ] = "info",
    log_file: Annotated[
        str,
        typer.Option(
            envvar="P2PCHAT_LOG_FILE",
            metavar="FILE",
            help="Where the log goes.",
            show_default="p2pchat.log in the data folder",
        ),
    ] = "",
    config: Annotated[Path | None, network_options.config_option(FILE_KEYS)] = None,
) -> None:
    """Chat in this terminal.

    Every option can also be set in the environment as P2PCHAT_<OPTION>; lists are separated by spaces
    or commas.
    """
    given = settings.Given(
        data_dir=data_dir,
        name=name,
        rooms=options.several(context, "room", room),
        plain=plain,
        listen=options.several(context, "listen", listen),
        bootstrap=options.several(context, "bootstrap", bootstrap),
        mdns=mdns,
        dht=dht,
        upnp=upnp,
        mailboxes=options.several(context, "mailbox", mailbox),
        read_receipts=read_receipts,
        message_days=message_days,
        room_days=room_days,
        log_level=log_level.lower(),
        origins=options.origins(context, config),
    )
    start(settings.node_config(given), given.log_level, log_file)


def start(config: NodeConfig, log_level: str, log_file: str) -> None:
    """Raises `UserError` when the node cannot run."""
    settings.prepare_data_dir(config.data_dir)
    concerns = data_folder.concerns(config)
    who = identity.load_or_create(config.identity_path)
    log_path = Path(log_file).expanduser() if log_file else config.data_dir / "p2pchat.log"

    from p2pchat.cli.terminal.program import run_line_mode

    run_line_mode(
        config,
        who,
        concerns=concerns,
        color="NO_COLOR" not in os.environ,
        simple=os.environ.get("TERM", "dumb") == "dumb",
        load=lambda: _load_node(log_path, log_level),
    )


def _load_node(log_path: Path, log_level: str) -> Callable[..., Awaitable[None]]:
    """What takes time, once the screen is there."""
    from p2pchat.cli.logs import log_to_file

    log_to_file(log_path, log_level)
    from p2pchat.node.app import run_node

    return run_node
