from __future__ import annotations

import trio
from trio.testing import MockClock

from p2pchat.node.actors.reachability import reservations
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.config import RelayLimits
from p2pchat.proto import actors_pb2 as actors
from tests.node.actors.reachability.stage import Node, peer_of, running


async def test_a_reservation_that_is_gone_without_a_word_is_noticed(
    autojump_clock: MockClock,
) -> None:
    """It may end with one of two connections to a relay: then nobody says that the relay is gone."""
    hub = MemoryHub()
    relay, node = Node(hub, 1, relay=RelayLimits(), serve=True), Node(hub, 2)
    async with running(relay, node):
        await node.use_relays(1)
        await node.until_held(relay)
        node.network._reservations.clear()
        with trio.fail_after(reservations.WATCH + 5):
            await node.until_held(relay)


async def test_a_relay_that_cannot_be_found_by_others_is_none(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    node = Node(hub, 2)
    relay = MemoryNetwork(hub, peer_of(1), [], relay=RelayLimits())
    async with running(node) as nursery:
        await nursery.start(relay.run)
        await relay.dial(node.peer, ["/memory/2"])
        await node.use_relays(1)
        await trio.sleep(3)
        described = await node.describe()
        assert [r.problem for r in described.reservations] == [reservations.NO_ADDRESS]
        assert node.held(described) == set()


async def test_a_relay_that_does_not_answer_holds_up_no_other_one(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    slow, good, spare = (Node(hub, n, relay=RelayLimits(), serve=True) for n in (1, 2, 3))
    node = Node(hub, 4)
    reserve = node.network.reserve

    async def hang_at_one(relay: str) -> float:
        if relay == slow.peer:
            await trio.sleep_forever()
        return await reserve(relay)

    node.network.reserve = hang_at_one  # type: ignore[method-assign]
    async with running(slow, good, spare, node):
        await node.use_relays(1, 2, 3)
        with trio.fail_after(5):
            await node.until_held(good)
        with trio.fail_after(reservations.RESERVE_TIMEOUT + 5):
            await node.until_held(good, spare)
        problems = {r.relay: r.problem for r in (await node.describe()).reservations}
        assert "no answer" in problems[slow.peer]


async def test_reservations_are_renewed_before_they_end(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    relay = Node(hub, 1, relay=RelayLimits(reservation_seconds=60), serve=True)
    node = Node(hub, 2)
    async with running(relay, node):
        await node.use_relays(1)
        await node.until_held(relay)
        changes = node.address_changes
        for _ in range(60):
            await trio.sleep(5)
            assert node.announced_relays() == {relay.peer}
        assert node.address_changes == changes  # others need not hear of it


async def test_a_mailbox_that_is_the_owners_no_longer_is_not_renewed(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub()
    relay = Node(hub, 1, relay=RelayLimits(reservation_seconds=60), serve=True)
    node = Node(hub, 2)
    async with running(relay, node):
        await node.use_relays(1)
        await node.until(actors.PUBLIC)
        await node.until_held(relay)
        await node.use_relays()
        await trio.sleep(1)
        changes = node.address_changes
        await trio.sleep(70)
        assert node.announced_relays() == set()
        assert node.address_changes == changes + 1
