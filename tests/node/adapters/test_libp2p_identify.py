"""Identify over real libp2p: what strangers may say, and what they are told."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from libp2p import new_host
from libp2p.abc import IHost, INetStream
from libp2p.host.exceptions import StreamFailure
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.pb.identify_pb2 import Identify as Message
from libp2p.identity.identify_push.identify_push import ID_PUSH as PUSH
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.envelope import consume_envelope
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_identify
from p2pchat.node.adapters.libp2p_identify import (
    HEAR_BURST,
    MAX_ADDRESSES,
    MAX_MESSAGE,
    MAX_PROTOCOLS,
    MAX_TEXT,
    heard_in,
)
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.ports import Identified
from p2pchat.node.protocol import multiaddrs
from tests.node.adapters.libp2p_relays import LOOPBACK, PATIENCE, Nodes, eventually, stranger

ADDRESS = Multiaddr("/ip4/203.0.113.7/tcp/4001")  # nobody dials it here
RELAY = "12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba"


@pytest.fixture
async def nodes(nursery: trio.Nursery) -> Nodes:
    return Nodes(nursery)


async def read(stream: INetStream) -> Message:
    return Message.FromString(await read_varint_prefixed_bytes_limited(stream, MAX_MESSAGE))


def test_what_is_too_much_is_left_out() -> None:
    many = [Multiaddr(f"/ip4/203.0.113.7/tcp/{port}").to_bytes() for port in range(1, 1000)]
    message = Message(
        protocols=["/" * (MAX_TEXT + 1), *(f"/{n}" for n in range(1000))], listen_addrs=many
    )
    heard = heard_in(message)
    assert len(heard.protocols) == MAX_PROTOCOLS - 1
    assert list(heard.addresses) == [
        f"/ip4/203.0.113.7/tcp/{p}" for p in range(1, MAX_ADDRESSES + 1)
    ]


def test_what_is_no_address_is_left_out() -> None:
    long = Multiaddr(f"/p2p/{RELAY}/p2p-circuit" * 5).to_bytes()
    good = ADDRESS.to_bytes()
    message = Message(listen_addrs=[b"", b"\xff\xff", long, good, good], observed_addr=b"\x04")
    heard = heard_in(message)
    assert list(heard.addresses) == [str(ADDRESS)]
    assert not heard.observed


def test_the_address_of_a_circuit_is_not_where_we_are_seen() -> None:
    circuit = Multiaddr(f"{ADDRESS}/p2p/{RELAY}/p2p-circuit")
    assert not heard_in(Message(observed_addr=circuit.to_bytes())).observed
    assert heard_in(Message(observed_addr=ADDRESS.to_bytes())).observed == str(ADDRESS)


# Messages of proto2: nothing is checked in them, and what is no UTF-8 is parsed all the same, as bytes.
HOSTILE = {
    "bytes for a protocol": b"\x1a\x04\xff\xfe/x",
    "bytes for the version": b"\x2a\x04\xff\xfe/x",
    "bytes for the agent": b"\x32\x04\xff\xfe/x",
    "an empty protocol": b"\x1a\x00",
    "control characters": b"\x1a\x05/\x1b[2J",
    "a number for a protocol": b"\x18\x07",
    "protocols for addresses": b"\x12\x02/x\x22\x02/x",
    "an unknown field": b"\xfa\x01\x02ab",
    "many protocols": b"\x1a\x04\xff\xfe/x" * 2000,
    "nothing": b"",
}
GOOD = Message(protocols=["/good/1"], listen_addrs=[ADDRESS.to_bytes()]).SerializeToString()


def assert_is_readable(heard: Identified) -> None:
    for text in (*heard.protocols, *heard.addresses, heard.observed):
        assert isinstance(text, str)
        assert text.isprintable()
    assert all(heard.protocols)


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_of_a_hostile_message_only_text_is_kept(body: bytes) -> None:
    heard = heard_in(Message.FromString(GOOD + body))
    assert_is_readable(heard)
    assert heard.protocols == {"/good/1"}
    assert list(heard.addresses) == [str(ADDRESS)]


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "unasked"])
async def test_hostile_messages_harm_nobody(nodes: Nodes, asked: bool) -> None:
    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        for body in HOSTILE.values():
            async with one_who_answers(house, GOOD + body if asked else b"") as client:
                if not asked:
                    await tell(client, house, GOOD + body)
                assert_is_readable(await good_one(house, client))


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "unasked"])
@pytest.mark.parametrize("garbage", [b"\xff" * 64, b"\x1a\xff\xff\xff\xff\x0f", bytes(MAX_MESSAGE)])
async def test_who_says_garbage_first_is_heard_later(
    nodes: Nodes, garbage: bytes, asked: bool
) -> None:
    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        async with one_who_answers(house, garbage if asked else b"") as client:
            if not asked:
                await tell(client, house, garbage)
            await tell(client, house, GOOD)
            assert_is_readable(await good_one(house, client))


async def good_one(house: Libp2pNetwork, client: IHost) -> Identified:
    """What `house` has heard of the client, as soon as the good protocol is in it."""
    peer = str(client.get_id())
    await eventually(lambda: "/good/1" in protocols_of(house.identified(peer)))
    heard = house.identified(peer)
    assert heard is not None
    return heard


@asynccontextmanager
async def one_who_answers(house: Libp2pNetwork, body: bytes) -> AsyncIterator[IHost]:
    """A bare libp2p host that says this of itself, connected to `house`."""
    here = [Multiaddr(LOOPBACK)]
    host = new_host(listen_addrs=here)
    async with host.run(listen_addrs=here):
        host.set_stream_handler(IDENTIFY, says(body))
        there = [Multiaddr(address) for address in house.listen_addresses()]
        await host.connect(PeerInfo(ID.from_string(house.peer), there))
        yield host
        await host.close()


def says(body: bytes) -> Callable[[INetStream], Awaitable[None]]:
    async def answer(stream: INetStream) -> None:
        await stream.write(encode_varint_prefixed(body))
        await stream.close()

    return answer


async def tell(client: IHost, house: Libp2pNetwork, body: bytes) -> None:
    stream = await client.new_stream(ID.from_string(house.peer), [PUSH])
    await stream.write(encode_varint_prefixed(body))
    await stream.close()


async def test_a_stranger_is_told_signed_addresses_and_where_we_see_it(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        async with stranger(house) as client:
            house.announce([str(ADDRESS)])
            stream = await client.new_stream(ID.from_string(house.peer), [IDENTIFY])
            said = await read(stream)
            [seen] = [c.address for c in house.connections()]
            own = list(house.listen_addresses())
    told = [str(Multiaddr(raw)) for raw in said.listen_addrs]
    assert told == own
    assert told[0] == str(ADDRESS)
    assert str(Multiaddr(said.observed_addr)) == seen
    _, record = consume_envelope(said.signedPeerRecord, "libp2p-peer-record")
    assert [str(address) for address in record.addrs] == told
    assert record.peer_id == ID.from_string(house.peer)
    assert IDENTIFY in said.protocols


async def test_a_push_that_is_too_long_is_not_heard(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        async with stranger(house) as client:
            peer = str(client.get_id())
            await eventually(lambda: house.identified(peer) is not None)
            before = house.identified(peer)
            stream = await client.new_stream(ID.from_string(house.peer), [PUSH])
            await stream.write(encode_varint_prefixed(bytes(MAX_MESSAGE + 1)))
            await eventually(lambda: house.counters().get("streams_reset", 0) == 1)
            assert house.identified(peer) == before
            stream = await client.new_stream(ID.from_string(house.peer), [PUSH])
            await stream.write(
                encode_varint_prefixed(Message(protocols=["/new/1"]).SerializeToString())
            )
            await eventually(lambda: "/new/1" in protocols_of(house.identified(peer)))


def protocols_of(identified: object) -> frozenset[str]:
    return getattr(identified, "protocols", frozenset())


async def test_many_changes_are_told_at_once(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libp2p_identify, "PUSH_EVERY", 0.5)
    pushes = 0

    async def count(stream: INetStream) -> None:
        nonlocal pushes
        pushes += 1
        await read(stream)

    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        async with stranger(house) as client:
            client.set_stream_handler(PUSH, count)
            peer = str(client.get_id())
            await eventually(lambda: house.identified(peer) is not None)
            stream = await client.new_stream(ID.from_string(house.peer), [IDENTIFY])
            await read(stream)

            async def nothing(stream: object) -> None: ...

            for number in range(50):
                house.handle(f"/many/{number % 25}", nothing)
            await eventually(lambda: pushes > 0)
            await trio.sleep(1.0)
    assert pushes == 1


def test_a_long_address_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading 16 kB of it takes a tenth of a second."""

    def read_it(data: bytes) -> str:
        raise AssertionError(f"{len(data)} bytes were read")

    monkeypatch.setattr(multiaddrs, "_read", read_it)
    long = ADDRESS.to_bytes() * 3000
    assert heard_in(Message(observed_addr=long, listen_addrs=[long])) == Identified(
        frozenset(), (), ""
    )


