"""The options about the network that every command has which runs a node."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from p2pchat.cli import options

DataDir = Annotated[
    str,
    typer.Option(
        envvar=["P2PCHAT_DATA_DIR", "DATA_DIR"],
        metavar="FOLDER",
        help="Identity, messages and log are kept here.",
        show_default="the platform's place for user data",
    ),
]
Listen = Annotated[
    list[str] | None,
    typer.Option(
        envvar="P2PCHAT_LISTEN",
        metavar="MULTIADDR",
        help="Listen here, e.g. /ip4/0.0.0.0/tcp/4001; may be repeated. [b]none[/b]: nowhere, be reached "
        "through a relay only.",
        show_default="any free port, TCP and QUIC",
    ),
]
Bootstrap = Annotated[
    list[str] | None,
    typer.Option(
        envvar="P2PCHAT_BOOTSTRAP",
        metavar="ADDRESS",
        help="Connect to this peer first: a multiaddr, the link of a mailbox, or @FILE with such ones; may be "
        "repeated. [b]none[/b]: to nobody.",
        show_default="the public libp2p peers",
    ),
]
Mdns = Annotated[bool, typer.Option(envvar="P2PCHAT_MDNS", help="Find peers in the local network.")]
Dht = Annotated[
    bool,
    typer.Option(
        "--dht/--no-dht",
        envvar="P2PCHAT_DHT",
        help="Look people and rooms up in the DHT, and say there in which rooms this node is.",
    ),
]
Upnp = Annotated[
    bool,
    typer.Option(
        "--upnp/--no-upnp",
        envvar="P2PCHAT_UPNP",
        help="Ask the router to let others in (UPnP).",
    ),
]
Mailbox = Annotated[
    list[str] | None,
    typer.Option(
        envvar="P2PCHAT_MAILBOX",
        metavar="LINK",
        help="Let this mailbox take messages while you are away: its link, or @FILE with it; may be repeated. "
        "Mailboxes are remembered.",
        show_default="the mailboxes of the last time",
    ),
]

Metrics = Annotated[
    str,
    typer.Option(
        envvar="P2PCHAT_METRICS",
        metavar="[HOST:]PORT",
        help="Answer Prometheus here, by HTTP at /metrics, e.g. 9464; a port alone is on 127.0.0.1. See "
        "docs/operations.md.",
        show_default="nowhere",
    ),
]


def config_option(keys: options.FileKeys) -> Any:
    """A TOML file that holds values of these options; for a parameter of type `Path | None`."""
    return typer.Option(
        envvar="P2PCHAT_CONFIG",
        metavar="FILE",
        callback=options.file_loader(keys),
        is_eager=True,
        help="A TOML file with these options, e.g. name = 'ada'. Flags and environment go first.",
    )
