"""Whole mailboxes on the memory network, beside the nodes of `nodes.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import trio

from p2pchat.node.actors.storage import inline
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.app import Adapters
from p2pchat.node.config import NodeConfig, RelayLimits
from p2pchat.node.events import EventFeed, EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import ActorRef, Supervisor
from p2pchat.proto import mailbox_actors_pb2 as mailbox_actors
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.app import MailboxAdapters, build_mailbox_tree
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.ports import Invites
from tests.simulation.nodes import virtual_clock


@dataclass
class SimulatedMailbox:
    """One mailbox: `operator` to ask."""

    identity: Identity
    network: MemoryNetwork
    mail: MemoryMail
    tree: Supervisor
    feed: EventFeed

    @property
    def operator(self) -> ActorRef:
        return next(cell.ref for cell in self.tree.cells() if cell.name == "operator")

    async def watch(self) -> None:
        """Nobody looks."""
        await trio.sleep_forever()

    async def link(self) -> str:
        """With an invite."""
        listed = await self.operator.ask(mailbox_actors.ListInvites(), mailbox_actors.InviteList)
        return listed.invites[0].link

    async def describe(self) -> mailbox_actors.MailboxDescription:
        question = mailbox_actors.DescribeMailbox()
        return await self.operator.ask(question, mailbox_actors.MailboxDescription)

    async def until_held(self, envelopes: int) -> None:
        # In its store: to be described as often in hours of virtual time costs half a minute.
        while self.mail.totals().count != envelopes:
            await trio.sleep(0.05)


def make_mailbox(
    hub: MemoryHub,
    number: int,
    mail: MemoryMail | None = None,
    *,
    relay: RelayLimits | None = None,
    now_ms: Callable[[], int] = virtual_clock,
    invites: Invites | None = None,
    **options: object,
) -> SimulatedMailbox:
    """Mailbox `number`; its identity follows from the number. `options` are fields of `MailboxConfig`.

    `invites`: where they are kept; None: here.
    """
    identity = Identity(number.to_bytes(32, "big"))
    network = MemoryNetwork(hub, identity.peer, [f"/memory/{number}"], relay=relay)
    node = NodeConfig(Path("/nowhere"), bootstrap=(), mdns=False, relay=relay)
    config = replace(MailboxConfig(node), **options)  # type: ignore[arg-type]
    mail = mail or MemoryMail()
    adapters = Adapters(network, MemoryStore(), None, inline, now_ms)
    events = EventHub()
    made = MailboxAdapters(adapters, mail, inline, invites)
    tree = build_mailbox_tree(config, identity, made, events)
    return SimulatedMailbox(identity, network, mail, tree, events.open())
