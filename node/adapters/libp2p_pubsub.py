"""Pubsub that a stranger cannot make costly: what arrives is cut down before py-libp2p acts on it.

py-libp2p 0.8.1 starts a task for every message of an RPC and walks all tasks for each (128 kB of empty messages stop
the event loop for a minute), answers the same wanted id as often as it is named (48 kB ask for a gigabyte), keeps
dictionaries by every topic anybody names, and dials the peers that a PRUNE suggests.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from functools import partial

import trio
from libp2p.abc import IHost, INetConn, INetStream, INetwork
from libp2p.custom_types import MessageID, TProtocol
from libp2p.io.exceptions import IncompleteReadError
from libp2p.network.stream.exceptions import StreamClosed, StreamError, StreamReset
from libp2p.peer.id import ID
from libp2p.pubsub import pubsub as pubsub_module
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.pubsub.utils import maybe_consume_signed_record
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited

from p2pchat.node.adapters import libp2p_circuit as wire
from p2pchat.node.adapters.libp2p_router import PROTOCOLS, Router

log = logging.getLogger(__name__)

MAX_MESSAGES = 256  # in one RPC; we send one
MAX_IDS = 1000  # in the control part of one RPC, of each kind
MAX_ANSWER_BYTES = 1024 * 1024  # of messages sent again because of one RPC
MAX_SUBSCRIPTIONS = 100  # of one peer, and in one RPC
MAX_BACK_OFF = 120  # seconds that a neighbour may ask us to stay out of its mesh

QUEUE_RPCS = 1024  # to one neighbour; publishing is paced long before
QUEUE_BYTES = 8 * 1024 * 1024  # to one neighbour, the copies in the queue together
GREETING_TIMEOUT = (
    10.0  # seconds to open a stream on another connection, before the next one is tried
)
SUBSCRIPTION_QUEUE = 1024  # messages of one topic, drained at once


class BoundedRpcQueue(RpcQueue):
    """What waits for one neighbour: py-libp2p bounds the number alone, at 32."""

    def __init__(self, counters: Counter[str]) -> None:
        super().__init__(max_size=QUEUE_RPCS)
        self._bytes = 0
        self._counters = counters

    def push(self, rpc: rpc_pb2.RPC, priority: bool = False) -> bool:
        size = rpc.ByteSize()
        if self._bytes + size <= QUEUE_BYTES and super().push(rpc, priority):
            self._bytes += size
            return True
        self._counters["gossip_not_forwarded"] += 1
        return False

    async def pop(self) -> rpc_pb2.RPC | None:
        rpc = await super().pop()
        if rpc is not None:
            self._bytes -= rpc.ByteSize()
        return rpc


class BoundedPubsub(Pubsub):
    """Handles one RPC of a peer after the other, so that its stream's flow control slows it down."""

    def __init__(self, host: IHost, router: Router, counters: Counter[str]) -> None:
        # Both are read when a queue is made.
        pubsub_module.SUBSCRIPTION_CHANNEL_SIZE = SUBSCRIPTION_QUEUE
        pubsub_module.RpcQueue = partial(BoundedRpcQueue, counters)  # type: ignore[attr-defined, assignment]
        super().__init__(
            host,
            router,
            max_subscriptions_per_rpc=MAX_SUBSCRIPTIONS,
            max_subscriptions_per_peer=MAX_SUBSCRIPTIONS,
        )
        self._chat_router = router
        self._counters = counters
        self._writers: dict[int, trio.Lock] = {}
        self.writing = 0  # RPCs that have left their queue and are not written yet
        self._awaited: dict[tuple[ID, bytes], trio.Event] = {}
        self._retry_again: set[ID] = set()  # within those that py-libp2p is trying

    async def continuously_read_stream(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        try:
            while self.manager.is_running:
                body = await read_varint_prefixed_bytes_limited(stream, self.max_inbound_rpc_size)
                await self._handle(peer, rpc_pb2.RPC.FromString(body))
        except (StreamError, IncompleteReadError) as error:
            log.debug("the gossip stream of %s ended: %s", peer, error)
        except Exception as error:
            self._counters["gossip_errors"] += 1
            log.debug("reset the gossip stream of %s: %r", peer, error)
            await stream.reset()
            if self.runs_over(peer, wire.connection_of(stream)):
                self._handle_dead_peer(peer)

    # ---- writing, also while a peer moves to another connection -------------------------------------

    def runs_over(self, peer: ID, connection: INetConn) -> bool:
        """Whether what we send to `peer` takes that connection."""
        stream = self.peers.get(peer)
        return stream is not None and stream.muxed_conn is connection.muxed_conn

    async def move(self, peer: ID, *, away_from: INetStream | None = None) -> bool:
        """Take the best connection that works for what we send to `peer` from now on, and for what waits in its queue.

        `away_from`: this stream does not work. The other side reads what was written to the one of before until that
        ends. False when there is nothing better.
        """
        old = self.peers.get(peer)
        for connection in self._connections_to(peer, away_from):
            if old is None or self.peers.get(peer) is not old or self.runs_over(peer, connection):
                break  # it has left, or somebody was faster, or the best one is in use
            try:
                stream = await self._greeted(connection, self._protocol_of(old))
            except Exception as error:
                log.debug("cannot move the gossip with %s: %r", peer, error)
            else:
                await self._replace_stream(peer, old, stream)
                break
        return self.peers.get(peer) is not away_from

    async def _greeted(self, connection: INetConn, protocol: TProtocol) -> INetStream:
        """A new stream, over which we have said what we are subscribed to: what the other side knew of us may have been
        lost with the connection of before."""
        with trio.fail_after(GREETING_TIMEOUT):
            stream = await wire.open_stream(connection, protocol)
            try:
                if not await self.write_msg(stream, self.get_hello_packet()):
                    raise StreamClosed("the new stream has ended")
            except BaseException:
                await wire.discard(stream)
                raise
        return stream

    async def _replace_stream(self, peer: ID, old: INetStream, stream: INetStream) -> None:
        if self.peers.get(peer) is not old:  # it has left, or somebody was faster
            await wire.discard(stream)
            return
        self.peers[peer] = stream
        async with self._only_writer(old):
            with trio.move_on_after(wire.GOODBYE_TIMEOUT), contextlib.suppress(Exception):
                await old.close()

    async def leave(self, peer: ID, connection: INetConn) -> None:
        """That connection has ended; `peer` has another one."""
        stream = self.peers.get(peer)
        if stream is None or not self.runs_over(peer, connection):
            return
        if not await self.move(peer, away_from=stream) and self.peers.get(peer) is stream:
            self._handle_dead_peer(peer)

    async def handle_sending_messages(
        self, peer_id: ID, stream: INetStream, queue: RpcQueue
    ) -> None:
        """Write what is queued to the stream that the peer has at the moment."""
        while (rpc := await queue.pop()) is not None:
            if not await self._deliver(peer_id, queue, rpc):
                if self.peer_queues.get(peer_id) is queue:
                    self._handle_dead_peer(peer_id)
                return

    async def _deliver(self, peer: ID, queue: RpcQueue, rpc: rpc_pb2.RPC) -> bool:
        while (stream := self.peers.get(peer)) and self.peer_queues.get(peer) is queue:
            if await self._is_written(stream, rpc):
                return True
            if self.peers.get(peer) is stream and not await self.move(peer, away_from=stream):
                return False
        return False

    async def _is_written(self, stream: INetStream, rpc: rpc_pb2.RPC) -> bool:
        try:
            return await self.write_msg(stream, rpc)
        except Exception as error:
            log.debug("cannot write to %s: %r", stream.muxed_conn.peer_id, error)
            return False

    async def write_msg(self, stream: INetStream, rpc_msg: rpc_pb2.RPC) -> bool:
        """One writer at a time: Yamux lets go between the frames of a long write, and others slip in."""
        self.writing += 1
        try:
            async with self._only_writer(stream):
                await stream.write(encode_varint_prefixed(rpc_msg.SerializeToString()))
                return True
        except (StreamClosed, StreamReset):
            return False
        finally:
            self.writing -= 1

    @asynccontextmanager
    async def _only_writer(self, stream: INetStream) -> AsyncIterator[None]:
        lock = self._writers.setdefault(id(stream), trio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._writers.pop(id(stream), None)

    def come_back(self, peer: ID) -> None:
        """A connection has ended; `peer` has others. If nothing is sent to it, because no stream could be opened
        before, try again: py-libp2p gives up when there was no answer."""
        if peer in self.peers:
            return
        if peer in self._peer_stream_retries_pending:
            self._retry_again.add(
                peer
            )  # it may be waiting for an answer on the connection that has ended
        else:
            self._schedule_peer_stream_retry(peer)

    async def _peer_stream_retry_task(self, peer_id: ID) -> None:
        try:
            await super()._peer_stream_retry_task(peer_id)
        finally:
            again = peer_id in self._retry_again
            self._retry_again.discard(peer_id)
        if again and self._peer_is_connected(peer_id):
            self.come_back(peer_id)

    async def _handle_new_peer(self, peer_id: ID) -> None:
        await super()._handle_new_peer(peer_id)
        await self.move(peer_id)  # a better connection may have come meanwhile

    def _connections_to(self, peer: ID, away_from: INetStream | None) -> list[INetConn]:
        """Live ones, the best first; among equals the one in use, then the newest, since old ones may be dead."""
        swarm: INetwork = self.host.get_network()
        dead = away_from.muxed_conn if away_from is not None else None
        live = [c for c in reversed(swarm.get_connections(peer)) if not c.is_closed]
        usable = [c for c in live if c.muxed_conn is not dead]
        return sorted(usable, key=lambda c: (wire.is_relayed(c), not self.runs_over(peer, c)))

    @staticmethod
    def _protocol_of(stream: INetStream) -> TProtocol:
        return stream.get_protocol() or PROTOCOLS[0]

    async def until_read(self, peer: ID, message_id: bytes) -> None:
        """Return once `peer` has read an own message and all before it.

        Asks for the message back (IWANT), which a neighbour does when it has come so far on our stream. A
        ping would not do: it overtakes what waits in the stream, and a connection that is closed then loses it.
        """
        returned = self._awaited[peer, message_id] = trio.Event()
        try:
            await self._chat_router.emit_iwant([MessageID(message_id)], peer)
            await returned.wait()
        finally:
            del self._awaited[peer, message_id]

    async def _handle(self, peer: ID, rpc: rpc_pb2.RPC) -> None:
        if not maybe_consume_signed_record(rpc, self.host, peer):
            self._counters["gossip_refused"] += 1
            return
        if self._cut_down(rpc):
            self._counters["gossip_refused"] += 1
        for message in rpc.publish:
            returned = self._awaited.get((peer, message.from_id + message.seqno))
            if returned is not None:
                returned.set()
            await self.push_msg(peer, message)
        for subscription in rpc.subscriptions:
            self.handle_subscription(peer, subscription)
        if rpc.HasField("control"):
            await self.router.handle_rpc(rpc, peer)

    def _cut_down(self, rpc: rpc_pb2.RPC) -> bool:
        """Leave only what we want to act on; whether anything was against the rules."""
        topics: Collection[str] = self.topic_ids
        excess = len(rpc.publish) > MAX_MESSAGES or len(rpc.subscriptions) > MAX_SUBSCRIPTIONS
        good = [m for m in rpc.publish if len(m.topicIDs) == 1 and m.topicIDs[0] in topics]
        _replace(rpc.publish, good[:MAX_MESSAGES])
        del rpc.subscriptions[MAX_SUBSCRIPTIONS:]
        control = rpc.control if rpc.HasField("control") else None
        if control is not None:
            _replace(control.graft, _first_of_each(control.graft, topics))
            _replace(control.prune, _first_of_each(control.prune, topics))
            _replace(control.ihave, _first_of_each(control.ihave, topics))
            for prune in control.prune:
                del prune.peers[:]  # whom to dial is not for a neighbour to say
                prune.backoff = min(prune.backoff, MAX_BACK_OFF)
            for ihave in control.ihave:
                del ihave.messageIDs[MAX_IDS:]
            self._limit_answer(control)
            del control.idontwant[:]
        return excess

    def _limit_answer(self, control: rpc_pb2.ControlMessage) -> None:
        """One IWANT with each id once, as far as the answer stays within its limit."""
        wanted = dict.fromkeys(i for iwant in control.iwant for i in iwant.messageIDs[:MAX_IDS])
        del control.iwant[:]
        size, granted = 0, []
        for message_id in list(wanted)[:MAX_IDS]:
            size += self._chat_router.cached_bytes(message_id)
            if size > MAX_ANSWER_BYTES:
                break
            granted.append(message_id)
        if granted:
            control.iwant.add(messageIDs=granted)


def _replace(field: Iterable, kept: list) -> None:  # type: ignore[type-arg]
    """Repeated protobuf fields cannot be assigned to."""
    copies = [type(item).FromString(item.SerializeToString()) for item in kept]
    del field[:]  # type: ignore[attr-defined]
    field.extend(copies)  # type: ignore[attr-defined]


def _first_of_each(entries: Iterable, topics: Collection[str]) -> list:  # type: ignore[type-arg]
    """For each topic we are in, the first entry."""
    found: dict[str, object] = {}
    for entry in entries:
        if entry.topicID in topics:
            found.setdefault(entry.topicID, entry)
    return list(found.values())
