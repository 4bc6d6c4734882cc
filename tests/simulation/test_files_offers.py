"""What becomes of an offered file when the message that offers it goes astray or is taken back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.file_steps import DATA, PATH, accept, offer, say_offer, transfers, until
from tests.simulation.nodes import SimulatedNode, address_of, make_node, running, virtual_clock

Clock = trio.testing.MockClock


@dataclass
class Time:
    later_ms: int = 0

    def __call__(self) -> int:
        return virtual_clock() + self.later_ms


def pair() -> tuple[SimulatedNode, SimulatedNode]:
    hub = MemoryHub(latency=(0.01, 0.02))
    alice = make_node(hub, 1, name="Alice")
    bob = make_node(hub, 2, [address_of(1)], name="Bob")
    alice.files.put(PATH, DATA)
    return alice, bob


async def retract(sender: SimulatedNode, peer: str, transfer: str) -> None:
    command = actors.AlterMessage(peer=peer, id=bytes.fromhex(transfer), retract=True)
    await sender.ui.ask(command, actors.Done)


async def test_an_offer_that_nobody_got_in_time_is_over(autojump_clock: Clock) -> None:
    time = Time()
    alice = make_node(MemoryHub(), 1, name="Alice", now_ms=time)
    alice.files.put(PATH, DATA)
    peer = make_node(MemoryHub(), 2).identity.peer
    with trio.fail_after(3600):
        async with running(alice):
            transfer = await say_offer(alice, peer)
            await trio.sleep(60)
            await until(alice, transfer, records.OFFERED)
            time.later_ms = 40 * DAY_MS
            status = await until(alice, transfer, records.CANCELLED)
    assert "did not get the offer" in status.record.problem
    assert not status.record.answer_due


async def test_taking_the_message_back_withdraws_the_file(autojump_clock: Clock) -> None:
    alice, bob = pair()
    with trio.fail_after(120):
        async with running(alice, bob):
            await bob.until_connected(alice.identity.peer)
            transfer = await offer(alice, bob)
            await retract(alice, bob.identity.peer, transfer)
            await until(alice, transfer, records.CANCELLED)
            status = await until(bob, transfer, records.CANCELLED)
            with pytest.raises(RequestRejectedError):
                await accept(bob, transfer)
    assert "withdrawn" in status.record.problem
    assert not bob.files.downloads


async def test_taking_the_message_back_leaves_what_was_sent(autojump_clock: Clock) -> None:
    alice, bob = pair()
    with trio.fail_after(120):
        async with running(alice, bob):
            await bob.until_connected(alice.identity.peer)
            transfer = await offer(alice, bob)
            await accept(bob, transfer)
            await until(alice, transfer, records.FINISHED)
            await retract(alice, bob.identity.peer, transfer)
            await trio.sleep(5)
            for node in (alice, bob):
                assert [each.record.state for each in await transfers(node)] == [records.FINISHED]
    assert bob.files.downloads == {"holiday.jpg": DATA}


async def test_offers_of_a_stranger_do_not_push_out_what_was_taken(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_TRANSFERS", rules.MAX_STRANGERS_OFFERS + 3)
    hub = MemoryHub(latency=(0.01, 0.02))
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)])
    eve = make_node(hub, 3, [address_of(2)])
    alice.files.put(PATH, DATA)
    eve.files.put(PATH, DATA)
    with trio.fail_after(600):
        async with running(alice, bob, eve):
            await bob.until_connected(alice.identity.peer)
            await bob.until_connected(eve.identity.peer)
            taken = await offer(alice, bob)
            await accept(bob, taken)
            await until(alice, taken, records.FINISHED)
            for _ in range(rules.MAX_STRANGERS_OFFERS + 10):
                await say_offer(eve, bob.identity.peer)
            await trio.sleep(30)
            known = await transfers(bob)
    assert len(known) == rules.MAX_TRANSFERS
    assert taken in [each.record.offer.transfer.hex() for each in known]


async def test_a_file_that_cannot_be_read_is_no_part_of_the_node_that_is_away(
    autojump_clock: Clock,
) -> None:
    """Front ends try again what is answered with UNAVAILABLE."""
    alice, bob = pair()
    with trio.fail_after(120):
        async with running(alice, bob):
            with pytest.raises(RequestRejectedError) as refused:
                await say_offer(alice, bob.identity.peer, "/home/alice/nothing")
    assert refused.value.reason == actors.STORE_FAILED


async def test_the_message_that_offers_a_file_is_not_edited(autojump_clock: Clock) -> None:
    alice, bob = pair()
    with trio.fail_after(120):
        async with running(alice, bob):
            await bob.until_connected(alice.identity.peer)
            transfer = await offer(alice, bob)
            edit = actors.AlterMessage(
                peer=bob.identity.peer, id=bytes.fromhex(transfer), text="something else"
            )
            with pytest.raises(RequestRejectedError, match="offers a file"):
                await alice.ui.ask(edit, actors.Done)
