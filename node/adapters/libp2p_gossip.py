"""GossipSub on one host: subscriptions that do not drop, publishing that does not flood."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from functools import partial

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub

from p2pchat.node.errors import PublishError
from p2pchat.node.ports import GossipMessage

log = logging.getLogger(__name__)

# Not 1.2.0: its IDONTWANT halves the throughput of a full mesh (measured with 0.8.1).
PROTOCOLS = (TProtocol("/meshsub/1.1.0"), TProtocol("/meshsub/1.0.0"))
HEARTBEAT = 1  # seconds; py-libp2p's default of 120 leaves the mesh empty for two minutes
BACK_OFF = (
    1  # seconds until a neighbour may graft again; py-libp2p's 10 and 60 leave who comes back deaf
)

BACKLOG = 64  # RPCs waiting for one neighbour at which publishing pauses
BACKLOG_PATIENCE = 2.0  # seconds to wait for a slow neighbour before the others go on without it
BACKLOG_POLL = 0.002  # seconds; py-libp2p's queue has no event for "shorter now"
BUFFER_BYTES = 32 * 1024 * 1024  # of one topic, waiting for the reader; more is dropped and counted


class Router(GossipSub):
    """GossipSub with the options that make it work, and flood publishing."""

    def __init__(self) -> None:
        super().__init__(
            protocols=PROTOCOLS,
            degree=6,
            degree_low=4,
            degree_high=12,
            heartbeat_interval=HEARTBEAT,
            prune_back_off=BACK_OFF,
            unsubscribe_back_off=BACK_OFF,
            # Keyed by the forwarding peer and 10 a second, it would drop a busy room's messages silently.
            spam_protection_enabled=False,
            # Grafts by different IP addresses only: everybody behind one router would be left out.
            eclipse_protection_enabled=False,
            adaptive_gossip_enabled=False,
        )
        # Grafting sooner after a prune than this is punished by another minute outside the mesh.
        self.graft_flood_threshold = 0.0
        # Only the adaptive mode, which is off, would ever shorten these lists.
        self.recent_message_deliveries = defaultdict(partial(deque, maxlen=100))  # type: ignore[arg-type]

    def _get_peers_to_send(
        self,
        topic_ids: Iterable[str],
        msg_forwarder: ID,
        origin: ID,
        msg_id: bytes | None = None,
    ) -> Iterable[ID]:
        """Own messages go to everybody who listens, as GossipSub 1.1 says ("flood publishing").

        py-libp2p sends them to the mesh alone, which is empty for seconds after joining or coming back.
        """
        topics = list(topic_ids)
        peers = set(super()._get_peers_to_send(topics, msg_forwarder, origin, msg_id))
        pubsub = self.pubsub
        if pubsub is not None and origin == pubsub.my_id:
            for topic in topics:
                peers.update(pubsub.peer_topics.get(topic, ()))
            peers -= {origin, msg_forwarder}
        return peers


class TopicSubscription:
    """What arrived on one topic and was not read yet, own publishes left out."""

    def __init__(self, own: ID, counters: Counter[str]) -> None:
        self._own = own.to_bytes()
        self._counters = counters
        self._messages: deque[GossipMessage] = deque()
        self._bytes = 0
        self._arrivals = trio.lowlevel.ParkingLot()
        self._ended = False

    def __aiter__(self) -> TopicSubscription:
        return self

    async def __anext__(self) -> GossipMessage:
        while not self._messages:
            if self._ended:
                raise StopAsyncIteration
            await self._arrivals.park()
        message = self._messages.popleft()
        self._bytes -= len(message.data)
        return message

    def push(self, from_id: bytes, data: bytes) -> None:
        if from_id == self._own:
            return
        if self._bytes + len(data) > BUFFER_BYTES:
            self._counters["gossip_dropped"] += 1
            return
        self._messages.append(GossipMessage(str(ID(from_id)), data))
        self._bytes += len(data)
        self._arrivals.unpark_all()

    def end(self) -> None:
        self._ended = True
        self._arrivals.unpark_all()


class Gossip:
    """Topics of one host."""

    def __init__(self, pubsub: Pubsub, nursery: trio.Nursery, counters: Counter[str]) -> None:
        self._pubsub = pubsub
        self._nursery = nursery
        self._counters = counters
        self._subscriptions: dict[str, TopicSubscription] = {}
        self._pace = trio.Lock()
        self._writing = 0  # RPCs that have left their queue and are not written yet
        write = pubsub.write_msg

        async def counted(stream: INetStream, rpc: rpc_pb2.RPC) -> bool:
            self._writing += 1
            try:
                return await write(stream, rpc)
            finally:
                self._writing -= 1

        pubsub.write_msg = counted  # type: ignore[method-assign, assignment]

    async def subscribe(self, topic: str) -> TopicSubscription:
        if known := self._subscriptions.get(topic):
            return known
        source = await self._pubsub.subscribe(topic)
        subscription = TopicSubscription(self._pubsub.my_id, self._counters)
        self._subscriptions[topic] = subscription

        async def drain() -> None:
            try:
                while True:
                    message = await source.get()
                    subscription.push(message.from_id, message.data)
            except trio.EndOfChannel:
                pass  # unsubscribed
            finally:
                subscription.end()

        self._nursery.start_soon(drain, name=f"drain {topic}")
        return subscription

    async def unsubscribe(self, topic: str) -> None:
        self._subscriptions.pop(topic, None)
        await self._pubsub.unsubscribe(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        async with self._pace:
            await self._wait_for_neighbours()
            try:
                await self._pubsub.publish(topic, data)
            except Exception as error:
                raise PublishError(str(error) or type(error).__name__) from error

    async def flush(self) -> None:
        """Wait until what was published is written to every neighbour."""
        while self._writing or any(map(len, self._pubsub.peer_queues.values())):  # noqa: ASYNC110
            await trio.sleep(BACKLOG_POLL)

    def topic_peers(self, topic: str) -> Sequence[str]:
        return [str(peer) for peer in self._pubsub.peer_topics.get(topic, ())]

    async def _wait_for_neighbours(self) -> None:
        with trio.move_on_after(BACKLOG_PATIENCE) as patience:
            while any(len(q) >= BACKLOG for q in self._pubsub.peer_queues.values()):  # noqa: ASYNC110
                await trio.sleep(BACKLOG_POLL)
        if patience.cancelled_caught:
            self._counters["gossip_slow_neighbour"] += 1
