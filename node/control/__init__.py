"""What a node answers to other processes, on the control socket: `p2pchat.control.v1.Node`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import trio

from p2pchat.node.adapters.grpc_server import Service, serving
from p2pchat.node.config import NodeConfig
from p2pchat.node.control.conversations import Conversations
from p2pchat.node.control.event_stream import EventStream
from p2pchat.node.control.every_role import EveryRole, Stop, end_this_process
from p2pchat.node.control.export import Export
from p2pchat.node.control.files import Files
from p2pchat.node.control.front import Front
from p2pchat.node.control.mailboxes import Mailboxes
from p2pchat.node.control.messages import Messages
from p2pchat.node.control.people import People
from p2pchat.node.control.rooms import Rooms
from p2pchat.node.control.this_node import ThisNode
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import control_pb2 as control

if TYPE_CHECKING:
    from p2pchat.node.adapters.tls_port import TlsPort

__all__ = ["SERVICE", "NodeControl", "RunningNode", "end_this_process", "serve", "service"]

SERVICE = control.DESCRIPTOR.services_by_name["Node"]


class RunningNode(Protocol):
    """What is needed of a node; `p2pchat.node.app.NodeHandle` is one."""

    @property
    def identity(self) -> Identity: ...

    @property
    def config(self) -> NodeConfig: ...

    @property
    def ui(self) -> ActorRef: ...

    @property
    def hub(self) -> EventHub: ...


class NodeControl(
    EveryRole,
    ThisNode,
    Conversations,
    Messages,
    Rooms,
    People,
    Files,
    Mailboxes,
    Export,
    EventStream,
):
    """Asks the actor that serves front ends. Each method raises what `ActorRef.ask` raises."""

    def __init__(self, node: RunningNode, stop: Stop = end_this_process) -> None:
        EveryRole.__init__(self, node.ui, stop)
        EventStream.__init__(self, Front(node.ui, node.identity.peer), node.hub)


@contextlib.asynccontextmanager
async def serve(
    path: Path, node: RunningNode, stop: Stop = end_this_process
) -> AsyncIterator[None]:
    """On a socket at `path`, and where `control_listen` says, while the context lasts. `stop` is what Shutdown does.

    Raises `ConfigError` when there can be no socket, or no port.
    """
    servant = NodeControl(node, stop)
    tls = await _tls(node.config)
    async with serving(path, [Service(SERVICE, servant)], tls), trio.open_nursery() as nursery:
        nursery.start_soon(servant.keep_journal)
        yield
        nursery.cancel_scope.cancel()


async def _tls(config: NodeConfig) -> TlsPort | None:
    if not config.control_listen:
        return None
    from p2pchat.node.adapters.tls_port import tls_port  # loads much of cryptography

    return await trio.to_thread.run_sync(tls_port, config.control_listen, config.data_dir)


def service(front: ActorRef, stop: Stop = end_this_process) -> Service:
    """What every role answers, for one that has a service of its own besides."""
    return Service(SERVICE, EveryRole(front, stop))
