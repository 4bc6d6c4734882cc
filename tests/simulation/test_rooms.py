"""Rooms between whole nodes: everything real but the wire and the disk, on virtual time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.transport.greetings import HELLO_PROTOCOL
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import AskTimeoutError, NetworkDownError, RequestRejectedError, StoreError
from p2pchat.node.protocol import names
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.rooms import Room
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire
from tests.simulation.nodes import ROOM, SimulatedNode, address_of, make_node, running

T = TypeVar("T")
PATIENCE = 120.0  # seconds of virtual time


def pair() -> tuple[SimulatedNode, SimulatedNode]:
    hub = MemoryHub(seed=1)
    return make_node(hub, 1, name="Alice"), make_node(hub, 2, [address_of(1)], name="Bob")


async def meet(*nodes: SimulatedNode) -> None:
    for node in nodes:
        await node.until_listening(len(nodes) - 1)


async def test_two_nodes_talk_both_ways(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            await alice.say("Hi Bob")
            await bob.until_shown("Hi Bob")
            await bob.say("Hi Alice")
            await alice.until_shown("Hi Bob", "Hi Alice")
            assert await alice.history() == await bob.history() == ["Hi Bob", "Hi Alice"]
            assert {r.message.nick for r in bob.shown} == {"Alice", "Bob"}


async def test_own_messages_are_shown_once_and_after_they_are_stored(
    autojump_clock: MockClock,
) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            for number in range(20):
                await alice.say(str(number))
            await bob.until_shown("18", "19")
            await alice.until_shown("18", "19")
            assert [r.message.text for r in alice.shown] == [str(n) for n in range(20)]


async def test_a_message_that_comes_twice_is_shown_once_even_after_a_restart(
    autojump_clock: MockClock,
) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            record = await alice.say("once")
            await bob.until_shown("once")
            echo = Room(ROOM, False, b"", alice.identity.private_key, bytes)
            (data,) = echo.encode([record.message])
            await alice.network.publish(echo.topic, data)
            await alice.say("next")
            await bob.until_shown("once", "next")
        again = make_node(MemoryHub(seed=2), 2, store=bob.store)
        async with running(again):
            assert await again.history() == ["once", "next"]
            await again.say("after the restart")
            assert again.shown == [] or again.shown[-1].message.text == "after the restart"


async def test_a_forged_message_is_dropped_and_counted(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            forger = Room(ROOM, False, bob.identity.peer_bytes, alice.identity.private_key, bytes)
            forged = forger.compose("send me money", "Bob", 1_700_000_000_000)
            await alice.network.publish(forger.topic, forger.encode([forged.message])[0])
            await alice.say("true")
            await bob.until_shown("true")
            rooms = await bob.ui.ask(actors.ListRooms(), actors.RoomList)
            assert rooms.rooms[0].refused == 1
            assert await bob.history() == ["true"]


async def test_rooms_do_not_mix(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            for node in (alice, bob):
                await node.ui.ask(actors.JoinRoom(room="den"), actors.RoomJoined)
            await alice.ui.ask(actors.JoinRoom(room="attic"), actors.RoomJoined)
            for room in (ROOM, "den"):
                await alice.until_listening(1, room)
            await alice.say("upstairs", "attic")
            await alice.say("here", "den")
            await alice.say("everywhere")
            await bob.until_shown("everywhere")
            assert {r.message.room for r in bob.shown} == {"den", ROOM}
            assert await alice.history("attic") == ["upstairs"]


async def test_plain_rooms(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            for node in (alice, bob):
                await node.ui.ask(
                    actors.JoinRoom(room="universal-connectivity", plain=True), actors.RoomJoined
                )
            await alice.until_listening(1, "universal-connectivity")
            await alice.say("raw", "universal-connectivity")
            await bob.until_shown("raw")
            assert bob.shown[-1].plain


async def test_who_left_hears_nothing_and_can_come_back(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            await bob.ui.ask(actors.LeaveRoom(room=ROOM), actors.RoomLeft)
            with pytest.raises(RequestRejectedError, match="not in #"):
                await bob.say("hello?")
            await bob.ui.ask(actors.JoinRoom(room=ROOM), actors.RoomJoined)
            await meet(alice, bob)
            await trio.sleep(5)
            await alice.say("welcome back")
            await bob.until_shown("welcome back")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "nothing to send"), ("x" * (names.TEXT_LIMIT + 1), "at most")],
)
async def test_texts_that_cannot_be_sent_are_refused_before(
    autojump_clock: MockClock, text: str, words: str
) -> None:
    (alice, _) = pair()
    async with running(alice):
        with pytest.raises(RequestRejectedError, match=words):
            await alice.say(text)
        await alice.say("x" * names.TEXT_LIMIT)
        assert len(await alice.history()) == 1


async def test_the_network_part_crashes_and_the_talk_goes_on(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            await bob.ui.ask(actors.JoinRoom(room="den"), actors.RoomJoined)
            await bob.actor("transport").tell(
                actors.RoomJoined()
            )  # a message it has no handler for
            await trio.sleep(5)
            restarts = {cell.name: cell.restarts for cell in bob.tree.cells()}
            assert restarts == {
                "storage": 0,
                "transport": 1,
                "reachability": 1,
                "dht": 1,
                "discovery": 1,
                "pubsub": 1,
                "sync": 1,
                "delivery": 0,
                "files": 0,
                "search": 0,
                "ui": 0,
            }
            await meet(alice, bob)
            await alice.say("are you there?")
            await bob.until_shown("are you there?")
            rooms = await bob.ui.ask(actors.ListRooms(), actors.RoomList)
            assert {room.name for room in rooms.rooms} == {ROOM, "den"}


async def test_a_full_disk_refuses_own_messages_and_delays_others(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)

            def full(_: object) -> list[bool]:
                raise StoreError("The disk is full.")

            with monkeypatch.context() as broken:
                broken.setattr(bob.store, "append", full)
                with pytest.raises(RequestRejectedError, match="disk is full"):
                    await bob.say("lost?")
                await alice.say("kept")
                await trio.sleep(3)
                assert bob.shown == []
            await bob.until_shown("kept")
            assert await alice.history() == ["kept"]


async def test_names_travel_with_the_greeting_and_a_change_is_told(
    autojump_clock: MockClock,
) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            await trio.sleep(1)
            await bob.ui.ask(actors.SetName(name="Robert"), actors.Done)
            await trio.sleep(1)
            named = [e for e in alice.events if isinstance(e, actors.PeerNamed)]
            assert [(e.previous, e.name) for e in named] == [("", "Bob"), ("Bob", "Robert")]
            listed = await alice.ui.ask(actors.ListConnections(), actors.ConnectionList)
            assert [c.name for c in listed.connections] == ["Robert"]
            await bob.say("it is me")
            await alice.until_shown("it is me")
            assert alice.shown[-1].message.nick == "Robert"


async def test_many_changes_of_name_are_told_together_and_the_last_one_is_heard(
    autojump_clock: MockClock,
) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            for number in range(50):
                await bob.ui.ask(actors.SetName(name=f"B{number}"), actors.Done)
                await trio.sleep(0.1)
            await trio.sleep(60)
            named = [e for e in alice.events if isinstance(e, actors.PeerNamed)]
            assert named[-1].name == "B49"
            assert len(named) <= 6


async def test_a_peer_cannot_flood_the_screen_with_names(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            for number in range(50):
                stream = await bob.network.open_stream(alice.identity.peer, HELLO_PROTOCOL)
                await stream.write(frame(wire.Hello(nick=f"B{number}").SerializeToString()))
                await trio.sleep(0.1)
            assert len([e for e in alice.events if isinstance(e, actors.PeerNamed)]) <= 6
            described = await alice.ui.ask(actors.DescribeNode(), actors.NodeDescription)
            assert described.transport.counters["hellos_refused"] >= 40


async def test_a_restarted_peer_is_found_again_and_keeps_name_and_rooms(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1)
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)], name="Bob")
    with trio.fail_after(PATIENCE):
        async with running(bob):
            async with running(alice):
                await meet(alice, bob)
                await alice.ui.ask(actors.SetName(name="Al"), actors.Done)
                await alice.ui.ask(actors.JoinRoom(room="den"), actors.RoomJoined)
            again = make_node(hub, 1, store=alice.store, name=" ")
            async with running(again):
                await meet(again, bob)
                rooms = await again.ui.ask(actors.ListRooms(), actors.RoomList)
                assert {room.name for room in rooms.rooms} == {ROOM, "den"}


async def test_a_burst_arrives_whole_and_in_order(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=3)
    nodes = [make_node(hub, 1), *(make_node(hub, n, [address_of(1)]) for n in range(2, 6))]
    texts = [str(number) for number in range(500)]
    with trio.fail_after(PATIENCE):
        async with running(*nodes) as nursery:
            await nodes[0].until_listening(len(nodes) - 1)
            for text in texts:
                nursery.start_soon(nodes[0].say, text)
            while any(len(node.shown) < len(texts) for node in nodes):
                await trio.sleep(0.1)
            expected = [r.message.text for r in nodes[0].shown]
            assert sorted(expected, key=int) == texts
            for node in nodes[1:]:
                assert [r.message.text for r in node.shown] == expected


async def test_a_chosen_address_that_does_not_answer_is_said_once(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1)
    bob = make_node(hub, 2, [address_of(1)])
    with trio.fail_after(PATIENCE):
        async with running(bob):
            await trio.sleep(60)
            told = [e.text for e in bob.events if isinstance(e, actors.Notice)]
            assert len([text for text in told if "Cannot reach /memory/1/" in text]) == 1


class SlowDisk:
    """Runs calls on the store after `delay` seconds."""

    def __init__(self) -> None:
        self.delay = 0.0

    async def __call__(self, call: Callable[[], T], /) -> T:
        await trio.sleep(self.delay)
        return call()


async def test_a_disk_slower_than_any_patience_loses_nothing_and_hides_nothing(
    autojump_clock: MockClock,
) -> None:
    hub, disk = MemoryHub(seed=1), SlowDisk()
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)], run_store=disk)
    with trio.fail_after(PATIENCE):
        async with running(alice, bob) as nursery:
            await meet(alice, bob)
            disk.delay = 15.0
            await alice.say("from alice")
            nursery.start_soon(_say_whatever_comes, bob, "from bob")
            await alice.until_shown("from bob")
            disk.delay = 0.0
            await trio.sleep(20)
            assert {r.message.text for r in bob.shown} == {"from alice", "from bob"}
            assert all(cell.restarts == 0 for cell in bob.tree.cells())


async def _say_whatever_comes(node: SimulatedNode, text: str) -> None:
    with contextlib.suppress(
        RequestRejectedError, AskTimeoutError
    ):  # the asker's patience is his own
        await node.say(text)


async def test_what_was_posted_goes_out_before_the_node_stops(autojump_clock: MockClock) -> None:
    hub, disk = MemoryHub(seed=1), SlowDisk()
    alice = make_node(hub, 1, run_store=disk)
    bob = make_node(hub, 2, [address_of(1)])
    with trio.fail_after(PATIENCE):
        async with running(bob):
            async with running(alice) as nursery:
                await meet(alice, bob)
                disk.delay = 0.02
                for text in ("one", "two", "three"):
                    nursery.start_soon(_say_whatever_comes, alice, text)
                await trio.sleep(0.01)
            await trio.sleep(5)
            assert {r.message.text for r in bob.shown} == {"one", "two", "three"}
            assert all(cell.restarts == 0 for cell in alice.tree.cells())


async def test_what_waits_for_gossip_survives_a_crash_of_the_network_part(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)

            async def stuck(topic: str, data: bytes) -> None:
                await trio.sleep_forever()

            with monkeypatch.context() as broken:
                broken.setattr(alice.network, "publish", stuck)
                for text in ("one", "two", "three"):
                    await alice.say(text)
            await alice.actor("discovery").tell(actors.RoomJoined())  # has no handler for it
            await bob.until_shown("one", "two", "three")


async def test_a_dead_network_keeps_what_was_said(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the crash of transport and the restart of its group every publish fails."""
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)

            async def down(topic: str, data: bytes) -> None:
                raise NetworkDownError("the network does not run")

            with monkeypatch.context() as broken:
                broken.setattr(alice.network, "publish", down)
                for text in ("one", "two", "three"):
                    await alice.say(text)
                await alice.actor("transport").tell(actors.RoomJoined())  # has no handler for it
            await bob.until_shown("one", "two", "three")


async def test_last_words_in_a_room_go_out_before_it_is_left(autojump_clock: MockClock) -> None:
    alice, bob = pair()
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await meet(alice, bob)
            for text in ("one", "two", "goodbye"):
                await alice.say(text)
            await alice.ui.ask(actors.LeaveRoom(room=ROOM), actors.RoomLeft)
            await bob.until_shown("one", "two", "goodbye")