async def test_who_tells_too_often_is_not_heard(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        async with one_who_answers(house, GOOD) as client:
            await good_one(house, client)
            often = 3 * int(HEAR_BURST)
            for number in range(often):
                with contextlib.suppress(StreamError, StreamFailure):  # it is reset
                    await tell(client, house, Message(protocols=[f"/{number}"]).SerializeToString())
            await eventually(lambda: house.counters().get("streams_reset", 0) >= often / 2)


async def test_circuits_are_told_although_there_are_many_addresses(nodes: Nodes) -> None:
    with trio.fail_after(PATIENCE):
        relay = await nodes.relay()
        many = [f"/ip4/127.0.0.{n}/tcp/0" for n in range(1, MAX_ADDRESSES + 2)]
        house = await nodes.start(many)
        await house.dial(relay.peer, relay.listen_addresses())
        await house.reserve(relay.peer)
        async with stranger(house) as client:
            stream = await client.new_stream(ID.from_string(house.peer), [IDENTIFY])
            said = await read(stream)
    told = [str(Multiaddr(raw)) for raw in said.listen_addrs]
    assert len(told) == MAX_ADDRESSES
    assert any("/p2p-circuit" in address for address in told)


@pytest.mark.parametrize("stays", [True, False], ids=["never closed", "reset"])
async def test_a_push_leaves_no_stream(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    monkeypatch.setattr(libp2p_identify, "PUSH_TIMEOUT", 2.0)
    pushed, pushed_on = trio.Event(), set[int]()

    async def take(stream: INetStream) -> None:
        pushed_on.add(stream.muxed_stream.stream_id)  # type: ignore[attr-defined]
        pushed.set()
        if stays:
            await trio.sleep_forever()
        await stream.reset()

    with trio.fail_after(PATIENCE):
        house = await nodes.relay()
        async with stranger(house) as client:
            client.set_stream_handler(PUSH, take)
            peer = str(client.get_id())
            await eventually(lambda: house.identified(peer) is not None)
            await read(await client.new_stream(ID.from_string(house.peer), [IDENTIFY]))
            assert house._session is not None
            [connection] = house._session._swarm.get_connections()
            streams = connection.muxed_conn.streams  # type: ignore[attr-defined]
            house.announce([str(ADDRESS)])
            await pushed.wait()
            await eventually(lambda: not pushed_on & set(streams))
