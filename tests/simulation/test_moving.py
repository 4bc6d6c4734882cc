"""What is under way while a connection becomes direct: letters on their streams, sessions with mailboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.actors.delivery.mailbox_session import MOVE_TIMEOUT
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.config import RelayLimits
from p2pchat.node.identity import Identity
from p2pchat.node.ports import RETIRE_AFTER, Stream
from p2pchat.node.protocol import custody
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.limits import (
    DAY_MS,
    DELIVER_PROTOCOL,
    FRAME_LIMIT,
    MAILBOX_PROTOCOL,
)
from p2pchat.node.protocol.links import MailboxLink, format_link
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.simulation.mailboxes import make_mailbox
from tests.simulation.nodes import SimulatedNode, make_node, running, virtual_clock
from tests.simulation.test_mailboxes import ALICE, BOB, Scene

PATIENCE = 600.0  # seconds of virtual time
RELAY, BOX = 8, 9
BOB_PEER = Identity(BOB.to_bytes(32, "big")).peer


class Road:
    """A way from one network to another: first through a relay, then, when it is told to, direct."""

    def __init__(self, hub: MemoryHub) -> None:
        peer = Identity(RELAY.to_bytes(32, "big")).peer
        self._relay = MemoryNetwork(hub, peer, [f"/memory/{RELAY}"], relay=RelayLimits())
        self.circuit = f"/memory/{RELAY}/p2p/{peer}/p2p-circuit"

    async def lead_to(self, network: MemoryNetwork, nursery: trio.Nursery) -> None:
        await nursery.start(self._relay.run)
        await network.dial(self._relay.peer, [f"/memory/{RELAY}"])
        await network.reserve(self._relay.peer)


async def become_direct(network: MemoryNetwork, node: SimulatedNode, number: int) -> None:
    """`network` dials the node, which has called it through a relay."""
    assert [c.relayed for c in network.connections() if c.peer == node.identity.peer] == [True]
    await network.dial(node.identity.peer, [f"/memory/{number}"])


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.01)


# ---- letters --------------------------------------------------------------------------------------------


class PlayedBob:
    """Takes letters, and says so when the test lets him. `taken`: what came on each stream."""

    def __init__(self, hub: MemoryHub) -> None:
        self.network = MemoryNetwork(hub, BOB_PEER)
        self.network.handle(DELIVER_PROTOCOL, self._serve)
        self.taken: list[list[bytes]] = []
        self.ended: list[int] = []  # streams, in the order in which they ended
        self.says_so = [trio.Event(), trio.Event()]

    async def _serve(self, stream: Stream) -> None:
        mine: list[bytes] = []
        number = len(self.taken)
        self.taken.append(mine)
        try:
            while True:
                letters = wire.Deliver.FromString(await stream.read_frame(FRAME_LIMIT)).envelopes
                mine.extend(map(envelope_id, letters))
                await self.says_so[number].wait()
                answer = wire.DeliverAnswer(verdicts=[wire.ACCEPTED] * len(letters))
                await stream.write(frame(answer.SerializeToString()))
        finally:
            self.ended.append(number)

    @property
    def counts(self) -> list[int]:
        return [len(one) for one in self.taken]


@asynccontextmanager
async def alice_and_a_played_bob() -> AsyncIterator[tuple[SimulatedNode, PlayedBob]]:
    """They know each other, and are connected through a relay."""
    scene = Scene()
    alice = scene.person(ALICE)
    with trio.fail_after(PATIENCE):
        async with running(alice) as nursery:
            real = scene.person(BOB)
            async with running(real):
                await alice.add_contact(await real.link(), "Bob")
                sent = await alice.write(BOB_PEER, "a first one")
                await alice.until_stage(BOB_PEER, sent.id, records.DELIVERED)
            played, road = PlayedBob(scene.hub), Road(scene.hub)
            await nursery.start(played.network.run)
            await road.lead_to(played.network, nursery)
            await alice.network.dial(BOB_PEER, [road.circuit])
            yield alice, played


async def test_letters_go_the_new_way_while_answers_on_the_old_one_are_out(
    autojump_clock: MockClock,
) -> None:
    async with alice_and_a_played_bob() as (alice, bob):
        first = await alice.write(BOB_PEER, "through the relay")
        await until(lambda: bob.counts == [1])
        await become_direct(bob.network, alice, ALICE)
        await trio.sleep(0.1)
        second = await alice.write(BOB_PEER, "directly")
        await until(lambda: bob.counts == [1, 1])
        bob.says_so[1].set()
        await alice.until_stage(BOB_PEER, second.id, records.DELIVERED)
        assert await alice.stage_of(BOB_PEER, first.id) < records.DELIVERED
        bob.says_so[0].set()
        await alice.until_stage(BOB_PEER, first.id, records.DELIVERED)
        await trio.sleep(0.1)
        assert bob.ended == [0]  # nothing more goes that way
        await trio.sleep(2 * RETIRE_AFTER)
        assert bob.counts == [1, 1]


async def test_a_letter_whose_answer_never_comes_the_old_way_goes_the_new_one(
    autojump_clock: MockClock,
) -> None:
    async with alice_and_a_played_bob() as (alice, bob):
        bob.says_so[1].set()
        sent = await alice.write(BOB_PEER, "through the relay")
        await until(lambda: bob.counts == [1])
        await become_direct(bob.network, alice, ALICE)
        moved_at = trio.current_time()
        await alice.until_stage(BOB_PEER, sent.id, records.DELIVERED)
        assert RETIRE_AFTER <= trio.current_time() - moved_at < RETIRE_AFTER + 1
        assert bob.taken[0] == bob.taken[1]


# ---- mailboxes ------------------------------------------------------------------------------------------


async def status_at(node: SimulatedNode) -> actors.MailboxStatus:
    listed = await node.ui.ask(actors.ListMailboxes(), actors.MailboxStatusList)
    return listed.mailboxes[0]


async def test_a_session_with_ones_mailbox_moves_and_nobody_sees_a_problem(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mailbox stands behind a router, and makes the connection direct by itself: Bob can be dialled."""
    hub = MemoryHub(latency=(0.02, 0.02))
    box, road = make_mailbox(hub, BOX), Road(hub)
    hub.nat(box.identity.peer, "symmetric")
    alice, bob = make_node(hub, ALICE), make_node(hub, BOB)
    ways = opened_ways(monkeypatch, bob.network, MAILBOX_PROTOCOL)
    seen: list[actors.MailboxStatus] = []

    async def look_on() -> None:
        while True:
            seen.append(await status_at(bob))
            await trio.sleep(0.05)

    with trio.fail_after(PATIENCE):
        async with running(box, bob) as nursery:
            await road.lead_to(box.network, nursery)
            token = (await box.link()).partition("t=")[2]
            link = MailboxLink(box.identity.peer, (road.circuit,), token)
            assert (await bob.add_mailbox(format_link(link))).registered
            async with trio.open_nursery() as watching:
                watching.start_soon(look_on)
                await until(lambda: len(ways) == 2)
                moved_at = trio.current_time()
                async with running(alice):
                    await alice.add_contact(await bob.link(), "Bob")
                    sent = await alice.write(BOB_PEER, "hello")
                    await alice.until_stage(BOB_PEER, sent.id, records.DELIVERED)
                await trio.sleep(2 * RETIRE_AFTER)
                watching.cancel_scope.cancel()
    assert moved_at < RETIRE_AFTER
    assert ways == [True, False]
    assert {(s.problem, s.connected, s.registered) for s in seen} == {("", True, True)}
    assert seen[-1].collecting


