"""Composition root of the mailbox role: a node without terminal, silent in its rooms, with mail and a relay.

`root -> storage -> network (one for all) -> mail_storage -> relay -> mailbox -> archive -> operator`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from p2pchat.node.actors.storage import Runner, in_thread
from p2pchat.node.app import Adapters, NetworkWiring, real_adapters, run_tree
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, Supervisor
from p2pchat.relay_mailbox.adapters.rocksdb_mail import RocksdbMail
from p2pchat.relay_mailbox.archive import ArchiveActor
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.mail_storage import MailStorageActor
from p2pchat.relay_mailbox.mailbox import MailboxActor
from p2pchat.relay_mailbox.operator import OperatorActor
from p2pchat.relay_mailbox.ports import Invites, MailStore
from p2pchat.relay_mailbox.relay import RelayActor
from p2pchat.relay_mailbox.tally import Tally


@dataclass(frozen=True, slots=True)
class MailboxHandle:
    """What a front end gets: ask `operator`, read events from `hub.open()`."""

    config: MailboxConfig
    identity: Identity
    operator: ActorRef
    hub: EventHub


MailboxFrontEnd = Callable[[MailboxHandle], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MailboxAdapters:
    """What a mailbox stands on; tests put in-memory ones here. The wall clock is the node's."""

    node: Adapters
    mail: MailStore
    run_mail: Runner = in_thread
    invites: Invites | None = None  # where they are kept; None: here


def real_mailbox_adapters(
    config: MailboxConfig, identity: Identity, invites: Invites | None = None
) -> MailboxAdapters:
    """Those of a node, and mail in RocksDB."""
    mail = RocksdbMail(config.mail_path)
    return MailboxAdapters(real_adapters(config.node, identity), mail, invites=invites)


async def run_mailbox(
    config: MailboxConfig,
    identity: Identity,
    front_end: MailboxFrontEnd,
    adapters: MailboxAdapters | None = None,
) -> None:
    """Run until `front_end` returns, then stop everything in order.

    The front end starts first; what it asks of the operator waits until the mailbox is up. Raises `UserError` when
    the mailbox cannot start, and `RestartLimitReachedError` when it cannot go on.
    """
    hub = EventHub()
    made = adapters or real_mailbox_adapters(config, identity)
    tree = build_mailbox_tree(config, identity, made, hub)
    operator = next(cell.ref for cell in tree.cells() if cell.name == "operator")
    handle = MailboxHandle(config, identity, operator, hub)
    await run_tree(tree, partial(front_end, handle), hub)


def build_mailbox_tree(
    config: MailboxConfig, identity: Identity, adapters: MailboxAdapters, hub: EventHub
) -> Supervisor:
    """The supervision tree of a mailbox, not yet running."""
    return _MailboxWiring(config, identity, adapters, hub).root


class _MailboxWiring:
    """Who holds whose reference. What is counted outlives restarts."""

    def __init__(
        self,
        config: MailboxConfig,
        identity: Identity,
        adapters: MailboxAdapters,
        hub: EventHub,
    ) -> None:
        self._config = config
        self._identity = identity
        self._adapters = adapters
        self._hub = hub
        self._tally = Tally()
        self._mail_storage = ActorCell.of("mail_storage", MailStorageActor, self._make_storage)
        self._relay = ActorCell.of("relay", RelayActor, self._make_relay)
        self._mailbox = ActorCell.of("mailbox", MailboxActor, self._make_mailbox)
        self._archive = ActorCell.of("archive", ArchiveActor, self._make_archive)
        self._operator = ActorCell.of("operator", OperatorActor, self._make_operator)
        # Only in rooms that somebody wants archived, and without a word there.
        node = replace(config.node, default_room=False)
        self._base = base = NetworkWiring(
            node, identity, adapters.node, ui=self._operator.ref, announce=False, always_public=True
        )
        own = [self._mail_storage, self._relay, self._mailbox, self._archive, self._operator]
        self.root = Supervisor("root", [base.storage, base.network, *own], rng=base.rng, root=True)

    def _make_storage(self) -> Actor:
        return MailStorageActor(self._adapters.mail, self._config.quota, self._adapters.run_mail)

    def _make_relay(self) -> Actor:
        return RelayActor(self._adapters.node.network)

    def _make_mailbox(self) -> Actor:
        return MailboxActor(
            self._adapters.node.network,
            self._config,
            key=self._identity.private_key,
            storage=self._mail_storage.ref,
            archive=self._archive.ref,
            now_ms=self._adapters.node.now_ms,
            tally=self._tally,
            invites=self._adapters.invites,
        )

    def _make_archive(self) -> Actor:
        return ArchiveActor(
            self._config,
            pubsub=self._base.pubsub.ref,
            storage=self._base.storage.ref,
            mail_storage=self._mail_storage.ref,
            now_ms=self._adapters.node.now_ms,
            tally=self._tally,
            rng=self._base.rng,
        )

    def _make_operator(self) -> Actor:
        return OperatorActor(
            self._adapters.node.network,
            self._config,
            mailbox=self._mailbox.ref,
            mail_storage=self._mail_storage.ref,
            relay=self._relay.ref,
            archive=self._archive.ref,
            storage=self._base.storage.ref,
            transport=self._base.transport.ref,
            discovery=self._base.discovery.ref,
            reachability=self._base.reachability.ref,
            dht=self._base.dht_ref,
            sync=self._base.sync.ref,
            hub=self._hub,
            tally=self._tally,
            actor_stats=lambda: [cell.stats() for cell in self.root.cells()],
        )
