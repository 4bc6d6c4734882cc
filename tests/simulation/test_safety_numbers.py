"""Safety numbers between whole nodes on virtual time."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.proto import actors_pb2 as actors
from tests.simulation.nodes import EPOCH_MS, SimulatedNode, make_node, running

Clock = trio.testing.MockClock


async def safety(node: SimulatedNode, who: str) -> actors.SafetyNumber:
    return await node.ui.ask(actors.DescribeSafety(text=who), actors.SafetyNumber)


async def verify(node: SimulatedNode, who: str, *, verified: bool = True) -> None:
    await node.ui.ask(actors.SetVerified(text=who, verified=verified), actors.Done)


async def contact(node: SimulatedNode) -> actors.ContactStatus:
    listed = await node.ui.ask(actors.ListContacts(), actors.ContactStatusList)
    return listed.contacts[0]


async def test_both_see_the_same_and_each_notes_for_itself(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1, name="Alice"), make_node(hub, 2, name="Bob")
    async with running(alice, bob):
        await alice.add_contact(await bob.link(), "Bob")
        seen = await safety(alice, "Bob")
        assert (seen.peer, seen.name, seen.verified) == (bob.identity.peer, "Bob", False)
        assert (await safety(bob, alice.identity.peer)).digits == seen.digits
        await verify(alice, "Bob")
        assert (await safety(alice, "Bob")).verified
        assert (await contact(alice)).contact.verified_at_ms >= EPOCH_MS
        assert not (await safety(bob, alice.identity.peer)).verified
        await verify(alice, "Bob", verified=False)
        assert not (await safety(alice, "Bob")).verified


async def test_it_outlives_a_restart_and_goes_with_the_contact(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    bob = make_node(hub, 2)
    alice = make_node(hub, 1)
    async with running(alice, bob):
        await alice.add_contact(await bob.link(), "Bob")
        await verify(alice, "Bob")
    alice = make_node(hub, 1, store=alice.store)
    async with running(alice):
        assert (await safety(alice, "Bob")).verified
        await alice.ui.ask(actors.RemoveContact(text="Bob"), actors.Done)
        await alice.add_contact(bob.identity.peer, "Bob")
        assert not (await safety(alice, "Bob")).verified


async def test_who_was_verified_is_a_contact_and_asking_makes_none(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1), make_node(hub, 2)
    async with running(alice):
        await safety(alice, bob.identity.peer)
        await verify(alice, bob.identity.peer, verified=False)
        listed = await alice.ui.ask(actors.ListContacts(), actors.ContactStatusList)
        assert not listed.contacts
        await verify(alice, bob.identity.peer)
        assert (await contact(alice)).contact.added


async def test_what_could_not_be_stored_does_not_count(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1), make_node(hub, 2)
    async with running(alice, bob):
        await alice.add_contact(await bob.link(), "Bob")
        alice.store.failure = StoreError("The disk is full.")
        with pytest.raises(RequestRejectedError, match="full"):
            await verify(alice, "Bob")
        alice.store.failure = None
        assert not (await safety(alice, "Bob")).verified


async def test_there_is_none_with_oneself(autojump_clock: Clock) -> None:
    alice = make_node(MemoryHub(), 1)
    async with running(alice):
        for question in (safety, verify):
            with pytest.raises(RequestRejectedError, match="That is you"):
                await question(alice, alice.identity.peer)
