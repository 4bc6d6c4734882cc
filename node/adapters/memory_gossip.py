"""Gossip of one run of a memory network: flooding to subscribed neighbours, each message passed on once."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import trio

from p2pchat.node.adapters.memory_link import End
from p2pchat.node.ports import GossipMessage

NEIGHBOUR_QUEUE = 32  # messages under way to a neighbour; full: publish() waits, forwarding drops
SUBSCRIPTION_QUEUE = (
    4096  # messages nobody has taken yet; full: the next one is dropped and counted
)
SEEN_MESSAGES = 10_000  # message ids remembered


@dataclass(frozen=True, slots=True)
class Rumour:
    """A gossip message on its way."""

    id: int
    topic: str
    message: GossipMessage


class MemorySubscription:
    """A joined topic; ends when it is left or the run ends."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[GossipMessage](SUBSCRIPTION_QUEUE)

    def __aiter__(self) -> MemorySubscription:
        return self

    async def __anext__(self) -> GossipMessage:
        try:
            return await self._receive.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    def push(self, message: GossipMessage) -> bool:
        """False when there is no room."""
        try:
            self._send.send_nowait(message)
        except trio.WouldBlock:
            return False
        return True

    def end(self) -> None:
        self._send.close()


class MemoryGossip:
    """The topics of one run; `ends` are the live connections by peer."""

    def __init__(
        self,
        peer: str,
        ends: Mapping[str, End],
        new_message_id: Callable[[], int],
        counters: Counter[str],
    ) -> None:
        self._peer = peer
        self._ends = ends
        self._new_message_id = new_message_id
        self._counters = counters
        self._topics: dict[str, MemorySubscription] = {}
        self._seen: OrderedDict[int, None] = OrderedDict()

    def introduce(self, end: End) -> None:
        """Tell a new neighbour what is subscribed."""
        for topic in self._topics:
            end.send(partial(end.other.topics.setdefault, topic))

    def subscribe(self, topic: str) -> MemorySubscription:
        if topic not in self._topics:
            self._topics[topic] = MemorySubscription()
            for end in self._ends.values():
                end.send(partial(end.other.topics.setdefault, topic))
        return self._topics[topic]

    def unsubscribe(self, topic: str) -> None:
        subscription = self._topics.pop(topic, None)
        if subscription is not None:
            subscription.end()
            for end in self._ends.values():
                end.send(partial(end.other.topics.pop, topic, None))

    def end(self) -> None:
        for subscription in self._topics.values():
            subscription.end()

    async def publish(self, topic: str, data: bytes) -> None:
        rumour = Rumour(self._new_message_id(), topic, GossipMessage(self._peer, data))
        self._remember(rumour.id)
        for end in self._listeners(topic):
            while end.alive and end.gossip_under_way >= NEIGHBOUR_QUEUE:
                await end.gossip_space.park()
            self._pass_on(end, rumour)

    async def flush(self) -> None:
        for end in list(self._ends.values()):
            while end.alive and end.gossip_under_way:
                await end.gossip_space.park()

    def receive(self, rumour: Rumour, sender: End) -> None:
        subscription = self._topics.get(rumour.topic)
        if subscription is None or rumour.id in self._seen:
            return
        self._remember(rumour.id)
        self._counters["gossip_dropped"] += not subscription.push(rumour.message)
        for end in self._listeners(rumour.topic):
            if end.peer == sender.peer:
                continue
            if end.gossip_under_way < NEIGHBOUR_QUEUE:
                self._pass_on(end, rumour)
            else:
                self._counters["gossip_dropped"] += 1

    def peers(self, topic: str) -> list[str]:
        return [end.peer for end in self._listeners(topic)]

    def _listeners(self, topic: str) -> list[End]:
        return [end for end in self._ends.values() if topic in end.topics]

    def _pass_on(self, end: End, rumour: Rumour) -> None:
        end.gossip_under_way += 1
        end.send(partial(_arrive, rumour, end))

    def _remember(self, message_id: int) -> None:
        self._seen[message_id] = None
        if len(self._seen) > SEEN_MESSAGES:
            self._seen.popitem(last=False)


def _arrive(rumour: Rumour, end: End) -> None:
    end.gossip_under_way -= 1
    end.gossip_space.unpark_all()
    if not end.other.incoming.weather.loses():
        end.other.host.hear(rumour, end.other)
