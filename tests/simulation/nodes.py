"""Whole nodes on the memory network and memory stores, for tests on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import trio

from p2pchat.node.actors.storage import Runner, inline
from p2pchat.node.adapters.memory_files import MemoryFiles
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.app import Adapters, build_tree
from p2pchat.node.config import NodeConfig, RoomConfig
from p2pchat.node.events import EventFeed, EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.file_policy import FilePolicy
from p2pchat.node.runtime import ActorRef, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ROOM = "p2pchat-default"
EPOCH_MS = 1_790_000_000_000  # when simulations begin


@dataclass
class SimulatedNode:
    """One node: `ui` to talk to, `feed` to listen at."""

    identity: Identity
    network: MemoryNetwork
    store: MemoryStore
    tree: Supervisor
    hub: EventHub
    feed: EventFeed
    shown: list[records.RoomRecord] = field(default_factory=list)
    events: list[object] = field(default_factory=list)
    letters: list[records.DirectRecord] = field(
        default_factory=list
    )  # direct messages shown, own ones too
    stages: dict[bytes, list[records.Delivery]] = field(
        default_factory=dict
    )  # of own messages, as told
    files: MemoryFiles = field(default_factory=MemoryFiles)

    @property
    def ui(self) -> ActorRef:
        return self.actor("ui")

    def actor(self, name: str) -> ActorRef:
        return next(cell.ref for cell in self.tree.cells() if cell.name == name)

    async def say(self, text: str, room: str = ROOM) -> records.RoomRecord:
        posted = await self.ui.ask(actors.PostText(room=room, text=text), actors.Posted)
        return posted.record

    async def watch(self) -> None:
        """Collect what a front end would be told."""
        while True:
            for event in await self.feed.next_batch():
                self.events.append(event)
                if isinstance(event, actors.RoomMessagesArrived):
                    self.shown.extend(event.records)
                if isinstance(event, actors.DirectArrived):
                    self.letters.extend(event.records)
                if isinstance(event, actors.DeliveriesChanged):
                    for change in event.changes:
                        self.stages.setdefault(change.id, []).append(change.delivery)

    async def until_shown(self, *texts: str) -> None:
        """Wait until the last messages shown are these."""
        while [record.message.text for record in self.shown][-len(texts) :] != list(texts):
            await trio.sleep(0.05)

    # ---- direct messages ------------------------------------------------------------------------------

    async def write(self, peer: str, text: str) -> records.DirectRecord:
        question = actors.SendDirect(peer=peer, text=text)
        return (await self.ui.ask(question, actors.DirectSent)).record

    async def link(self) -> str:
        return (await self.ui.ask(actors.DescribeSelf(), actors.Link)).text

    async def add_contact(self, link: str, name: str = "") -> actors.ContactStatus:
        return await self.ui.ask(actors.AddContact(text=link, name=name), actors.ContactStatus)

    async def add_mailbox(self, link: str) -> actors.MailboxStatus:
        return await self.ui.ask(actors.AddMailbox(link=link), actors.MailboxStatus)

    async def direct_history(self, peer: str) -> list[records.DirectRecord]:
        question = actors.ReadDirectHistory(peer=peer, limit=1000)
        return list((await self.ui.ask(question, actors.DirectHistoryPage)).records)

    async def stage_of(self, peer: str, message_id: bytes) -> records.Stage:
        history = await self.direct_history(peer)
        return next(r.delivery.stage for r in history if r.id == message_id)

    async def until_stage(self, peer: str, message_id: bytes, stage: records.Stage) -> None:
        """Wait until the store says that an own message has come so far."""
        while await self.stage_of(peer, message_id) < stage:
            await trio.sleep(0.05)

    async def until_letters(self, *texts: str) -> None:
        """Wait until exactly these direct messages of others have been shown, in this order."""
        while [letter.text for letter in self.letters if not letter.outgoing] != list(texts):
            await trio.sleep(0.05)

    async def until_connected(self, peer: str) -> None:
        while True:
            listed = await self.ui.ask(actors.ListConnections(), actors.ConnectionList)
            if any(c.peer == peer and c.name for c in listed.connections):
                return
            await trio.sleep(0.05)

    async def until_listening(self, subscribers: int, room: str = ROOM) -> None:
        """Wait until that many others are known to be in the room."""
        while True:
            listed = await self.ui.ask(actors.ListRooms(), actors.RoomList)
            if any(r.name == room and len(r.subscribers) >= subscribers for r in listed.rooms):
                return
            await trio.sleep(0.05)

    async def history(self, room: str = ROOM) -> list[str]:
        page = await self.ui.ask(actors.ReadHistory(room=room, limit=1000), actors.HistoryPage)
        return [record.message.text for record in page.records]


def make_node(
    hub: MemoryHub,
    number: int,
    bootstrap: Sequence[str] = (),
    store: MemoryStore | None = None,
    name: str = "",
    run_store: Runner = inline,
    mailboxes: Sequence[str] = (),
    now_ms: Callable[[], int] | None = None,
    listens: bool = True,
    rooms: Sequence[str] = (),
    dht: bool = True,
    files: MemoryFiles | None = None,
    policy: FilePolicy | None = None,
) -> SimulatedNode:
    """Node `number` of a simulation; its identity follows from the number. `run_store` may be a slow disk. Without
    `rooms` it joins the default room."""
    identity = Identity(number.to_bytes(32, "big"))
    network = MemoryNetwork(hub, identity.peer, [f"/memory/{number}"] if listens else [])
    store = store or MemoryStore()
    config = NodeConfig(
        Path("/nowhere"),
        name=name or f"node{number}",
        rooms=tuple(map(RoomConfig, rooms)),
        dht=dht,
        bootstrap=tuple(bootstrap),
        mdns=False,
        mailboxes=tuple(mailboxes),
        files=policy or FilePolicy(),
    )
    files = files or MemoryFiles()
    events = EventHub()
    adapters = Adapters(network, store, None, run_store, now_ms or virtual_clock, files=files)
    tree = build_tree(config, identity, adapters, events)
    return SimulatedNode(identity, network, store, tree, events, events.open(), files=files)


def virtual_clock() -> int:
    """Unix milliseconds that pass as trio's clock does."""
    return EPOCH_MS + round(trio.current_time() * 1000)


def address_of(number: int) -> str:
    identity = Identity(number.to_bytes(32, "big"))
    return f"/memory/{number}/p2p/{identity.peer}"


class Simulated(Protocol):
    """A node or a mailbox."""

    @property
    def tree(self) -> Supervisor: ...

    async def watch(self) -> None: ...


@asynccontextmanager
async def running(*nodes: Simulated) -> AsyncIterator[trio.Nursery]:
    """Run these nodes; stop them in order at the end."""
    async with trio.open_nursery() as nursery:
        for node in nodes:
            await nursery.start(node.tree.run)
            nursery.start_soon(node.watch)
        yield nursery
        for node in nodes:
            node.tree.request_stop()
        for node in nodes:
            while any(cell.state != "stopped" for cell in node.tree.cells()):
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()
