"""`p2pchat attach`: the terminal UI on a node that runs already."""

from __future__ import annotations

import os
import sys

from p2pchat.cli import control_client, network_options, settings
from p2pchat.cli.control_client import NotRunningError
from p2pchat.node import identity
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import ConfigError

NO_SCREEN = (
    "This needs a terminal that can move its cursor; p2pchat tail and p2pchat send do without."
)


def run(data_dir: network_options.DataDir = "") -> int:
    """Chat on this screen with a node that runs already, as a service for example.

    The node goes on running when you leave.
    """
    if not is_on_screen():
        raise ConfigError(NO_SCREEN)
    config = NodeConfig(data_dir=settings.data_dir(data_dir))
    try:
        control_client.living_socket(config.data_dir, "node")
    except NotRunningError as error:
        raise NotRunningError(f"{error} p2pchat node starts one.") from error
    who = identity.load(config.identity_path)

    from p2pchat.cli.link import program

    return program.attach(config, who)


def is_on_screen() -> bool:
    """Whether there is a terminal that can move its cursor; the UI writes to standard error, others to output."""
    on_terminal = all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr))
    return on_terminal and os.environ.get("TERM", "dumb") != "dumb"
