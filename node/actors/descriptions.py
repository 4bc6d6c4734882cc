"""What descriptions of a node and of a mailbox have in common."""

from __future__ import annotations

from p2pchat.node.runtime import ActorStats
from p2pchat.proto import actors_pb2 as actors


def actor_status(stats: ActorStats) -> actors.ActorStatus:
    return actors.ActorStatus(
        name=stats.name,
        state=stats.state,
        restarts=stats.restarts,
        drops=stats.drops,
        queue=stats.queue,
        handled=stats.handled,
        stalls=stats.stalls,
    )
