"""Owns the DHT: asks in it for the rest of the node, and serves it when the node can be reached."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.dht.finding import Finder
from p2pchat.node.actors.dht.neighbours import Neighbours
from p2pchat.node.actors.dht.questions import Questions
from p2pchat.node.actors.dht.serving import Serving
from p2pchat.node.actors.dht.state import DhtState, fresh_state
from p2pchat.node.actors.dht.upkeep import Upkeep
from p2pchat.node.actors.dht.walks import Walks
from p2pchat.node.actors.lanes import Desk, Lane
from p2pchat.node.ports import Network
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.kad.limits import KAD_PROTOCOL
from p2pchat.node.protocol.kad.peers import KadPeer, tidied
from p2pchat.node.protocol.kad.server import KadServer
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

FINDS_AT_ONCE = 4  # look-ups of each kind side by side; more wait


class DhtActor(Actor):
    """Joins look-ups, upkeep and serving to the `Network` port."""

    mailbox_size = 256  # letters; news come in swarms, and what finds it full is lost

    def __init__(
        self,
        network: Network,
        *,
        transport: ActorRef,
        rng: random.Random,
        now_ms: Callable[[], int],
        server: bool | None,
        state: DhtState | None = None,
    ) -> None:
        """`transport` dials. `server`: answer others; None: while they can reach us. `state` outlives the actor."""
        self._network = network
        self._fixed = server
        self._server = False
        self._state = state or fresh_state(network, rng)
        questions = Questions(network, transport, self._state.counters)
        self._neighbours = Neighbours(network, self._state)
        walks = Walks(self._neighbours, self._state, questions)
        self._finder = Finder(self._state, walks, self.spawn, now_ms)
        self._upkeep = Upkeep(
            self._state,
            walks,
            self._neighbours,
            rng=rng,
            now_ms=now_ms,
        )
        self._serving = Serving(
            self._kad_server(),
            is_server=lambda: self._server,
            counters=self._state.counters,
            now_ms=now_ms,
        )
        self._reachability = actors.UNKNOWN
        self._announced: frozenset[str] = frozenset()
        self._desk = Desk(on_unheard=lambda rejected: log.debug("%s", rejected.detail))
        self._lanes: dict[type[Message], Lane] = {
            kind: self._desk.lane(begin, FINDS_AT_ONCE)
            for kind, begin in (
                (actors.FindPeer, self._begin_peer),
                (actors.FindProviders, self._begin_providers),
                (actors.FindRecord, self._begin_record),
            )
        }

    def _kad_server(self) -> KadServer:
        state = self._state
        return KadServer(
            state.ourselves,
            state.table,
            state.records,
            state.providers,
            state.whereabouts,
        )

    async def receive(self, letters: Sequence[Letter]) -> None:
        lane = self._lanes.get(type(letters[0].message))
        if lane is None:
            await super().receive(letters)
            return
        for letter in letters:
            lane.put(letter)

    async def started(self) -> None:
        self._state.whereabouts.all_gone(trio.current_time())
        self._state.chores.none_runs(trio.current_time())
        self._serve(bool(self._fixed))
        self.spawn(self._desk.run, name="DHT desk")
        self.spawn(self._upkeep.run, name="DHT upkeep")

    async def stopping(self) -> None:
        self._serve(False)

    # ---- look-ups -----------------------------------------------------------------------------------

    async def _begin_peer(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.FindPeer)
        return partial(self._finder.peer, message.peer)

    async def _begin_providers(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.FindProviders)
        return partial(self._finder.providers, message.topic, message.limit)

    async def _begin_record(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.FindRecord)
        return partial(self._finder.record, message.peer)

    # ---- what others shall know ---------------------------------------------------------------------

    @handles(actors.ProvideTopics)
    async def _provide(self, command: actors.ProvideTopics) -> actors.Done:
        self._upkeep.provide(command.topics)
        return actors.Done()

    @handles(actors.PublishRecord)
    async def _publish(self, command: actors.PublishRecord) -> actors.Done:
        self._upkeep.publish(command.record)
        return actors.Done()

    # ---- what happens -------------------------------------------------------------------------------

    @handles(actors.PeerIdentified)
    async def _identified(self, event: actors.PeerIdentified) -> None:
        peer = KadPeer(peer_id.from_text(event.peer), tidied(event.addresses))
        new = peer.peer not in self._state.table
        if self._neighbours.identified(peer, event.protocols):
            self._upkeep.server_found(new=new)
        self._look_at_addresses()

    @handles(actors.PeerDisconnected)
    async def _disconnected(self, event: actors.PeerDisconnected) -> None:
        self._state.whereabouts.gone(peer_id.from_text(event.peer), trio.current_time())

    @handles(actors.ReachabilityChanged)
    async def _reachability_changed(self, event: actors.ReachabilityChanged) -> None:
        if self._fixed is None:
            self._serve(event.reachability == actors.PUBLIC)
        if event.reachability != self._reachability:
            self._reachability = event.reachability
            self._say_again()
        self._look_at_addresses()

    @handles(actors.NetworkChanged)
    async def _network_changed(self, _: actors.NetworkChanged) -> None:
        self._say_again()

    @handles(actors.AddressesChanged)
    async def _addresses_changed(self, _: actors.AddressesChanged) -> None:
        self._look_at_addresses()

    def _look_at_addresses(self) -> None:
        if frozenset(self._state.ourselves.here.addresses) != self._announced:
            self._say_again()

    def _say_again(self) -> None:
        self._announced = frozenset(self._state.ourselves.here.addresses)
        self._upkeep.everything_again()

    @handles(actors.DescribeDht)
    async def _describe(self, _: actors.DescribeDht) -> actors.DhtDescription:
        state = self._state
        return actors.DhtDescription(
            server=self._server,
            table=len(state.table),
            buckets=len(state.table.buckets),
            records=len(state.records),
            provided=len(state.providers),
            refreshed_ms=state.refreshed_ms,
            topics=len(state.ourselves.topics),
            record=state.record_taken,
            counters={name: count for name, count in state.counters.items() if count},
        )

    # ---- serving ------------------------------------------------------------------------------------

    def _serve(self, serve: bool) -> None:
        self._server = serve
        if serve:
            self._network.handle(KAD_PROTOCOL, self._serving.serve)
        else:
            self._network.stop_handling(KAD_PROTOCOL)
