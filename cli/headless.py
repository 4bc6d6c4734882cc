"""A node as a service: no input, one line on standard output once it can be used, and a log."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from p2pchat.cli import control_client, logs, metrics_port, service, systemd
from p2pchat.node.config import NodeConfig
from p2pchat.node.identity import Identity

if TYPE_CHECKING:
    import trio

    from p2pchat.node.app import NodeHandle

INPUT_PIECE = 4096  # bytes of an input that nobody looks at


def run(
    config: NodeConfig,
    identity: Identity,
    *,
    concerns: Sequence[str] = (),
    log_level: str,
    log_file: str,
    log_format: str,
    until_input_ends: bool,
) -> None:
    """Until a signal, the control API's Shutdown, or with `until_input_ends` the end of standard input.

    `concerns` are sentences for the log. Raises `UserError` when it cannot start.
    """
    told = systemd.Systemd.of(os.environ, os.getpid())
    with service.ending_on_signals():
        logs.start(log_file, log_level, log_format)
        for concern in concerns:
            service.log.warning("%s", concern)
        control_client.keep_grpc_quiet()
        import trio

        from p2pchat.node.app import run_node

        async def main(until_stopped: service.UntilStopped) -> None:
            async def front_end(metrics: metrics_port.Metrics, node: NodeHandle) -> None:
                metrics.answer_for_node(node)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_serve, node, until_stopped, told, log_format)
                    if until_input_ends:
                        nursery.start_soon(_stop_with_input, until_stopped)
                    await until_stopped()  # also while it still starts
                    nursery.cancel_scope.cancel()

            async with metrics_port.opened(config) as metrics:
                await run_node(config, identity, partial(front_end, metrics))

        service.run(main, told)


async def _serve(
    node: NodeHandle,
    until_stopped: service.UntilStopped,
    told: systemd.Systemd,
    log_format: str,
) -> None:
    """Say that it can be used as soon as it can, and answer others until cancelled."""
    import trio

    from p2pchat.node import control
    from p2pchat.proto import actors_pb2 as actors

    # Without a deadline: the start takes as long as it takes. The store is open then: nobody else runs on the folder.
    await node.ui.request(actors.DescribeNode(), actors.NodeDescription)
    path = node.config.data_dir / control_client.SOCKET_NAME

    def stop() -> None:
        until_stopped.begin("asked by the control API")

    async with control.serve(path, node, stop=stop):
        service.say([ready_line(node.identity.peer, path, log_format)])
        told.tell(systemd.READY)
        await trio.sleep_forever()


def ready_line(peer: str, path: Path, log_format: str) -> str:
    """For people, or with the log as JSON for programs."""
    if log_format == logs.JSON:
        return json.dumps({"event": "ready", "peer": peer, "socket": str(path)})
    return f"p2pchat node {peer} is ready; socket {path}"


async def _stop_with_input(until_stopped: service.UntilStopped) -> None:
    """Whoever started this node holds the other end of the pipe: it ends with that process, however that ends."""
    import trio

    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as given:
        while await _piece(given):
            pass
    until_stopped.begin("end of standard input")


async def _piece(given: trio.lowlevel.FdStream) -> bytes:
    """Empty at the end, or when there is nothing to read any more."""
    import trio

    try:
        return bytes(await given.receive_some(INPUT_PIECE))
    except (trio.BrokenResourceError, OSError):
        return b""
