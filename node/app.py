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
from p2pchat.node.config import DEFAULT_LISTEN, NodeConfig
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
    """The supervision tree, not yet running. References exist before the actors they lead to."""
    rng = random.SystemRandom()
    # Outside the factories: these survive a restart of the network group.
    book = AddressBook(identity.peer, rng)
    self_image = SelfImage(config.name, {room.name: room.plain for room in config.rooms})

    def make_transport() -> Actor:
        return TransportActor(
            adapters.network,
            book,
            agent=f"p2pchat/{program_version()}",
            storage=storage.ref,
            discovery=discovery.ref,
            ui=ui.ref,
            self_image=self_image,
        )

    def make_discovery() -> Actor:
        return DiscoveryActor(
            bootstrap=config.bootstrap,
            transport=transport.ref,
            ui=ui.ref,
            local=adapters.mdns,
            resolver=DnsaddrResolver(),
            rng=rng,
        )

    def make_pubsub() -> Actor:
        return PubsubActor(
            adapters.network,
            author=identity.peer_bytes,
            key=identity.private_key,
            storage=storage.ref,
            ui=ui.ref,
            self_image=self_image,
            randomness=os.urandom,
        )

    def make_ui() -> Actor:
        return UiActor(
            peer=identity.peer,
            data_dir=config.data_dir,
            storage=storage.ref,
            transport=transport.ref,
            discovery=discovery.ref,
            pubsub=pubsub.ref,
            hub=hub,
            actor_stats=lambda: [cell.stats() for cell in root.cells()],
        )

    storage = ActorCell.of(
        "storage", StorageActor, lambda: StorageActor(adapters.store, adapters.run_store)
    )
    transport = ActorCell.of("transport", TransportActor, make_transport)
    discovery = ActorCell.of("discovery", DiscoveryActor, make_discovery)
    pubsub = ActorCell.of("pubsub", PubsubActor, make_pubsub)
    ui = ActorCell.of("ui", UiActor, make_ui)
    network = Supervisor(
        "network", [transport, discovery, pubsub], strategy=Strategy.ONE_FOR_ALL, rng=rng
    )
    root = Supervisor("root", [storage, network, ui], rng=rng, root=True)
    return root


def program_version() -> str:
    try:
        return version("p2pchat-node")
    except PackageNotFoundError:
        return "0"  # run from a source tree that was never installed
