"""Closes what is broken in py-libp2p 0.8.1; each function names its defect.

They touch private attributes, so libp2p is pinned, and tests/node/adapters/test_libp2p_defects.py fails when a
defect is gone: then its function can go too.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.host.basic_host import BasicHost
from libp2p.network.config import RetryConfig
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStoreError
from libp2p.pubsub.pubsub import Pubsub
from libp2p.stream_muxer.yamux.yamux import Yamux, YamuxStream

log = logging.getLogger(__name__)

LINGER = 5.0  # seconds for the other side to close a stream that was served
LINGER_READS, LINGER_BYTES = 16, 4096  # what it may still send meanwhile
HANDSHAKES_PER_HOST = (
    16  # unfinished ones of one IP address; more would only wait to take all slots
)

MAX_WINDOW = 1024 * 1024  # bytes of one stream that nobody has read yet
# Seconds in which half a window is used up by somebody fast, however near: py-libp2p's writers look for a new window
# every 10 ms, many round trips of a local network.
FAST_USE = 0.1
WRITE_TIMEOUT = 20.0  # seconds for the operating system to take one frame

# As libp2p made them; the fixes replace them for the whole process.
unfixed_window_update = YamuxStream._auto_tune_and_send_window_update
unfixed_write_frame = Yamux._write_frame
unfixed_read = YamuxStream.read
unfixed_reset = YamuxStream.reset

# What the accepting task does once its handshake is done; None outside of accepting.
_in_accept: ContextVar[Callable[[], object] | None] = ContextVar("p2pchat_in_accept", default=None)


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


class StreamGuard:
    """An exception in any stream handler, a malformed pubsub RPC included, ends `host.run()`.

    Streams are served under a guard that resets them instead; at most `per_peer` of one peer at a time.
    """

    def __init__(self, host: BasicHost, counters: Counter[str], per_peer: int) -> None:
        self._handle = host._swarm_stream_handler
        self._counters = counters
        self._per_peer = per_peer
        self._open: Counter[ID] = Counter()
        self._counted: set[INetStream] = set()
        host.get_network().set_stream_handler(self._serve)

    def let_off(self, stream: INetStream) -> None:
        """It no longer counts, because another limit holds for it."""
        if stream in self._counted:
            self._counted.remove(stream)
            self._open.subtract([stream.muxed_conn.peer_id])

    async def _serve(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        if self._open[peer] >= self._per_peer:
            self._counters["streams_over_limit"] += 1
            await stream.reset()
            return
        self._open[peer] += 1
        self._counted.add(stream)
        try:
            await self._handle(stream)
            await until_gone(stream)
        except Exception as error:
            self._counters["streams_reset"] += 1
            log.debug("reset a stream from %s: %r", peer, error)
            await stream.reset()
        finally:
            self.let_off(stream)
            if not self._open[peer]:
                del self._open[peer]


async def until_gone(stream: INetStream) -> None:
    """A served stream that the other side never closes would stay in the connection for ever."""
    with trio.move_on_after(LINGER):
        try:
            for _ in range(LINGER_READS):
                await stream.read(LINGER_BYTES)
        except Exception:
            return  # the end of the stream, as it should be
    await stream.reset()


def hold_peers_to_their_window(counters: Counter[str]) -> None:
    """Yamux only logs when a peer sends more than its window: 300 MB sent were 300 MB held.

    Its streams keep the window in an attribute that is counted down. Below zero the connection is closed:
    `TooSlowError` is the one error for which py-libp2p's reader does that.
    """

    def get(stream: YamuxStream) -> int:
        return int(stream.__dict__["_recv_window"])

    def count_down(stream: YamuxStream, window: int) -> None:
        if window < 0:
            counters["windows_exceeded"] += 1
            raise trio.TooSlowError("a peer sent more than its window")
        stream.__dict__["_recv_window"] = window

    YamuxStream.recv_window = property(get, count_down)  # type: ignore[assignment]


def grow_windows_by_use() -> None:
    """Yamux doubles a stream's window with every read, if it is of a single byte: after a handshake everybody may
    send 16 MB that nobody has read. It also sends an update for every read.

    Here, as in go-yamux: an update when half the window is free, twice the window when that was within four
    round trips (or `FAST_USE`), and no more than `MAX_WINDOW`.
    """

    async def update(self: YamuxStream, *, bytes_read: int = 0) -> None:
        async with self.window_lock:
            buffered = len(self.conn.stream_buffers.get(self.stream_id, b""))
            held = self.recv_window + buffered
            if held > self.target_recv_window // 2:
                return
            now = trio.current_time()
            soon = max(4 * self._effective_rtt(), FAST_USE)
            if self.epoch_start > 0 and now - self.epoch_start < soon:
                self.target_recv_window = min(2 * self.target_recv_window, MAX_WINDOW)
            self.epoch_start = now
            grant = self.target_recv_window - held
            self.recv_window += grant
        await self.send_window_update(grant)

    YamuxStream._auto_tune_and_send_window_update = update  # type: ignore[method-assign]


def write_frames_whole(counters: Counter[str]) -> None:
    """Who is cancelled while Yamux writes his frame breaks the connection for everybody on it: the frame is
    encrypted, which counts, and then not or not wholly sent. The other side cannot decrypt anything after that.

    A frame that is begun is finished here, whatever happens to its sender, or its connection is closed.
    """

    async def write_frame(self: Yamux, frame: bytes) -> None:
        async with self._write_lock:
            with trio.move_on_after(WRITE_TIMEOUT, shield=True) as scope:
                await self.secured_conn.write(frame)
            if scope.cancelled_caught:
                counters["connections_stuck"] += 1
                await self.secured_conn.close()
                raise RawConnError("the other side does not read")
        await trio.lowlevel.checkpoint()

    Yamux._write_frame = write_frame  # type: ignore[method-assign, assignment]


def leave_identify_to_us(host: BasicHost) -> None:
    """Identify is asked by system tasks, once for each peer; what strangers say is kept in a table, and never
    forgotten. libp2p_identify.py does without that."""

    async def push_nothing() -> None: ...

    host._schedule_identify = lambda peer_id, *, reason: None  # type: ignore[method-assign]
    host._push_identify_to_all_peers = push_nothing  # type: ignore[method-assign]


def forget_ended_streams() -> None:
    """Who reads a Yamux stream when that ends puts an event back into the connection's table, one for each stream.

    What nobody has read keeps a stream for another minute or two, that we reset, or the other side before us.
    """

    async def read(self: YamuxStream, n: int | None = None) -> bytes:
        try:
            return await unfixed_read(self, n)
        finally:
            if self.stream_id not in self.conn.streams:
                self.conn.stream_events.pop(self.stream_id, None)

    async def reset(self: YamuxStream) -> None:
        self.conn.stream_buffers.get(self.stream_id, bytearray()).clear()
        await unfixed_reset(self)  # does nothing if the other side has reset it
        await self.conn._finalize_stream(self, fully_closed=True)

    YamuxStream.read = read  # type: ignore[method-assign]
    YamuxStream.reset = reset  # type: ignore[method-assign]


def let_no_task_end_pubsub(pubsub: Pubsub, nursery: trio.Nursery, counters: Counter[str]) -> None:
    """Pubsub's service ends when any of its tasks raises, and strangers choose what many of them see.

    Starting a task also costs a walk through all that run. Call it while the service runs: its tasks go to
    `nursery` instead, under a guard.
    """
    manager = pubsub.manager
    start: Callable[..., None] = manager.run_task

    async def guarded(task: Callable[..., Awaitable[Any]], *args: Any) -> None:
        try:
            await task(*args)
        except Exception as error:
            counters["gossip_errors"] += 1
            log.debug("gossip task failed: %r", error)

    def run_task(task: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> None:
        if options.get("daemon"):
            start(task, *args, **options)
        else:
            nursery.start_soon(guarded, task, *args, name=options.get("name"))

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


def free_inbound_slots(swarm: Swarm, counters: Counter[str]) -> None:
    """Each inbound connection keeps a task and a slot of the inbound limiter for the host's life.

    The accepting task waits for the whole swarm to end. Here `add_conn` makes it wait for its own
    connection, and then leave by an error that its caller expects. TCP and QUIC come through here, and
    are counted when they are refused.
    """
    accept, add = swarm._handle_inbound_connection, swarm.add_conn
    shaking_hands: Counter[str] = Counter()

    async def accept_marked(connection: Any, address: Any) -> None:
        host = str((connection.get_remote_address() or ("",))[0])
        full = swarm._inbound_limiter.available_tokens < 1
        if full or shaking_hands[host] >= HANDSHAKES_PER_HOST:
            counters["connections_refused"] += 1
            await connection.close()
            return
        shaking_hands[host] += 1
        _in_accept.set(lambda: shaking_hands.subtract([host]))
        try:
            await accept(connection, address)
        finally:
            if _in_accept.get() is not None:  # it never came to add_conn
                shaking_hands[host] -= 1
            if shaking_hands[host] <= 0:
                del shaking_hands[host]

    async def add_and_wait(muxed: Any, direction: str = "unknown") -> Any:
        accepted = _in_accept.get()
        _in_accept.set(None)  # the connection's own tasks inherit this context
        if accepted is not None:
            accepted()
        connection = await add(muxed, direction=direction)
        if accepted is not None:
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
    # Only pruned by `maybe_connect`: it would remember every stranger that ever left.
    swarm.auto_connector.record_disconnect = lambda peer_id: None  # type: ignore[method-assign]
    swarm.set_resource_manager(None)


def forget_peer(swarm: Swarm, peer: ID) -> None:
    """The peer store keeps everybody who was ever connected. Nothing of it is needed without a connection."""
    with contextlib.suppress(PeerStoreError):
        swarm.peerstore.clear_peerdata(peer)


async def bury(connection: INetConn) -> None:
    """A QUIC connection that this side closes leaves a task that waits for its streams; one that the other side
    closes stays in the tables of the listener. Either keeps all of it for the host's life."""
    waiting = getattr(connection.muxed_conn, "_stream_accept_event", None)
    if waiting is None:
        return
    waiting.set()
    transport = connection.muxed_conn._transport  # type: ignore[attr-defined]
    await transport._cleanup_terminated_connection(connection.muxed_conn)
    for listener in transport._listeners:
        await listener._remove_connection_by_object(connection.muxed_conn)


async def say_goodbye(connection: INetConn) -> None:
    """A QUIC connection tells the other side of its end only after all its streams were closed one by one, and
    they wait for answers: at a stop it never gets there, and the other side notices by pings."""
    quic = getattr(connection.muxed_conn, "_quic", None)
    if quic is not None:
        quic.close()
        await connection.muxed_conn._transmit()  # type: ignore[attr-defined]
    await connection.muxed_conn.close()


async def hang_up(connection: INetConn) -> None:
    """Close the socket itself: Yamux waits for its turn to say goodbye, for ever if the other side does not read."""
    secured = getattr(connection.muxed_conn, "secured_conn", None)
    if secured is not None:
        with contextlib.suppress(Exception):
            await secured.close()


def end_its_thread(pubsub: Pubsub) -> None:
    """The cache of seen messages has a sweeping thread that nobody stops. Not `stop()`, which waits for it."""
    pubsub.seen_messages._stop_event.set()


def start_sequence_numbers_late(pubsub: Pubsub) -> None:
    """They start at `int(time.time())`: after a restart within a second, or two restarts and a fast
    talker, neighbours take new messages for old ones."""
    pubsub.counter = time.time_ns()
