"""Relays over real libp2p, those behind them, and strangers that speak the circuit protocol by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from libp2p import new_host
from libp2p.abc import IHost, INetStream
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId, StopMessage
from libp2p.utils.varint import encode_varint_prefixed
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.config import NetworkLimits, RelayLimits
from p2pchat.node.errors import StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.framing import frame

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
PATIENCE = 30.0  # seconds
ECHO = "/test/echo/1.0.0"
HURRY = 0.3  # seconds to wait for messages that will not come
RESERVE = HopMessage(type=HopMessage.RESERVE)


class Nodes:
    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    async def start(
        self,
        listen: list[str],
        relay: RelayLimits | None = None,
        limits: NetworkLimits | None = None,
    ) -> Libp2pNetwork:
        network = Libp2pNetwork(Identity.generate(), listen, limits, relay=relay)
        network.handle(ECHO, echo)
        await self._nursery.start(network.run)
        return network

    async def relay(
        self, relay: RelayLimits | None = None, limits: NetworkLimits | None = None
    ) -> Libp2pNetwork:
        return await self.start([LOOPBACK], relay or RelayLimits(), limits)

    async def hidden(self) -> Libp2pNetwork:
        return await self.start([])

    async def reserved(
        self, relay: Libp2pNetwork, limits: NetworkLimits | None = None
    ) -> Libp2pNetwork:
        network = await self.start([], limits=limits)
        await network.dial(relay.peer, relay.listen_addresses())
        await network.reserve(relay.peer)
        return network

    async def assert_welcome(self, relay: Libp2pNetwork) -> None:
        """Two new ones can talk through it."""
        near, far = await self.hidden(), await self.reserved(relay)
        await call(near, far)
        assert await is_echoed(near, far)
        assert await is_echoed(far, near)


@asynccontextmanager
async def stranger(target: Libp2pNetwork) -> AsyncIterator[IHost]:
    """A bare libp2p host that is connected to `target`."""
    host = new_host(listen_addrs=[Multiaddr(LOOPBACK)])
    async with host.run(listen_addrs=[Multiaddr(LOOPBACK)]):
        await host.connect(
            PeerInfo(ID.from_string(target.peer), [Multiaddr(a) for a in target.listen_addresses()])
        )
        yield host
        await host.close()


async def echo(stream: Stream) -> None:
    while True:
        try:
            body = await stream.read_frame(2**20)
        except StreamError:
            return
        await stream.write(frame(body))


async def is_echoed(near: Libp2pNetwork, far: Libp2pNetwork) -> bool:
    stream = await near.open_stream(far.peer, ECHO)
    await stream.write(frame(b"hello"))
    answer = await stream.read_frame(5)
    await stream.close()
    return answer == b"hello"


async def call(near: Libp2pNetwork, far: Libp2pNetwork) -> None:
    await near.dial(far.peer, far.listen_addresses())


async def eventually(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.02)


async def hop(client: IHost, relay: Libp2pNetwork) -> INetStream:
    return await client.new_stream(ID.from_string(relay.peer), [libp2p_circuit.HOP])


def encoded(message: HopMessage | StopMessage) -> bytes:
    return encode_varint_prefixed(message.SerializeToString())


def connect_to(peer: str) -> HopMessage:
    return HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=ID.from_string(peer).to_bytes()))


async def answer_to(stream: INetStream, request: HopMessage) -> HopMessage:
    await stream.write(encoded(request))
    return await libp2p_circuit.read_message(stream, HopMessage)
