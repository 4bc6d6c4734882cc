"""Files between whole nodes on virtual time: asked for, fetched, interrupted, refused, by mailbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.protocol.file_policy import FilePolicy
from p2pchat.node.protocol.file_transfer import MAX_OFFERS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.simulation.file_steps import (
    DATA,
    PATH,
    accept,
    offer,
    say_offer,
    transfers,
    until,
)
from tests.simulation.nodes import SimulatedNode, address_of, make_node, running

Clock = trio.testing.MockClock


@asynccontextmanager
async def two(
    policy: FilePolicy | None = None,
) -> AsyncIterator[tuple[SimulatedNode, SimulatedNode]]:
    hub = MemoryHub(latency=(0.01, 0.02))
    alice = make_node(hub, 1, name="Alice")
    bob = make_node(hub, 2, [address_of(1)], name="Bob", policy=policy)
    alice.files.put(PATH, DATA)
    async with running(alice, bob):
        await alice.until_connected(bob.identity.peer)
        await bob.until_connected(alice.identity.peer)
        yield alice, bob


async def test_a_file_arrives_once_it_is_wanted(autojump_clock: Clock) -> None:
    with trio.fail_after(120):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            assert not bob.files.downloads
            await accept(bob, transfer[-6:])
            got = await until(bob, transfer, records.FINISHED)
            sent = await until(alice, transfer, records.FINISHED)
            [letter] = await bob.direct_history(alice.identity.peer)
    assert bob.files.downloads == {"holiday.jpg": DATA}
    assert got.record.path == "/downloads/holiday.jpg"
    assert sent.record.done == got.record.done == len(DATA)
    assert (sent.name, got.name) == ("Bob", "Alice")
    assert (letter.file.name, letter.file.size, letter.text) == ("holiday.jpg", len(DATA), "")
    assert not bob.files.partial


async def test_an_empty_file_arrives(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            alice.files.put("/home/alice/empty", b"")
            transfer = await offer(alice, bob, "/home/alice/empty")
            await accept(bob, transfer)
            await until(alice, transfer, records.FINISHED)
    assert bob.files.downloads == {"empty": b""}


async def test_both_sides_see_how_far_it_is(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            await until(alice, transfer, records.FINISHED)
            for node in (alice, bob):
                told = [e.transfer for e in node.events if isinstance(e, actors.TransferChanged)]
                states = [status.record.state for status in told]
                assert states[0] == records.OFFERED
                assert states[-1] == records.FINISHED


async def test_a_declined_file_is_not_sent_and_the_sender_knows(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            await bob.ui.ask(actors.DeclineFile(transfer=transfer), actors.Done)
            await until(alice, transfer, records.DECLINED)
            with pytest.raises(RequestRejectedError):
                await accept(bob, transfer)
    assert not bob.files.downloads


async def test_a_withdrawn_file_is_not_to_be_had(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            await alice.ui.ask(actors.CancelTransfer(transfer=transfer), actors.Done)
            status = await until(bob, transfer, records.CANCELLED)
    assert "withdrawn" in status.record.problem


async def test_friends_files_come_unasked_where_the_owner_says_so(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two(FilePolicy(accept="contacts")) as (alice, bob):
            first = await offer(alice, bob)
            await trio.sleep(5)
            [status] = await transfers(bob)
            assert status.record.state == records.OFFERED  # Alice is no contact yet
            await bob.add_contact(await alice.link())
            second = await offer(alice, bob)
            await until(bob, second, records.FINISHED)
            await until(alice, second, records.FINISHED)
            await until(bob, first, records.OFFERED)


@pytest.mark.parametrize("policy", [FilePolicy(accept="never"), FilePolicy(max_size=1000)])
async def test_a_friend_hears_that_a_file_is_not_taken(
    policy: FilePolicy, autojump_clock: Clock
) -> None:
    with trio.fail_after(60):
        async with two(policy) as (alice, bob):
            await bob.add_contact(await alice.link())
            transfer = await offer(alice, bob)
            await until(alice, transfer, records.DECLINED)
            status = await until(bob, transfer, records.DECLINED)
    assert status.record.problem


async def test_a_broken_connection_is_gone_on_from(autojump_clock: Clock) -> None:
    with trio.fail_after(300):
        async with two() as (alice, bob):
            alice.files.put(PATH, DATA * 12)
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            while not bob.files.partial:
                await trio.sleep(0.001)
            await bob.network.disconnect(alice.identity.peer)
            await until(alice, transfer, records.FINISHED)
    assert bob.files.downloads == {"holiday.jpg": DATA * 12}


async def test_a_changed_file_is_not_sent(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            alice.files.put(PATH, DATA[::-1])
            await accept(bob, transfer)
            sent = await until(alice, transfer, records.FAILED)
            got = await until(bob, transfer, records.FAILED)
    assert "changed" in sent.record.problem
    assert "changed" in got.record.problem
    assert not bob.files.downloads


async def test_a_full_disk_makes_it_wait(autojump_clock: Clock) -> None:
    with trio.fail_after(1200):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            bob.files.capacity = 1000
            with pytest.raises(RequestRejectedError, match="disk is too full"):
                await accept(bob, transfer)
            bob.files.capacity = 1 << 30
            await accept(bob, transfer)
            bob.files.capacity = 1000
            while not any(status.record.problem for status in await transfers(bob)):
                await trio.sleep(0.01)
            bob.files.capacity = 1 << 30
            await until(alice, transfer, records.FINISHED)
    assert bob.files.downloads == {"holiday.jpg": DATA}


async def test_one_person_cannot_offer_without_end(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            await bob.add_contact(await alice.link())
            for _ in range(MAX_OFFERS + 1):
                await offer(alice, bob)
            states = [status.record.state for status in await transfers(bob)]
    assert states.count(records.OFFERED) == MAX_OFFERS
    assert states.count(records.DECLINED) == 1


async def test_a_name_that_is_taken_gets_a_number(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            bob.files.downloads["Holiday.jpg"] = b"mine"
            alice.files.put("/x/../../holiday.jpg", DATA)
            transfer = await offer(alice, bob, "/x/../../holiday.jpg")
            await accept(bob, transfer)
            await until(bob, transfer, records.FINISHED)
    assert bob.files.downloads == {"Holiday.jpg": b"mine", "holiday (1).jpg": DATA}


async def test_who_is_blocked_gets_and_sends_no_files(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            await bob.ui.ask(actors.BlockPeer(text=alice.identity.peer), actors.PeerResolved)
            await until(bob, transfer, records.CANCELLED)
            await say_offer(alice, bob.identity.peer)
            await trio.sleep(10)
            assert len(await transfers(bob)) == 1
            assert [s.record.state for s in await transfers(alice)] == [records.OFFERED] * 2


async def test_an_offer_that_was_let_in_before_the_block_is_dropped(autojump_clock: Clock) -> None:
    with trio.fail_after(60):
        async with two() as (alice, bob):
            await bob.ui.ask(actors.BlockPeer(text=alice.identity.peer), actors.PeerResolved)
            await trio.sleep(1)
            offered = records.TransferRecord(peer=alice.identity.peer_bytes, state=records.OFFERED)
            offered.offer.CopyFrom(wire.FileOffer(transfer=bytes(16), name="x", size=1))
            [files] = [cell for cell in bob.tree.cells() if cell.name == "files"]
            await files.ref.tell(actors.FileOffered(record=offered, chosen=True, name="Alice"))
            await until(bob, bytes(16).hex(), records.CANCELLED)


async def test_a_store_that_fails_for_a_while_ends_nothing(autojump_clock: Clock) -> None:
    with trio.fail_after(1200):
        async with two() as (alice, bob):
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            bob.store.failure = alice.store.failure = StoreError("The disk is full.")
            await trio.sleep(120)
            bob.store.failure = alice.store.failure = None
            await until(bob, transfer, records.FINISHED)
            await until(alice, transfer, records.FINISHED)
            assert all(cell.restarts == 0 for node in (alice, bob) for cell in node.tree.cells())
    assert bob.files.downloads == {"holiday.jpg": DATA}
