"""Rooms become complete: whole nodes on a bad network, in virtual time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.protocol import dial_policy
from p2pchat.proto import actors_pb2 as actors
from tests.simulation.nodes import ROOM, SimulatedNode, address_of, make_node, virtual_clock

END = b"\xff"
PATIENCE = 3600.0  # seconds of virtual time
LATE = 5  # of so many nodes one comes late
SKEW_MS = 2 * 3600 * 1000  # clocks of people differ


class Crowd:
    """Nodes that come and go. `links`: how many others each of them knows at its start."""

    def __init__(self, hub: MemoryHub, nursery: trio.Nursery, seed: int, links: int = 3) -> None:
        self.hub = hub
        self.rng = random.Random(seed)
        self.nodes: dict[int, SimulatedNode] = {}
        self.said = 0
        self.spent: Counter[str] = Counter()  # sync counters of nodes that were stopped
        self._nursery = nursery
        self._links = links
        self.skews: dict[
            int, int
        ] = {}  # milliseconds that a node's clock is ahead, from its next start on
        self._bootstrap: dict[int, list[str]] = {}

    async def enter(self, number: int, store: MemoryStore | None = None) -> SimulatedNode:
        others = sorted(self.nodes)
        known = self.rng.sample(others, min(self._links, len(others)))
        bootstrap = self._bootstrap.setdefault(number, [address_of(each) for each in known])
        skew = self.skews.setdefault(number, self.rng.randint(-SKEW_MS, SKEW_MS))
        node = make_node(
            self.hub,
            number,
            bootstrap,
            store=store,
            now_ms=lambda: virtual_clock() + skew,
            dht=False,  # many nodes cost less without
        )
        await self._nursery.start(node.tree.run)
        self._nursery.start_soon(node.watch)
        self.nodes[number] = node
        return node

    async def leave(self, number: int) -> SimulatedNode:
        node = self.nodes.pop(number)
        self.spent += Counter((await sync_of(node)).counters)
        node.tree.request_stop()
        while any(cell.state != "stopped" for cell in node.tree.cells()):
            await trio.sleep(0.05)
        return node

    async def restart(self, number: int) -> None:
        await self.enter(number, (await self.leave(number)).store)

    async def talk(self, messages: int, seconds: float) -> None:
        for _ in range(messages):
            self.said += 1
            await self.rng.choice(list(self.nodes.values())).say(f"message {self.said}")
            await trio.sleep(self.rng.expovariate(messages / seconds))

    def sets(self) -> list[list[bytes]]:
        return [items_of(node) for node in self.nodes.values()]

    async def until_complete(self) -> float:
        """Seconds until all have the same, and all of it."""
        began = trio.current_time()
        while any(len(each) != self.said for each in self.sets()):
            await trio.sleep(1.0)
        return trio.current_time() - began

    async def costs(self) -> Counter[str]:
        total = Counter(self.spent)
        for node in self.nodes.values():
            total += Counter((await sync_of(node)).counters)
        return total

    async def stop(self) -> None:
        for number in list(self.nodes):
            await self.leave(number)


@asynccontextmanager
async def crowded(hub: MemoryHub, seed: int) -> AsyncIterator[Crowd]:
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            crowd = Crowd(hub, nursery, seed)
            yield crowd
            await crowd.stop()
            nursery.cancel_scope.cancel()


def items_of(node: SimulatedNode, room: str = ROOM) -> list[bytes]:
    return list(node.store.item_set(room).items(b"", END, 1_000_000))


async def sync_of(node: SimulatedNode) -> actors.SyncDescription:
    return await node.actor("sync").ask(actors.DescribeSync(), actors.SyncDescription)


async def read_whole(node: SimulatedNode, room: str = ROOM) -> list[str]:
    """The room's history page by page."""
    texts: list[str] = []
    before = b""
    while True:
        question = actors.ReadHistory(room=room, limit=1000, before=before)
        page = await node.ui.ask(question, actors.HistoryPage)
        if not page.records:
            return texts
        texts = [record.message.text for record in page.records] + texts
        before = page.first


