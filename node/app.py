"""Composition root: builds adapters and actors, and the supervision tree.

`root -> storage -> network (transport, discovery, pubsub; one for all) -> ui`
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import trio

from p2pchat.node.actors.discovery import DiscoveryActor
from p2pchat.node.actors.pubsub import PubsubActor
from p2pchat.node.actors.storage import Runner, StorageActor, in_thread
from p2pchat.node.actors.transport import TransportActor
from p2pchat.node.actors.ui import UiActor
from p2pchat.node.adapters.dnsaddr import DnsaddrResolver
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.adapters.mdns import Mdns
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.config import DEFAULT_LISTEN, PUBLIC_BOOTSTRAP, NodeConfig
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.ports import LocalDiscovery, MessageStore, Network
from p2pchat.node.protocol.address_book import AddressBook
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Strategy, Supervisor, watch
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


def real_adapters(config: NodeConfig, identity: Identity) -> Adapters:
    """libp2p, RocksDB and multicast DNS as the configuration says."""
    network = Libp2pNetwork(
        identity, config.listen, config.limits, strict_listen=config.listen != DEFAULT_LISTEN
    )
    return Adapters(network, RocksdbStore(config.store_path), Mdns() if config.mdns else None)


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
    cells = {cell.name: cell for cell in tree.cells()}

    def on_stall(cell: ActorCell, seconds: float) -> None:
        text = f"The {cell.name} part of the node has been busy for {seconds:.0f} s; see /info."
        hub.emit(actors.Notice(level=actors.Notice.WARNING, text=text))

    async with trio.open_nursery() as nursery:

        async def keep_front_end() -> None:
            await front_end(NodeHandle(config, identity, cells["ui"].ref, hub))
            tree.request_stop()
            await trio.sleep(STOP_DEADLINE)
            log.warning("the node did not stop in %g s", STOP_DEADLINE)
            nursery.cancel_scope.cancel()

        nursery.start_soon(keep_front_end)
        nursery.start_soon(watch, list(cells.values()), on_stall)
        try:
            await tree.run()
        finally:
            tree.retire()  # whoever still asks hears that there is nobody
            nursery.cancel_scope.cancel()


def build_tree(
    config: NodeConfig, identity: Identity, adapters: Adapters, hub: EventHub
) -> Supervisor:
    """The supervision tree, not yet running."""
    return _Wiring(config, identity, adapters, hub).root


class _Wiring:
    """Who holds whose reference. References exist before the actors they lead to.

    What is made here and not in a factory survives a restart of the network group: who is where, and what
    the node is called and in which rooms it is.
    """

    def __init__(
        self, config: NodeConfig, identity: Identity, adapters: Adapters, hub: EventHub
    ) -> None:
        self._config = config
        self._identity = identity
        self._adapters = adapters
        self._hub = hub
        self._rng = random.SystemRandom()
        self._book = AddressBook(identity.peer, self._rng)
        rooms = {room.name: room.plain for room in config.rooms}
        self._self_image = SelfImage(config.name, rooms=rooms)
        self._storage = ActorCell.of("storage", StorageActor, self._make_storage)
        self._transport = ActorCell.of("transport", TransportActor, self._make_transport)
        self._discovery = ActorCell.of("discovery", DiscoveryActor, self._make_discovery)
        self._pubsub = ActorCell.of("pubsub", PubsubActor, self._make_pubsub)
        self._ui = ActorCell.of("ui", UiActor, self._make_ui)
        network = Supervisor(
            "network",
            [self._transport, self._discovery, self._pubsub],
            strategy=Strategy.ONE_FOR_ALL,
            rng=self._rng,
        )
        self.root = Supervisor("root", [self._storage, network, self._ui], rng=self._rng, root=True)

    def _make_storage(self) -> Actor:
        return StorageActor(self._adapters.store, self._adapters.run_store)

    def _make_transport(self) -> Actor:
        return TransportActor(
            self._adapters.network,
            self._book,
            agent=f"p2pchat/{program_version()}",
            storage=self._storage.ref,
            discovery=self._discovery.ref,
            ui=self._ui.ref,
            self_image=self._self_image,
        )

    def _make_discovery(self) -> Actor:
        return DiscoveryActor(
            bootstrap=self._config.bootstrap,
            chosen_by_user=self._config.bootstrap != PUBLIC_BOOTSTRAP,
            transport=self._transport.ref,
            ui=self._ui.ref,
            local=self._adapters.mdns,
            resolver=DnsaddrResolver(),
            rng=self._rng,
        )

    def _make_pubsub(self) -> Actor:
        return PubsubActor(
            self._adapters.network,
            author=self._identity.peer_bytes,
            key=self._identity.private_key,
            storage=self._storage.ref,
            ui=self._ui.ref,
            self_image=self._self_image,
            randomness=os.urandom,
        )

    def _make_ui(self) -> Actor:
        return UiActor(
            peer=self._identity.peer,
            data_dir=self._config.data_dir,
            storage=self._storage.ref,
            transport=self._transport.ref,
            discovery=self._discovery.ref,
            pubsub=self._pubsub.ref,
            hub=self._hub,
            actor_stats=lambda: [cell.stats() for cell in self.root.cells()],
        )


def program_version() -> str:
    try:
        return version("p2pchat-node")
    except PackageNotFoundError:
        return "0"  # run from a source tree that was never installed
