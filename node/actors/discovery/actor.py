"""Says who is where, and dials nobody itself."""

from __future__ import annotations

import random
from collections.abc import Sequence

from p2pchat.node.actors.discovery.bootstrap import Bootstrap
from p2pchat.node.actors.discovery.exchange_server import ExchangeServer
from p2pchat.node.actors.discovery.findings import Findings
from p2pchat.node.actors.discovery.nearby import Nearby
from p2pchat.node.actors.discovery.rooms import RoomMembers
from p2pchat.node.ports import LocalDiscovery, Network, Resolver
from p2pchat.node.protocol.peer_exchange import PROTOCOL
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors


class DiscoveryActor(Actor):
    """Tells transport of every peer it hears of; transport decides whom to dial and when to try again.

    `bootstrap` are multiaddrs that end in `/p2p/<peer id>`; when the user chose them he wants to hear of those that
    cannot be reached. Without `local` nobody is looked for nearby, and without `dht` nobody far away whom no
    neighbour knows.
    """

    mailbox_size = 256

    def __init__(
        self,
        network: Network,
        *,
        bootstrap: Sequence[str],
        chosen_by_user: bool,
        transport: ActorRef,
        ui: ActorRef,
        local: LocalDiscovery | None,
        resolver: Resolver,
        rng: random.Random,
        dht: ActorRef | None = None,
    ) -> None:
        self._network = network
        self._chosen_by_user = chosen_by_user
        self._transport = transport
        self._ui = ui
        self._bootstrap = Bootstrap(
            bootstrap, network=network, resolver=resolver, tell=self._tell_bootstrap, rng=rng
        )
        self._nearby = Nearby(local, tell=self._tell_nearby, hint=self._hint) if local else None
        self._findings = Findings(network, transport)
        self._rooms = RoomMembers(network, dht, self._findings, spawn=self.spawn, rng=rng)
        self._server = ExchangeServer(network, transport, self._rooms.topics, rng=rng)

    async def started(self) -> None:
        self._network.handle(PROTOCOL, self._server.serve)
        self.spawn(self._bootstrap.run, name="bootstrap")
        self.spawn(self._rooms.run, name="members of rooms")
        if self._nearby is not None:
            self.spawn(self._nearby.look, name="mDNS")
            self.spawn(self._nearby.tell_finds, name="mDNS finds")

    @handles(actors.Listening)
    async def _advertise(self, listening: actors.Listening) -> None:
        if self._nearby is not None:
            self._nearby.announce(listening)

    @handles(actors.RoomsChanged)
    async def _rooms_changed(self, change: actors.RoomsChanged) -> None:
        self._rooms.joined({entry.room: entry.topic for entry in change.rooms})

    @handles(actors.PeerConnected)
    async def _came(self, _: actors.PeerConnected) -> None:
        self._rooms.came()

    @handles(actors.PeerNamed)
    async def _named(self, _: actors.PeerNamed) -> None:
        self._rooms.came()

    @handles(actors.PeerDisconnected)
    async def _went(self, _: actors.PeerDisconnected) -> None:
        self._rooms.went()

    @handles(actors.NetworkChanged)
    async def _network_changed(self, _: actors.NetworkChanged) -> None:
        self._bootstrap.network_changed()
        self._rooms.network_changed()

    @handles(actors.DescribeDiscovery)
    async def _describe(self, _: actors.DescribeDiscovery) -> actors.DiscoveryDescription:
        nearby = self._nearby
        return actors.DiscoveryDescription(
            bootstrap_peers=len(self._bootstrap),
            bootstrap_connected=self._bootstrap.connected(),
            bootstrap_public=bool(len(self._bootstrap)) and not self._chosen_by_user,
            mdns=nearby is not None,
            mdns_found=len(nearby) if nearby is not None else 0,
            mdns_problem=nearby.problem if nearby is not None else "",
            exchanged=self._findings.exchanged,
        )

    # ---- what is found --------------------------------------------------------------------------------

    async def _tell_bootstrap(self, peer: str, addresses: Sequence[str]) -> None:
        source = actors.USER if self._chosen_by_user else actors.BOOTSTRAP
        await self._transport.tell(actors.PeerFound(peer=peer, addresses=addresses, source=source))

    async def _tell_nearby(self, peer: str, addresses: Sequence[str]) -> None:
        await self._transport.tell(
            actors.PeerFound(peer=peer, addresses=addresses, source=actors.MDNS)
        )

    def _hint(self, text: str) -> None:
        self._ui.offer(actors.Notice(level=actors.Notice.HINT, text=text))
