"""Edits and retractions between whole nodes: all end with the same texts, however badly the network does."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.mailboxes import make_mailbox
from tests.simulation.nodes import ROOM, SimulatedNode, address_of, make_node, running

NODES = 12
MESSAGES = 40
ALTERATIONS = 120
PATIENCE = 3600.0  # seconds of virtual time


async def alter(node: SimulatedNode, said: records.RoomRecord, text: str = "") -> None:
    """A retraction if it has no text."""
    command = actors.AlterMessage(room=ROOM, id=said.message.id, text=text, retract=not text)
    await node.ui.ask(command, actors.Done)


async def alter_direct(node: SimulatedNode, peer: str, message_id: bytes, text: str = "") -> None:
    command = actors.AlterMessage(peer=peer, id=message_id, text=text, retract=not text)
    await node.ui.ask(command, actors.Done)


def reads(text: str, alteration: records.Alteration) -> str:
    if alteration.retracted:
        assert not text
        return "-"
    return alteration.text or text


async def room_texts(node: SimulatedNode) -> list[str]:
    page = await node.ui.ask(actors.ReadHistory(room=ROOM, limit=1000), actors.HistoryPage)
    return [reads(each.message.text, each.alteration) for each in page.records]


def screen_of(node: SimulatedNode) -> dict[tuple[bytes, bytes], str]:
    """What a front end shows that has only listened: by sender and id."""
    shown: dict[tuple[bytes, bytes], str] = {}
    for event in node.events:
        if isinstance(event, actors.RoomMessagesArrived):
            shown |= {_name(r): reads(r.message.text, r.alteration) for r in event.records}
        if isinstance(event, actors.MessagesAltered):
            for record in event.room_records:
                if _name(record) in shown:
                    shown[_name(record)] = reads(record.message.text, record.alteration)
    return shown


def _name(record: records.RoomRecord) -> tuple[bytes, bytes]:
    return record.message.sender, record.message.id


async def until_alike(nodes: Sequence[SimulatedNode], messages: int) -> list[str]:
    while True:
        every = [await room_texts(node) for node in nodes]
        if len(every[0]) == messages and all(each == every[0] for each in every):
            return every[0]
        await trio.sleep(1)


async def test_all_members_read_the_same_whatever_is_lost_and_overtaken(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(seed=3, latency=(0.01, 1.5), loss=0.3)
    rng = random.Random(3)
    nodes = [
        make_node(hub, n, [address_of(rng.randint(1, n - 1))] if n > 1 else [], dht=False)
        for n in range(1, NODES + 1)
    ]
    expected: dict[bytes, list[str]] = {}
    said: list[tuple[SimulatedNode, records.RoomRecord]] = []
    with trio.fail_after(PATIENCE):
        async with running(*nodes):
            for node in nodes:
                await node.until_listening(1)
            for number in range(MESSAGES):
                author = rng.choice(nodes)
                record = await author.say(f"message {number}")
                said.append((author, record))
                expected[record.message.id] = [record.message.text]
                await trio.sleep(rng.uniform(0, 0.5))
            for number in range(ALTERATIONS):
                author, record = rng.choice(said)
                text = f"edit {number}" if rng.random() < 0.8 else ""
                versions = expected[record.message.id]
                if versions[-1] == "-":
                    continue
                await alter(author, record, text)
                versions.append(text or "-")
                await trio.sleep(rng.uniform(0, 0.3))
            texts = await until_alike(nodes, MESSAGES)
            # A newcomer gets everything by sync, in whatever order.
            late = make_node(hub, NODES + 1, [address_of(2)], dht=False)
            async with running(late):
                assert await until_alike([nodes[0], late], MESSAGES) == texts
                await trio.sleep(30)
            await trio.sleep(30)
            wanted = {id_: versions[-1] for id_, versions in expected.items()}
            assert sorted(texts) == sorted(wanted.values())
            for node in [*nodes, late]:
                assert {id_: text for (_, id_), text in screen_of(node).items()} == wanted


async def test_only_own_messages_can_be_altered(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)])
    with trio.fail_after(60):
        async with running(alice, bob):
            await alice.until_listening(1)
            said = await alice.say("hers")
            await bob.until_shown("hers")
            for node, message in ((bob, said), (alice, records.RoomRecord())):
                with pytest.raises(RequestRejectedError, match="no such message of yours"):
                    await alter(node, message, "his")
            await alter(alice, said)
            with pytest.raises(RequestRejectedError, match="taken back"):
                await alter(alice, said, "back again")
            while await room_texts(bob) != ["-"]:
                await trio.sleep(0.1)


async def test_direct_edits_reach_somebody_who_is_away_by_mailbox(
    autojump_clock: MockClock,
) -> None:
    hub = MemoryHub(latency=(0.01, 0.4))
    box = make_mailbox(hub, 9)
    alice = make_node(hub, 1, [address_of(9)], name="Alice")
    bob = make_node(hub, 2, [address_of(9), address_of(1)], name="Bob")
    with trio.fail_after(PATIENCE):
        async with running(box, alice):
            async with running(bob):
                await bob.add_mailbox(await box.link())
                await alice.add_contact(await bob.link(), "Bob")
                peer = bob.identity.peer
                sent = [await alice.write(peer, text) for text in ("one", "two", "three")]
                await bob.until_letters("one", "two", "three")
                await bob.add_contact(alice.identity.peer, "Alice")
                await alter_direct(alice, peer, sent[0].id, "ONE")
                await alice.until_connected(peer)
            await alter_direct(alice, peer, sent[0].id, "one again")
            await alter_direct(alice, peer, sent[1].id)
            four = await alice.write(peer, "four")
            await alter_direct(alice, peer, four.id, "FOUR")
            while (await box.describe()).held_envelopes < 4:
                await trio.sleep(0.5)
            bob = make_node(hub, 2, [address_of(9)], bob.store, name="Bob")
            async with running(bob):
                wanted = ["one again", "-", "three", "FOUR"]
                for node, other in ((bob, alice), (alice, bob)):
                    while True:
                        history = await node.direct_history(other.identity.peer)
                        if [reads(r.text, r.alteration) for r in history] == wanted:
                            break
                        await trio.sleep(0.5)
                while await outbox(alice):
                    await trio.sleep(0.5)
                fresh = [r for r in bob.letters if not r.outgoing]
                assert [reads(r.text, r.alteration) for r in fresh] == ["FOUR"]
    # Nobody is told that an edit was delivered: it is no message of its own on any screen.
    known = {record.id for record in (*sent, four)}
    assert alice.stages.keys() == known


async def test_what_was_not_saved_is_nobody_s_parent(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)])
    peer = bob.identity.peer
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            sent = await alice.write(peer, "first")
            said = await alice.say("first")
            alice.store.failure = StoreError("The disk is full.")
            with pytest.raises(RequestRejectedError, match="Not changed: The disk is full"):
                await alter(alice, said, "second")
            with pytest.raises(RequestRejectedError, match="The disk is full"):
                await alice.say("second")
            with pytest.raises(RequestRejectedError, match="Not changed: The disk is full"):
                await alter_direct(alice, peer, sent.id, "second")
            alice.store.failure = None
            assert [*(await alice.write(peer, "third")).parents] == [sent.id]
            assert [*(await alice.say("third")).message.parents] == [said.message.id]
            await alter_direct(alice, peer, sent.id, "second")
            await alter_direct(alice, peer, sent.id)
            await trio.sleep(1)
            altered = [e for e in alice.events if isinstance(e, actors.MessagesAltered)]
            told = [e.direct_records[0] for e in altered]
            assert [reads(each.text, each.alteration) for each in told] == ["second", "-"]


async def outbox(node: SimulatedNode) -> int:
    description = await node.ui.ask(actors.DescribeNode(), actors.NodeDescription)
    return description.delivery.outbox
