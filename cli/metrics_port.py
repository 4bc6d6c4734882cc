"""Opens the port for Prometheus where the configuration says so, before anything else is started.

Without `--metrics` nothing of it is loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from p2pchat.node.config import NodeConfig

if TYPE_CHECKING:
    from p2pchat.node.app import NodeHandle
    from p2pchat.node.metrics.serving import Collect, MetricsPort
    from p2pchat.relay_mailbox.app import MailboxHandle


class Metrics:
    """What a front end tells once it knows whom to ask. Until then, the port answers that the program starts."""

    def __init__(self, port: MetricsPort | None) -> None:
        """`port` is None when nothing is exported."""
        self._port = port

    def answer_with(self, collect: Collect) -> None:
        if self._port is not None:
            self._port.collect = collect

    def answer_for_node(self, node: NodeHandle) -> None:
        if self._port is not None:
            from p2pchat.node.metrics.serving import of_node

            self._port.collect = of_node(node.ui)

    def answer_for_mailbox(self, mailbox: MailboxHandle) -> None:
        if self._port is not None:
            from p2pchat.relay_mailbox.metrics_port import of_operator

            self._port.collect = of_operator(mailbox.operator)


@contextlib.asynccontextmanager
async def opened(config: NodeConfig) -> AsyncIterator[Metrics]:
    """While the context lasts. Raises `ConfigError` when it cannot be where it is to be."""
    if not config.metrics:
        yield Metrics(None)
        return
    from p2pchat.node.metrics.serving import open_port

    async with open_port(config.metrics) as port:
        yield Metrics(port)
