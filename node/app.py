"""Composition root: builds adapters and actors, and the supervision tree.

`root -> storage -> network (transport, reachability, dht, discovery, pubsub, sync; one for all) -> delivery -> files
-> search -> ui`
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import trio

from p2pchat.node.actors.delivery.actor import DeliveryActor
from p2pchat.node.actors.delivery.assembly import make_delivery, wall_clock
from p2pchat.node.actors.dht.actor import DhtActor
from p2pchat.node.actors.dht.state import fresh_state
from p2pchat.node.actors.discovery.actor import DiscoveryActor
from p2pchat.node.actors.files.actor import FilesActor
from p2pchat.node.actors.pubsub.actor import PubsubActor
from p2pchat.node.actors.reachability.actor import ReachabilityActor
from p2pchat.node.actors.search import SearchActor
from p2pchat.node.actors.storage import Runner, StorageActor, in_thread
from p2pchat.node.actors.storage_calls import in_thread_left_behind
from p2pchat.node.actors.sync.actor import SyncActor
from p2pchat.node.actors.transport.actor import Interfaces, TransportActor
from p2pchat.node.actors.ui import UiActor
from p2pchat.node.adapters import interfaces
from p2pchat.node.adapters.disk_files import DiskFiles
from p2pchat.node.adapters.dnsaddr import DnsaddrResolver
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.adapters.mdns import Mdns
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.adapters.sqlite_index import SqliteIndex
from p2pchat.node.adapters.upnp import Upnp
from p2pchat.node.config import DEFAULT_LISTEN, PUBLIC_BOOTSTRAP, SMALL_RELAY, NodeConfig
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.ports import (
    Files,
    LocalDiscovery,
    MessageStore,
    Network,
    PortMapper,
    SearchIndex,
)
from p2pchat.node.protocol.address_book import AddressBook
from p2pchat.node.protocol.seal import SealKey
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Child, Strategy, Supervisor, watch
from p2pchat.node.version import program_version
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeHandle:
    """What a front end gets: ask or tell `ui`, read events from `hub.open()`."""

    config: NodeConfig
    identity: Identity
    ui: ActorRef
    hub: EventHub


STOP_DEADLINE = 1.8  # seconds for an ordered stop; whatever still runs then is cancelled

FrontEnd = Callable[[NodeHandle], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Adapters:
    """What a node stands on; tests put in-memory ones here."""

    network: Network
    store: MessageStore
    mdns: LocalDiscovery | None
    run_store: Runner = in_thread
    now_ms: Callable[[], int] = wall_clock
    search_index: SearchIndex | None = None  # None: nothing can be searched
    interfaces: Interfaces | None = None  # None: nobody looks whether the network has changed
    mapper: PortMapper | None = None  # None: no router is asked
    files: Files | None = None  # None: no files are sent and taken


def real_adapters(config: NodeConfig, identity: Identity) -> Adapters:
    """libp2p, RocksDB and multicast DNS as the configuration says."""
    network = Libp2pNetwork(
        identity,
        config.listen,
        config.limits,
        strict_listen=config.listen != DEFAULT_LISTEN,
        relay=config.relay,
    )
    return Adapters(
        network,
        RocksdbStore(config.store_path),
        Mdns() if config.mdns else None,
        search_index=SqliteIndex(config.search_path),
        interfaces=interfaces.addresses,
        mapper=Upnp() if config.upnp else None,
        files=DiskFiles(config.downloads, identity.peer),
    )


async def run_node(
    config: NodeConfig,
    identity: Identity,
    front_end: FrontEnd,
    adapters: Adapters | None = None,
) -> None:
    """Run until `front_end` returns, then stop everything in order.

    The front end starts first, so that there is a screen while libp2p is imported; what it asks of `ui`
    waits in the mailbox until the node is up. Raises `UserError` when the node cannot start, and
    `RestartLimitReachedError` when it cannot go on.
    """
    hub = EventHub()
    tree = build_tree(config, identity, adapters or real_adapters(config, identity), hub)
    ui = next(cell.ref for cell in tree.cells() if cell.name == "ui")
    await run_tree(tree, partial(front_end, NodeHandle(config, identity, ui, hub)), hub)


async def run_tree(
    tree: Supervisor, front_end: Callable[[], Awaitable[None]], hub: EventHub
) -> None:
    """Run a supervision tree until the front end returns, or `STOP_DEADLINE` after that."""
    cells = list(tree.cells())

    def on_stall(cell: ActorCell, seconds: float) -> None:
        text = f"The {cell.name} part of the node has been busy for {seconds:.0f} s; see /info."
        hub.emit(actors.Notice(level=actors.Notice.WARNING, text=text))

    async with trio.open_nursery() as nursery:

        async def keep_front_end() -> None:
            await front_end()
            tree.request_stop()
            await trio.sleep(STOP_DEADLINE)
            log.warning("the node did not stop in %g s", STOP_DEADLINE)
            nursery.cancel_scope.cancel()

        nursery.start_soon(keep_front_end)
        nursery.start_soon(watch, cells, on_stall)
        try:
            await tree.run()
        finally:
            tree.retire()  # whoever still asks hears that there is nobody
            nursery.cancel_scope.cancel()


def build_tree(
    config: NodeConfig, identity: Identity, adapters: Adapters, hub: EventHub
) -> Supervisor:
    """The supervision tree of a node, not yet running."""
    return _NodeWiring(config, identity, adapters, hub).root


class NetworkWiring:
    """The part of the tree that every role has: storage, and the network group.

    References exist before the actors they lead to. What is made here and not in a factory survives a restart of
    the network group: who is where, and what the node is called and in which rooms it is.
    """

    def __init__(
        self,
        config: NodeConfig,
        identity: Identity,
        adapters: Adapters,
        *,
        ui: ActorRef,
        delivery: ActorRef | None = None,
        announce: bool = True,
        always_public: bool = False,
    ) -> None:
        """`ui` and `delivery` hear of peers. Without `announce` the node says nothing of itself in its rooms, and is
        only found in the DHT by who looks for members. `always_public`: it serves the DHT and AutoNAT whatever others
        say of it."""
        self.config = config
        self.identity = identity
        self.adapters = adapters
        self.rng = random.SystemRandom()
        self._ui = ui
        self._delivery = delivery
        self._announce = announce
        self._serve = True if always_public else None
        self._book = AddressBook(identity.peer, self.rng)
        self.self_image = SelfImage(
            config.name,
            rooms={room.name: room.plain for room in config.rooms},
            default_room=config.default_room,
            settled=not config.rejoin,
        )
        self.storage = ActorCell.of("storage", StorageActor, self._make_storage)
        self.transport = ActorCell.of("transport", TransportActor, self._make_transport)
        self.reachability = ActorCell.of("reachability", ReachabilityActor, self._make_reachability)
        self.dht = ActorCell.of("dht", DhtActor, self._make_dht) if config.dht else None
        self._dht_state = fresh_state(adapters.network, self.rng)
        self.discovery = ActorCell.of("discovery", DiscoveryActor, self._make_discovery)
        self.pubsub = ActorCell.of("pubsub", PubsubActor, self._make_pubsub)
        self.sync = ActorCell.of("sync", SyncActor, self._make_sync)
        dht = [self.dht] if self.dht is not None else []
        rest = [self.discovery, self.pubsub, self.sync]
        group: list[Child] = [self.transport, self.reachability, *dht, *rest]
        self.network = Supervisor("network", group, strategy=Strategy.ONE_FOR_ALL, rng=self.rng)

    def _make_storage(self) -> Actor:
        return StorageActor(self.adapters.store, self.adapters.run_store)

    def _make_transport(self) -> Actor:
        return TransportActor(
            self.adapters.network,
            self._book,
            agent=f"p2pchat/{program_version()}",
            storage=self.storage.ref,
            discovery=self.discovery.ref,
            ui=self._ui,
            self_image=self.self_image,
            rng=self.rng,
            now_ms=self.adapters.now_ms,
            delivery=self._delivery,
            pubsub=self.pubsub.ref,
            reachability=self.reachability.ref,
            dht=self.dht_ref,
            interfaces=self.adapters.interfaces,
        )

    @property
    def dht_ref(self) -> ActorRef | None:
        """None when the DHT is switched off."""
        return self.dht.ref if self.dht is not None else None

    def _make_reachability(self) -> Actor:
        dht = [self.dht.ref] if self.dht is not None else []
        return ReachabilityActor(
            self.adapters.network,
            transport=self.transport.ref,
            told=[self.transport.ref, *dht],
            ui=self._ui,
            rng=self.rng,
            serve=self._serve,
            # A mailbox relays as its operator says.
            small_relay=None if self.config.relay or self._serve else SMALL_RELAY,
            mapper=self.adapters.mapper,
            bootstrap=self.config.bootstrap,
            announced=self.config.announce,
        )

    def _make_dht(self) -> Actor:
        return DhtActor(
            self.adapters.network,
            transport=self.transport.ref,
            rng=self.rng,
            now_ms=self.adapters.now_ms,
            server=self._serve,
            state=self._dht_state,
        )

    def _make_discovery(self) -> Actor:
        return DiscoveryActor(
            self.adapters.network,
            bootstrap=self.config.bootstrap,
            chosen_by_user=self.config.bootstrap != PUBLIC_BOOTSTRAP,
            transport=self.transport.ref,
            ui=self._ui,
            local=self.adapters.mdns,
            resolver=DnsaddrResolver(),
            rng=self.rng,
            dht=self.dht_ref,
        )

    def _make_pubsub(self) -> Actor:
        return PubsubActor(
            self.adapters.network,
            author=self.identity.peer_bytes,
            key=self.identity.private_key,
            storage=self.storage.ref,
            ui=self._ui,
            sync=self.sync.ref,
            self_image=self.self_image,
            randomness=os.urandom,
            rng=self.rng,
            room_days=self.config.room_days,
            announce=self._announce,
            discovery=self.discovery.ref,
            now_ms=self.adapters.now_ms,
        )

    def _make_sync(self) -> Actor:
        return SyncActor(
            self.adapters.network,
            self.config.sync,
            storage=self.storage.ref,
            pubsub=self.pubsub.ref,
            ui=self._ui,
            rng=self.rng,
            now_ms=self.adapters.now_ms,
        )


class _NodeWiring:
    """What a node has besides: direct messages, and somebody to serve front ends."""

    def __init__(
        self, config: NodeConfig, identity: Identity, adapters: Adapters, hub: EventHub
    ) -> None:
        self._config = config
        self._identity = identity
        self._hub = hub
        self._ui = ActorCell.of("ui", UiActor, self._make_ui)
        self._delivery = ActorCell.of("delivery", DeliveryActor, self._make_delivery)
        self._files = ActorCell.of("files", FilesActor, self._make_files)
        self._search = ActorCell.of("search", SearchActor, self._make_search)
        self._base = NetworkWiring(
            config, identity, adapters, ui=self._ui.ref, delivery=self._delivery.ref
        )
        base = self._base
        files = [self._files] if adapters.files is not None else []
        rest = [self._delivery, *files, self._search, self._ui]
        children: list[Child] = [base.storage, base.network, *rest]
        self.root = Supervisor("root", children, rng=self._base.rng, root=True)

    def _make_delivery(self) -> Actor:
        base = self._base
        return make_delivery(
            self._config,
            author=self._identity.peer_bytes,
            key=self._identity.private_key,
            seal_key=SealKey.derive(self._identity.seed),
            network=base.adapters.network,
            storage=base.storage.ref,
            transport=base.transport.ref,
            ui=self._ui.ref,
            nick=lambda: base.self_image.name,
            rng=base.rng,
            now_ms=base.adapters.now_ms,
            dht=base.dht_ref,
            pubsub=base.pubsub.ref,
            files=self._files_ref,
        )

    @property
    def _files_ref(self) -> ActorRef | None:
        return self._files.ref if self._base.adapters.files is not None else None

    def _make_files(self) -> Actor:
        base = self._base
        assert base.adapters.files is not None
        run = base.adapters.run_store
        return FilesActor(
            network=base.adapters.network,
            files=base.adapters.files,
            run=run,
            run_long=in_thread_left_behind if run is in_thread else run,
            storage=base.storage.ref,
            transport=base.transport.ref,
            delivery=self._delivery.ref,
            ui=self._ui.ref,
            policy=self._config.files,
            now_ms=base.adapters.now_ms,
            rng=base.rng,
        )

    def _make_search(self) -> Actor:
        return SearchActor(
            self._base.adapters.search_index,
            me=self._search.ref,
            storage=self._base.storage.ref,
            randomness=os.urandom,
        )

    def _make_ui(self) -> Actor:
        return UiActor(
            peer=self._identity.peer,
            data_dir=self._config.data_dir,
            storage=self._base.storage.ref,
            transport=self._base.transport.ref,
            discovery=self._base.discovery.ref,
            pubsub=self._base.pubsub.ref,
            delivery=self._delivery.ref,
            search=self._search.ref,
            files=self._files_ref,
            sync=self._base.sync.ref,
            reachability=self._base.reachability.ref,
            dht=self._base.dht_ref,
            hub=self._hub,
            now_ms=self._base.adapters.now_ms,
            actor_stats=lambda: [cell.stats() for cell in self.root.cells()],
        )
