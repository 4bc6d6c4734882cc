"""What strangers may cost a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.dht import serving
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.framing import encode_uvarint, frame
from p2pchat.node.protocol.kad.keys import topic_key
from p2pchat.node.protocol.kad.limits import ANSWER_LIMIT, KAD_PROTOCOL, REQUEST_LIMIT
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import kad_pb2 as kad
from tests.node.actors.dht.dht_stage import DhtHost, running, settled

Type = kad.Message.Type
PING = frame(kad.Message(type=Type.PING).SerializeToString())


class Stranger:
    """Speaks to the server by hand."""

    def __init__(self, host: DhtHost, server: DhtHost) -> None:
        self._host = host
        self._server = server

    async def open(self) -> Stream:
        return await self._host.network.open_stream(self._server.peer, KAD_PROTOCOL)

    async def is_answered(self, stream: Stream, request: bytes = PING) -> bool:
        try:
            await stream.write(request)
            await stream.read_frame(ANSWER_LIMIT)
        except StreamError:
            return False
        return True


@asynccontextmanager
async def playing(strangers: int = 1) -> AsyncIterator[tuple[DhtHost, list[Stranger]]]:
    hub = MemoryHub()
    server = DhtHost(hub, 1, server=True)
    hosts = [DhtHost(hub, 10 + number) for number in range(strangers)]
    async with running(server, *hosts):
        for host in hosts:
            await host.meet(server)
        await trio.sleep(10.0)
        yield server, [Stranger(host, server) for host in hosts]


async def counter(server: DhtHost, name: str) -> int:
    return (await server.describe()).counters[name]


async def test_many_requests_go_over_one_stream(autojump_clock: MockClock) -> None:
    async with playing() as (server, (stranger,)):
        stream = await stranger.open()
        before = await counter(server, "answered")
        for _ in range(10):
            assert await stranger.is_answered(stream)
        assert await counter(server, "answered") == before + 10


async def test_what_has_no_answer_gets_none(autojump_clock: MockClock) -> None:
    async with playing() as (server, (stranger,)):
        stream = await stranger.open()
        said = kad.Message.Peer(
            id=stranger._host.identity.peer_bytes, addrs=[b"\x89\x06" + bytes(8)]
        )
        message = kad.Message(type=Type.ADD_PROVIDER, key=topic_key("x"), provider_peers=[said])
        await stream.write(frame(message.SerializeToString()) + PING)
        answer = kad.Message.FromString(await stream.read_frame(ANSWER_LIMIT))
        assert answer.type == Type.PING
        assert (await server.describe()).provided == 1


@pytest.mark.parametrize(
    "request_",
    [
        frame(b"\xff" * 20),
        encode_uvarint(0),
        encode_uvarint(REQUEST_LIMIT + 1) + bytes(REQUEST_LIMIT + 1),
        frame(kad.Message(type=Type.FIND_NODE).SerializeToString() + b"\x12\x00"),
        frame(kad.Message(type=Type.GET_VALUE, key=b"k" * 1000).SerializeToString()),
        frame(kad.Message(type=Type.ADD_PROVIDER, key=b"k").SerializeToString()),
    ],
)
async def test_malformed_requests_reset_their_stream(
    autojump_clock: MockClock, request_: bytes
) -> None:
    async with playing() as (_, (stranger,)):
        assert not await stranger.is_answered(await stranger.open(), request_)
        assert await stranger.is_answered(await stranger.open())


async def test_refusals_are_counted(autojump_clock: MockClock) -> None:
    async with playing() as (server, (stranger,)):
        await stranger.is_answered(await stranger.open(), frame(b"\xff" * 20))
        assert await counter(server, "requests_refused") == 1


async def test_one_peer_has_few_streams(autojump_clock: MockClock) -> None:
    async with playing(2) as (server, (greedy, other)):
        streams = [await greedy.open() for _ in range(serving.MAX_STREAMS_OF_PEER)]
        assert not await greedy.is_answered(await greedy.open())
        assert await counter(server, "streams_refused") == 1
        assert await other.is_answered(await other.open())
        await streams[0].close()
        await settled()
        assert await greedy.is_answered(await greedy.open())


async def test_all_together_have_no_more_than_so_many(autojump_clock: MockClock) -> None:
    crowd = serving.MAX_STREAMS // serving.MAX_STREAMS_OF_PEER
    async with playing(crowd + 1) as (_, strangers):
        for stranger in strangers[:crowd]:
            for _ in range(serving.MAX_STREAMS_OF_PEER):
                await stranger.open()
        late = strangers[-1]
        assert not await late.is_answered(await late.open())
        await trio.sleep(serving.IDLE + 1)  # who holds a stream and asks nothing loses it
        assert await late.is_answered(await late.open())


async def test_half_a_request_is_not_waited_for(autojump_clock: MockClock) -> None:
    async with playing() as (_, (stranger,)):
        stream = await stranger.open()
        await stream.write(b"\x7f")
        for _ in range(4):
            await trio.sleep(serving.IDLE / 5)
            await stream.write(b"x")
        await trio.sleep(serving.IDLE / 5 + 1.0)
        with pytest.raises(StreamError, match="reset"):
            await stream.read_frame(100)


async def test_who_does_not_read_is_left(autojump_clock: MockClock) -> None:
    async with playing() as (server, (stranger,)):
        key = b"k" * 128
        request = frame(kad.Message(type=Type.GET_PROVIDERS, key=key).SerializeToString())
        stream = await stranger.open()
        with trio.move_on_after(5.0), pytest.raises(StreamError):
            while True:
                await stream.write(request)
        await trio.sleep(2 * serving.IDLE)
        assert await stranger.is_answered(await stranger.open())
        assert await counter(server, "answered") <= serving.BURST + 100


async def test_requests_over_the_rate_are_refused(autojump_clock: MockClock) -> None:
    async with playing(2) as (server, (greedy, other)):
        stream, answered = await greedy.open(), 0
        while await greedy.is_answered(stream):
            answered += 1
        assert answered <= serving.BURST
        assert await counter(server, "requests_over_rate") == 1
        assert not await greedy.is_answered(await greedy.open())
        assert await other.is_answered(await other.open())
        await trio.sleep(1.0)
        assert await greedy.is_answered(await greedy.open())


async def test_streams_that_run_end_with_the_server_mode(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    server, host = DhtHost(hub, 1, server=None), DhtHost(hub, 2)
    async with running(server, host):
        await server.dht.tell(actors.ReachabilityChanged(reachability=actors.PUBLIC))
        await host.meet(server)
        await settled()
        stranger = Stranger(host, server)
        stream = await stranger.open()
        assert await stranger.is_answered(stream)
        await server.dht.tell(actors.ReachabilityChanged(reachability=actors.PRIVATE))
        await settled()
        assert not await stranger.is_answered(stream)
