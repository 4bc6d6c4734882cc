"""What strangers may do to a relay, and to those behind it: it is counted, and others go on talking."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
from libp2p.abc import INetStream
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId, Status, StopMessage
from libp2p.utils.varint import encode_varint_prefixed

from p2pchat.node.adapters import libp2p_circuit
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.ports import RelayStatus
from tests.node.adapters.libp2p_relays import (
    HURRY,
    LOOPBACK,
    PATIENCE,
    RESERVE,
    Nodes,
    answer_to,
    call,
    connect_to,
    encoded,
    eventually,
    hop,
    is_echoed,
    stranger,
)


@pytest.fixture(autouse=True)
async def _bounded() -> AsyncIterator[None]:
    with trio.fail_after(PATIENCE):
        yield


@pytest.fixture
async def nodes(nursery: trio.Nursery) -> Nodes:
    return Nodes(nursery)


# What no relay and nobody behind one should ever be sent.
GARBAGE = {
    "noise": random.Random(1).randbytes(5000),
    "nothing": b"\x00",
    "no type": encoded(HopMessage(peer=PeerId(id=b"x"))),
    "endless length": b"\xff" * 64,
    "over-long": encode_varint_prefixed(bytes(libp2p_circuit.MAX_MESSAGE + 1)),
    "wrong wire type": encode_varint_prefixed(b"\x0a\x01"),
    "unknown type": encoded(HopMessage(type=HopMessage.CONNECT)).replace(b"\x08\x01", b"\x08\x4d"),
    "status": encoded(HopMessage(type=HopMessage.STATUS, status=Status.OK)),
    "nobody": encoded(HopMessage(type=HopMessage.CONNECT)),
    "nameless": encoded(HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=b""))),
}


async def send_and_wait_for_the_end(stream: INetStream, data: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017
        await stream.write(data)
        while await stream.read(1000):
            pass
        raise EOFError
    await stream.reset()


# ---- garbage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_to_a_relay_is_counted_and_harms_nobody(nodes: Nodes, garbage: bytes) -> None:
    relay = await nodes.relay()
    async with stranger(relay) as rude:
        await send_and_wait_for_the_end(await hop(rude, relay), garbage)
    assert relay.counters()["relay_messages_refused"] == 1
    assert relay.relay_status() == RelayStatus(reservations=0, circuits=0)
    await nodes.assert_welcome(relay)


async def test_a_stranger_no_relay_may_call(nodes: Nodes) -> None:
    """Whoever did not give us a reservation has nobody to put through."""
    node = await nodes.start([LOOPBACK])
    call_from = StopMessage(type=StopMessage.CONNECT, peer=PeerId(id=b"\x00\x01x"))
    async with stranger(node) as rude:
        stream = await rude.new_stream(ID.from_string(node.peer), [libp2p_circuit.STOP])
        await stream.write(encoded(call_from))
        answer = await libp2p_circuit.read_message(stream, StopMessage)
    assert answer.status == Status.PERMISSION_DENIED
    assert node.counters()["relay_messages_refused"] == 1


@pytest.mark.parametrize(
    "garbage",
    [*GARBAGE.values(), encoded(StopMessage(type=StopMessage.STATUS, status=Status.OK))],
    ids=[*GARBAGE, "stop status"],
)
async def test_garbage_from_a_relay_is_counted_and_harms_nobody(
    nodes: Nodes, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "p2pchat")
    node = await nodes.start([LOOPBACK])
    async with stranger(node) as rude:
        stream = await rude.new_stream(ID.from_string(node.peer), [libp2p_circuit.STOP])
        await send_and_wait_for_the_end(stream, garbage)
        assert node.counters()["relay_messages_refused"] == 1
        friend = await nodes.start([])
        await friend.dial(node.peer, node.listen_addresses())
        assert await is_echoed(friend, node)
        # Who is here is nobody's business, as long as nobody asks for more than the usual log.
        assert str(rude.get_id()) not in caplog.text


async def test_a_relay_that_puts_garbage_through_is_counted(nodes: Nodes) -> None:
    """It gave a reservation and announces a call, and then comes no handshake but noise."""
    relay = await nodes.relay()
    node = await nodes.reserved(relay)
    session = relay._session
    assert session is not None
    [connection] = session._swarm.get_connections(ID.from_string(node.peer))
    for noise in (GARBAGE["noise"], b""):
        stream = await libp2p_circuit.open_stream(connection, libp2p_circuit.STOP)
        await libp2p_circuit.write_message(
            stream, StopMessage(type=StopMessage.CONNECT, peer=PeerId(id=b"\x00\x01x"))
        )
        answer = await libp2p_circuit.read_message(stream, StopMessage)
        assert answer.status == Status.OK
        if noise:
            await stream.write(noise)
        await stream.close_write()  # type: ignore[attr-defined]
    await eventually(lambda: node.counters().get("streams_reset", 0) == 2)
    near = await nodes.hidden()
    await call(near, node)
    assert await is_echoed(near, node)


# ---- silence --------------------------------------------------------------------------------------------


async def test_who_says_nothing_is_not_waited_for(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = await nodes.relay()
    monkeypatch.setattr(libp2p_circuit, "ANSWER_TIMEOUT", HURRY)
    async with stranger(relay) as silent:
        stream = await hop(silent, relay)
        answer = await libp2p_circuit.read_message(stream, HopMessage, PATIENCE)
    assert answer.status == Status.MALFORMED_MESSAGE
    assert relay.counters()["relay_messages_refused"] == 1


def never_answers() -> Callable[[INetStream], Awaitable[None]]:
    async def handler(stream: INetStream) -> None:
        await trio.sleep_forever()

    return handler


def answers(data: bytes) -> Callable[[INetStream], Awaitable[None]]:
    async def handler(stream: INetStream) -> None:
        await stream.write(data)

    return handler


@pytest.mark.parametrize(
    "handler",
    [
        never_answers(),
        answers(GARBAGE["noise"]),
        answers(encoded(StopMessage(type=StopMessage.CONNECT))),
        answers(encoded(StopMessage(type=StopMessage.STATUS, status=Status.PERMISSION_DENIED))),
        None,
    ],
    ids=["silent", "garbage", "no status", "no", "no handler"],
)
async def test_who_does_not_take_his_calls_is_given_up_and_counted(
    nodes: Nodes,
    handler: Callable[[INetStream], Awaitable[None]] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relay, near = await nodes.relay(), await nodes.hidden()
    await near.dial(relay.peer, relay.listen_addresses())
    async with stranger(relay) as deaf:
        if handler is not None:
            deaf.set_stream_handler(libp2p_circuit.STOP, handler)
        assert (await answer_to(await hop(deaf, relay), RESERVE)).status == Status.OK
        monkeypatch.setattr(libp2p_circuit, "ANSWER_TIMEOUT", 3 * HURRY)
        address = f"{relay.listen_addresses()[0]}/p2p/{relay.peer}/p2p-circuit"
        with pytest.raises(DialError):
            await near.dial(str(deaf.get_id()), [address])
        monkeypatch.undo()
        await eventually(lambda: relay.counters().get("circuits_failed", 0) == 1)
        assert relay.relay_status() == RelayStatus(reservations=1, circuits=0)
        await nodes.assert_welcome(relay)


async def test_nobody_reserves_in_another_peers_name(nodes: Nodes) -> None:
    relay, near, victim = await nodes.relay(), await nodes.hidden(), await nodes.hidden()
    await victim.dial(relay.peer, relay.listen_addresses())
    async with stranger(relay) as rude:
        request = HopMessage(
            type=HopMessage.RESERVE, peer=PeerId(id=ID.from_string(victim.peer).to_bytes())
        )
        assert (await answer_to(await hop(rude, relay), request)).status == Status.OK
        stream = await hop(rude, relay)
        assert (await answer_to(stream, connect_to(victim.peer))).status == Status.NO_RESERVATION
    await near.dial(relay.peer, relay.listen_addresses())


async def test_a_relay_is_not_used_over_another_relay(nodes: Nodes) -> None:
    outer = await nodes.relay()
    inner = await nodes.start([], RelayLimits())
    await inner.dial(outer.peer, outer.listen_addresses())
    await inner.reserve(outer.peer)
    near = await nodes.hidden()
    await call(near, inner)
    with pytest.raises(StreamError, match="only through another"):
        await near.reserve(inner.peer)
    session = near._session
    assert session is not None
    [circuit] = session._swarm.get_connections(ID.from_string(inner.peer))
    stream = await libp2p_circuit.open_stream(circuit, libp2p_circuit.HOP)
    assert (await answer_to(stream, RESERVE)).status == Status.PERMISSION_DENIED
    assert inner.relay_status() == RelayStatus(reservations=0, circuits=0)


async def test_a_relay_may_be_reached_by_quic(nodes: Nodes) -> None:
    relay = await nodes.start([LOOPBACK, "/ip4/127.0.0.1/udp/0/quic-v1"], RelayLimits())
    [quic] = [address for address in relay.listen_addresses() if "quic" in address]
    client = ["/ip4/127.0.0.1/udp/0/quic-v1"]  # a host without QUIC addresses cannot dial any
    near, far = await nodes.start(client), await nodes.start(client)
    await far.dial(relay.peer, [quic])
    await far.reserve(relay.peer)
    [circuit] = [a for a in far.listen_addresses() if "p2p-circuit" in a]
    assert circuit == f"{quic}/p2p/{relay.peer}/p2p-circuit"
    await near.dial(far.peer, [circuit])
    assert await is_echoed(near, far)
    assert await is_echoed(far, near)
    await near.disconnect(far.peer)
    await eventually(lambda: relay.relay_status() == RelayStatus(1, 0))
    await eventually(lambda: [c.peer for c in far.connections()] == [relay.peer])
