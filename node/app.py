"""Composition root: builds adapters and actors, and the supervision tree.

`root -> storage -> network (transport, discovery, pubsub; one for all) -> ui`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from p2pchat.node.config import NodeConfig
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import ActorRef


@dataclass(frozen=True, slots=True)
class NodeHandle:
    """What a front end gets: ask or tell `ui`, read events from `hub.open()`."""

    config: NodeConfig
    identity: Identity
    ui: ActorRef
    hub: EventHub


FrontEnd = Callable[[NodeHandle], Awaitable[None]]


async def run_node(config: NodeConfig, identity: Identity, front_end: FrontEnd) -> None:
    """Run until `front_end` returns, then stop everything in order.

    The front end starts first, so that there is a screen while libp2p is imported; what it asks of `ui`
    waits in the mailbox until the node is up. Raises `UserError` when the node cannot start.
    """
    raise NotImplementedError
