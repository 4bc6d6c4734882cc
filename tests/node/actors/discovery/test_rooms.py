"""How the members of a room are found."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.discovery.findings import BURST, RATE
from p2pchat.node.actors.discovery.rooms import LOOK, PROVIDERS
from p2pchat.node.adapters.memory_network import MemoryNetwork
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.peer_exchange import FEW, MAX_PEERS, PROTOCOL, REQUEST_LIMIT
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire
from tests.node.actors.discovery.stage import IDS, OTHER, PEER, Scene, playing, topic

WHERE = ["/memory/77"]
CHANGED = actors.NetworkChanged(why="the network has changed")


class Member:
    """Answers every question with the same reply, and writes down when it was asked about what."""

    def __init__(self, network: MemoryNetwork, reply: wire.PeersReply) -> None:
        self.asked: list[tuple[float, str]] = []
        self._reply = reply
        network.handle(PROTOCOL, self._answer)

    async def _answer(self, stream: Stream) -> None:
        request = wire.PeersRequest.FromString(await stream.read_frame(REQUEST_LIMIT))
        assert request.limit == MAX_PEERS
        self.asked.append((trio.current_time(), request.room))
        await stream.write(frame(self._reply.SerializeToString()))
        await stream.close()


def reply_with(*peers: str, addresses: list[str] = WHERE) -> wire.PeersReply:
    return wire.PeersReply(
        peers=[wire.RoomPeer(peer=peer_id.from_text(p), addresses=addresses) for p in peers]
    )


async def member(scene: Scene, peer: str, *told: str) -> Member:
    return Member(await scene.neighbour(peer, "room"), reply_with(*told))


def provider(peer: str) -> actors.PeerAddresses:
    return actors.PeerAddresses(peer=peer, addresses=WHERE)


# ---- from neighbours -------------------------------------------------------------------------------------


async def test_a_neighbour_is_asked_about_the_room_and_what_it_says_is_told(
    autojump_clock: MockClock,
) -> None:
    async with playing() as scene:
        await scene.join("room")
        asked = (await member(scene, PEER, OTHER, IDS[5])).asked
        await trio.sleep(6)
        assert [room for _, room in asked] == ["room"]
        assert scene.told_rooms() == {OTHER: WHERE, IDS[5]: WHERE}
        assert (await scene.describe()).exchanged == 2


async def test_joining_a_room_later_asks_those_who_are_connected(
    autojump_clock: MockClock,
) -> None:
    async with playing() as scene:
        asked = (await member(scene, PEER, OTHER)).asked
        await trio.sleep(1000)
        assert asked == []
        await scene.join("room")
        await trio.sleep(6)
        assert len(asked) == 1


async def test_who_is_connected_and_the_node_itself_are_not_told(
    autojump_clock: MockClock,
) -> None:
    async with playing() as scene:
        await scene.join("room")
        await scene.neighbour(OTHER)
        await member(scene, PEER, OTHER, PEER, scene.network.peer, IDS[5])
        await trio.sleep(6)
        assert scene.told_rooms() == {IDS[5]: WHERE}


async def test_with_few_neighbours_they_are_asked_often_and_else_rarely(
    autojump_clock: MockClock,
) -> None:
    async with playing() as scene:
        await scene.join("room")
        first = await member(scene, IDS[5], OTHER)
        await trio.sleep(600)
        assert 600 / 45 - 2 <= len(first.asked) <= 600 / 15 + 1
        for peer in IDS[6 : 5 + FEW]:
            await member(scene, peer, OTHER)
        await trio.sleep(LOOK + 60)
        before = len(first.asked)
        await trio.sleep(3000)
        assert len(first.asked) - before <= 3000 / 150 + 1


async def test_who_is_no_chat_peer_is_not_asked_again_and_again(
    autojump_clock: MockClock,
) -> None:
    async with playing() as scene:
        await scene.join("room")
        js = await scene.neighbour(PEER, "room")
        opened = 0

        async def refuse(stream: Stream) -> None:
            nonlocal opened
            opened += 1
            await stream.reset()

        js.handle(PROTOCOL, refuse)
        await trio.sleep(3600)
        assert 2 <= opened <= 12


async def test_a_silent_neighbour_holds_up_nobody(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        for peer in IDS[10:18]:
            silent = await scene.neighbour(peer, "room")

            async def hold(_: Stream) -> None:
                await trio.sleep_forever()

            silent.handle(PROTOCOL, hold)
        asked = (await member(scene, PEER, OTHER)).asked
        await trio.sleep(90)
        assert asked
        assert scene.told_rooms() == {OTHER: WHERE}


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x7f"])
async def test_nonsense_for_an_answer_is_no_crash(body: bytes, autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        liar = await scene.neighbour(IDS[5], "room")

        async def lie(stream: Stream) -> None:
            await stream.read_frame(REQUEST_LIMIT)
            await stream.write(frame(body))

        liar.handle(PROTOCOL, lie)
        await trio.sleep(20)
        await member(scene, PEER, OTHER)
        await trio.sleep(6)
        assert scene.told_rooms() == {OTHER: WHERE}


async def test_a_flood_of_members_is_cut(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        endless = (bytes([0, 36, 8, 1, 18, 32]) + n.to_bytes(32, "big") for n in range(10**9))
        liars = [await scene.neighbour(peer, "room") for peer in IDS[5:8]]

        async def flood(stream: Stream) -> None:
            await stream.read_frame(REQUEST_LIMIT)
            told = [wire.RoomPeer(peer=next(endless), addresses=WHERE) for _ in range(500)]
            await stream.write(frame(wire.PeersReply(peers=told).SerializeToString()))
            await stream.close()

        for liar in liars:
            liar.handle(PROTOCOL, flood)
        await trio.sleep(6)
        assert len(scene.told_rooms()) == len(liars) * MAX_PEERS
        await trio.sleep(600)
        assert len(scene.told_rooms()) <= BURST + 606 * RATE


async def test_after_a_change_of_the_network_everybody_is_asked_soon(
    autojump_clock: MockClock,
) -> None:
    async with playing(dht=True) as scene:
        scene.providers = {topic("room"): []}
        await scene.join("room")
        members = [await member(scene, peer) for peer in IDS[5 : 5 + FEW]]
        await trio.sleep(60)
        before = [len(each.asked) for each in members]
        searched = len(scene.searches)
        await scene.discovery.tell(CHANGED)
        await trio.sleep(6)
        assert [len(each.asked) for each in members] == [count + 1 for count in before]
        assert len(scene.searches) == searched + 1


async def test_two_actors_find_for_each_other_whom_they_know(autojump_clock: MockClock) -> None:
    async with playing() as ours, playing(hub=ours.hub, peer=PEER) as theirs:
        await ours.join("room")
        await theirs.join("room")
        await theirs.neighbour(OTHER, "room")
        theirs.addresses = {OTHER: WHERE}
        await ours.network.dial(PEER, theirs.network.listen_addresses())
        await trio.sleep(6)
        assert ours.told_rooms() == {OTHER: WHERE}
        assert theirs.told_rooms() == {}


# ---- in the DHT --------------------------------------------------------------------------------------------


async def test_members_are_looked_for_in_the_dht_when_somebody_is_connected(
    autojump_clock: MockClock,
) -> None:
    async with playing(dht=True) as scene:
        scene.providers = {topic("room"): [provider(OTHER), provider(scene.network.peer)]}
        await scene.join("room")
        await trio.sleep(100)
        assert scene.searches == []
        await scene.neighbour(PEER)
        await trio.sleep(2)
        assert [topic_ for _, topic_ in scene.searches] == [topic("room")]
        assert scene.told_rooms() == {OTHER: WHERE}
        assert (await scene.describe()).exchanged == 0


@pytest.mark.parametrize("found", [None, [provider(OTHER)]])
async def test_they_are_looked_for_ever_more_rarely(
    found: list[actors.PeerAddresses] | None, autojump_clock: MockClock
) -> None:
    async with playing(dht=True) as scene:
        if found is not None:
            scene.providers = {topic("room"): found}
        await scene.join("room")
        await scene.neighbour(PEER)
        await trio.sleep(7200)
        assert 10 <= len(scene.searches) <= 30
        before = len(scene.searches)
        for peer in IDS[5 : 5 + FEW]:
            await member(scene, peer)
        await trio.sleep(900)
        assert len(scene.searches) <= before + 2
        before = len(scene.searches)
        await trio.sleep(7200)
        assert len(scene.searches) <= before + 9


async def test_when_all_are_gone_nothing_is_asked_until_somebody_is_back(
    autojump_clock: MockClock,
) -> None:
    async with playing(dht=True) as scene:
        await scene.join("room")
        other = await scene.neighbour(PEER)
        await trio.sleep(10)
        await other.disconnect(scene.network.peer)
        await trio.sleep(1)
        before = len(scene.searches)
        await trio.sleep(7200)
        assert len(scene.searches) == before
        await other.dial(scene.network.peer, scene.network.listen_addresses())
        await trio.sleep(3)
        assert len(scene.searches) == before + 1


async def test_no_more_providers_are_told_than_asked_for(autojump_clock: MockClock) -> None:
    async with playing(dht=True) as scene:
        scene.providers = {topic("room"): [provider(peer) for peer in IDS[5:80]]}
        await scene.join("room")
        await scene.neighbour(PEER)
        await trio.sleep(3)
        assert len(scene.told_rooms()) == PROVIDERS


async def test_the_dht_is_told_the_rooms_once_for_many_changes(autojump_clock: MockClock) -> None:
    async with playing(dht=True) as scene:
        await scene.join("a")
        await scene.join("a", "b")
        await trio.sleep(2)
        assert scene.provided == [[topic("a"), topic("b")]]
        await scene.join("b")
        await trio.sleep(2)
        await scene.join()
        await trio.sleep(1000)
        assert scene.provided[1:] == [[topic("b")], []]


async def test_without_a_dht_neighbours_are_all_there_is(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.join("room")
        await member(scene, PEER, OTHER)
        await trio.sleep(1000)
        assert (scene.searches, scene.provided) == ([], [])
        assert scene.told_rooms() == {OTHER: WHERE}
