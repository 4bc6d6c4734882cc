"""Our DHT on a real host: the DHT's actor, and in the place of transport one that dials and tells who said what."""

from __future__ import annotations

import random
import time

import trio

from p2pchat.node.actors.dht.actor import DhtActor
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.errors import DialError, RequestRejectedError
from p2pchat.node.ports import PeerDown, PeerIdentified
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors

SEED = 7
POLL = 0.05  # seconds


class PlayedTransport(Actor):
    def __init__(self, network: Libp2pNetwork, dht: ActorRef) -> None:
        self._network = network
        self._dht = dht

    async def started(self) -> None:
        self.spawn(self._pass_events_on, name="peer events")

    @handles(actors.Connect)
    async def _connect(self, command: actors.Connect) -> actors.Done:
        try:
            await self._network.dial(command.peer, command.addresses)
        except DialError as error:
            raise RequestRejectedError(actors.NETWORK_FAILED, str(error)) from error
        return actors.Done()

    async def _pass_events_on(self) -> None:
        async for event in self._network.peer_events():
            if isinstance(event, PeerIdentified):
                await self._identified(event.peer)
            elif isinstance(event, PeerDown):
                await self._dht.tell(actors.PeerDisconnected(peer=event.peer))

    async def _identified(self, peer: str) -> None:
        if (known := self._network.identified(peer)) is not None:
            event = actors.PeerIdentified(
                peer=peer, protocols=known.protocols, addresses=known.addresses
            )
            await self._dht.tell(event)


class DhtNode:
    """Serves, and asks. `run` it while `network` runs."""

    def __init__(self, network: Libp2pNetwork) -> None:
        self.network = network
        self._dht = ActorCell.of("dht", DhtActor, self._make)
        dial = PlayedTransport(network, self._dht.ref)
        self._transport = ActorCell.of("transport", PlayedTransport, lambda: dial)
        self._tree = Supervisor("root", [self._transport, self._dht], root=True)

    def _make(self) -> Actor:
        return DhtActor(
            self.network,
            transport=self._transport.ref,
            rng=random.Random(SEED),
            now_ms=lambda: int(time.time() * 1000),
            server=True,
        )

    async def run(self) -> None:
        await self._tree.run()

    async def find_peer(self, peer: str) -> list[str]:
        """Its addresses. Raises `RequestRejectedError` when nobody knows."""
        found = await self._dht.ref.request(actors.FindPeer(peer=peer), actors.PeerAddresses)
        return list(found.addresses)

    async def provide(self, topic: str) -> None:
        """Returns before others know that we are in that room."""
        await self._dht.ref.request(actors.ProvideTopics(topics=[topic]), actors.Done)

    async def find_providers(self, topic: str) -> list[str]:
        """The peer ids of those in a room."""
        asked = actors.FindProviders(topic=topic, limit=10)
        found = await self._dht.ref.request(asked, actors.Providers)
        return [each.peer for each in found.peers]

    async def knows_servers(self, count: int) -> None:
        """Waits until there are so many in the routing table."""
        while (await self._describe()).table < count:
            await trio.sleep(POLL)

    async def _describe(self) -> actors.DhtDescription:
        return await self._dht.ref.request(actors.DescribeDht(), actors.DhtDescription)
