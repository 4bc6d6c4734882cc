"""Whole nodes behind routers, and a mailbox: they are relayed, then direct, and nothing gets lost on the way."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_nat import NatKind
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.config import RelayLimits
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.mailboxes import SimulatedMailbox, make_mailbox
from tests.simulation.nodes import SimulatedNode, make_node, running

PATIENCE = 600.0  # seconds of virtual time
LATENCY = (0.01, 0.04)
TALK = 120  # messages each way
PACE = 0.1  # seconds between two of one side


def at(mailbox: SimulatedMailbox) -> str:
    address = mailbox.network._addresses[0]
    return f"{address}/p2p/{mailbox.identity.peer}"


def hidden(
    hub: MemoryHub, number: int, mailbox: SimulatedMailbox, kind: NatKind, **options: object
) -> SimulatedNode:
    node = make_node(hub, number, [at(mailbox)], **options)  # type: ignore[arg-type]
    hub.nat(node.identity.peer, kind)
    return node


async def way_to(node: SimulatedNode, peer: str) -> list[tuple[bool, bool]]:
    """Relayed and punched, of each connection."""
    listed = await node.ui.ask(actors.ListConnections(), actors.ConnectionList)
    return [(c.relayed, c.punched) for c in listed.connections if c.peer == peer]


async def until_direct(node: SimulatedNode, peer: str) -> None:
    while not any(not relayed for relayed, _ in await way_to(node, peer)):
        await trio.sleep(0.1)


async def talk(node: SimulatedNode, peer: str) -> list[records.DirectRecord]:
    sent = []
    for number in range(TALK):
        sent.append(await node.write(peer, f"{node.identity.peer[-4:]} {number}"))
        await node.say(f"to all {node.identity.peer[-4:]} {number}")
        await trio.sleep(PACE)
    return sent


def said_in_room(node: SimulatedNode) -> list[str]:
    return [r.message.text for r in node.shown if r.message.text.startswith("to all")]


async def test_a_talk_goes_on_while_its_connection_becomes_direct(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=4, latency=LATENCY)
    mailbox = make_mailbox(hub, 1, relay=RelayLimits())
    alice, bob = (hidden(hub, n, mailbox, "cone") for n in (2, 3))
    with trio.fail_after(PATIENCE):
        async with running(mailbox, alice, bob):
            link = await mailbox.link()
            await bob.add_mailbox(link)
            await alice.add_mailbox(link)
            await trio.sleep(5)
            await alice.add_contact(await bob.link(), "Bob")
            await bob.add_contact(await alice.link(), "Alice")
            sent: dict[str, list[records.DirectRecord]] = {}

            async def talks(one: SimulatedNode, other: SimulatedNode) -> None:
                sent[one.identity.peer] = await talk(one, other.identity.peer)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(talks, alice, bob)
                nursery.start_soon(talks, bob, alice)
            await until_direct(alice, bob.identity.peer)
            await until_direct(bob, alice.identity.peer)
            for one, other in ((alice, bob), (bob, alice)):
                for record in sent[one.identity.peer]:
                    await one.until_stage(other.identity.peer, record.id, records.DELIVERED)
                end = one.identity.peer[-4:]
                await other.until_letters(*(f"{end} {n}" for n in range(TALK)))
            await trio.sleep(60)
            ways = [await way_to(alice, bob.identity.peer), await way_to(bob, alice.identity.peer)]
    assert ways == [[(False, True)], [(False, True)]]
    for node in (alice, bob):
        texts = said_in_room(node)
        assert len(texts) == len(set(texts)) == 2 * TALK


@pytest.mark.parametrize("kinds", [("symmetric", "symmetric"), ("cone", "symmetric")])
async def test_where_no_hole_can_be_punched_the_relay_carries_on(
    autojump_clock: MockClock, kinds: tuple[NatKind, NatKind]
) -> None:
    hub = MemoryHub(seed=5, latency=LATENCY)
    mailbox = make_mailbox(hub, 1, relay=RelayLimits())
    alice, bob = (hidden(hub, n, mailbox, kind) for n, kind in zip((2, 3), kinds, strict=True))
    with trio.fail_after(PATIENCE):
        async with running(mailbox, alice, bob):
            await bob.add_mailbox(await mailbox.link())
            await trio.sleep(5)
            await alice.add_contact(await bob.link(), "Bob")
            sent = await alice.write(bob.identity.peer, "over the relay")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
            await alice.say("in the room")
            await bob.until_shown("in the room")
            await trio.sleep(60)
            assert await way_to(alice, bob.identity.peer) == [(True, False)]


async def test_who_knows_only_the_others_peer_id_reaches_it_behind_its_router(
    autojump_clock: MockClock,
) -> None:
    """Without any mailbox of one's own: a reservation at a stranger's, and the DHT."""
    hub = MemoryHub(seed=6, latency=LATENCY)
    mailbox = make_mailbox(hub, 1, relay=RelayLimits())
    alice = hidden(hub, 2, mailbox, "cone", rooms=["here"])
    bob = hidden(hub, 3, mailbox, "cone", rooms=["there"])
    with trio.fail_after(PATIENCE):
        async with running(mailbox, alice, bob):
            await trio.sleep(30)
            sent = await alice.write(bob.identity.peer, "hello?")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
            await until_direct(alice, bob.identity.peer)


async def test_members_of_a_room_behind_routers_meet_without_knowing_each_other(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=7, latency=LATENCY)
    mailbox = make_mailbox(hub, 1, relay=RelayLimits())
    alice, bob = (hidden(hub, n, mailbox, "cone", rooms=["den"]) for n in (2, 3))
    with trio.fail_after(PATIENCE):
        async with running(mailbox, alice, bob):
            await alice.until_listening(1, "den")
            await alice.say("hello", room="den")
            await bob.until_shown("hello")
            await until_direct(alice, bob.identity.peer)
