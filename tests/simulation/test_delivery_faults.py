"""Direct messages when something is wrong: full disks, forgetful mailboxes, strangers, broken streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
import trio
import trio.testing

from p2pchat.node.actors.delivery.actor import DeliveryActor
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.errors import DialError, StoreError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.autonat import PROTOCOL as AUTONAT_PROTOCOL
from p2pchat.node.protocol.envelope import Sealer
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.kad.limits import KAD_PROTOCOL
from p2pchat.node.protocol.limits import CLOCK_GRACE_MS, DAY_MS, DELIVER_PROTOCOL
from p2pchat.node.protocol.seal import SealKey
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.simulation.mailboxes import make_mailbox
from tests.simulation.nodes import SimulatedNode, address_of, make_node, running, virtual_clock
from tests.simulation.test_mailboxes import ALICE, BOB, Scene

Clock = trio.testing.MockClock
T = TypeVar("T")
BOB_PEER = Identity(BOB.to_bytes(32, "big")).peer


async def test_a_mailbox_that_keeps_things_for_a_day_is_given_them_again(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9, now_ms=scene.now_ms, retention_days=1)
    with trio.fail_after(3600):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                await alice.write(BOB_PEER, "see you on friday")
                await mailbox.until_held(1)
                scene.later_ms = DAY_MS + 2 * CLOCK_GRACE_MS
                await mailbox.until_held(0)
                await mailbox.until_held(1)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.until_letters("see you on friday")


async def test_receipts_that_could_not_be_saved_come_again(autojump_clock: Clock) -> None:
    scene = Scene()
    with trio.fail_after(3600):
        alice, bob = scene.person(ALICE), scene.person(BOB)
        async with running(alice, bob):
            await alice.add_contact(await bob.link())
            sent = await alice.write(BOB_PEER, "hello")
            await alice.until_stage(BOB_PEER, sent.id, records.DELIVERED)
            scene.stores[ALICE].failure = StoreError("The disk is full.")
            shown = actors.MarkShown(peer=alice.identity.peer, ids=[sent.id])
            await bob.ui.ask(shown, actors.Done)
            await trio.sleep(60)
            assert alice.stages[sent.id][-1].stage == records.DELIVERED
            scene.stores[ALICE].failure = None
            await alice.until_stage(BOB_PEER, sent.id, records.READ)


async def test_a_full_disk_at_the_start_is_no_end(autojump_clock: Clock) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    with trio.fail_after(3600):
        async with running(mailbox):
            link = await mailbox.link()
            scene.stores[BOB].failure = StoreError("The disk is full.")
            bob = make_node(scene.hub, BOB, store=scene.stores[BOB], mailboxes=[link])
            async with running(bob):
                await trio.sleep(60)
                scene.stores[BOB].failure = None
                await trio.sleep(60)
                assert "&r=" in await bob.link()
            scene.stores[BOB].open()
            assert [m.registered for m in scene.stores[BOB].load_own_mailboxes().mailboxes] == [
                True
            ]


async def test_a_fourth_mailbox_of_the_command_line_is_left_out_with_a_word(
    autojump_clock: Clock,
) -> None:
    hub = MemoryHub()
    boxes = [make_mailbox(hub, number) for number in (6, 7, 8, 9)]
    with trio.fail_after(3600):
        async with running(*boxes):
            bob = make_node(hub, BOB, mailboxes=[await box.link() for box in boxes])
            async with running(bob):
                listed = await bob.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
                await trio.sleep(1)
    assert len(listed.mailboxes) == 3
    assert any(isinstance(e, actors.Notice) and "3 mailboxes" in e.text for e in bob.events)


async def test_after_a_broken_stream_nobody_spins(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    original = DeliveryActor._round

    def counted(self: DeliveryActor, now: float) -> None:
        nonlocal rounds
        rounds += 1
        original(self, now)

    monkeypatch.setattr(DeliveryActor, "_round", counted)
    hub = MemoryHub(latency=(0.05, 0.05))
    alice, bob = make_node(hub, ALICE), make_node(hub, BOB, [address_of(ALICE)])
    with trio.fail_after(3600):
        async with running(alice, bob):
            await alice.until_connected(BOB_PEER)
            sent = await alice.write(BOB_PEER, "one")
            await alice.until_stage(BOB_PEER, sent.id, records.DELIVERED)
            await alice.write(BOB_PEER, "two")
            await trio.sleep(0.03)  # under way ...
            hub.partition([alice.identity.peer], [BOB_PEER])  # ... and the connection breaks
            await trio.sleep(10)
            rounds = 0
            await trio.sleep(60)
    assert rounds < 60


async def test_where_nothing_is_left_to_leave_nobody_knocks(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    mailbox = make_mailbox(scene.hub, 9)
    opened: list[str] = []
    original = MemoryNetwork.open_stream

    async def counted(self: MemoryNetwork, peer: str, protocol: str) -> Stream:
        if protocol not in (KAD_PROTOCOL, AUTONAT_PROTOCOL):  # not about mail
            opened.append(protocol)
        return await original(self, peer, protocol)

    with trio.fail_after(7200):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
            alice = scene.person(ALICE)
            async with running(alice):
                await alice.add_contact(link)
                sent = await alice.write(BOB_PEER, "hello")
                await alice.until_stage(BOB_PEER, sent.id, records.STORED)
                await trio.sleep(60)
                monkeypatch.setattr(MemoryNetwork, "open_stream", counted)
                await trio.sleep(3600)
    assert opened == []


class Stranger:
    """Speaks the deliver protocol with made-up senders."""

    def __init__(self, hub: MemoryHub) -> None:
        self.network = MemoryNetwork(hub, Identity(bytes(31) + b"\x77").peer, [])
        self._made_up = 0

    def envelope(self, recipient: SimulatedNode) -> wire.Envelope:
        """From a sender that nobody has ever heard of."""
        self._made_up += 1
        identity = Identity((10_000 + self._made_up).to_bytes(32, "big"))
        content = wire.Content(
            id=self._made_up.to_bytes(16, "big"),
            sent_at_ms=virtual_clock(),
            lamport=virtual_clock(),
            text=wire.Text(text="buy"),
        )
        return Sealer(identity.peer_bytes, identity.private_key).seal(
            content,
            recipient.identity.peer_bytes,
            SealKey.derive(recipient.identity.seed).public,
            virtual_clock() + DAY_MS,
        )


async def test_made_up_senders_neither_fill_the_outbox_nor_have_anybody_dialled(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = MemoryHub()
    bob, stranger = make_node(hub, BOB), Stranger(hub)
    dialled: list[str] = []
    original = MemoryNetwork.dial

    async def counted(self: MemoryNetwork, peer: str, addresses: list[str]) -> None:
        if self is bob.network:
            dialled.append(peer)
        await original(self, peer, addresses)

    monkeypatch.setattr(MemoryNetwork, "dial", counted)
    with trio.fail_after(7200):
        async with running(bob) as nursery:
            await nursery.start(stranger.network.run)
            await stranger.network.dial(BOB_PEER, [f"/memory/{BOB}"])
            stream = await stranger.network.open_stream(BOB_PEER, DELIVER_PROTOCOL)
            envelopes = [stranger.envelope(bob) for _ in range(100)]
            await stream.write(frame(wire.Deliver(envelopes=envelopes).SerializeToString()))
            answer = wire.DeliverAnswer.FromString(await stream.read_frame(4096))
            assert list(answer.verdicts) == [wire.ACCEPTED] * 100
            await trio.sleep(600)
            described = await bob.ui.ask(actors.DescribeNode(), actors.NodeDescription)
            assert described.delivery.outbox == 0
    assert dialled == []


async def test_what_is_on_its_way_to_the_disk_is_shown_although_its_sender_is_gone(
    autojump_clock: Clock,
) -> None:
    """Sent again it would only be a duplicate, which nobody shows."""
    is_slow = False

    async def disk(call: Callable[[], T]) -> T:
        if is_slow:
            await trio.sleep(1.0)
        return call()

    hub = MemoryHub()
    bob, stranger = make_node(hub, BOB, run_store=disk), Stranger(hub)
    with trio.fail_after(7200):
        async with running(bob) as nursery:
            await nursery.start(stranger.network.run)
            await stranger.network.dial(BOB_PEER, [f"/memory/{BOB}"])
            stream = await stranger.network.open_stream(BOB_PEER, DELIVER_PROTOCOL)
            is_slow = True
            for _ in range(3):
                body = wire.Deliver(envelopes=[stranger.envelope(bob)])
                await stream.write(frame(body.SerializeToString()))
            await trio.sleep(0.5)
            await stream.reset()
            await trio.sleep(30)
            assert len(bob.letters) == 3


async def test_of_many_strangers_only_so_much_is_taken(autojump_clock: Clock) -> None:
    hub = MemoryHub()
    bob, stranger = make_node(hub, BOB), Stranger(hub)
    verdicts: list[wire.Verdict] = []
    with trio.fail_after(7200):
        async with running(bob) as nursery:
            await nursery.start(stranger.network.run)
            await stranger.network.dial(BOB_PEER, [f"/memory/{BOB}"])
            stream = await stranger.network.open_stream(BOB_PEER, DELIVER_PROTOCOL)
            for _ in range(12):
                envelopes = [stranger.envelope(bob) for _ in range(100)]
                await stream.write(frame(wire.Deliver(envelopes=envelopes).SerializeToString()))
                answer = wire.DeliverAnswer.FromString(await stream.read_frame(4096))
                verdicts += answer.verdicts
    assert verdicts.count(wire.TRY_LATER) >= 100
    assert set(verdicts) == {wire.ACCEPTED, wire.TRY_LATER}


async def test_a_dead_mailbox_is_tried_at_its_own_pace_whatever_else_is_said(
    autojump_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    mailbox, carol = make_mailbox(scene.hub, 9), make_node(scene.hub, 3, name="Carol")
    tried = 0
    original = MemoryNetwork.dial

    async def counted(self: MemoryNetwork, peer: str, addresses: list[str]) -> None:
        nonlocal tried
        tried += peer == mailbox.identity.peer
        if peer == mailbox.identity.peer:
            raise DialError("it is dead")
        await original(self, peer, addresses)

    with trio.fail_after(7200):
        async with running(mailbox):
            link = await scene.bob_gets_a_mailbox(mailbox)
        alice = scene.person(ALICE)
        monkeypatch.setattr(MemoryNetwork, "dial", counted)
        async with running(alice, carol):
            await alice.add_contact(link)
            await alice.add_contact(await carol.link())
            await alice.write(BOB_PEER, "are you there?")
            for _ in range(100):
                await alice.write(carol.identity.peer, "chatter")
                await trio.sleep(2)
    assert 0 < tried < 25


async def test_a_mailbox_that_cannot_save_a_new_record_goes_on_handing_over(
    autojump_clock: Clock,
) -> None:
    scene = Scene()
    full, other = make_mailbox(scene.hub, 8), make_mailbox(scene.hub, 9)
    with trio.fail_after(600):
        bob = scene.person(BOB)
        async with running(full, other, bob):
            await bob.add_mailbox(await full.link())
            full.mail.failure = StoreError("The disk is full.")
            await bob.add_mailbox(await other.link())  # with which the record is another one
            await trio.sleep(5)
            listed = await bob.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
            assert listed.mailboxes[0].problem
            assert [status.collecting for status in listed.mailboxes] == [True, True]
            full.mail.failure = None
            await trio.sleep(120)
            listed = await bob.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
            assert [status.problem for status in listed.mailboxes] == ["", ""]
