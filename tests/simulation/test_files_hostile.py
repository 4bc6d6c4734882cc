"""Peers that break the rules of file transfers, against whole nodes on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.file_transfer import CHUNK, FILE_PROTOCOL, FRAME_LIMIT, REQUEST_LIMIT
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.simulation.file_steps import DATA, PATH, accept, offer, until
from tests.simulation.nodes import SimulatedNode, address_of, make_node, running

Clock = trio.testing.MockClock


@asynccontextmanager
async def three() -> AsyncIterator[tuple[SimulatedNode, SimulatedNode, SimulatedNode]]:
    """Alice, who has a file, Bob, and Mallory."""
    hub = MemoryHub(latency=(0.01, 0.02))
    alice = make_node(hub, 1, name="Alice")
    bob = make_node(hub, 2, [address_of(1)], name="Bob")
    mallory = make_node(hub, 3, [address_of(1), address_of(2)], name="Mallory")
    alice.files.put(PATH, DATA)
    async with running(alice, bob, mallory):
        for node, other in ((alice, bob), (alice, mallory), (bob, alice), (mallory, alice)):
            await node.until_connected(other.identity.peer)
        yield alice, bob, mallory


async def ask(node: SimulatedNode, peer: str, request: bytes) -> wire.FileChunk:
    stream = await node.network.open_stream(peer, FILE_PROTOCOL)
    await stream.write(request)
    return wire.FileChunk.FromString(await stream.read_frame(FRAME_LIMIT))


def asking(transfer: str, offset: int = 0) -> bytes:
    request = wire.FileRequest(transfer=bytes.fromhex(transfer), offset=offset)
    return frame(request.SerializeToString())


async def test_nobody_gets_what_was_offered_to_somebody_else(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with three() as (alice, bob, mallory):
            transfer = await offer(alice, bob)
            chunk = await ask(mallory, alice.identity.peer, asking(transfer))
    assert (chunk.problem, chunk.data) == ("unknown", b"")


@pytest.mark.parametrize("request_", [b"\x03abc", frame(bytes(REQUEST_LIMIT + 1))])
async def test_who_asks_for_nonsense_is_cut_off(request_: bytes, autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with three() as (alice, _, mallory):
            with pytest.raises(StreamError):
                await ask(mallory, alice.identity.peer, request_)


async def test_who_asks_beyond_the_end_is_cut_off(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with three() as (alice, bob, _):
            transfer = await offer(alice, bob)
            with pytest.raises(StreamError):
                await ask(bob, alice.identity.peer, asking(transfer, len(DATA) + 1))


async def test_who_says_nothing_is_cut_off(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with three() as (alice, _, mallory):
            stream = await mallory.network.open_stream(alice.identity.peer, FILE_PROTOCOL)
            with pytest.raises(StreamError):
                await stream.read_frame(FRAME_LIMIT)


Serve = Callable[[Stream], Awaitable[None]]


def sending(*chunks: wire.FileChunk) -> Serve:
    async def serve(stream: Stream) -> None:
        await stream.read_frame(REQUEST_LIMIT)
        for chunk in chunks:
            await stream.write(frame(chunk.SerializeToString()))
        await stream.close()

    return serve


def pieces(data: bytes) -> list[wire.FileChunk]:
    cut = [data[begin : begin + CHUNK] for begin in range(0, len(data), CHUNK)]
    return [
        wire.FileChunk(data=each, last=number == len(cut)) for number, each in enumerate(cut, 1)
    ]


async def endless(stream: Stream) -> None:
    """Chunk after chunk, far beyond what was offered."""
    await stream.read_frame(REQUEST_LIMIT)
    while True:
        await stream.write(frame(wire.FileChunk(data=bytes(CHUNK)).SerializeToString()))


async def nothing_for_ever(stream: Stream) -> None:
    await stream.read_frame(REQUEST_LIMIT)
    while True:
        await stream.write(
            frame(wire.FileChunk(last=False, problem="").SerializeToString() or b"\x10\x00")
        )


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(sending(*pieces(DATA[::-1])), id="another file as long"),
        pytest.param(sending(*pieces(DATA + b"more")), id="more than was offered"),
        pytest.param(sending(*pieces(DATA[:-1])), id="less than was offered"),
        pytest.param(sending(wire.FileChunk(problem="\x1b[2J" * 1000)), id="an unknown problem"),
        pytest.param(endless, id="endless chunks"),
        pytest.param(nothing_for_ever, id="endless empty chunks"),
    ],
)
async def test_what_is_not_the_offered_file_leaves_nothing_behind(
    serve: Serve, autojump_clock: Clock
) -> None:
    with trio.fail_after(120):
        async with three() as (alice, bob, _):
            alice.network.handle(FILE_PROTOCOL, serve)
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            status = await until(bob, transfer, records.FAILED)
            sent = await bob.write(alice.identity.peer, "still there")
            await bob.until_stage(alice.identity.peer, sent.id, records.DELIVERED)
            assert not bob.files.partial
    assert not bob.files.downloads
    assert "\x1b" not in status.record.problem


async def test_a_sender_that_never_says_anything_is_asked_again(autojump_clock: Clock) -> None:
    asked = 0

    async def silent(stream: Stream) -> None:
        nonlocal asked
        asked += 1
        await stream.read_frame(REQUEST_LIMIT)
        await trio.sleep_forever()

    with trio.fail_after(600):
        async with three() as (alice, bob, _):
            alice.network.handle(FILE_PROTOCOL, silent)
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            while asked < 2:
                await trio.sleep(1)
            await until(bob, transfer, records.WAITING)


async def test_what_came_before_a_break_need_not_come_again(autojump_clock: Clock) -> None:
    """A relay that ends each circuit after a little lets a file through all the same."""
    offsets: list[int] = []

    async def a_little(stream: Stream) -> None:
        request = wire.FileRequest.FromString(await stream.read_frame(REQUEST_LIMIT))
        offsets.append(request.offset)
        for chunk in pieces(DATA)[request.offset // CHUNK :][:2]:
            await stream.write(frame(chunk.SerializeToString()))
        await stream.close()

    with trio.fail_after(600):
        async with three() as (alice, bob, _):
            alice.network.handle(FILE_PROTOCOL, a_little)
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            await until(bob, transfer, records.FINISHED)
    assert offsets == list(range(0, len(DATA), 2 * CHUNK))
    assert bob.files.downloads == {"holiday.jpg": DATA}
