from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors import discovery
from p2pchat.node.actors.discovery import DiscoveryActor
from p2pchat.node.adapters.memory_discovery import MemoryDiscovery, MemoryLan
from p2pchat.node.errors import NetworkError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import LocalDiscovery
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

OWN, PEER, OTHER = (Identity(bytes([n]) * 32).peer for n in range(3))
NAME = f"/dnsaddr/example.org/p2p/{PEER}"


def at(number: int, peer: str = PEER) -> str:
    return f"/ip4/192.0.2.{number}/tcp/4001/p2p/{peer}"


class FakeTransport(Actor):
    """Writes down who was found; sees at most one at a time while `gate` is shut."""

    mailbox_size = 1

    def __init__(self, told: list[actors.PeerFound], gate: trio.Event) -> None:
        self._told = told
        self._gate = gate

    @handles(actors.PeerFound)
    async def _found(self, found: actors.PeerFound) -> None:
        await self._gate.wait()
        self._told.append(found)


class FakeUi(Actor):
    def __init__(self, notices: list[str]) -> None:
        self._notices = notices

    @handles(actors.Notice)
    async def _notice(self, notice: actors.Notice) -> None:
        self._notices.append(notice.text)


class FakeNames:
    """A resolver that fails `failures` times for each name."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[tuple[float, str]] = []
        self._failures = failures

    async def __call__(self, address: str) -> Sequence[str]:
        self.asked.append((trio.current_time(), address))
        if len(self.asked) <= self._failures:
            raise NetworkError("no network")
        return [at(7), at(8)]


class FakeLocal:
    """Local discovery that the test speaks for."""

    def __init__(self) -> None:
        self.announced: list[Sequence[str]] = []
        self.runs = 0

    def announce(self, addresses: Sequence[str]) -> None:
        self.announced.append(list(addresses))

    async def run(
        self,
        peer: str,
        found: Callable[[str, Sequence[str]], None],
        report: Callable[[str], None],
    ) -> None:
        self.runs += 1
        self.peer, self.found, self.report = peer, found, report
        await trio.sleep_forever()


@dataclass
class Scene:
    """The actor under test, and what the others were told."""

    discovery: ActorRef = field(init=False)
    told: list[actors.PeerFound] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    gate: trio.Event = field(default_factory=trio.Event)

    async def listening(self, *addresses: str) -> None:
        await self.discovery.tell(actors.Listening(peer=OWN, addresses=addresses))
        await settled()

    async def describe(self) -> actors.DiscoveryDescription:
        return await self.discovery.ask(actors.DescribeDiscovery(), actors.DiscoveryDescription)


async def settled() -> None:
    """Everything that can happen without waiting has happened."""
    await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def playing(
    *,
    bootstrap: Sequence[str] = (),
    names: FakeNames | None = None,
    local: LocalDiscovery | None = None,
    gate_open: bool = True,
) -> AsyncIterator[Scene]:
    scene = Scene()
    if gate_open:
        scene.gate.set()
    transport = ActorCell.of(
        "transport", FakeTransport, lambda: FakeTransport(scene.told, scene.gate)
    )
    ui = ActorCell.of("ui", FakeUi, lambda: FakeUi(scene.notices))
    cell = ActorCell.of(
        "discovery",
        DiscoveryActor,
        lambda: DiscoveryActor(
            bootstrap=bootstrap,
            chosen_by_user=False,
            transport=transport.ref,
            ui=ui.ref,
            local=local,
            resolver=names or FakeNames(),
            rng=random.Random(1),
        ),
    )
    scene.discovery = cell.ref
    async with trio.open_nursery() as nursery:
        for each in (transport, ui, cell):
            await nursery.start(each.run)
        await settled()
        yield scene
        nursery.cancel_scope.cancel()


async def test_bootstrap_peers_are_told_at_start_by_peer(autojump_clock: MockClock) -> None:
    async with playing(bootstrap=[at(1), at(2, OTHER), at(3)]) as scene:
        assert scene.told == [
            actors.PeerFound(peer=PEER, addresses=[at(1), at(3)], source=actors.BOOTSTRAP),
            actors.PeerFound(peer=OTHER, addresses=[at(2, OTHER)], source=actors.BOOTSTRAP),
        ]
        assert (await scene.describe()).bootstrap_peers == 2


async def test_a_malformed_bootstrap_address_costs_only_itself(autojump_clock: MockClock) -> None:
    async with playing(bootstrap=["/ip4/192.0.2.1/tcp/1", "nonsense", at(1)]) as scene:
        assert [list(found.addresses) for found in scene.told] == [[at(1)]]


async def test_a_name_is_looked_up_and_fixed_addresses_do_not_wait_for_it(
    autojump_clock: MockClock,
) -> None:
    names = FakeNames(failures=1)
    async with playing(bootstrap=[NAME, at(1)], names=names) as scene:
        assert [list(found.addresses) for found in scene.told] == [[at(1)]]
        await trio.sleep(60)
        assert list(scene.told[-1].addresses) == [at(7), at(8)]
        assert scene.told[-1].source == actors.BOOTSTRAP


async def test_a_name_that_cannot_be_looked_up_is_tried_again_ever_more_slowly(
    autojump_clock: MockClock,
) -> None:
    names = FakeNames(failures=20)
    async with playing(bootstrap=[NAME], names=names) as scene:
        await trio.sleep(7200)
        assert len(scene.told) == 1
        assert len(names.asked) == 21
        times = [time for time, _ in names.asked]
        waits = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert waits[0] < 10
        assert all(wait <= 1.5 * discovery.LOOK_UP_RETRY.most for wait in waits)
        assert max(waits) > discovery.LOOK_UP_RETRY.most / 2
        assert len(set(waits)) == len(waits)


async def test_without_mdns_nothing_is_announced(autojump_clock: MockClock) -> None:
    async with playing() as scene:
        await scene.listening("/ip4/192.0.2.5/tcp/1")
        assert not (await scene.describe()).mdns


async def test_the_node_is_announced_once_it_listens_and_again_when_that_changes(
    autojump_clock: MockClock,
) -> None:
    local = FakeLocal()
    async with playing(local=local) as scene:
        assert local.runs == 0
        await scene.listening("/ip4/192.0.2.5/tcp/1", at(6, OWN))
        await scene.listening("/ip4/192.0.2.7/tcp/1")
        assert local.runs == 1
        assert local.peer == OWN
        assert local.announced == [
            [f"/ip4/192.0.2.5/tcp/1/p2p/{OWN}", at(6, OWN)],
            [f"/ip4/192.0.2.7/tcp/1/p2p/{OWN}"],
        ]


async def test_who_is_found_nearby_is_told_and_counted_once(autojump_clock: MockClock) -> None:
    local = FakeLocal()
    async with playing(local=local) as scene:
        await scene.listening()
        local.found(PEER, [at(1)])
        local.found(PEER, [at(2)])
        await settled()
        assert [found.source for found in scene.told] == [actors.MDNS] * 2
        assert [list(found.addresses) for found in scene.told] == [[at(1)], [at(2)]]
        assert (await scene.describe()).mdns_found == 1


async def test_a_busy_transport_holds_up_nothing_and_costs_a_bounded_amount(
    autojump_clock: MockClock,
) -> None:
    local = FakeLocal()
    async with playing(local=local, gate_open=False) as scene:
        await scene.listening()
        for number in range(2 * discovery.FINDS):
            local.found(f"peer {number}", [at(1)])
        assert (await scene.describe()).mdns_found == 2 * discovery.FINDS
        scene.gate.set()
        await settled()
        assert discovery.FINDS <= len(scene.told) <= discovery.FINDS + 3


async def test_a_network_without_mdns_is_shown_once_and_until_it_works(
    autojump_clock: MockClock,
) -> None:
    local = FakeLocal()
    async with playing(local=local) as scene:
        await scene.listening()
        for problem in ("No network.", "No network.", ""):
            local.report(problem)
            await settled()
            assert (await scene.describe()).mdns_problem == problem
        assert scene.notices == ["No network."]


async def test_two_nodes_on_one_lan_find_each_other(autojump_clock: MockClock) -> None:
    lan = MemoryLan()
    async with playing(local=MemoryDiscovery(lan)) as scene:
        await scene.listening("/ip4/192.0.2.5/tcp/1")
        neighbour, heard = MemoryDiscovery(lan), list[str]()
        async with trio.open_nursery() as nursery:
            neighbour.announce([at(1)])
            nursery.start_soon(
                neighbour.run, PEER, lambda peer, _: heard.append(peer), lambda _: None
            )
            await settled()
            neighbour.announce([at(2)])
            await settled()
            nursery.cancel_scope.cancel()
        assert heard == [OWN]
        assert [list(found.addresses) for found in scene.told] == [[at(1)], [at(2)]]


@pytest.mark.parametrize("attempts", [10_000])
def test_the_backoff_never_ends_in_an_overflow(attempts: int) -> None:
    assert discovery.LOOK_UP_RETRY.delay(attempts, random.Random(1)) <= 450