@pytest.mark.parametrize(
    ("nodes", "seed"),
    [
        (20, 2026),
        pytest.param(50, 1, marks=pytest.mark.soak),
        pytest.param(50, 2026, marks=pytest.mark.soak),
    ],
)
async def test_many_nodes_on_a_bad_network_end_with_the_same_messages_in_the_same_order(
    autojump_clock: MockClock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    nodes: int,
    seed: int,
) -> None:
    """20 % of gossip is lost; the network is split twice; nodes are restarted, and others come late."""
    # Whoever is heard of would make so many neighbours of each that gossip alone brings nearly everything.
    monkeypatch.setattr(dial_policy, "MAX_ROOM_DIALLED", 0)
    monkeypatch.setattr(dial_policy, "MIN_CONNECTED", 0)
    hub = MemoryHub(seed=seed, latency=(0.005, 0.05), loss=0.2)
    async with crowded(hub, seed) as crowd:
        at_start = nodes - nodes // LATE
        for number in range(1, at_start + 1):
            await crowd.enter(number)
        await trio.sleep(5)
        await crowd.talk(100, 30)
        for sides in (2, 3):
            hub.partition(*split(crowd, sides))
            await crowd.talk(100, 60)
            for number in crowd.rng.sample(sorted(crowd.nodes), 4):
                await crowd.restart(number)
            await crowd.talk(50, 30)
            hub.heal()
            await crowd.talk(20, 20)
        for number in range(at_start + 1, nodes + 1):
            await crowd.enter(number)
        took = await crowd.until_complete()
        orders = {tuple(await read_whole(node)) for node in crowd.nodes.values()}
        costs = await crowd.costs()
    assert len(orders) == 1
    assert len(next(iter(orders))) == crowd.said
    assert not costs["sync_liars"]
    with capsys.disabled():
        print(
            f"\nseed {seed}: {nodes} nodes, {crowd.said} messages, {hub.lost} gossip messages lost; "
            f"complete {took:.0f} s after the last one; {costs['sync_sessions']} comparisons, "
            f"{costs['sync_rounds']} rounds, {costs['sync_bytes_out'] / 1024:,.0f} KiB sent, "
            f"{costs['sync_messages_in']} messages fetched or taken"
        )


def split(crowd: Crowd, sides: int) -> Sequence[Iterable[str]]:
    groups: list[list[str]] = [[] for _ in range(sides)]
    for node in crowd.nodes.values():
        crowd.rng.choice(groups).append(node.identity.peer)
    return groups


async def test_who_comes_late_gets_everything_from_one_member(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1, latency=(0.01, 0.05))
    async with crowded(hub, 1) as crowd:
        alice = await crowd.enter(1)
        for number in range(1500):
            await alice.say(str(number))
        crowd.said = 1500
        bob = await crowd.enter(2)
        assert await crowd.until_complete() < 10
        assert await read_whole(bob) == [str(number) for number in range(1500)]
        progress = [e for e in bob.events if isinstance(e, actors.SyncProgressed)]
        assert progress[-1].done
        assert (progress[-1].fetched, progress[-1].expected) == (1500, 1500)
        late = [e for e in bob.events if isinstance(e, actors.RoomMessagesArrived)]
        assert all(event.late for event in late)
        assert late[0].records[-1].message.text == "1499"  # the newest come first


async def test_members_that_have_the_same_leave_each_other_alone(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1, latency=(0.01, 0.05))
    async with crowded(hub, 1) as crowd:
        alice = await crowd.enter(1)
        for number in range(700):  # more than one gives to another at once
            await alice.say(str(number))
        crowd.said = 700
        await crowd.enter(2)
        await crowd.until_complete()
        await crowd.restart(2)
        await trio.sleep(300)
        costs = await crowd.costs()
        assert costs["sync_sessions"] <= 20
        assert costs["sync_messages_in"] == 700


