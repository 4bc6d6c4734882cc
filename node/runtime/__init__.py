"""The actor runtime: actors with bounded mailboxes under a supervisor, as trio tasks.

Knows nothing of chat. An actor owns its state and handles one message (or one batch of equal
messages) at a time; its reference survives its restarts.
"""

from p2pchat.node.runtime.actor import Actor, handles, handles_batch
from p2pchat.node.runtime.cell import ActorCell, ActorStats
from p2pchat.node.runtime.mailbox import DEFAULT_MAILBOX_SIZE
from p2pchat.node.runtime.ref import ASK_DEADLINE, ActorRef
from p2pchat.node.runtime.supervisor import (
    Child,
    RestartLimit,
    RestartLimitReachedError,
    Strategy,
    Supervisor,
)
from p2pchat.node.runtime.watchdog import watch

__all__ = [
    "ASK_DEADLINE",
    "DEFAULT_MAILBOX_SIZE",
    "Actor",
    "ActorCell",
    "ActorRef",
    "ActorStats",
    "Child",
    "RestartLimit",
    "RestartLimitReachedError",
    "Strategy",
    "Supervisor",
    "handles",
    "handles_batch",
    "watch",
]
