"""Nodes that consist of a memory network, a stand-in for transport, and the reachability actor."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from p2pchat.node.actors.reachability.actor import ReachabilityActor
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError, RequestRejectedError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import PeerDown, PeerEvent, PeerIdentified, PeerMoved, PeerUp, PortMapper
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

REDIAL = 0.5  # seconds until a lost relay is dialled again
SMALL = RelayLimits(max_reservations=16, max_circuits=8)


def peer_of(number: int) -> str:
    return Identity(number.to_bytes(32, "big")).peer


def address_of(number: int) -> str:
    return f"/memory/{number}/p2p/{peer_of(number)}"


class StandIn(Actor):
    """Transport, as far as reachability sees it: passes events on, dials, and keeps relays connected."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._network = node.network

    async def started(self) -> None:
        await self.spawn_started(self._network.run)
        self._node.reachability.offer(self._node.relays)
        self.spawn(self._watch)
        self.spawn(self._keep_connected)

    async def _watch(self) -> None:
        async for event in self._network.peer_events():
            if message := self._message(event):
                self._node.reachability.offer(message)

    def _message(
        self, event: PeerEvent
    ) -> (
        actors.PeerConnected
        | actors.PeerMoved
        | actors.PeerDisconnected
        | actors.PeerIdentified
        | None
    ):
        match event:
            case PeerUp():
                return actors.PeerConnected(peer=event.peer, relayed=event.relayed)
            case PeerMoved():
                self._node.moved.append(event)
                return actors.PeerMoved(peer=event.peer, relayed=event.relayed)
            case PeerDown():
                return actors.PeerDisconnected(peer=event.peer)
            case PeerIdentified():
                return actors.PeerIdentified(peer=event.peer)

    async def _keep_connected(self) -> None:
        while True:
            here = {connection.peer for connection in self._network.connections()}
            for relay in self._node.relays.relays:
                if relay.peer not in here:
                    try:
                        await self._network.dial(relay.peer, relay.addresses)
                    except DialError:
                        continue
            await trio.sleep(REDIAL)

    @handles(actors.UseRelays)
    async def _use(self, command: actors.UseRelays) -> None:
        self._node.relays = command
        self._node.reachability.offer(command)

    @handles(actors.Connect)
    async def _connect(self, command: actors.Connect) -> actors.Done:
        self._node.plain_dials.append(list(command.addresses))
        try:
            await self._network.dial(command.peer, command.addresses)
        except DialError as error:
            raise RequestRejectedError(actors.NETWORK_FAILED, str(error)) from error
        return actors.Done()

    @handles(actors.AddressesChanged)
    async def _addresses(self, _: actors.AddressesChanged) -> None:
        self._node.address_changes += 1

    @handles(actors.ReachabilityChanged)
    async def _reachability(self, event: actors.ReachabilityChanged) -> None:
        self._node.told.append(event)


class Ui(Actor):
    def __init__(self, shown: list[actors.ReachabilityChanged]) -> None:
        self._shown = shown

    @handles(actors.ReachabilityChanged)
    async def _show(self, event: actors.ReachabilityChanged) -> None:
        self._shown.append(event)


@dataclass
class Node:
    """What it was told stands in `told` (transport) and `shown` (ui)."""

    hub: MemoryHub
    number: int
    relay: RelayLimits | None = None  # by configuration
    serve: bool | None = None
    small_relay: RelayLimits | None = None
    mapper: PortMapper | None = None
    bootstrap: Sequence[str] = ()
    relays: actors.UseRelays = field(default_factory=actors.UseRelays)
    told: list[actors.ReachabilityChanged] = field(default_factory=list)
    shown: list[actors.ReachabilityChanged] = field(default_factory=list)
    moved: list[PeerMoved] = field(default_factory=list)
    plain_dials: list[list[str]] = field(default_factory=list)
    address_changes: int = 0

    def __post_init__(self) -> None:
        self.peer = peer_of(self.number)
        address = f"/memory/{self.number}"
        self.network = MemoryNetwork(self.hub, self.peer, [address], relay=self.relay)
        self._ui = ActorCell.of("ui", Ui, lambda: Ui(self.shown))
        self._transport = ActorCell.of("transport", StandIn, lambda: StandIn(self))
        self._cell = ActorCell.of("reachability", ReachabilityActor, self._make)
        self.reachability: ActorRef = self._cell.ref
        self._life = trio.CancelScope()

    def _make(self) -> ReachabilityActor:
        return ReachabilityActor(
            self.network,
            transport=self._transport.ref,
            told=[self._transport.ref],
            ui=self._ui.ref,
            rng=random.Random(self.number),
            serve=self.serve,
            small_relay=self.small_relay,
            mapper=self.mapper,
            bootstrap=self.bootstrap,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """One life; may be run again after `kill`."""
        with trio.CancelScope() as self._life:
            async with trio.open_nursery() as nursery:
                for cell in (self._ui, self._transport, self._cell):
                    cell.prepare()
                    await nursery.start(cell.run)
                task_status.started()

    def kill(self) -> None:
        self._life.cancel()

    async def use_relays(self, *numbers: int) -> None:
        relays = [actors.RelayEntry(peer=peer_of(n), addresses=[address_of(n)]) for n in numbers]
        await self._transport.ref.tell(actors.UseRelays(relays=relays))

    async def describe(self) -> actors.ReachabilityDescription:
        question = actors.DescribeReachability()
        return await self.reachability.ask(question, actors.ReachabilityDescription)

    async def dial(self, other: Node) -> None:
        await self.network.dial(other.peer, [f"/memory/{other.number}"])

    async def call(self, other: Node, relay: Node) -> None:
        """Through a relay."""
        await self.network.dial(
            other.peer, [f"/memory/{relay.number}/p2p/{relay.peer}/p2p-circuit"]
        )

    # ---- waiting --------------------------------------------------------------------------------------

    async def until(self, state: actors.Reachability) -> None:
        while (await self.describe()).reachability != state:
            await trio.sleep(0.05)

    async def until_held(self, *relays: Node) -> None:
        """Exactly these reservations are held, and can be told to others."""
        wanted = {relay.peer for relay in relays}
        while self.held(await self.describe()) != wanted or self.announced_relays() != wanted:
            await trio.sleep(0.05)

    async def until_direct(self, other: Node) -> None:
        while not self.is_direct(other):
            await trio.sleep(0.05)

    def is_direct(self, other: Node) -> bool:
        return any(c.peer == other.peer and not c.relayed for c in self.network.connections())

    @staticmethod
    def held(described: actors.ReachabilityDescription) -> set[str]:
        return {r.relay for r in described.reservations if r.held}

    def announced_relays(self) -> set[str]:
        circuits = [a for a in self.network.listen_addresses() if "/p2p-circuit" in a]
        return {address.split("/p2p/")[1].split("/")[0] for address in circuits}


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        for node in nodes:
            await nursery.start(node.run)
        yield nursery
        nursery.cancel_scope.cancel()