async def test_what_gossip_lost_is_fetched_and_shown_before_what_follows(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap shows itself by the parents of the next message; nothing is said about it when it closes at once."""
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    async with crowded(hub, 1) as crowd:
        alice, bob = await crowd.enter(1), await crowd.enter(2)
        await bob.until_listening(1)
        await trio.sleep(5)  # they have compared their empty rooms
        await alice.say("one")
        await bob.until_shown("one")
        with monkeypatch.context() as deaf:
            deaf.setattr(hub, "loss", 1.0)
            await alice.say("two")
            await alice.say("three")
            await trio.sleep(0.5)
        await alice.say("four")
        await bob.until_shown("one", "two", "three", "four")
        assert not any(isinstance(e, actors.RoomGap) for e in bob.events)
        assert not any(e.late for e in bob.events if isinstance(e, actors.RoomMessagesArrived))


async def test_a_gap_that_nobody_can_close_is_told_and_given_up(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    async with crowded(hub, 1) as crowd:
        alice, bob = await crowd.enter(1), await crowd.enter(2)
        await bob.until_listening(1)
        await trio.sleep(5)
        monkeypatch.setattr(hub, "loss", 1.0)
        await alice.say("lost for ever")
        await trio.sleep(0.5)
        monkeypatch.setattr(hub, "loss", 0.0)
        await alice.ui.ask(actors.ForgetRoom(room=ROOM), actors.RoomTrimmed)
        await alice.say("after it")
        await bob.until_shown("after it")
        await trio.sleep(120)
        gaps = [e for e in bob.events if isinstance(e, actors.RoomGap)]
        assert [(gap.missing, gap.given_up) for gap in gaps] in (
            [(1, True)],
            [(1, False), (1, True)],
        )


async def test_two_members_that_are_never_there_together_meet_through_a_third(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    async with crowded(hub, 1) as crowd:
        await crowd.enter(1)
        first = await crowd.enter(2)
        await first.until_listening(1)
        await first.say("are you there?")
        crowd.said = 1
        await crowd.until_complete()
        await crowd.leave(2)
        late = await crowd.enter(3)
        await crowd.until_complete()
        assert await read_whole(late) == ["are you there?"]


async def test_honest_members_of_a_busy_room_are_not_taken_for_liars(
    autojump_clock: MockClock,
) -> None:
    """What gossip brings while two compare makes them differ, and nothing is found."""
    hub = MemoryHub(seed=3, latency=(0.05, 0.4))
    async with crowded(hub, 3) as crowd:
        for number in range(1, 7):
            await crowd.enter(number)
        await trio.sleep(5)
        await crowd.talk(1800, 600)
        costs = await crowd.costs()
        assert costs["sync_sessions"] > 100
        assert not costs["sync_liars"]
        await crowd.until_complete()


async def test_a_clock_that_was_ahead_loses_nothing_that_is_said_later(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    async with crowded(hub, 1) as crowd:
        crowd.skews.update({1: 2 * 3600 * 1000, 2: 0})
        alice, bob = await crowd.enter(1), await crowd.enter(2)
        await alice.until_listening(1)
        await alice.say("ahead")
        await bob.until_shown("ahead")
        await alice.ui.ask(actors.ForgetRoom(room=ROOM), actors.RoomTrimmed)
        crowd.skews[1] = 0
        await crowd.restart(1)
        alice = crowd.nodes[1]
        await alice.until_listening(1)
        own = await alice.say("own words")
        await bob.until_shown("own words")
        await bob.say("hello Alice")
        await alice.until_shown("hello Alice")
        assert {"own words", "hello Alice"} <= set(await read_whole(alice))
        assert own.message.lamport > 0


async def test_many_rooms_are_compared_with_one_neighbour_soon(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    rooms = [f"room{number}" for number in range(30)]
    async with crowded(hub, 1) as crowd:
        alice = await crowd.enter(1)
        for room in rooms:
            await alice.ui.ask(actors.JoinRoom(room=room), actors.RoomJoined)
            await alice.say("said before", room)
        bob = await crowd.enter(2)
        for room in rooms:
            await bob.ui.ask(actors.JoinRoom(room=room), actors.RoomJoined)
        with trio.fail_after(60):
            while any(len(items_of(bob, room)) != 1 for room in rooms):
                await trio.sleep(0.5)
        assert not (await crowd.costs())["sync_declined"]


async def test_forgetting_while_others_talk(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    async with crowded(hub, 1) as crowd:
        alice, bob = await crowd.enter(1), await crowd.enter(2)
        await alice.until_listening(1)
        for number in range(20):
            await bob.say(str(number))
            await alice.ui.ask(actors.ForgetRoom(room=ROOM), actors.RoomTrimmed)
        assert all(cell.restarts == 0 for cell in alice.tree.cells())


async def test_what_was_forgotten_does_not_come_back(autojump_clock: MockClock) -> None:
    hub = MemoryHub(seed=1, latency=(0.005, 0.02))
    async with crowded(hub, 1) as crowd:
        alice, bob = await crowd.enter(1), await crowd.enter(2)
        await bob.until_listening(1)
        for number in range(30):
            await alice.say(str(number))
        await bob.until_shown("29")
        forgotten = await bob.ui.ask(actors.ForgetRoom(room=ROOM), actors.RoomTrimmed)
        assert forgotten.messages == 30
        await crowd.restart(2)
        await trio.sleep(600)
        bob = crowd.nodes[2]
        assert await read_whole(bob) == []
        await alice.say("new")
        await bob.until_shown("new")
        await trio.sleep(60)
        assert not any(isinstance(e, actors.RoomGap) for e in bob.events)
        assert len(await read_whole(alice)) == 31
