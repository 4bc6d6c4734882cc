"""`p2pchat node`: chat in this terminal, or run as a service."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from p2pchat.cli import (
    attach,
    data_folder,
    file_options,
    link_files,
    network_options,
    options,
    settings,
)
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig

# The keys of a configuration file, and what each may hold.
FILE_KEYS: options.FileKeys = {
    "data-dir": str,
    "name": str,
    "room": list,
    "plain-room": list,
    "plain": bool,
    "headless": bool,
    "listen": list,
    "bootstrap": list,
    "mdns": bool,
    "dht": bool,
    "upnp": bool,
    "mailbox": list,
    "read-receipts": bool,
    "message-days": int,
    "room-days": int,
    **file_options.FILE_KEYS,
    "control-listen": str,
    "metrics": (str, int),
    "log-level": str,
    "log-file": str,
    "log-format": str,
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a node is to run, besides what it does."""

    headless: bool = False
    plain: bool = False  # line mode, also where there could be more
    until_input_ends: bool = False  # headless: somebody else's child
    log_level: str = "info"
    log_file: str = ""
    log_format: str = "text"
    arguments: tuple[
        str, ...
    ] = ()  # the command line behind `p2pchat`, to start another one like it


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
    plain_room: Annotated[
        list[str] | None,
        typer.Option(
            envvar="P2PCHAT_PLAIN_ROOM",
            metavar="NAME",
            help="Join this room, which speaks raw text on the bare topic as other libp2p chats do; may be repeated.",
        ),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", envvar="P2PCHAT_PLAIN", help="Lines of text instead of a screen."),
    ] = False,
    headless: Annotated[
        bool,
        typer.Option(
            "--headless",
            envvar="P2PCHAT_HEADLESS",
            help="No chat here: a service, for p2pchat attach and the other commands.",
        ),
    ] = False,
    until_input_ends: Annotated[bool, typer.Option("--until-input-ends", hidden=True)] = False,
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
    accept_files: file_options.AcceptFiles = "ask",
    max_file_size: file_options.MaxFileSize = "1GiB",
    mailbox_file_size: file_options.MailboxFileSize = "1MiB",
    download_dir: file_options.DownloadDir = "",
    control_listen: Annotated[
        str,
        typer.Option(
            envvar="P2PCHAT_CONTROL_LISTEN",
            metavar="HOST:PORT",
            help="Answer the control API here as well, with TLS and a token, e.g. 127.0.0.1:7443; see "
            "docs/control-api.md.",
            show_default="only its socket in the data folder",
        ),
    ] = "",
    metrics: network_options.Metrics = "",
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
            show_default="p2pchat.log in the data folder; standard error with --headless",
        ),
    ] = "",
    log_format: Annotated[
        str,
        typer.Option(
            envvar="P2PCHAT_LOG_FORMAT", help="Of the log: text, or json for one object a line."
        ),
    ] = "text",
    config: Annotated[Path | None, network_options.config_option(FILE_KEYS)] = None,
) -> int:
    """Chat in this terminal.

    Every option can also be set in the environment as P2PCHAT_<OPTION>; lists are separated by spaces
    or commas.
    """
    given = settings.Given(
        data_dir=data_dir,
        name=name,
        rooms=options.several(context, "room", room),
        plain_rooms=options.several(context, "plain_room", plain_room),
        listen=options.several(context, "listen", listen),
        bootstrap=link_files.several(context, "bootstrap", bootstrap),
        mdns=mdns,
        dht=dht,
        upnp=upnp,
        mailboxes=link_files.several(context, "mailbox", mailbox),
        read_receipts=read_receipts,
        message_days=message_days,
        room_days=room_days,
        files=file_options.FileOptions(
            accept_files.lower(), max_file_size, mailbox_file_size, download_dir
        ),
        control_listen=control_listen,
        metrics=metrics,
        log_level=log_level.lower(),
        log_format=log_format.lower(),
        origins=options.origins(context, config),
    )
    manner = Manner(
        headless=headless,
        plain=plain,
        until_input_ends=until_input_ends,
        log_level=given.log_level,
        log_file=log_file,
        log_format=given.log_format,
        arguments=context.obj or (),
    )
    return start(settings.node_config(given), manner)


def start(config: NodeConfig, manner: Manner) -> int:
    """The exit code. Raises `UserError` when the node cannot run."""
    settings.prepare_data_dir(config.data_dir)
    concerns = data_folder.concerns(config)
    who = identity.load_or_create(config.identity_path)
    if manner.headless:
        _run_headless(config, who, concerns, manner)
    elif manner.plain or not attach.is_on_screen():
        _run_line_mode(config, who, concerns, manner)
    else:
        return _run_on_screen(config, who, concerns, manner)
    return 0


def _run_headless(
    config: NodeConfig, who: identity.Identity, concerns: Sequence[str], manner: Manner
) -> None:
    from p2pchat.cli import headless

    headless.run(
        config,
        who,
        concerns=concerns,
        log_level=manner.log_level,
        log_file=manner.log_file,
        log_format=manner.log_format,
        until_input_ends=manner.until_input_ends,
    )


def _run_on_screen(
    config: NodeConfig, who: identity.Identity, concerns: Sequence[str], manner: Manner
) -> int:
    from p2pchat.cli.link import program
    from p2pchat.cli.this_program import P2PCHAT

    log_path = _log_path(config, manner)
    service_options = ("--headless", "--until-input-ends", "--log-file", str(log_path))
    command = (*P2PCHAT, *manner.arguments, *service_options)
    return program.run(config, who, concerns=concerns, command=command, log_path=log_path)


def _log_path(config: NodeConfig, manner: Manner) -> Path:
    given = manner.log_file
    return Path(given).expanduser() if given else config.data_dir / "p2pchat.log"


def _run_line_mode(
    config: NodeConfig, who: identity.Identity, concerns: Sequence[str], manner: Manner
) -> None:
    from p2pchat.cli.terminal.program import run_line_mode

    log_path = _log_path(config, manner)
    run_line_mode(
        config,
        who,
        concerns=concerns,
        color="NO_COLOR" not in os.environ,
        simple=os.environ.get("TERM", "dumb") == "dumb",
        load=lambda: _load_node(log_path, manner.log_level, manner.log_format),
    )


def _load_node(log_path: Path, log_level: str, log_format: str) -> Callable[..., Awaitable[None]]:
    """What takes time, once the screen is there."""
    from p2pchat.cli.logs import log_to_file

    log_to_file(log_path, log_level, log_format)
    from p2pchat.node.app import run_node

    return run_node
