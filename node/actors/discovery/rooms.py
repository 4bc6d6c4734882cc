"""Looks for members of the joined rooms: asks neighbours about others, and the DHT."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import trio
from google.protobuf.message import DecodeError

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.discovery.exchange_server import is_on_loopback
from p2pchat.node.actors.discovery.findings import Findings
from p2pchat.node.errors import ActorError, RequestRejectedError, StreamError
from p2pchat.node.ports import Network
from p2pchat.node.protocol import peer_exchange
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.peer_exchange import Asking, Whereabouts
from p2pchat.node.protocol.room_search import RoomSearch
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

LOOK = 15.0  # seconds from one look at who is in the rooms to the next ...
LOOK_SOON = 1.0  # ... after somebody came: gossip takes a moment to tell where he is
ASKS_AT_ONCE = 4  # questions under way to neighbours; more wait
FINDS_AT_ONCE = 2  # look-ups under way in the DHT; more wait
ASK_TIMEOUT = 15.0  # seconds; the other side may wait some of them for gossip
FIND_TIMEOUT = 60.0  # seconds
PROVIDERS = 20  # members of one room asked for in the DHT
PROVIDE_AFTER = 1.0  # seconds that a change of rooms waits for the next one
RESET_TIMEOUT = 0.2  # seconds to give a stream up

Spawn = Callable[..., None]


class RoomMembers:
    """`spawn` runs a background task. Without rooms it does nothing at all."""

    def __init__(
        self,
        network: Network,
        dht: ActorRef | None,
        findings: Findings,
        *,
        spawn: Spawn,
        rng: random.Random,
    ) -> None:
        self._network = network
        self._dht = dht
        self._findings = findings
        self._spawn = spawn
        self._asking = Asking(rng)
        self._search = RoomSearch(rng)
        self._topics: dict[str, str] = {}
        self._online = False
        self._look_at: float | None = None
        self._provide_at: float | None = None
        self._bell = Bell()
        self._asks = trio.Semaphore(ASKS_AT_ONCE)
        self._finds = trio.Semaphore(FINDS_AT_ONCE)

    @property
    def topics(self) -> dict[str, str]:
        """The joined rooms with their topics; stays the same object."""
        return self._topics

    # ---- what has happened ----------------------------------------------------------------------------

    def joined(self, rooms: dict[str, str]) -> None:
        """The node is in these rooms, given with their topics, and in no others."""
        now = trio.current_time()
        self._topics.clear()
        self._topics.update(rooms)
        self._asking.keep_only(self._topics)
        self._search.keep(sorted(set(self._topics.values())), now)
        self._provide_at = now + PROVIDE_AFTER
        self._soon(now)

    def came(self) -> None:
        """Somebody was connected, or has said who he is."""
        now = trio.current_time()
        if not self._online:
            # From now on there is somebody to ask.
            self._online = True
            self._search.again(now)
        self._soon(now)

    def went(self) -> None:
        self._online = bool(self._network.connections())
        self._soon(trio.current_time())

    def network_changed(self) -> None:
        now = trio.current_time()
        self._asking.again(now)
        self._search.again(now)
        self._soon(now)

    def _soon(self, now: float) -> None:
        if self._topics:
            soon = now + LOOK_SOON
            self._look_at = soon if self._look_at is None else min(self._look_at, soon)
        self._bell.ring()

    # ---- what to do -----------------------------------------------------------------------------------

    async def run(self) -> None:
        self._online = bool(self._network.connections())
        while True:
            now = trio.current_time()
            self._provide(now)
            self._look(now)
            for room, peer in self._asking.due(now):
                self._spawn(self._ask, room, peer, name=f"ask {peer} about {room}")
            for topic in self._search.due(now) if self._may_search else ():
                self._spawn(self._find, topic, name=f"look for {topic}")
            await self._bell.wait_until(self._next())

    @property
    def _may_search(self) -> bool:
        return self._dht is not None and self._online

    def _next(self) -> float | None:
        times = [self._look_at, self._provide_at, self._asking.next_due()]
        if self._may_search:
            times.append(self._search.next_due())
        return min((time for time in times if time is not None), default=None)

    def _look(self, now: float) -> None:
        """Who is in the rooms, of those who are connected."""
        if self._look_at is None or now < self._look_at:
            return
        self._look_at = now + LOOK if self._topics else None
        for room, topic in self._topics.items():
            neighbours = self._network.topic_peers(topic)
            self._asking.see(room, neighbours, now)
            self._search.see(topic, len(neighbours), now)

    def _provide(self, now: float) -> None:
        if self._provide_at is None or now < self._provide_at:
            return
        self._provide_at = None
        topics = sorted(set(self._topics.values()))
        if self._dht is not None and not self._dht.offer(actors.ProvideTopics(topics=topics)):
            self._provide_at = now + LOOK

    # ---- neighbours -----------------------------------------------------------------------------------

    async def _ask(self, room: str, peer: str) -> None:
        async with self._asks:
            try:
                found = await self._exchange(room, peer)
            except (StreamError, DecodeError, trio.TooSlowError) as error:
                log.debug("%s tells nothing about %r: %s", peer, room, error)
                self._asking.refused(room, peer, trio.current_time())
            else:
                self._asking.answered(room, peer)
                self._findings.count(found)
                await self._findings.tell(found)
        self._bell.ring()

    async def _exchange(self, room: str, peer: str) -> list[Whereabouts]:
        request = wire.PeersRequest(room=room, limit=peer_exchange.MAX_PEERS)
        with trio.fail_after(ASK_TIMEOUT):
            stream = await self._network.open_stream(peer, peer_exchange.PROTOCOL)
            try:
                await stream.write(frame(request.SerializeToString()))
                body = await stream.read_frame(peer_exchange.REPLY_LIMIT)
                reply = wire.PeersReply.FromString(body)
                await stream.close()
            except BaseException:
                with trio.move_on_after(RESET_TIMEOUT, shield=True):
                    await stream.reset()
                raise
        return peer_exchange.read_reply(
            reply,
            from_loopback=is_on_loopback(self._network, peer),
            without=self._findings.without(),
        )

    # ---- the DHT --------------------------------------------------------------------------------------

    async def _find(self, topic: str) -> None:
        async with self._finds:
            try:
                with trio.fail_after(FIND_TIMEOUT):
                    await self._findings.tell(await self._providers(topic))
            except (RequestRejectedError, ActorError, trio.TooSlowError) as error:
                log.debug("nobody found in the DHT for %r: %s", topic, error)
            finally:
                self._search.ended(topic, trio.current_time())
        self._bell.ring()

    async def _providers(self, topic: str) -> list[Whereabouts]:
        assert self._dht is not None
        query = actors.FindProviders(topic=topic, limit=PROVIDERS)
        found = await self._dht.request(query, actors.Providers)
        return [Whereabouts(peer.peer, peer.addresses) for peer in found.peers[:PROVIDERS]]
