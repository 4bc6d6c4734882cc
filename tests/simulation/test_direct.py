"""Direct messages between whole nodes on virtual time: the peers are there, away, restarted, cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import pytest
import trio
import trio.lowlevel
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.nodes import SimulatedNode, address_of, make_node, running

Clock = trio.testing.MockClock
T = TypeVar("T")


@asynccontextmanager
async def two() -> AsyncIterator[tuple[SimulatedNode, SimulatedNode]]:
    hub = MemoryHub()
    alice = make_node(hub, 1, name="Alice")
    bob = make_node(hub, 2, [address_of(1)], name="Bob")
    async with running(alice, bob):
        await alice.until_connected(bob.identity.peer)
        await bob.until_connected(alice.identity.peer)
        yield alice, bob


async def test_a_message_to_somebody_connected_is_delivered(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            sent = await alice.write(bob.identity.peer, "hello")
            await bob.until_letters("hello")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
            [got] = await bob.direct_history(alice.identity.peer)
    assert (got.text, got.nick, got.outgoing) == ("hello", "Alice", False)
    assert [letter.text for letter in alice.letters] == ["hello"]
    stages = [delivery.stage for delivery in alice.stages[sent.id]]
    assert stages == sorted(stages)
    assert stages[-1] == records.DELIVERED


async def test_a_message_that_is_being_written_when_the_node_stops_is_no_crash_and_is_kept(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    begun = trio.Event()

    async def slow_disk(call: Callable[[], T]) -> T:
        if begun.is_set():
            await trio.sleep(0.5)
        return call()

    hub, store = MemoryHub(), MemoryStore()
    bob = make_node(hub, 2)
    alice = make_node(hub, 1, store=store, run_store=slow_disk)

    async def write() -> None:
        begun.set()
        with suppress(ActorError):  # whether the answer still comes does not matter here
            await alice.write(bob.identity.peer, "the last words")

    with trio.fail_after(60):
        async with running(alice) as nursery:
            nursery.start_soon(write)
            await trio.sleep(0.2)
    assert "crashed" not in caplog.text
    again = make_node(hub, 1, store=store)
    async with running(again):
        [kept] = await again.direct_history(bob.identity.peer)
    assert kept.text == "the last words"


async def test_answers_come_after_what_they_answer(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            first = await alice.write(bob.identity.peer, "question")
            await bob.until_letters("question")
            answer = await bob.write(alice.identity.peer, "answer")
            await alice.until_letters("answer")
            history = await alice.direct_history(bob.identity.peer)
    assert answer.lamport > first.lamport
    assert list(answer.parents) == [first.id]
    assert [record.text for record in history] == ["question", "answer"]


async def test_many_messages_arrive_once_each_and_in_order(autojump_clock: Clock) -> None:
    texts = [f"message {number}" for number in range(600)]
    with trio.fail_after(120):
        async with two() as (alice, bob):
            for text in texts:
                sent = await alice.write(bob.identity.peer, text)
            await bob.until_letters(*texts)
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)


async def test_reading_is_told_once_it_has_happened(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            sent = await alice.write(bob.identity.peer, "hello")
            await bob.until_letters("hello")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
            shown = actors.MarkShown(peer=alice.identity.peer, ids=[sent.id])
            await bob.ui.ask(shown, actors.Done)
            await alice.until_stage(bob.identity.peer, sent.id, records.READ)
            # Nobody answers a receipt: the two fall silent.
            await trio.sleep(5)
            described = await bob.ui.ask(actors.DescribeNode(), actors.NodeDescription)
            told = await alice.ui.ask(actors.DescribeNode(), actors.NodeDescription)
    assert (described.delivery.outbox, described.delivery.due_receipts) == (0, 0)
    assert (told.delivery.outbox, told.delivery.due_receipts) == (0, 0)


async def test_what_waits_survives_a_restart_and_goes_out_when_both_are_there(
    autojump_clock: Clock,
) -> None:
    hub, store, bobs = MemoryHub(), MemoryStore(), MemoryStore()
    with trio.fail_after(600):
        alice = make_node(hub, 1, store=store)
        bob = make_node(hub, 2, [address_of(1)], store=bobs)
        async with running(alice, bob):
            await alice.until_connected(bob.identity.peer)
        alice = make_node(hub, 1, store=store)
        async with running(alice):
            sent = await alice.write(bob.identity.peer, "are you there?")
            await trio.sleep(30)
            history = await alice.direct_history(bob.identity.peer)
        assert history[-1].delivery.stage < records.STORED
        assert "cannot be reached" in history[-1].delivery.reason
        alice = make_node(hub, 1, store=store)
        bob = make_node(hub, 2, [address_of(1)], store=bobs)
        async with running(alice, bob):
            await bob.until_letters("are you there?")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)


async def test_a_peer_known_only_by_its_link_can_be_written_to(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1, name="Alice"), make_node(hub, 2, name="Bob")
    with trio.fail_after(60):
        async with running(alice, bob):
            added = await alice.add_contact(await bob.link())
            assert added.name == "Bob"
            sent = await alice.write(bob.identity.peer, "hello, stranger")
            await bob.until_letters("hello, stranger")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
            # And Bob, who had nothing but the message, can answer.
            await bob.write(alice.identity.peer, "hello")
            await alice.until_letters("hello")


@pytest.mark.parametrize(
    ("peer", "text", "reason"),
    [
        ("nonsense", "x", actors.INVALID),
        ("", "x", actors.INVALID),
        (address_of(1).rpartition("/")[2], "x", actors.INVALID),
        (address_of(2).rpartition("/")[2], "", actors.TOO_LONG),
        (address_of(2).rpartition("/")[2], "x" * 70_000, actors.TOO_LONG),
    ],
)
async def test_nonsense_is_refused_in_words(
    autojump_clock: Clock, peer: str, text: str, reason: actors.Reason
) -> None:
    alice = make_node(MemoryHub(), 1)
    with trio.fail_after(60):
        async with running(alice):
            with pytest.raises(RequestRejectedError) as caught:
                await alice.write(peer, text)
    assert caught.value.reason == reason


async def test_a_crash_of_the_delivery_actor_loses_nothing(autojump_clock: Clock) -> None:
    with trio.fail_after(120):
        async with two() as (alice, bob):
            alice.actor("delivery").offer(actors.Posted())  # nobody handles this one
            await trio.lowlevel.checkpoint()
            sent = await alice.write(bob.identity.peer, "still there")
            await bob.until_letters("still there")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)


async def test_the_network_part_crashes_and_messages_still_arrive(autojump_clock: Clock) -> None:
    with trio.fail_after(120):
        async with two() as (alice, bob):
            first = await alice.write(bob.identity.peer, "one")
            await alice.until_stage(bob.identity.peer, first.id, records.DELIVERED)
            bob.actor("transport").offer(actors.Posted())  # nobody handles this one
            await trio.lowlevel.checkpoint()
            sent = await alice.write(bob.identity.peer, "two")
            await bob.until_letters("one", "two")
            await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
