"""The port that Prometheus reads: `/metrics`, and `/healthz` for whoever only wants to know whether it answers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import trio

from p2pchat.node.adapters.http_port import Response, http_port
from p2pchat.node.adapters.process_use import process_use
from p2pchat.node.adapters.prometheus_text import Exposition
from p2pchat.node.errors import P2pchatError
from p2pchat.node.metrics import translate
from p2pchat.node.protocol.metric_families import Family
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

COLLECT_TIMEOUT = 8.0  # seconds; Prometheus gives a scrape 10 of its own

Collect = Callable[[], Awaitable[Sequence[Family]]]


class MetricsPort:
    """Answers 503 until there is something to collect from: set `collect` then."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.collect: Collect | None = None
        self._exposition = Exposition()
        self._one = trio.Lock()  # however many ask, the program describes itself for one at a time

    async def answer(self, path: str, accept: str) -> Response:
        if path not in ("/metrics", "/healthz"):
            return _say(404, "There are /metrics and /healthz.")
        if self.collect is None:
            return _say(503, "It is starting.")
        try:
            with trio.fail_after(COLLECT_TIMEOUT):
                async with self._one:
                    families = await self.collect()
        except trio.TooSlowError:
            return _say(503, f"No answer within {COLLECT_TIMEOUT:g} s.")
        except P2pchatError as error:
            log.warning("no metrics: %s", error)
            return _say(503, "A part of the program does not answer; its log says which.")
        if path == "/healthz":
            return _say(200, "ok")
        return Response(200, *self._exposition.write(families, accept))


@contextlib.asynccontextmanager
async def open_port(listen: str) -> AsyncIterator[MetricsPort]:
    """On `listen`, "host:port", while the context lasts; nowhere when it is empty.

    Open it before libp2p is imported (see `Exposition`). Raises `ConfigError` when it cannot be there.
    """
    port = MetricsPort()
    async with http_port(listen, port.answer) as opened:
        port.urls = [f"{url}/metrics" for url in opened.urls()]
        log.info("metrics on %s", ", ".join(port.urls))
        if opened.is_open_to_others:
            log.warning(
                "metrics are open to whoever reaches that address, without a password: put a firewall before it"
            )
        yield port


def of_node(ui: ActorRef) -> Collect:
    """`ui` is the actor that serves front ends."""

    async def collect() -> Sequence[Family]:
        node = await ui.ask(actors.DescribeNode(), actors.NodeDescription)
        return translate.families(node, process_use())

    return collect


def _say(status: int, text: str) -> Response:
    return Response(status, f"{text}\n".encode())
