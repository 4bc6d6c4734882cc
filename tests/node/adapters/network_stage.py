"""Nodes of either `Network` adapter, for the tests that hold both to the same promises.

Real time and generous bounds, so that real libp2p can take part.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.config import NetworkLimits, RelayLimits
from p2pchat.node.errors import StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import (
    GossipMessage,
    Identified,
    Network,
    PeerEvent,
    PeerIdentified,
    Stream,
    Subscription,
)
from p2pchat.node.protocol.framing import frame

PATIENCE = 30.0  # seconds for a whole test; nothing takes that long unless it is broken
POLL = 0.02  # seconds
PROBE_EVERY = 0.3  # seconds between attempts to get a gossip message through a mesh that is forming
ECHO = "/test/echo/1.0.0"
ECHO_LIMIT = 2**20  # bytes
TOPIC = "talk"
PROBE = b"probe"

LIBP2P = "p2pchat.node.adapters.libp2p_network"


class World(Protocol):
    """An internet, and how to put a host on it."""

    dead_address: str
    no_address: str  # not an address at all
    some_addresses: tuple[str, str]  # nobody listens there

    def build(
        self,
        identity: Identity,
        listen: Sequence[str] | None,
        limits: NetworkLimits,
        relay: RelayLimits | None,
    ) -> Network: ...

    async def cut_direct(self, network: Network, peer: str) -> None:
        """End the direct connections of `network` to `peer`, and no circuit."""
        ...


class MemoryWorld:
    dead_address = "/memory/999999"
    no_address = "memory 7"
    some_addresses = ("/memory/777777", "/memory/888888")

    def __init__(self) -> None:
        self._hub = MemoryHub()

    def build(
        self,
        identity: Identity,
        listen: Sequence[str] | None,
        limits: NetworkLimits,
        relay: RelayLimits | None,
    ) -> Network:
        addresses = [self._hub.new_address()] if listen is None else listen
        return MemoryNetwork(self._hub, identity.peer, addresses, limits, relay)

    async def cut_direct(self, network: Network, peer: str) -> None:
        assert isinstance(network, MemoryNetwork)
        end = network.direct_end(peer)
        assert end is not None
        end.hang_up()


class Libp2pWorld:
    dead_address = "/ip4/127.0.0.1/tcp/1"
    no_address = "127.0.0.1:4001"
    some_addresses = ("/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.7/udp/4001/quic-v1")

    def build(
        self,
        identity: Identity,
        listen: Sequence[str] | None,
        limits: NetworkLimits,
        relay: RelayLimits | None,
    ) -> Network:
        adapter = importlib.import_module(LIBP2P)
        addresses = ["/ip4/127.0.0.1/tcp/0"] if listen is None else listen
        network: Network = adapter.Libp2pNetwork(identity, addresses, limits, relay=relay)
        return network

    async def cut_direct(self, network: Network, peer: str) -> None:
        swarm = network._session._swarm  # type: ignore[attr-defined]
        peer_id = importlib.import_module("libp2p.peer.id").ID.from_string(peer)
        circuits = importlib.import_module("p2pchat.node.adapters.libp2p_circuit")
        for connection in swarm.get_connections(peer_id):
            if not circuits.is_relayed(connection):
                await connection.close()


class Node:
    """A host and the scope of its run."""

    def __init__(self, network: Network, nursery: trio.Nursery) -> None:
        self.network = network
        self._nursery = nursery
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        network.handle(ECHO, echo)

    @property
    def peer(self) -> str:
        return self.network.peer

    @property
    def connected(self) -> list[str]:
        return [connection.peer for connection in self.network.connections()]

    async def start(self) -> None:
        self._scope, self._over = trio.CancelScope(), trio.Event()
        await self._nursery.start(self._run)
        self._events = self.network.peer_events()

    async def stop(self) -> None:
        self._scope.cancel()
        await self._over.wait()

    async def next_event(self) -> PeerEvent:
        """The next one that is not about what a peer says of itself."""
        while isinstance(event := await self._events.receive(), PeerIdentified):
            pass
        return event

    async def hears_from(self, other: Node) -> Identified:
        """Wait until the other one has said something new of itself."""
        while await self._events.receive() != PeerIdentified(other.peer):
            pass
        identified = self.network.identified(other.peer)
        assert identified is not None
        return identified

    async def dial(self, other: Node) -> None:
        await self.network.dial(other.peer, other.network.listen_addresses())

    async def is_echoed(self, other: Node, body: bytes = b"still there?") -> bool:
        stream = await self.network.open_stream(other.peer, ECHO)
        await stream.write(frame(body))
        answer = await stream.read_frame(ECHO_LIMIT)
        await stream.close()
        return answer == body

    async def _run(self, *, task_status: trio.TaskStatus[None]) -> None:
        try:
            with self._scope:
                await self.network.run(task_status=task_status)
        finally:
            self._over.set()


class Stage:
    """Makes nodes; each has another identity unless told otherwise."""

    def __init__(self, world: World, nursery: trio.Nursery) -> None:
        self.world = world
        self._nursery = nursery
        self._identities = 0

    def identity(self) -> Identity:
        self._identities += 1
        return Identity(bytes([self._identities]) * 32)

    def build(
        self,
        *,
        identity: Identity | None = None,
        listen: Sequence[str] | None = None,
        limits: NetworkLimits | None = None,
        relay: RelayLimits | None = None,
    ) -> Node:
        identity = identity or self.identity()
        network = self.world.build(identity, listen, limits or NetworkLimits(), relay)
        return Node(network, self._nursery)

    async def node(self, limits: NetworkLimits | None = None) -> Node:
        node = self.build(limits=limits)
        await node.start()
        return node

    async def pair(self) -> tuple[Node, Node]:
        """Two nodes, the first connected to the second; both have seen it."""
        near, far = await self.node(), await self.node()
        await near.dial(far)
        await near.next_event()
        await far.next_event()
        return near, far


WORLDS: dict[str, Callable[[], World]] = {"memory": MemoryWorld, "libp2p": Libp2pWorld}


def bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Fails a test that does not come back."""

    @functools.wraps(test)
    async def run(*args: object, **kwargs: object) -> None:
        with trio.fail_after(PATIENCE):
            await test(*args, **kwargs)

    return run


async def echo(stream: Stream) -> None:
    while True:
        try:
            body = await stream.read_frame(ECHO_LIMIT)
        except StreamError:
            return
        await stream.write(frame(body))


async def eventually(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(POLL)


async def joined(speaker: Node, *listeners: Node) -> list[Subscription]:
    """Subscriptions of the listeners, proven to hear the speaker."""
    await speaker.network.subscribe(TOPIC)
    subscriptions = [await listener.network.subscribe(TOPIC) for listener in listeners]
    for subscription in subscriptions:
        await hears(speaker, subscription)
    return subscriptions


async def hears(speaker: Node, subscription: Subscription) -> None:
    """Send probes until one arrives: a mesh needs a moment to form."""
    async with trio.open_nursery() as nursery:

        async def probe() -> None:
            while True:
                await speaker.network.publish(TOPIC, PROBE)
                await trio.sleep(PROBE_EVERY)

        nursery.start_soon(probe)
        await subscription.__anext__()
        nursery.cancel_scope.cancel()


async def next_message(subscription: Subscription) -> GossipMessage:
    """The next one that is no probe."""
    while (message := await subscription.__anext__()).data == PROBE:
        pass
    return message
