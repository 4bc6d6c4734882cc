"""Files for people who are away, on virtual time: small ones travel in envelopes, large ones wait."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_files import MemoryFiles
from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.protocol.file_policy import FilePolicy
from p2pchat.node.protocol.file_transfer import PART
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.file_steps import accept, say_offer, transfers, until
from tests.simulation.mailboxes import SimulatedMailbox, make_mailbox
from tests.simulation.nodes import SimulatedNode, make_node, running

Clock = trio.testing.MockClock
ALICE, BOB = 1, 2
SMALL = bytes(range(256)) * 1500 + b"end"  # not quite three parts
LARGE = bytes(2 << 20)
PATH = "/home/alice/notes.txt"


@dataclass
class Scene:
    """Alice and Bob, each with a mailbox; they keep stores and files when they come back."""

    policy: FilePolicy = field(default_factory=FilePolicy)

    def __post_init__(self) -> None:
        self.hub = MemoryHub()
        self.stores = {ALICE: MemoryStore(), BOB: MemoryStore()}
        self.files = {ALICE: MemoryFiles(), BOB: MemoryFiles()}
        self.peers = {n: make_node(MemoryHub(), n).identity.peer for n in (ALICE, BOB)}

    def person(self, number: int) -> SimulatedNode:
        return make_node(
            self.hub,
            number,
            store=self.stores[number],
            name={ALICE: "Alice", BOB: "Bob"}[number],
            files=self.files[number],
            policy=self.policy,
        )

    async def know_each_other(self, mailbox: SimulatedMailbox) -> None:
        """By links; they were never online together."""
        links = {}
        for number in (ALICE, BOB):
            person = self.person(number)
            async with running(person):
                await person.add_mailbox(await mailbox.link())
                links[number] = await person.link()
        for number, other in ((ALICE, BOB), (BOB, ALICE)):
            person = self.person(number)
            async with running(person):
                await person.add_contact(links[other])

    async def offer_and_accept(self, mailbox: SimulatedMailbox) -> str:
        """One after the other; the answer waits in Alice's mailbox."""
        alice = self.person(ALICE)
        async with running(alice):
            transfer = await say_offer(alice, self.peers[BOB], PATH)
            await alice.until_stage(self.peers[BOB], bytes.fromhex(transfer), records.STORED)
        bob = self.person(BOB)
        async with running(bob):
            await until(bob, transfer, records.OFFERED)
            await accept(bob, transfer)
            while self.answer_is_due(BOB):
                await trio.sleep(0.1)
        return transfer

    def answer_is_due(self, number: int) -> bool:
        return any(record.answer_due for record in self.stores[number].transfers())


async def test_a_small_file_reaches_somebody_who_is_never_there_at_the_same_time(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    scene.files[ALICE].put(PATH, SMALL)
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        async with running(mailbox):
            await scene.know_each_other(mailbox)
            transfer = await scene.offer_and_accept(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                while not (await until(alice, transfer, records.WAITING)).record.by_mailbox:
                    await trio.sleep(0.1)
            bob = scene.person(BOB)
            async with running(bob):
                got = await until(bob, transfer, records.FINISHED)
                while scene.answer_is_due(BOB):
                    await trio.sleep(0.1)
            alice = scene.person(ALICE)
            async with running(alice):
                await until(alice, transfer, records.FINISHED)
    assert scene.files[BOB].downloads == {"notes.txt": SMALL}
    assert got.record.by_mailbox


@pytest.mark.parametrize(
    ("data", "policy"), [(LARGE, FilePolicy()), (SMALL, FilePolicy(by_mailbox=0))]
)
async def test_what_does_not_go_by_mailbox_waits_until_both_are_there(
    data: bytes, policy: FilePolicy, autojump_clock: Clock
) -> None:
    scene = Scene(policy)
    scene.files[ALICE].put(PATH, data)
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(900):
        async with running(mailbox):
            await scene.know_each_other(mailbox)
            transfer = await scene.offer_and_accept(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await until(alice, transfer, records.WAITING)
                await trio.sleep(60)
                assert not (await until(alice, transfer, records.WAITING)).record.by_mailbox
                bob = scene.person(BOB)
                async with running(bob):
                    await until(bob, transfer, records.FINISHED)
                    await until(alice, transfer, records.FINISHED)
    assert scene.files[BOB].downloads == {"notes.txt": data}


async def test_parts_that_found_no_space_are_asked_for_again(autojump_clock: Clock) -> None:
    scene = Scene()
    scene.files[ALICE].put(PATH, SMALL)
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(3000):
        async with running(mailbox):
            await scene.know_each_other(mailbox)
            transfer = await scene.offer_and_accept(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                while not (await until(alice, transfer, records.WAITING)).record.by_mailbox:
                    await trio.sleep(0.1)
            scene.files[BOB].capacity = PART + 1
            bob = scene.person(BOB)
            async with running(bob):
                while not any(status.record.problem for status in await transfers(bob)):
                    await trio.sleep(0.1)
                scene.files[BOB].capacity = 1 << 30
                while scene.answer_is_due(BOB):
                    await trio.sleep(1)
            alice = scene.person(ALICE)
            async with running(alice):
                while (await until(alice, transfer, records.WAITING)).record.by_mailbox:
                    await trio.sleep(0.1)  # she has not heard yet
                while not (await until(alice, transfer, records.WAITING)).record.by_mailbox:
                    await trio.sleep(0.1)
            bob = scene.person(BOB)
            async with running(bob):
                await until(bob, transfer, records.FINISHED)
    assert scene.files[BOB].downloads == {"notes.txt": SMALL}


async def test_mail_from_others_does_not_wait_behind_a_part(autojump_clock: Clock) -> None:
    scene = Scene()
    scene.files[ALICE].put(PATH, SMALL)
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(900):
        async with running(mailbox):
            await scene.know_each_other(mailbox)
            transfer = await scene.offer_and_accept(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                while not (await until(alice, transfer, records.WAITING)).record.by_mailbox:
                    await trio.sleep(0.1)
                sent = await alice.write(scene.peers[BOB], "behind the file")
                await alice.until_stage(scene.peers[BOB], sent.id, records.STORED)
            scene.files[BOB].capacity = 0
            bob = scene.person(BOB)
            async with running(bob):
                while "behind the file" not in [letter.text for letter in bob.letters]:
                    await trio.sleep(0.1)


async def test_a_cancelled_file_is_cancelled_for_who_was_away(autojump_clock: Clock) -> None:
    scene = Scene()
    scene.files[ALICE].put(PATH, SMALL)
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        async with running(mailbox):
            await scene.know_each_other(mailbox)
            transfer = await scene.offer_and_accept(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await until(alice, transfer, records.WAITING)
                await alice.ui.ask(actors.CancelTransfer(transfer=transfer), actors.Done)
                while scene.answer_is_due(ALICE):
                    await trio.sleep(0.1)
            bob = scene.person(BOB)
            async with running(bob):
                await until(bob, transfer, records.CANCELLED)
