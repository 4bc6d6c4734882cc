"""Memory networks behind routers: who can be dialled, and who gets through by punching, on virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_nat import NatKind
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import DialError

RELAY = "relay"


async def behind(
    hub: MemoryHub, nursery: trio.Nursery, **kinds: NatKind | None
) -> list[MemoryNetwork]:
    """Networks of these names, each behind its kind of router and with a reservation at one relay."""
    relay = MemoryNetwork(hub, RELAY, [hub.new_address()], relay=RelayLimits())
    await nursery.start(relay.run)
    networks = []
    for name, kind in kinds.items():
        hub.nat(name, kind)
        network = MemoryNetwork(hub, name, [hub.new_address()])
        await nursery.start(network.run)
        await network.dial(RELAY, relay.listen_addresses())
        await network.reserve(RELAY)
        networks.append(network)
    return networks


def own(network: MemoryNetwork) -> list[str]:
    return [a for a in network.listen_addresses() if "p2p-circuit" not in a]


def relayed(network: MemoryNetwork, peer: str) -> list[bool]:
    return sorted(c.relayed for c in network.connections() if c.peer == peer)


async def met(ann: MemoryNetwork, bob: MemoryNetwork, *, pause: float = 0.0) -> bool:
    """Whether both get through to each other when they punch at once, or `pause` seconds apart."""
    successes = []

    async def attempt(near: MemoryNetwork, far: MemoryNetwork, initiator: bool) -> None:
        try:
            await near.punch(far.peer, own(far), initiator=initiator)
            successes.append(near.peer)
        except DialError:
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, ann, bob, True)
        await trio.sleep(pause)
        nursery.start_soon(attempt, bob, ann, False)
    assert len(successes) in (0, 2)
    return bool(successes)


@pytest.mark.parametrize("kind", ["cone", "symmetric"])
async def test_nobody_can_dial_into_a_nat(
    autojump_clock: MockClock, nursery: trio.Nursery, kind: NatKind
) -> None:
    ann, bob = await behind(MemoryHub(), nursery, ann=None, bob=kind)
    with pytest.raises(DialError):
        await ann.dial("bob", own(bob))
    with pytest.raises(DialError):
        await ann.probe("bob", own(bob))
    assert await bob.probe("ann", own(ann)) in own(ann)
    await ann.dial("bob", bob.listen_addresses())
    assert relayed(ann, "bob") == [True]
    await bob.dial("ann", own(ann))
    assert relayed(ann, "bob") == [False, True]


@pytest.mark.parametrize(
    ("kinds", "works"),
    [
        (("cone", "cone"), True),
        (("cone", None), True),
        (("symmetric", None), True),
        (("symmetric", "cone"), False),
        (("symmetric", "symmetric"), False),
    ],
)
async def test_who_gets_through_by_punching(
    autojump_clock: MockClock,
    nursery: trio.Nursery,
    kinds: tuple[NatKind | None, NatKind | None],
    works: bool,
) -> None:
    hub = MemoryHub(latency=(0.02, 0.02))
    ann, bob = await behind(hub, nursery, ann=kinds[0], bob=kinds[1])
    await ann.dial("bob", [a for a in bob.listen_addresses() if "p2p-circuit" in a])
    assert await met(ann, bob) is works
    assert relayed(ann, "bob") == relayed(bob, "ann") == ([False, True] if works else [True])
    punched = [c for c in (*ann.connections(), *bob.connections()) if c.punched]
    assert len(punched) == (2 if works else 0)


async def test_punching_has_to_happen_at_once(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    ann, bob = await behind(MemoryHub(), nursery, ann="cone", bob="cone")
    await ann.dial("bob", bob.listen_addresses())
    assert not await met(ann, bob, pause=1.5)
    assert await met(ann, bob, pause=0.5)


async def test_punching_needs_both_parts(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    ann, bob = await behind(MemoryHub(), nursery, ann="cone", bob="cone")
    await ann.dial("bob", bob.listen_addresses())
    async with trio.open_nursery() as both:
        for near, far in ((ann, bob), (bob, ann)):

            async def attempt(near: MemoryNetwork = near, far: MemoryNetwork = far) -> None:
                with pytest.raises(DialError):
                    await near.punch(far.peer, own(far), initiator=True)

            both.start_soon(attempt)
    assert relayed(ann, "bob") == [True]


async def test_the_router_is_seen_and_not_its_peer(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    hub = MemoryHub()
    ann, bob, cyd = await behind(hub, nursery, ann="cone", bob="symmetric", cyd=None)
    other = MemoryNetwork(hub, "other", [hub.new_address()])
    await nursery.start(other.run)
    seen: dict[str, set[str]] = {}
    for network in (ann, bob, cyd):
        await network.dial("other", other.listen_addresses())
        await trio.sleep(1)
        for peer in (RELAY, "other"):
            identified = network.identified(peer)
            assert identified is not None
            assert identified.outbound
            seen.setdefault(network.peer, set()).add(identified.observed)
    assert len(seen["ann"]) == 1  # a cone is the same for everybody
    assert len(seen["bob"]) == 2  # a symmetric one is another for everybody
    assert not (seen["ann"] | seen["bob"]) & {*own(ann), *own(bob)}
    assert seen["cyd"] == set(own(cyd))


async def test_a_peer_can_be_put_into_the_open_again(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    hub = MemoryHub()
    ann, bob = await behind(hub, nursery, ann=None, bob="cone")
    hub.nat("bob", None)
    await ann.dial("bob", own(bob))
    assert relayed(ann, "bob") == [False]
