"""The control socket of a mailbox with several workers, and who is asked behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import trio

from p2pchat.node.adapters.grpc_client import GrpcClient
from p2pchat.node.adapters.grpc_server import Service, serving
from p2pchat.proto import control_pb2 as control
from p2pchat.relay_mailbox.workers.control import WorkersControl
from p2pchat.relay_mailbox.workers.sharing import Share
from p2pchat.relay_mailbox.workers.tending import Worker

MAILBOX = control.DESCRIPTOR.services_by_name["Mailbox"]
NODE = control.DESCRIPTOR.services_by_name["Node"]


def asking(
    shares: Sequence[Share], workers: Sequence[Worker], stop: Callable[[], None]
) -> WorkersControl:
    """Each worker on its own socket. `stop` begins the end of all of them."""
    return WorkersControl(
        workers,
        [GrpcClient(share.socket, MAILBOX) for share in shares],
        [GrpcClient(share.socket, NODE) for share in shares],
        stop,
    )


@contextlib.asynccontextmanager
async def serve(path: Path, servant: WorkersControl) -> AsyncIterator[None]:
    """On a socket at `path`, while the context lasts. Raises `ConfigError` when there can be none."""
    services = [Service(MAILBOX, servant), Service(NODE, servant)]
    async with serving(path, services), trio.open_nursery() as nursery:
        nursery.start_soon(servant.keep_level)
        yield
        nursery.cancel_scope.cancel()
