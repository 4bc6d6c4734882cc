"""DHT actors on the memory network, each with a transport that only dials and says who is there."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio
from google.protobuf.message import Message

from p2pchat.node.actors.dht.actor import DhtActor
from p2pchat.node.actors.dht.state import DhtState, fresh_state
from p2pchat.node.actors.lanes import Desk
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.errors import ActorStoppedError, DialError, RequestRejectedError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import PeerDown, PeerIdentified
from p2pchat.node.protocol import mailbox_record, seal
from p2pchat.node.runtime import Actor, ActorCell, ActorRef
from p2pchat.node.runtime.mailbox import Letter
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

SOON = 10.0  # seconds until what is to be said at once has been said
EPOCH_MS = 1_790_000_000_000  # when tests begin


def identity(number: int) -> Identity:
    return Identity(number.to_bytes(32, "big"))


def virtual_clock() -> int:
    """Unix milliseconds that pass as trio's clock does."""
    return EPOCH_MS + round(trio.current_time() * 1000)


def record_of(number: int, sequence: int = 1) -> wire.MailboxRecord:
    """The mailbox record of host `number`."""
    who = identity(number)
    record = wire.MailboxRecord(
        peer=who.peer_bytes, seal_key=bytes(seal.PUBLIC_KEY_BYTES), sequence=sequence
    )
    mailbox_record.sign(record, who.private_key)
    return record


class Dialler(Actor):
    """Stands in for transport: dials, and says who is identified and who is gone. Writes down who was dialled."""

    def __init__(self, host: DhtHost, dht: Callable[[], ActorRef]):
        self._host = host
        self._network = host.network
        self._dht = dht
        self._desk = Desk(on_unheard=print)
        self._connects = self._desk.lane(self._begin, 64)

    async def started(self) -> None:
        self.spawn(self._desk.run)
        self.spawn(self._watch)

    async def receive(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            self._connects.put(letter)

    async def _begin(self, message: Message) -> Callable[[], Awaitable[Message]]:
        assert isinstance(message, actors.Connect)
        assert message.passing
        assert not message.look_up
        return partial(self._connect, message)

    async def _connect(self, message: actors.Connect) -> actors.Done:
        if not any(c.peer == message.peer for c in self._network.connections()):
            self._host.dialled.append(message.peer)
        if self._host.is_busy:
            raise RequestRejectedError(actors.TOO_MANY, "too much to do")
        await trio.sleep(self._host.dial_takes)
        try:
            await self._network.dial(message.peer, message.addresses)
        except DialError as error:
            raise RequestRejectedError(actors.NETWORK_FAILED, str(error)) from error
        return actors.Done()

    async def _watch(self) -> None:
        async for event in self._network.peer_events():
            if self._host.is_deaf:
                continue
            if isinstance(event, PeerIdentified) and (said := self._network.identified(event.peer)):
                await self._tell(
                    actors.PeerIdentified(
                        peer=event.peer, protocols=said.protocols, addresses=said.addresses
                    )
                )
            elif isinstance(event, PeerDown):
                await self._tell(actors.PeerDisconnected(peer=event.peer))

    async def _tell(self, news: Message) -> None:
        with contextlib.suppress(ActorStoppedError):  # it stops before transport does
            await self._dht().tell(news)


@dataclass
class DhtHost:
    """Host `number`; listens at "/memory/<number>" or nowhere."""

    hub: MemoryHub
    number: int
    server: bool | None = False
    listens: bool = True
    is_deaf: bool = False  # its DHT does not hear who is there
    is_busy: bool = False  # its transport does not dial at all
    dial_takes: float = 0.0  # seconds
    dialled: list[str] = field(default_factory=list)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    def __post_init__(self) -> None:
        addresses = [f"/memory/{self.number}"] if self.listens else []
        self.network = MemoryNetwork(self.hub, self.peer, addresses)
        self._transport = ActorCell.of("transport", Dialler, self._make_dialler)
        self._dht = ActorCell.of("dht", DhtActor, self._make_dht)
        self._state: DhtState | None = None
        self._restarting = False

    @property
    def identity(self) -> Identity:
        return identity(self.number)

    @property
    def peer(self) -> str:
        return self.identity.peer

    @property
    def dht(self) -> ActorRef:
        return self._dht.ref

    def _make_dialler(self) -> Dialler:
        return Dialler(self, lambda: self._dht.ref)

    def _make_dht(self) -> DhtActor:
        self._state = self._state or fresh_state(self.network, random.Random(self.number))
        return DhtActor(
            self.network,
            transport=self._transport.ref,
            rng=random.Random(self.number),
            now_ms=virtual_clock,
            server=self.server,
            state=self._state,
        )

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        with self.scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.network.run)
                await nursery.start(self._transport.run)
                await nursery.start(self._run_dht)
                task_status.started()

    async def _run_dht(self, *, task_status: trio.TaskStatus[None]) -> None:
        started = task_status
        while True:
            self._ended = trio.Event()
            self._dht.prepare()
            await self._dht.run(task_status=started)
            self._ended.set()
            started = trio.TASK_STATUS_IGNORED
            if self._dht.state == "stopped" and not self._restarting:
                return
            self._restarting = False

    async def restart(self) -> None:
        """The actor begins anew, with what outlives it."""
        self._restarting = True
        await self._dht.stop(self._ended, final=False)
        await settled()

    async def stop(self) -> None:
        """In order, for good."""
        await self._dht.stop(self._ended, final=True)

    async def meet(self, other: DhtHost) -> None:
        """Be connected, as transport does for its own reasons."""
        await self.network.dial(other.peer, [f"/memory/{other.number}"])

    async def find_peer(self, other: DhtHost) -> list[str]:
        found = await self.dht.request(actors.FindPeer(peer=other.peer), actors.PeerAddresses)
        assert found.peer == other.peer
        return list(found.addresses)

    async def find_providers(self, topic: str, limit: int = 100) -> dict[str, list[str]]:
        question = actors.FindProviders(topic=topic, limit=limit)
        found = await self.dht.request(question, actors.Providers)
        return {peer.peer: list(peer.addresses) for peer in found.peers}

    async def find_record(self, number: int) -> wire.MailboxRecord:
        question = actors.FindRecord(peer=identity(number).peer)
        return await self.dht.request(question, wire.MailboxRecord)

    async def provide(self, *topics: str) -> None:
        await self.dht.ask(actors.ProvideTopics(topics=topics), actors.Done)

    async def publish(self, record: wire.MailboxRecord) -> None:
        await self.dht.ask(actors.PublishRecord(record=record), actors.Done)

    async def describe(self) -> actors.DhtDescription:
        return await self.dht.ask(actors.DescribeDht(), actors.DhtDescription)


@asynccontextmanager
async def running(*hosts: DhtHost) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        for host in hosts:
            await nursery.start(host.run)
        yield nursery
        nursery.cancel_scope.cancel()


async def settled() -> None:
    """Everything that can happen without waiting has happened."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def pair(server: bool | None = False) -> AsyncIterator[tuple[DhtHost, DhtHost]]:
    """A server, and a node that has met it and is one too, or not, or if it can be reached."""
    hub = MemoryHub()
    first, node = DhtHost(hub, 1, server=True), DhtHost(hub, 2, server=server)
    async with running(first, node):
        await node.meet(first)
        await settled()
        yield first, node


async def reachability(host: DhtHost, verdict: actors.Reachability) -> None:
    await host.dht.tell(actors.ReachabilityChanged(reachability=verdict))
    await settled()