def opened_ways(
    monkeypatch: pytest.MonkeyPatch, network: MemoryNetwork, protocol: str
) -> list[bool]:
    """Whether each stream of that protocol that it opens goes through a relay; filled as it goes on."""
    ways: list[bool] = []
    original = network.open_stream

    async def noted(peer: str, asked: str) -> Stream:
        if asked == protocol:
            ways.append(network.direct_end(peer) is None)
        return await original(peer, asked)

    monkeypatch.setattr(network, "open_stream", noted)
    return ways


class PlayedMailbox:
    """Registers everybody and takes everything, and gives receipts when the test lets it. `taken`: on each stream."""

    def __init__(self, hub: MemoryHub) -> None:
        self.identity = Identity(BOX.to_bytes(32, "big"))
        self.network = MemoryNetwork(hub, self.identity.peer)
        self.network.handle(MAILBOX_PROTOCOL, self._serve)
        self.taken: list[list[bytes]] = []
        self.ended: list[float] = []  # when each stream ended
        self.gives_receipts = trio.Event()

    async def _serve(self, stream: Stream) -> None:
        mine: list[bytes] = []
        self.taken.append(mine)
        try:
            while True:
                request = mailbox.MailboxRequest.FromString(await stream.read_frame(FRAME_LIMIT))
                match request.WhichOneof("request"):
                    case "register":
                        await reply(stream, registered=mailbox.Registered())
                    case "lookup":
                        found = mailbox.Found(peer=request.lookup.peer)
                        await reply(stream, found=found)
                    case "deposit":
                        ids = list(map(envelope_id, request.deposit.envelopes))
                        mine.extend(ids)
                        await self._give_receipt(stream, ids)
        finally:
            self.ended.append(trio.current_time())

    async def _give_receipt(self, stream: Stream, ids: list[bytes]) -> None:
        await self.gives_receipts.wait()
        until_ms = [virtual_clock() + DAY_MS] * len(ids)
        receipt = custody.sign(self.identity.peer_bytes, ids, until_ms, self.identity.private_key)
        await reply(stream, custody=receipt)


