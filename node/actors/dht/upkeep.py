"""Says again and again what others shall know of us, and keeps the routing table good."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.dht.finding import put_request
from p2pchat.node.actors.dht.neighbours import Neighbours
from p2pchat.node.actors.dht.state import DhtState
from p2pchat.node.actors.dht.walks import Walks
from p2pchat.node.protocol.kad import keys
from p2pchat.node.protocol.kad.chores import BUNDLE, Chore, Provide, Publish, Refresh
from p2pchat.node.protocol.kad.limits import BETA, REPLICAS
from p2pchat.node.protocol.kad.peers import KadPeer, to_wire
from p2pchat.proto import kad_pb2 as kad
from p2pchat.proto import wire_pb2 as wire

Type = kad.Message.Type

CHORES_AT_ONCE = 3  # look-ups that nobody waits for; more wait
SETTLE = 1.5  # seconds for changes of addresses to come to rest before others hear of them
RANDOM_BUCKETS = 3  # looked into with each refresh
STALE_AFTER = (
    1800.0  # seconds without a word until a peer in the table is asked whether it is there
)
STALE_AT_ONCE = 5  # of these, with each refresh


LOOK_EVERY = 60.0  # seconds from one look at who is connected to the next, while too few are known


class Upkeep:
    """Runs chores when they are due; as long as nobody is in the table it only looks whether somebody is there."""

    def __init__(
        self,
        state: DhtState,
        walks: Walks,
        neighbours: Neighbours,
        *,
        rng: random.Random,
        now_ms: Callable[[], int],
    ) -> None:
        self._state = state
        self._ourselves = state.ourselves
        self._walks = walks
        self._neighbours = neighbours
        self._look_at = float("-inf")
        self._rng = rng
        self._now_ms = now_ms
        self._bell = Bell()
        self._free = trio.Semaphore(CHORES_AT_ONCE)

    def server_found(self, *, new: bool) -> None:
        """A peer that can be asked is connected; `new`: it was not known before."""
        chores, soon = self._state.chores, trio.current_time() + self._soon()
        if Refresh() not in chores or (new and len(self._state.table) <= BETA):
            chores.want(Refresh(), soon)
        chores.somebody_is_there(soon)
        self._bell.ring()

    def provide(self, topics: Sequence[str]) -> None:
        """In these and no others."""
        before = set(self._ourselves.topics)
        self._ourselves.be_in(topics)
        now = set(self._ourselves.topics)
        for topic in before - now:
            self._state.chores.drop(Provide(topic))
        for topic in now - before:
            self._state.chores.want(Provide(topic), trio.current_time() + BUNDLE)
        self._bell.ring()

    def publish(self, record: wire.MailboxRecord) -> None:
        """The own record from now on, unless a newer one is known already."""
        known = self._ourselves.record
        if known is not None and (record == known or record.sequence < known.sequence):
            return
        self._ourselves.record, self._state.record_taken = record, False
        self._state.chores.want(Publish(), trio.current_time())
        self._bell.ring()

    def everything_again(self) -> None:
        """Where we are has changed, or who can be reached."""
        self._state.chores.want_all(trio.current_time() + SETTLE)
        self._bell.ring()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                self._look_around()
                if len(self._state.table):
                    for chore in self._state.chores.take(trio.current_time()):
                        nursery.start_soon(self._do, chore)
                await self._bell.wait_until(self._next_due())

    def _look_around(self) -> None:
        if self._knows_enough or trio.current_time() < self._look_at:
            return
        self._look_at = trio.current_time() + LOOK_EVERY
        if self._neighbours.look():
            self.server_found(new=True)

    @property
    def _knows_enough(self) -> bool:
        return len(self._state.table) >= BETA

    def _next_due(self) -> float | None:
        due = self._state.chores.next_due() if len(self._state.table) else None
        times = [due, None if self._knows_enough else self._look_at]
        return min((time for time in times if time is not None), default=None)

    async def _do(self, chore: Chore) -> None:
        async with self._free:
            match chore:
                case Refresh():
                    reached = await self._refresh()
                case Provide(topic):
                    reached = await self._provide(topic)
                case Publish():
                    reached = await self._publish()
        self._state.chores.finished(chore, reached, trio.current_time())
        self._bell.ring()

    def _soon(self) -> float:
        """Seconds; nodes that start together shall not ask together."""
        return self._rng.uniform(0.5, 1.5) * BUNDLE

    # ---- the table ----------------------------------------------------------------------------------

    async def _refresh(self) -> int:
        self._expire()
        self._neighbours.look()
        closest = await self._look_up(self._state.own, REPLICAS)
        if closest:
            self._state.refreshed_ms = self._now_ms()
        # Who only asks is in nobody's table: the peers near to us shall know where we are all the same.
        await self._tell_provider(self._state.own, closest)
        if len(closest) >= REPLICAS:  # else there is nobody else
            await self._look_into_buckets()
        await self._ask_stale()
        return len(closest)

    def _expire(self) -> None:
        now = trio.current_time()
        self._state.records.expire(now)
        self._state.providers.expire(now)

    async def _look_into_buckets(self) -> None:
        deepest = max(self._state.table.buckets, default=0)
        indices = range(min(deepest, keys.MOST_RANDOM_BITS) + 1)
        near = keys.position(self._state.own)
        for index in self._rng.sample(indices, min(RANDOM_BUCKETS, len(indices))):
            await self._look_up(keys.random_key(near, index, self._rng), BETA)

    async def _ask_stale(self) -> None:
        before = trio.current_time() - STALE_AFTER
        request = kad.Message(type=Type.FIND_NODE, key=self._state.own)
        for peer in self._state.table.stale(before, STALE_AT_ONCE, trio.current_time()):
            await self._walks.ask(peer, request)

    async def _look_up(self, key: bytes, enough: int) -> list[KadPeer]:
        request = kad.Message(type=Type.FIND_NODE, key=key)
        return await self._walks.begin(request, enough=enough).run()

    # ---- what others shall know ---------------------------------------------------------------------

    async def _provide(self, topic: str) -> int:
        key = keys.topic_key(topic)
        closest = await self._look_up(key, REPLICAS)
        if not self._ourselves.provides(key):
            return 0  # left meanwhile
        return await self._tell_provider(key, closest)

    async def _tell_provider(self, key: bytes, closest: Sequence[KadPeer]) -> int:
        own = self._ourselves.here
        if not own.addresses:
            return 0  # nobody keeps that
        message = kad.Message(type=Type.ADD_PROVIDER, key=key)
        message.provider_peers.append(to_wire(own, kad.Message.CONNECTED))
        return await self._walks.tell(closest, message)

    async def _publish(self) -> int:
        key = self._ourselves.record_key
        value = self._ourselves.value(key)
        if value is None:
            return 0
        # Not FIND_NODE: py-libp2p takes no keys of that length there.
        closest = await self._walks.begin(kad.Message(type=Type.GET_VALUE, key=key)).run()
        taken = await self._walks.put(closest, put_request(key, value))
        if taken and value == self._ourselves.value(key):
            self._state.record_taken = True
        return taken
