"""What another member, or a stranger, gets for an answer."""

from __future__ import annotations

import contextlib

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.discovery.exchange_server import BURST, GRACE, RATE, STREAMS, TIMEOUT
from p2pchat.node.adapters.memory_network import MemoryNetwork
from p2pchat.node.errors import StreamError
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.peer_exchange import PROTOCOL, REPLY_LIMIT, REQUEST_LIMIT, nobody
from p2pchat.proto import wire_pb2 as wire
from tests.node.actors.discovery.stage import IDS, OTHER, PEER, Scene, playing, topic


async def answer(asker: MemoryNetwork, scene: Scene, body: bytes) -> wire.PeersReply:
    stream = await asker.open_stream(scene.network.peer, PROTOCOL)
    await stream.write(frame(body))
    return wire.PeersReply.FromString(await stream.read_frame(REPLY_LIMIT))


async def ask(
    asker: MemoryNetwork, scene: Scene, room: str = "room", limit: int = 32
) -> dict[str, list[str]]:
    request = wire.PeersRequest(room=room, limit=limit)
    reply = await answer(asker, scene, request.SerializeToString())
    return {peer_id.to_text(p.peer): list(p.addresses) for p in reply.peers if p.peer}


async def test_a_member_hears_where_the_others_are(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room", "elsewhere")
        asker = await scene.neighbour(PEER, "room")
        await scene.neighbour(OTHER, "room")
        await scene.neighbour(IDS[5], "elsewhere")
        await scene.neighbour(IDS[6], "room")
        scene.addresses = {peer: ["/memory/77"] for peer in (PEER, OTHER, IDS[5])}
        await trio.sleep(1)
        # Neither the asker, nor who is somewhere else, nor who has no address.
        assert await ask(asker, scene) == {OTHER: ["/memory/77"]}


async def test_of_a_large_room_as_many_are_told_as_asked_for(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        asker = await scene.neighbour(PEER, "room")
        for peer in IDS[5:50]:
            await scene.neighbour(peer, "room")
            scene.addresses[peer] = ["/memory/77"]
        await trio.sleep(1)
        assert len(await ask(asker, scene, limit=7)) == 7
        first, second = await ask(asker, scene), await ask(asker, scene)
        assert len(first) == len(second) == 32
        assert first.keys() != second.keys()


@pytest.mark.parametrize("room", ["secret", "room", "", "\x01room"])
async def test_who_is_not_in_the_room_hears_nothing(room: str, autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room", "secret")
        asker = await scene.neighbour(PEER)
        await scene.neighbour(OTHER, "room", "secret")
        scene.addresses = {OTHER: ["/memory/77"]}
        await trio.sleep(1)
        request = wire.PeersRequest(room=room, limit=32).SerializeToString()
        assert await answer(asker, scene, request) == nobody()


async def test_who_has_just_come_in_is_waited_for(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        asker = await scene.neighbour(PEER)
        await scene.neighbour(OTHER, "room")
        scene.addresses = {OTHER: ["/memory/77"]}
        await trio.sleep(1)
        heard = dict[str, list[str]]()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _ask() -> None:
                heard.update(await ask(asker, scene))

            await trio.sleep(GRACE / 2)
            await asker.subscribe(topic("room"))
        assert heard == {OTHER: ["/memory/77"]}


async def test_a_room_that_was_left_is_not_spoken_of(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        asker = await scene.neighbour(PEER, "room")
        await scene.neighbour(OTHER, "room")
        scene.addresses = {OTHER: ["/memory/77"]}
        await scene.join()
        await trio.sleep(1)
        assert await ask(asker, scene) == {}


@pytest.mark.parametrize("body", [b"\xff\xff", b"x" * (REQUEST_LIMIT + 1)])
async def test_nonsense_resets_the_stream_and_nothing_else(
    body: bytes, autojump_clock: MockClock
) -> None:
    async with playing() as scene:
        await scene.join("room")
        asker = await scene.neighbour(PEER, "room")
        await scene.neighbour(OTHER, "room")
        scene.addresses = {OTHER: ["/memory/77"]}
        await trio.sleep(1)
        with pytest.raises(StreamError):
            await answer(asker, scene, body)
        assert OTHER in await ask(asker, scene)


async def test_who_asks_too_often_is_refused_for_a_while(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        asker = await scene.neighbour(PEER, "room")
        patient = await scene.neighbour(OTHER, "room")
        await trio.sleep(1)
        for _ in range(BURST):
            await ask(asker, scene)
        with pytest.raises(StreamError):
            await ask(asker, scene)
        await ask(patient, scene)
        await trio.sleep(1 / RATE + 1)
        await ask(asker, scene)


async def test_who_never_asks_holds_a_place_only_for_a_while(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        silent = [await scene.neighbour(peer, "room") for peer in IDS[5 : 5 + STREAMS]]
        asker = await scene.neighbour(PEER, "room")
        await trio.sleep(1)
        for network in silent:
            stream = await network.open_stream(scene.network.peer, PROTOCOL)
            await stream.write(b"\x7f")
        await trio.sleep(1)
        with pytest.raises(StreamError):
            await ask(asker, scene)
        await trio.sleep(TIMEOUT)
        await ask(asker, scene)


async def test_one_peer_cannot_hold_all_places(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        greedy = await scene.neighbour(OTHER, "room")
        asker = await scene.neighbour(PEER, "room")
        await trio.sleep(1)
        for _ in range(STREAMS):
            with contextlib.suppress(StreamError):
                stream = await greedy.open_stream(scene.network.peer, PROTOCOL)
                await stream.write(b"\x7f")
        await trio.sleep(1)
        await ask(asker, scene)