async def reply(stream: Stream, **what: object) -> None:
    message = mailbox.MailboxReply(**what)  # type: ignore[arg-type]
    await stream.write(frame(message.SerializeToString()))


@asynccontextmanager
async def a_letter_at_a_played_mailbox() -> AsyncIterator[
    tuple[SimulatedNode, PlayedMailbox, bytes]
]:
    """Alice has left it there for Bob, through a relay, and has no receipt yet. The connection is direct by now."""
    scene = Scene()
    alice, box, road = scene.person(ALICE), PlayedMailbox(scene.hub), Road(scene.hub)
    with trio.fail_after(PATIENCE):
        async with running(alice) as nursery:
            await nursery.start(box.network.run)
            await road.lead_to(box.network, nursery)
            bob = scene.person(BOB)
            async with running(bob):
                await bob.add_mailbox(format_link(MailboxLink(box.identity.peer, (road.circuit,))))
                await alice.add_contact(await bob.link(), "Bob")
                sent = await alice.write(BOB_PEER, "a first one")
                await alice.until_stage(BOB_PEER, sent.id, records.DELIVERED)
            box.taken.clear()
            box.ended.clear()
            sent = await alice.write(BOB_PEER, "while you were away")
            await until(lambda: [len(one) for one in box.taken] == [1])
            await become_direct(box.network, alice, ALICE)
            await trio.sleep(0.1)
            yield alice, box, sent.id


async def test_a_session_ends_when_the_receipts_are_there_and_nothing_is_left_twice(
    autojump_clock: MockClock,
) -> None:
    async with a_letter_at_a_played_mailbox() as (alice, box, sent):
        assert await alice.stage_of(BOB_PEER, sent) < records.STORED
        second = await alice.write(BOB_PEER, "another one")
        await trio.sleep(MOVE_TIMEOUT / 2)
        assert [len(one) for one in box.taken] == [1]
        box.gives_receipts.set()
        given_at = trio.current_time()
        for message_id in (sent, second.id):
            await alice.until_stage(BOB_PEER, message_id, records.STORED)
        assert trio.current_time() - given_at < 1
        await trio.sleep(2 * RETIRE_AFTER)
        assert [len(one) for one in box.taken] == [1, 1]
        assert box.ended[0] - given_at < 1


async def test_receipts_that_do_not_come_are_not_waited_for_until_the_circuit_is_cut(
    autojump_clock: MockClock,
) -> None:
    async with a_letter_at_a_played_mailbox() as (alice, box, sent):
        moved_at = trio.current_time()
        await until(lambda: len(box.taken) == 2)
        assert trio.current_time() - moved_at <= MOVE_TIMEOUT < RETIRE_AFTER
        box.gives_receipts.set()
        await alice.until_stage(BOB_PEER, sent, records.STORED)
        assert box.taken[0] == box.taken[1]
