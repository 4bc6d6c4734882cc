"""A discovery actor on the memory network, between a transport, a DHT and a front end that only write things down."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from p2pchat.node.actors.discovery.actor import DiscoveryActor
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.errors import NetworkError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import LocalDiscovery, PeerDown, PeerUp
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

IDS = [Identity(bytes([n]) * 32).peer for n in range(1, 100)]
OWN, PEER, OTHER = IDS[:3]


def at(number: int, peer: str = PEER) -> str:
    return f"/ip4/192.0.2.{number}/tcp/4001/p2p/{peer}"


class FakeTransport(Actor):
    """Writes down who was found; sees nothing while `gate` is shut. Passes on who comes and goes."""

    mailbox_size = 1

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def started(self) -> None:
        self.spawn(self._watch)

    async def _watch(self) -> None:
        async for event in self._scene.network.peer_events():
            if isinstance(event, PeerUp):
                self._scene.discovery.offer(actors.PeerConnected(peer=event.peer))
            elif isinstance(event, PeerDown):
                self._scene.discovery.offer(actors.PeerDisconnected(peer=event.peer))

    @handles(actors.PeerFound)
    async def _found(self, found: actors.PeerFound) -> None:
        await self._scene.gate.wait()
        self._scene.told.append(found)

    @handles(actors.ListAddresses)
    async def _list(self, query: actors.ListAddresses) -> actors.AddressList:
        known = self._scene.addresses
        return actors.AddressList(
            peers=[
                actors.PeerAddresses(peer=peer, addresses=known[peer])
                for peer in query.peers
                if peer in known
            ]
        )


class FakeUi(Actor):
    def __init__(self, notices: list[str]) -> None:
        self._notices = notices

    @handles(actors.Notice)
    async def _notice(self, notice: actors.Notice) -> None:
        self._notices.append(notice.text)


class FakeDht(Actor):
    """Knows who is in which room, and writes down what it is asked and told."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    @handles(actors.ProvideTopics)
    async def _provide(self, command: actors.ProvideTopics) -> None:
        self._scene.provided.append(list(command.topics))

    @handles(actors.FindProviders)
    async def _find(self, query: actors.FindProviders) -> actors.Providers | actors.Rejected:
        self._scene.searches.append((trio.current_time(), query.topic))
        found = self._scene.providers.get(query.topic)
        if found is None:
            return actors.Rejected(reason=actors.UNKNOWN_PEER, detail="nobody")
        return actors.Providers(peers=found)


class FakeNames:
    """A resolver that fails `failures` times for each name."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[tuple[float, str]] = []
        self._failures = failures

    async def __call__(self, address: str) -> Sequence[str]:
        self.asked.append((trio.current_time(), address))
        if len(self.asked) <= self._failures:
            raise NetworkError("no network")
        return [at(7), at(8)]


class FakeLocal:
    """Local discovery that the test speaks for."""

    def __init__(self) -> None:
        self.announced: list[Sequence[str]] = []
        self.runs = 0

    def announce(self, addresses: Sequence[str]) -> None:
        self.announced.append(list(addresses))

    async def run(
        self,
        peer: str,
        found: Callable[[str, Sequence[str]], None],
        report: Callable[[str], None],
    ) -> None:
        self.runs += 1
        self.peer, self.found, self.report = peer, found, report
        await trio.sleep_forever()


@dataclass
class Scene:
    """The actor under test, and what the others were told."""

    hub: MemoryHub
    network: MemoryNetwork
    nursery: trio.Nursery
    discovery: ActorRef = field(init=False)
    told: list[actors.PeerFound] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    gate: trio.Event = field(default_factory=trio.Event)
    addresses: dict[str, list[str]] = field(default_factory=dict)  # what the transport knows
    providers: dict[str, list[actors.PeerAddresses]] = field(default_factory=dict)
    provided: list[list[str]] = field(default_factory=list)
    searches: list[tuple[float, str]] = field(default_factory=list)

    async def listening(self, *addresses: str) -> None:
        await self.discovery.tell(actors.Listening(peer=OWN, addresses=addresses))
        await settled()

    async def describe(self) -> actors.DiscoveryDescription:
        return await self.discovery.ask(actors.DescribeDiscovery(), actors.DiscoveryDescription)

    async def join(self, *rooms: str) -> None:
        """From now on in these rooms, and in no others; a room's topic is its name with "t-" before it."""
        for room in rooms:
            await self.network.subscribe(topic(room))
        listed = [actors.RoomTopic(room=room, topic=topic(room)) for room in rooms]
        await self.discovery.tell(actors.RoomsChanged(rooms=listed))

    async def neighbour(self, peer: str, *rooms: str) -> MemoryNetwork:
        """A connected peer without any actors."""
        network = MemoryNetwork(self.hub, peer, [self.hub.new_address()])
        await self.nursery.start(network.run)
        for room in rooms:
            await network.subscribe(topic(room))
        await network.dial(self.network.peer, self.network.listen_addresses())
        return network

    def told_rooms(self) -> dict[str, list[str]]:
        """Who was said to be in a room, and where."""
        return {
            found.peer: list(found.addresses) for found in self.told if found.source == actors.ROOM
        }


def topic(room: str) -> str:
    return f"t-{room}"


async def settled() -> None:
    """Everything that can happen without waiting has happened."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def playing(
    *,
    bootstrap: Sequence[str] = (),
    chosen_by_user: bool = False,
    names: FakeNames | None = None,
    local: LocalDiscovery | None = None,
    gate_open: bool = True,
    dht: bool = False,
    hub: MemoryHub | None = None,
    peer: str = OWN,
) -> AsyncIterator[Scene]:
    hub = hub or MemoryHub(seed=1)
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(hub, peer, [hub.new_address()])
        scene = Scene(hub, network, nursery)
        if gate_open:
            scene.gate.set()
        transport = ActorCell.of("transport", FakeTransport, lambda: FakeTransport(scene))
        ui = ActorCell.of("ui", FakeUi, lambda: FakeUi(scene.notices))
        far = ActorCell.of("dht", FakeDht, lambda: FakeDht(scene))
        cell = ActorCell.of(
            "discovery",
            DiscoveryActor,
            lambda: DiscoveryActor(
                network,
                bootstrap=bootstrap,
                chosen_by_user=chosen_by_user,
                transport=transport.ref,
                ui=ui.ref,
                local=local,
                resolver=names or FakeNames(),
                rng=random.Random(1),
                dht=far.ref if dht else None,
            ),
        )
        scene.discovery = cell.ref
        await nursery.start(network.run)
        for each in (transport, ui, far, cell):
            await nursery.start(each.run)
        await settled()
        yield scene
        nursery.cancel_scope.cancel()
