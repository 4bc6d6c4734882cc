"""Whom the owner has blocked, what is unread, and what is deleted: whole nodes in virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.simulation.mailboxes import make_mailbox
from tests.simulation.nodes import ROOM, SimulatedNode, address_of, make_node, running

PATIENCE = 600.0  # seconds of virtual time


async def block(node: SimulatedNode, peer: str) -> None:
    await node.ui.ask(actors.BlockPeer(text=peer), actors.PeerResolved)


async def unblock(node: SimulatedNode, peer: str) -> None:
    await node.ui.ask(actors.UnblockPeer(text=peer), actors.PeerResolved)


async def listed(node: SimulatedNode) -> dict[str, actors.ConversationStatus]:
    found = await node.ui.ask(actors.ListConversations(), actors.ConversationList)
    return {each.room or each.peer: each for each in found.conversations}


async def unread(node: SimulatedNode) -> dict[str, int]:
    return {name: each.unread for name, each in (await listed(node)).items() if each.unread}


def told(node: SimulatedNode) -> list[tuple[str, int]]:
    found = [each for each in node.events if isinstance(each, actors.UnreadChanged)]
    return [(each.room or each.peer, each.unread) for each in found]


async def members(node: SimulatedNode) -> list[str]:
    found = await node.ui.ask(actors.ListMembers(room=ROOM), actors.MemberList)
    return [each.peer for each in found.members]


async def test_of_a_blocked_peer_nothing_is_heard(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice = make_node(hub, 1, name="Alice")
    bob = make_node(hub, 2, [address_of(1)], name="Bob")
    carol = make_node(hub, 3, [address_of(1), address_of(2)], name="Carol")
    with trio.fail_after(PATIENCE):
        async with running(alice, bob, carol):
            await alice.until_listening(2)
            await bob.until_listening(2)
            await alice.until_connected(bob.identity.peer)
            await block(alice, bob.identity.peer)
            before = len(alice.events)
            said = await bob.say("in the room")
            sent = await bob.write(alice.identity.peer, "to you")
            await carol.until_shown("in the room")
            await carol.say("after it")
            await alice.until_shown("after it")
            await bob.until_stage(alice.identity.peer, sent.id, records.REFUSED)
            with pytest.raises(RequestRejectedError, match="You have blocked Bob"):
                await alice.write(bob.identity.peer, "and you?")
            command = actors.AlterMessage(room=ROOM, id=said.message.id, text="changed")
            await bob.ui.ask(command, actors.Done)
            await trio.sleep(30)
            heard = [e for e in alice.events[before:] if bob.identity.peer in str(e)]
            assert all(isinstance(each, actors.ContactChanged) for each in heard)
            assert await alice.history() == ["after it"]
            assert await alice.direct_history(bob.identity.peer) == []
            assert await members(alice) == [carol.identity.peer]
            assert bob.identity.peer not in await listed(alice)
            assert await unread(alice) == {ROOM: 1}
            # For sync it is there: nobody asks for it again, and it shows when the block is over.
            await unblock(alice, bob.identity.peer)
            assert await alice.history() == ["in the room", "after it"]
            again = await bob.write(alice.identity.peer, "once more")
            await alice.until_letters("once more")
            await bob.until_stage(alice.identity.peer, again.id, records.DELIVERED)
            assert set(await members(alice)) == {bob.identity.peer, carol.identity.peer}
    assert "in the room" not in [record.message.text for record in alice.shown]


async def test_a_block_outlives_a_restart(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)], name="Bob")
    with trio.fail_after(PATIENCE):
        async with running(bob):
            async with running(alice):
                await alice.until_connected(bob.identity.peer)
                await block(alice, bob.identity.peer)
            alice = make_node(hub, 1, [address_of(2)], alice.store)
            async with running(alice):
                await alice.until_listening(1)
                await bob.until_listening(1)
                await bob.say("still here")
                sent = await bob.write(alice.identity.peer, "still")
                await bob.until_stage(alice.identity.peer, sent.id, records.REFUSED)
                found = await alice.ui.ask(actors.ListBlocked(), actors.BlockedList)
                assert [each.peer for each in found.peers] == [bob.identity.peer]
                with pytest.raises(RequestRejectedError, match="unblock"):
                    remove = actors.RemoveContact(text=bob.identity.peer)
                    await alice.ui.ask(remove, actors.Done)
    kinds = (actors.PeerConnected, actors.PeerNamed, actors.MembersChanged, actors.DirectArrived)
    assert [e for e in alice.events if isinstance(e, kinds)] == []
    assert alice.shown == []


async def test_mail_of_a_blocked_peer_is_dropped_without_a_word(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    box = make_mailbox(hub, 9)
    alice = make_node(hub, 1, [address_of(9)], name="Alice")
    bob = make_node(hub, 2, [address_of(9)], name="Bob")
    with trio.fail_after(PATIENCE):
        async with running(box):
            async with running(bob):
                async with running(alice):
                    await alice.add_mailbox(await box.link())
                    await bob.add_contact(await alice.link(), "Alice")
                    await block(alice, bob.identity.peer)
                sent = await bob.write(alice.identity.peer, "hello?")
                await bob.until_stage(alice.identity.peer, sent.id, records.STORED)
            # Bob has gone, or he would say it again himself.
            alice = make_node(hub, 1, [address_of(9)], alice.store, name="Alice")
            async with running(alice):
                await box.until_held(0)
                await trio.sleep(30)
                assert await alice.direct_history(bob.identity.peer) == []
                assert alice.store.spooled(9) == []
                assert alice.store.due_receipts(9) == []
                assert (await box.describe()).held_envelopes == 0


async def test_what_is_unread_is_told_and_outlives_a_restart(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice = make_node(hub, 1, name="Alice")
    bob = make_node(hub, 2, [address_of(1)], name="Bob")
    me = alice.identity.peer
    with trio.fail_after(PATIENCE):
        async with running(alice, bob):
            await alice.until_listening(1)
            await bob.until_listening(1)
            await alice.say("mine is not unread")
            for number in range(3):
                await bob.say(f"message {number}")
            first = await bob.write(me, "one")
            await bob.write(me, "two")
            while await unread(alice) != {ROOM: 3, bob.identity.peer: 2}:
                await trio.sleep(0.1)
            await trio.sleep(1)
            assert dict(told(alice)) == {ROOM: 3, bob.identity.peer: 2}
            shown = actors.MarkShown(peer=bob.identity.peer, ids=[first.id])
            await alice.ui.ask(shown, actors.Done)
            await alice.ui.ask(actors.MarkRoomSeen(room=ROOM), actors.Done)
            await alice.ui.ask(actors.Mute(room=ROOM, muted=True), actors.Done)
            await alice.ui.ask(actors.Mute(peer=bob.identity.peer, muted=True), actors.Done)
            await trio.sleep(1)
            assert dict(told(alice)) == {ROOM: 0, bob.identity.peer: 1}
            await bob.say("once more")
            while await unread(alice) != {ROOM: 1, bob.identity.peer: 1}:
                await trio.sleep(0.1)
            await block(alice, bob.identity.peer)
            await trio.sleep(1)
            assert await unread(alice) == {}
            assert dict(told(alice)) == {ROOM: 0, bob.identity.peer: 0}
            await unblock(alice, bob.identity.peer)
            assert await unread(alice) == {ROOM: 1, bob.identity.peer: 1}
            await alice.ui.ask(actors.MarkRoomSeen(room=ROOM), actors.Done)
            changed = [e.peer for e in alice.events if isinstance(e, actors.ContactChanged)]
            assert bob.identity.peer in changed
        # What is said meanwhile comes late, and is unread all the same.
        bob = make_node(hub, 2, store=bob.store)
        async with running(bob):
            await bob.say("late")
            await bob.say("too")
        alice = make_node(hub, 1, [address_of(2)], alice.store)
        bob = make_node(hub, 2, store=bob.store)
        async with running(bob, alice):
            while await unread(alice) != {ROOM: 2, bob.identity.peer: 1}:
                await trio.sleep(0.1)
            conversations = await listed(alice)
            assert conversations[ROOM].muted
            assert conversations[ROOM].joined
            assert conversations[bob.identity.peer].muted
            assert [each.peer for each in conversations.values()] == ["", bob.identity.peer]


async def test_what_is_deleted_here_stays_with_the_others(autojump_clock: MockClock) -> None:
    hub = MemoryHub()
    alice, bob = make_node(hub, 1), make_node(hub, 2, [address_of(1)])
    with trio.fail_after(PATIENCE):
        async with running(bob):
            async with running(alice):
                await alice.until_listening(1)
                said = await bob.say("oh no")
                sent = await bob.write(alice.identity.peer, "oh no")
                await alice.until_shown("oh no")
                await alice.until_letters("oh no")
                sender = bob.identity.peer_bytes
                for where in (
                    actors.DeleteMessage(room=ROOM, sender=sender, id=said.message.id),
                    actors.DeleteMessage(peer=bob.identity.peer, sender=sender, id=sent.id),
                ):
                    await alice.ui.ask(where, actors.Done)
                    with pytest.raises(RequestRejectedError, match="no such message"):
                        await alice.ui.ask(where, actors.Done)
                gone = [e for e in alice.events if isinstance(e, actors.MessagesAltered)]
                assert gone[0].room_records[0].alteration.deleted
                assert gone[1].direct_records[0].alteration.deleted
                assert await unread(alice) == {}
            alice = make_node(hub, 1, [address_of(2)], alice.store)
            async with running(alice):
                await alice.until_listening(1)
                await trio.sleep(60)
                assert await alice.history() == []
                assert await alice.direct_history(bob.identity.peer) == []
                assert await bob.history() == ["oh no"]


async def test_nobody_mutes_themselves(autojump_clock: MockClock) -> None:
    alice = make_node(MemoryHub(), 1)
    async with running(alice):
        with pytest.raises(RequestRejectedError, match="That is you"):
            await alice.ui.ask(actors.Mute(peer=alice.identity.peer, muted=True), actors.Done)
