"""Closes what is broken in py-libp2p 0.8.1; each function names its defect.

They touch private attributes, so libp2p is pinned, and tests/node/adapters/test_libp2p_defects.py fails when a
defect is gone: then its function can go too.
"""

from __future__ import annotations

import functools
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from libp2p.abc import INetConn, INetStream
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import RetryConfig
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.pubsub import pubsub as pubsub_module
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue

log = logging.getLogger(__name__)

GOSSIP_QUEUE = (
    1024  # RPCs to one neighbour; publishing is paced long before, so only floods fill it
)
SUBSCRIPTION_QUEUE = 1024  # messages of one topic, drained at once

_in_accept: ContextVar[bool] = ContextVar("p2pchat_in_accept", default=False)


def set_up_logging() -> None:
    """Importing libp2p clears the `libp2p` logger's handlers and cuts it off from the root logger.

    Some of its modules set levels of their own, and every stranger's mistake is logged as an error.
    """
    for name in [name for name in logging.Logger.manager.loggerDict if name.startswith("libp2p.")]:
        logging.getLogger(name).setLevel(logging.NOTSET)
    logger = logging.getLogger("libp2p")
    logger.handlers.clear()
    logger.propagate = True
    verbose = logging.getLogger().getEffectiveLevel() <= logging.DEBUG
    logger.setLevel(logging.DEBUG if verbose else logging.CRITICAL)


def let_no_stream_end_the_host(host: BasicHost, counters: Counter[str], per_peer: int) -> None:
    """An exception in any stream handler, a malformed pubsub RPC included, ends `host.run()`.

    Streams are served under a guard that resets them instead; at most `per_peer` of one peer at a time.
    """
    serve = host._swarm_stream_handler
    open_streams: Counter[object] = Counter()

    async def guarded(stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        if open_streams[peer] >= per_peer:
            counters["streams_over_limit"] += 1
            await stream.reset()
            return
        open_streams[peer] += 1
        try:
            await serve(stream)
        except Exception as error:
            counters["streams_reset"] += 1
            log.info("reset a stream from %s: %r", peer, error)
            await stream.reset()
        finally:
            open_streams[peer] -= 1
            if not open_streams[peer]:
                del open_streams[peer]

    host.get_network().set_stream_handler(guarded)


def let_no_task_end_pubsub(pubsub: Pubsub, counters: Counter[str]) -> None:
    """Pubsub's service ends when any of its tasks raises, and strangers choose what many of them see.

    Call it while the service runs: it wraps the manager's `run_task`.
    """
    manager = pubsub.manager
    start: Callable[..., None] = manager.run_task

    def run_task(task: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> None:
        @functools.wraps(task)
        async def guarded(*inner: Any) -> None:
            try:
                await task(*inner)
            except Exception as error:
                counters["gossip_errors"] += 1
                log.info("gossip task failed: %r", error)

        start(guarded, *args, **options)

    manager.run_task = run_task  # type: ignore[method-assign, assignment]


def remember_subscriptions_while_connected(pubsub: Pubsub) -> None:
    """When a peer's gossip stream ends, its subscriptions are forgotten, although another connection to it
    lives on. The peer has no reason to announce them again, and would never be sent anything more."""
    forget: Callable[[ID], None] = pubsub._handle_dead_peer

    def forget_unless_connected(peer: ID) -> None:
        topics = [topic for topic, peers in pubsub.peer_topics.items() if peer in peers]
        announced = pubsub._peer_subscription_count.get(peer, 0)
        forget(peer)
        if pubsub._peer_is_connected(peer):
            for topic in topics:
                pubsub.peer_topics.setdefault(topic, set()).add(peer)
            pubsub._peer_subscription_count[peer] = announced

    pubsub._handle_dead_peer = forget_unless_connected  # type: ignore[method-assign, assignment]


def free_inbound_slots(swarm: Swarm) -> None:
    """Each inbound connection keeps a task and a slot of the inbound limiter for the host's life.

    The accepting task waits for the whole swarm to end. Here `add_conn` makes it wait for its own
    connection, and then leave by an error that its caller expects. TCP and QUIC come through here.
    """
    accept, add = swarm._handle_inbound_connection, swarm.add_conn

    async def accept_marked(*args: Any) -> None:
        _in_accept.set(True)
        await accept(*args)

    async def add_and_wait(muxed: Any, direction: str = "unknown") -> Any:
        accepting = _in_accept.get()
        _in_accept.set(False)  # the connection's own tasks inherit this context
        connection = await add(muxed, direction=direction)
        if accepting:
            await connection.event_closed.wait()
            raise ConnectionResetError("the connection has ended")
        return connection

    swarm._handle_inbound_connection = accept_marked  # type: ignore[method-assign, assignment]
    swarm.add_conn = add_and_wait  # type: ignore[method-assign, assignment]


def leave_dialing_to_us(swarm: Swarm) -> None:
    """`dial_addr` retries three times with delays of its own, the auto-connector dials whoever identify
    mentioned, and the default resource manager has one rate limit for all connections together."""

    async def nothing() -> None: ...

    swarm.retry_config = RetryConfig(max_retries=0)
    swarm.auto_connector.maybe_connect = nothing  # type: ignore[method-assign]
    swarm.set_resource_manager(None)


async def say_goodbye(connection: INetConn) -> None:
    """A QUIC connection tells the other side of its end only after all its streams were closed one by one, and
    they wait for answers: at a stop it never gets there, and the other side notices by pings."""
    quic = getattr(connection.muxed_conn, "_quic", None)
    if quic is not None:
        quic.close()
        await connection.muxed_conn._transmit()  # type: ignore[attr-defined]
    await connection.muxed_conn.close()


def widen_gossip_queues() -> None:
    """Queues hold 32 and drop the rest silently. Both bounds are read when a queue is made."""
    pubsub_module.SUBSCRIPTION_CHANNEL_SIZE = SUBSCRIPTION_QUEUE
    wide = functools.partial(RpcQueue, max_size=GOSSIP_QUEUE)
    pubsub_module.RpcQueue = wide  # type: ignore[attr-defined, assignment]


def start_sequence_numbers_late(pubsub: Pubsub) -> None:
    """They start at `int(time.time())`: after a restart within a second, or two restarts and a fast
    talker, neighbours take new messages for old ones."""
    pubsub.counter = time.time_ns()
