"""What a mailbox answers Prometheus with: asks for its description, and for what its processes take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from p2pchat.node.adapters.process_use import process_use
from p2pchat.node.metrics.serving import Collect
from p2pchat.node.protocol.metric_families import Family
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox import metrics

Describe = Callable[[], Awaitable[actors.MailboxDescription]]


def of_operator(operator: ActorRef) -> Collect:
    """Of a mailbox in this process."""
    return collecting(lambda: operator.ask(actors.DescribeMailbox(), actors.MailboxDescription))


def collecting(describe: Describe) -> Collect:
    """`describe` may tell of several processes, and raises `P2pchatError` when there is no answer."""

    async def collect() -> Sequence[Family]:
        here = await describe()
        uses = {pid: process_use(pid) for pid in metrics.pids(here)}
        return metrics.families(here, {pid: use for pid, use in uses.items() if use is not None})

    return collect
