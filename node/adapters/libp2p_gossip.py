"""GossipSub on one host: subscriptions that do not drop, publishing that does not flood."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Sequence

import trio
from libp2p.peer.id import ID

from p2pchat.node.adapters.libp2p_pubsub import BoundedPubsub
from p2pchat.node.errors import PublishError
from p2pchat.node.ports import GossipMessage

log = logging.getLogger(__name__)

BACKLOG = 64  # RPCs waiting for one neighbour at which publishing pauses
BACKLOG_PATIENCE = 2.0  # seconds to wait for a slow neighbour before the others go on without it
BACKLOG_POLL = 0.002  # seconds; py-libp2p's queue has no event for "shorter now"
FLUSH_PATIENCE = 5.0  # seconds for neighbours to read what was published
RECENT = 3.0  # seconds that neighbours keep a message for sure; what is older was read long ago
BUFFER_BYTES = 32 * 1024 * 1024  # of one topic, waiting for the reader; more is dropped and counted


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

    def __init__(
        self, pubsub: BoundedPubsub, nursery: trio.Nursery, counters: Counter[str]
    ) -> None:
        self._pubsub = pubsub
        self._nursery = nursery
        self._counters = counters
        self._subscriptions: dict[str, TopicSubscription] = {}
        self._last: dict[str, tuple[bytes, float]] = {}  # topic -> id and time of the last publish
        self._pace = trio.Lock()
        self._slow: set[ID] = set()  # neighbours that nobody waits for any more

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
        self._last.pop(topic, None)
        await self._pubsub.unsubscribe(topic)

    async def publish(self, topic: str, data: bytes) -> None:
        async with self._pace:
            await self._wait_for_neighbours()
            try:
                await self._pubsub.publish(topic, data)
                own_id = self._pubsub.my_id.to_bytes() + self._pubsub.counter.to_bytes(8, "big")
                self._last[topic] = (own_id, trio.current_time())
            except Exception as error:
                raise PublishError(str(error) or type(error).__name__) from error

    async def flush(self) -> None:
        """Wait until what was published lately is read by every neighbour, as far as they answer."""
        with trio.move_on_after(FLUSH_PATIENCE):
            while self._pubsub.writing or any(map(len, self._pubsub.peer_queues.values())):  # noqa: ASYNC110
                await trio.sleep(BACKLOG_POLL)
            async with trio.open_nursery() as nursery:
                for topic, (message_id, at) in self._last.items():
                    if trio.current_time() - at < RECENT:
                        for peer in self._pubsub.peer_topics.get(topic, ()):
                            nursery.start_soon(self._pubsub.until_read, peer, message_id)

    def topic_peers(self, topic: str) -> Sequence[str]:
        return [str(peer) for peer in self._pubsub.peer_topics.get(topic, ())]

    async def _wait_for_neighbours(self) -> None:
        """One that exhausts the patience is not waited for again until it has caught up."""
        self._slow &= self._behind()
        with trio.move_on_after(BACKLOG_PATIENCE):
            while self._behind() - self._slow:  # noqa: ASYNC110
                await trio.sleep(BACKLOG_POLL)
            return
        self._slow |= self._behind()
        self._counters["gossip_slow_neighbour"] += 1

    def _behind(self) -> set[ID]:
        queues = self._pubsub.peer_queues.items()
        return {peer for peer, queue in queues if len(queue) >= BACKLOG}
