"""Who may have how much of a relay over real libp2p, and what one connection costs the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest
import trio
from libp2p.abc import INetStream
from libp2p.network.connection.exceptions import RawConnError
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import Status, StopMessage
from libp2p.stream_muxer.yamux.yamux import Yamux

from p2pchat.node.adapters import libp2p_circuit, libp2p_fixes
from p2pchat.node.config import NetworkLimits
from p2pchat.node.errors import DialError
from p2pchat.node.ports import RelayStatus
from tests.node.adapters.libp2p_relays import (
    HURRY,
    PATIENCE,
    RESERVE,
    Nodes,
    answer_to,
    call,
    connect_to,
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


# ---- shares ---------------------------------------------------------------------------------------------


async def test_circuits_do_not_use_up_a_peers_streams(nodes: Nodes) -> None:
    limits = NetworkLimits(max_streams_per_peer=4)
    relay = await nodes.relay(limits=limits)
    far = await nodes.reserved(relay, limits)
    callers = [await nodes.hidden() for _ in range(6)]
    for near in callers:
        await call(near, far)
    assert relay.relay_status() == RelayStatus(reservations=1, circuits=6)
    for near in callers:
        assert await is_echoed(near, far)
        assert await is_echoed(far, near)
    called = [await nodes.reserved(relay) for _ in range(2)]
    for other in called:
        await call(far, other)
        assert await is_echoed(far, other)


async def test_calls_count_as_inbound_connections(nodes: Nodes) -> None:
    relay = await nodes.relay()
    far = await nodes.reserved(relay, NetworkLimits(max_connections=8, max_inbound=1))
    near, second = await nodes.hidden(), await nodes.hidden()
    await call(near, far)
    with pytest.raises(DialError):
        await call(second, far)
    assert far.counters()["connections_refused"] == 1
    await near.disconnect(far.peer)
    await eventually(lambda: len(far.connections()) == 1)

    async def is_let_in() -> bool:
        try:
            await call(second, far)
        except DialError:
            return False
        return True

    while not await is_let_in():
        await trio.sleep(0.02)
    assert await is_echoed(second, far)


async def read_a_while_and_stop(stream: INetStream) -> None:
    """Takes a call, reads enough to let every window grow, and then nothing more."""
    await libp2p_circuit.read_message(stream, StopMessage)
    yes = StopMessage(type=StopMessage.STATUS, status=Status.OK)
    await libp2p_circuit.write_message(stream, yes)
    for _ in range(200):
        await stream.read(65536)
    await trio.sleep_forever()


async def write_until_it_fails(stream: INetStream, written: trio.Event) -> None:
    with pytest.raises(Exception):  # noqa: B017
        while True:
            await stream.write(bytes(65536))
    written.set()


async def test_a_reader_that_stops_costs_the_relay_one_window(nodes: Nodes) -> None:
    relay = await nodes.relay()
    async with stranger(relay) as sender, stranger(relay) as reader:
        reader.set_stream_handler(libp2p_circuit.STOP, read_a_while_and_stop)
        await answer_to(await hop(reader, relay), RESERVE)
        stream = await hop(sender, relay)
        request = connect_to(str(reader.get_id()))
        assert (await answer_to(stream, request)).status == Status.OK

        session = relay._session
        assert session is not None
        [connection] = session._swarm.get_connections(sender.get_id())
        held, written = 0, trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write_until_it_fails, stream, written)
            while not written.is_set():
                buffers = connection.muxed_conn.stream_buffers  # type: ignore[attr-defined]
                held = max(held, *map(len, buffers.values()), 0)
                await trio.sleep(0.01)
        assert 0 < held <= libp2p_fixes.MAX_WINDOW
        await eventually(lambda: relay.relay_status() == RelayStatus(1, 0))
        await nodes.assert_welcome(relay)


# ---- frames ---------------------------------------------------------------------------------------------


async def test_a_frame_that_was_begun_is_finished_and_a_stuck_connection_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counters: Counter[str] = Counter()
    monkeypatch.setattr(Yamux, "_write_frame", Yamux._write_frame)
    monkeypatch.setattr(libp2p_fixes, "WRITE_TIMEOUT", HURRY)
    libp2p_fixes.write_frames_whole(counters)
    secured = SlowSocket()
    connection = Yamux(secured, ID(b"x"), is_initiator=True)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection._write_frame, bytes(12))
        await secured.writing.wait()
        nursery.cancel_scope.cancel()
        secured.ready.set()
    assert secured.written == [bytes(12)]

    secured.ready = trio.Event()
    with pytest.raises(RawConnError):
        await connection._write_frame(bytes(12))
    assert secured.closed
    assert counters == {"connections_stuck": 1}


class SlowSocket:
    is_initiator = True

    def __init__(self) -> None:
        self.writing, self.ready = trio.Event(), trio.Event()
        self.written: list[bytes] = []
        self.closed = False

    async def write(self, data: bytes) -> None:
        self.writing.set()
        await self.ready.wait()
        self.written.append(data)

    async def close(self) -> None:
        self.closed = True
