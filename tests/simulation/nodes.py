"""Whole nodes on the memory network and memory stores, for tests on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from p2pchat.node.actors.storage import Runner, inline
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.app import Adapters, build_tree
from p2pchat.node.config import NodeConfig
from p2pchat.node.events import EventFeed, EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import ActorRef, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ROOM = "p2pchat-default"


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

    async def until_shown(self, *texts: str) -> None:
        """Wait until the last messages shown are these."""
        while [record.message.text for record in self.shown][-len(texts) :] != list(texts):
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
) -> SimulatedNode:
    """Node `number` of a simulation; its identity follows from the number. `run_store` may be a slow disk."""
    identity = Identity(number.to_bytes(32, "big"))
    network = MemoryNetwork(hub, identity.peer, [f"/memory/{number}"])
    store = store or MemoryStore()
    config = NodeConfig(
        Path("/nowhere"), name=name or f"node{number}", bootstrap=tuple(bootstrap), mdns=False
    )
    events = EventHub()
    tree = build_tree(config, identity, Adapters(network, store, None, run_store), events)
    return SimulatedNode(identity, network, store, tree, events, events.open())


def address_of(number: int) -> str:
    identity = Identity(number.to_bytes(32, "big"))
    return f"/memory/{number}/p2p/{identity.peer}"


@asynccontextmanager
async def running(*nodes: SimulatedNode) -> AsyncIterator[trio.Nursery]:
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
