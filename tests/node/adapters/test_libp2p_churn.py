"""Hundreds of connections that come and go leave nothing behind: no task, no open file, no table entry."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from tests.node.adapters.libp2p_relays import LOOPBACK, Nodes, eventually
from tests.node.adapters.libp2p_tables import tables, usage

CONNECTIONS = {"tcp": 201, "quic": 45, "circuit": 45}  # QUIC and circuits take their time
VISITORS = 3  # at a time
STRANGERS = 6
PATIENCE = 120.0  # seconds for a test
REST = 10.0  # seconds within which everything is over that was begun
TOPIC = "talk"
QUIC = "/ip4/127.0.0.1/udp/0/quic-v1"


@pytest.fixture
async def nodes(nursery: trio.Nursery) -> Nodes:
    return Nodes(nursery)


class House:
    """Somebody who is visited, directly or through a relay."""

    def __init__(self, nodes: Nodes, host: Libp2pNetwork, relay: Libp2pNetwork | None) -> None:
        self._nodes = nodes
        self.host = host
        self.relay = relay

    @property
    def addresses(self) -> Sequence[str]:
        wanted = self.relay is not None
        return [a for a in self.host.listen_addresses() if ("/p2p-circuit" in a) == wanted]

    async def visitor(self) -> Libp2pNetwork:
        needs_quic = any("quic" in address for address in self.addresses)
        visitor = await self._nodes.start([QUIC] if needs_quic else [])
        await visitor.subscribe(TOPIC)
        if self.relay is not None:
            await visitor.dial(self.relay.peer, self.relay.listen_addresses())
        return visitor

    async def receive(self, visitor: Libp2pNetwork, times: int) -> None:
        for _ in range(times):
            await visitor.dial(self.host.peer, self.addresses)
            await visitor.ping(self.host.peer)
            await eventually(lambda: visitor.identified(self.host.peer) is not None)
            await visitor.disconnect(self.host.peer)
            await eventually(lambda: not connected(visitor, self.host))
            await eventually(lambda: not connected(self.host, visitor))


def connected(near: Libp2pNetwork, far: Libp2pNetwork) -> bool:
    return far.peer in [connection.peer for connection in near.connections()]


async def house(nodes: Nodes, kind: str) -> House:
    host = await nodes.start([QUIC] if kind == "quic" else [LOOPBACK])
    await host.subscribe(TOPIC)
    relay = None
    if kind == "circuit":
        relay = await nodes.relay()
        await host.dial(relay.peer, relay.listen_addresses())
        await host.reserve(relay.peer)
    return House(nodes, host, relay)


async def visits(at: House, visitors: Sequence[Libp2pNetwork], times: int) -> None:
    async with trio.open_nursery() as nursery:
        for visitor in visitors:
            nursery.start_soon(at.receive, visitor, times)


class Holdings:
    """What the process and some networks hold now, to be compared with later."""

    def __init__(self, networks: Sequence[Libp2pNetwork]) -> None:
        self._networks = networks
        self._tasks, self._files = usage()
        self._tables = [tables(network) for network in networks]

    async def assert_no_more(self) -> None:
        with trio.move_on_after(REST):
            while self._growth():
                await trio.sleep(REST / 20)
        assert self._growth() == {}

    def _growth(self) -> dict[str, tuple[int, int]]:
        tasks, files = usage()
        sizes = {"tasks": (self._tasks, tasks), "files": (self._files, files)}
        for number, (network, before) in enumerate(zip(self._networks, self._tables, strict=True)):
            for name, size in tables(network).items():
                sizes[f"{number} {name}"] = (before.get(name, 0), size)
        return {name: sizes[name] for name in sizes if sizes[name][1] > sizes[name][0]}


# The slow ones in `make soak`; a few strangers over each are looked at below.
@pytest.mark.parametrize(
    "kind",
    [kind if kind == "tcp" else pytest.param(kind, marks=pytest.mark.soak) for kind in CONNECTIONS],
)
async def test_connections_that_come_and_go_leave_nothing(nodes: Nodes, kind: str) -> None:
    with trio.fail_after(PATIENCE):
        at = await house(nodes, kind)
        visitors = [await at.visitor() for _ in range(VISITORS)]
        await visits(at, visitors, 3)
        await trio.sleep(REST / 2)
        held = Holdings([at.host, *visitors, *([at.relay] if at.relay else [])])
        await visits(at, visitors, CONNECTIONS[kind] // VISITORS)
        await held.assert_no_more()
        assert not any(at.host.counters().values())


@pytest.mark.parametrize("kind", CONNECTIONS)
async def test_strangers_are_forgotten(nodes: Nodes, kind: str) -> None:
    """Whoever was here once, and never comes again."""
    with trio.fail_after(PATIENCE):
        at = await house(nodes, kind)
        await strangers_visit(at)
        await trio.sleep(REST / 2)
        held = Holdings([at.host, *([at.relay] if at.relay else [])])
        await strangers_visit(at)
        await held.assert_no_more()


async def strangers_visit(at: House) -> None:
    async with trio.open_nursery() as nursery:
        passing = House(Nodes(nursery), at.host, at.relay)
        await visits(passing, [await passing.visitor() for _ in range(STRANGERS)], 1)
        nursery.cancel_scope.cancel()
