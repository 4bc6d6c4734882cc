"""Messages to somebody who is away, by way of mailboxes, on virtual time."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.config import RelayLimits
from p2pchat.node.errors import RequestRejectedError, StoreError
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_actors_pb2 as mailbox_actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.mailboxes import SimulatedMailbox, make_mailbox
from tests.simulation.nodes import SimulatedNode, make_node, running, virtual_clock

Clock = trio.testing.MockClock
ALICE, BOB = 1, 2


class Scene:
    """Alice, Bob and mailboxes on one hub. People keep their stores when they come back."""

    def __init__(self) -> None:
        self.hub = MemoryHub()
        self.stores = {ALICE: MemoryStore(), BOB: MemoryStore()}
        self.clocks = {ALICE: 0, BOB: 0}  # ms by which their clocks are off
        self.later_ms = (
            0  # by which all clocks are put forward: days on virtual time cost real minutes
        )

    def now_ms(self) -> int:
        return virtual_clock() + self.later_ms

    def person(self, number: int, *, listens: bool = True) -> SimulatedNode:
        return make_node(
            self.hub,
            number,
            store=self.stores[number],
            name={ALICE: "Alice", BOB: "Bob"}[number],
            now_ms=lambda: self.now_ms() + self.clocks[number],
            listens=listens,
        )

    async def bob_gets_a_mailbox(self, *mailboxes: SimulatedMailbox) -> str:
        """Bob is there once, and gives away his link."""
        bob = self.person(BOB)
        async with running(bob):
            for mailbox in mailboxes:
                status = await bob.add_mailbox(await mailbox.link())
                assert (status.registered, status.problem) == (True, "")
            return await bob.link()


async def test_who_was_never_online_together_can_talk(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                peer = make_node(MemoryHub(), BOB).identity.peer
                sent = await alice.write(peer, "while you were away")
                await alice.until_stage(peer, sent.id, records.STORED)
            assert [d.stage for d in alice.stages[sent.id]] == [records.SENDING, records.STORED]
            last = alice.stages[sent.id][-1]
            assert (len(last.stored_at), last.mailboxes) == (1, 1)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.until_letters("while you were away")
                await mailbox.until_held(0)
                # Alice has no mailbox: Bob's receipt waits for her.
                alice = scene.person(ALICE)
                async with running(alice):
                    await alice.until_stage(peer, sent.id, records.DELIVERED)


async def test_receipts_and_answers_go_by_the_senders_mailbox(autojump_clock: Clock) -> None:
    """Alice and Bob are never online at the same time."""
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            peer = make_node(MemoryHub(), BOB).identity.peer
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_mailbox(await mailbox.link())
                await alice.add_contact(link)
                sent = await alice.write(peer, "question")
                await alice.until_stage(peer, sent.id, records.STORED)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.until_letters("question")
                answer = await bob.write(alice.identity.peer, "answer")
                await bob.until_stage(alice.identity.peer, answer.id, records.STORED)
                await mailbox.until_held(2)  # receipt, answer
                await bob.ui.ask(
                    actors.MarkShown(peer=alice.identity.peer, ids=[sent.id]), actors.Done
                )
                await mailbox.until_held(3)  # receipt, answer, receipt
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.until_letters("answer")
                await alice.until_stage(peer, sent.id, records.READ)
                await mailbox.until_held(1)  # the receipt for the answer


async def test_one_of_two_mailboxes_is_gone(autojump_clock: Clock) -> None:
    scene = Scene()
    first, second = make_mailbox(scene.hub, 8), make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(900):
        async with running(second):
            async with running(first):
                link = await scene.bob_gets_a_mailbox(first, second)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "to the one that is left")
                await alice.until_stage(peer, sent.id, records.STORED)
                last = alice.stages[sent.id][-1]
                assert (len(last.stored_at), last.mailboxes) == (1, 2)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.until_letters("to the one that is left")


async def test_copies_in_two_mailboxes_are_shown_once(autojump_clock: Clock) -> None:
    scene = Scene()
    boxes = make_mailbox(scene.hub, 8), make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(900):
        async with running(*boxes):
            link = await scene.bob_gets_a_mailbox(*boxes)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                for number in range(20):
                    sent = await alice.write(peer, f"{number}")
                for box in boxes:
                    await box.until_held(20)
                while len(alice.stages[sent.id][-1].stored_at) < 2:
                    await trio.sleep(0.05)
            bob = scene.person(BOB)
            async with running(bob):
                await boxes[0].until_held(0)
                await boxes[1].until_held(0)
                await trio.sleep(2)
            assert sorted(letter.text for letter in bob.letters) == sorted(map(str, range(20)))


async def test_who_listens_nowhere_is_reached_through_the_relay(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9, relay=RelayLimits())
    with trio.fail_after(600):
        async with running(mailbox):
            bob = scene.person(BOB, listens=False)
            async with running(bob):
                await bob.add_mailbox(await mailbox.link())
                while not bob.network.listen_addresses():
                    await trio.sleep(0.1)
                alice = scene.person(ALICE)
                async with running(alice):
                    await alice.add_contact(await bob.link())
                    sent = await alice.write(bob.identity.peer, "over the relay")
                    await bob.until_letters("over the relay")
                    await alice.until_stage(bob.identity.peer, sent.id, records.DELIVERED)
                    stages = [delivery.stage for delivery in alice.stages[sent.id]]
                    assert records.STORED not in stages


@pytest.mark.parametrize("off", [-DAY_MS, DAY_MS])
@pytest.mark.parametrize("whose", [ALICE, BOB])
async def test_a_clock_that_is_off_by_a_day_loses_nothing(
    autojump_clock: Clock, off: int, whose: int
) -> None:
    scene = Scene()
    scene.clocks[whose] = off
    mailbox = make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "what time is it?")
                await alice.until_stage(peer, sent.id, records.STORED)
                bob = scene.person(BOB)
                async with running(bob):
                    await bob.until_letters("what time is it?")
                    answer = await bob.write(alice.identity.peer, "later than you think")
                    await alice.until_letters("later than you think")
                    await alice.until_stage(peer, sent.id, records.DELIVERED)
                    assert answer.lamport > sent.lamport


async def test_what_nobody_collects_expires_in_both_places(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9, now_ms=scene.now_ms)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(3600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "too late")
                await alice.until_stage(peer, sent.id, records.STORED)
                scene.later_ms = 29 * DAY_MS
                await trio.sleep(300)
                assert await alice.stage_of(peer, sent.id) == records.STORED
                await mailbox.until_held(1)
                scene.later_ms = 32 * DAY_MS
                await alice.until_stage(peer, sent.id, records.EXPIRED)
                await mailbox.until_held(0)


async def test_a_full_disk_at_the_mailbox_is_waited_out(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(3600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            mailbox.mail.failure = StoreError("The disk is full.")
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "patience")
                await trio.sleep(30)
                [record] = await alice.direct_history(peer)
                assert record.delivery.stage < records.STORED
                assert "full" in record.delivery.reason
                mailbox.mail.failure = None
                await alice.until_stage(peer, sent.id, records.STORED)


async def test_a_full_disk_at_the_recipient_leaves_the_mail_where_it_is(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(3600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "patience")
                await alice.until_stage(peer, sent.id, records.STORED)
            bob = scene.person(BOB)
            async with running(bob):
                scene.stores[BOB].failure = StoreError("The disk is full.")
                await trio.sleep(30)
                assert bob.letters == []
                await mailbox.until_held(1)
                scene.stores[BOB].failure = None
                await bob.until_letters("patience")
                await mailbox.until_held(0)


async def test_a_mailbox_that_comes_back_has_kept_everything(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(3600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "kept")
                await alice.until_stage(peer, sent.id, records.STORED)
        bob = scene.person(BOB)
        async with running(bob):
            await trio.sleep(20)
            assert bob.letters == []
            async with running(make_mailbox(scene.hub, 9, mailbox.mail)):
                await bob.until_letters("kept")


async def test_nobody_gets_in_without_an_invite(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        bob = scene.person(BOB)
        async with running(mailbox, bob):
            link = (await mailbox.link()).partition("&t=")[0]
            with pytest.raises(RequestRejectedError, match="invite"):
                await bob.add_mailbox(link)
            listed = await bob.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
    assert not listed.mailboxes


async def test_a_blocked_sender_is_told(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            block = mailbox_actors.BlockPeer(peer=alice.identity.peer)
            await mailbox.operator.ask(block, actors.Done)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(peer, "let me in")
                await alice.until_stage(peer, sent.id, records.REFUSED)
                [record] = await alice.direct_history(peer)
    assert record.delivery.stage == records.REFUSED
    assert "blocked" in record.delivery.reason


async def test_after_leaving_a_mailbox_others_hear_of_it(autojump_clock: Clock) -> None:
    scene = Scene()
    boxes = make_mailbox(scene.hub, 8), make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        async with running(*boxes):
            bob, alice = scene.person(BOB), scene.person(ALICE)
            async with running(bob, alice):
                for box in boxes:
                    await bob.add_mailbox(await box.link())
                await alice.add_contact(await bob.link(), "B")
                await bob.ui.ask(actors.RemoveMailbox(text="1"), actors.Done)
                await alice.write(bob.identity.peer, "hello")
                await bob.until_letters("hello")
                await alice.until_connected(bob.identity.peer)
                listed = await alice.ui.ask(actors.ListContacts(), actors.ContactStatusList)
    [status] = listed.contacts
    assert (status.name, len(status.contact.record.mailboxes)) == ("B", 1)


async def test_what_was_not_seen_before_the_end_is_missed_at_the_next_start(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    with trio.fail_after(600):
        alice, bob = scene.person(ALICE), scene.person(BOB)
        async with running(alice, bob):
            await alice.add_contact(await bob.link())
            first = await alice.write(bob.identity.peer, "seen")
            await alice.write(bob.identity.peer, "not seen")
            await bob.until_letters("seen", "not seen")
            shown = actors.MarkShown(peer=alice.identity.peer, ids=[first.id])
            await bob.ui.ask(shown, actors.Done)
        bob = scene.person(BOB)
        async with running(bob):
            listed = await bob.ui.ask(actors.ListContacts(), actors.ContactStatusList)
            assert [status.missed for status in listed.contacts] == [1]
            [_, second] = await bob.direct_history(alice.identity.peer)
            shown = actors.MarkShown(peer=alice.identity.peer, ids=[second.id])
            await bob.ui.ask(shown, actors.Done)
            listed = await bob.ui.ask(actors.ListContacts(), actors.ContactStatusList)
            assert [status.missed for status in listed.contacts] == [0]


async def test_a_mailbox_that_was_left_takes_no_more_mail(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(600):
        async with running(mailbox):
            bob = scene.person(BOB)
            async with running(bob):
                await bob.add_mailbox(await mailbox.link())
                link = await bob.link()
                await bob.ui.ask(actors.RemoveMailbox(text="1"), actors.Done)
            assert (await mailbox.describe()).registered == 0
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)  # an old one
                sent = await alice.write(peer, "hello?")
                await trio.sleep(60)
                assert await alice.stage_of(peer, sent.id) == records.QUEUED
                bob = scene.person(BOB)
                async with running(bob):
                    await bob.add_mailbox(await mailbox.link())
                    await bob.until_letters("hello?")


async def test_somebody_moves_from_one_mailbox_to_another(autojump_clock: Clock) -> None:
    """What waits at the old one is collected, and those who know only that one are led to the new one."""
    scene = Scene()
    old, new = make_mailbox(scene.hub, 8), make_mailbox(scene.hub, 9)
    peer = make_node(MemoryHub(), BOB).identity.peer
    with trio.fail_after(600):
        async with running(old, new):
            link = await scene.bob_gets_a_mailbox(old)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                await alice.write(peer, "before the move")
                await old.until_held(1)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.ui.ask(actors.RemoveMailbox(text="1"), actors.Done)
                await bob.add_mailbox(await new.link())
                await bob.until_letters("before the move")
                await trio.sleep(10)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.write(peer, "after the move")
                await new.until_held(2)  # that the first one has arrived, Alice does not know yet
                await old.until_held(0)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.until_letters("after the move")
