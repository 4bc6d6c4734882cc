"""The control API of whole nodes: what one caller sends, another one at another node hears and finds again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio

from p2pchat.node.adapters.memory_network import MemoryHub
from p2pchat.node.control import NodeControl
from p2pchat.node.errors import RequestRejectedError
from p2pchat.proto import control_pb2 as control
from tests.simulation.nodes import ROOM, SimulatedNode, make_node, running


class Caller:
    """Hears everything from a node, and asks it."""

    def __init__(self, node: SimulatedNode) -> None:
        seen = SimpleNamespace(identity=node.identity, ui=node.ui, hub=node.hub)
        self.node = node
        self.ask = NodeControl(cast(Any, seen), lambda: None)
        self.heard: list[control.Event] = []

    async def listen(self) -> None:
        async with aclosing(self.ask.subscribe(control.SubscribeRequest())) as batches:
            async for batch in batches:
                self.heard.extend(map(control.Event.FromString, batch))

    async def until(self, kind: str) -> control.Event:
        """The first event of that kind."""
        while True:
            for event in self.heard:
                if event.WhichOneof("event") == kind:
                    return event
            await trio.sleep(0.05)

    async def until_said(self, text: str) -> control.Message:
        while True:
            for event in self.heard:
                for message in event.messages_arrived.messages:
                    if message.text == text:
                        return message
            await trio.sleep(0.05)


@asynccontextmanager
async def two_callers() -> AsyncIterator[tuple[Caller, Caller]]:
    hub = MemoryHub()
    one = make_node(hub, 1, name="ada")
    two = make_node(hub, 2, [f"/memory/1/p2p/{one.identity.peer}"], name="bob")
    async with running(one, two), trio.open_nursery() as nursery:
        ada, bob = Caller(one), Caller(two)
        for caller in (ada, bob):
            nursery.start_soon(caller.ask.keep_journal)
            nursery.start_soon(caller.listen)
        await one.until_connected(two.identity.peer)
        await two.until_connected(one.identity.peer)
        yield ada, bob
        nursery.cancel_scope.cancel()


async def test_what_is_said_in_a_room(autojump_clock: trio.testing.MockClock) -> None:
    async with two_callers() as (ada, bob):
        await ada.node.until_listening(1)
        request = control.SendMessageRequest(room=ROOM, text="Hi")
        sent = await ada.ask.send_message(request)
        assert sent.listeners == 1
        heard = await bob.until_said("Hi")
        assert (heard.id, heard.name, heard.own) == (sent.message.id, "ada", False)
        assert (await ada.until_said("Hi")).own
        page = await bob.ask.read_history(control.ReadHistoryRequest(room=ROOM))
        assert [each.id for each in page.messages] == [sent.message.id]
        assert not page.cursor
        rooms = (await bob.ask.list_rooms(control.ListRoomsRequest())).rooms
        assert [(each.name, each.joined, each.messages) for each in rooms] == [(ROOM, True, 1)]


async def test_a_direct_message_and_how_far_it_is(autojump_clock: trio.testing.MockClock) -> None:
    async with two_callers() as (ada, bob):
        sent = await ada.ask.send_message(control.SendMessageRequest(who="bob", text="Psst"))
        heard = await bob.until_said("Psst")
        assert heard.conversation.peer == ada.node.identity.peer
        assert (heard.id, heard.name) == (sent.message.id, "ada")
        changed = (await ada.until("deliveries_changed")).deliveries_changed
        assert changed.conversation.peer == bob.node.identity.peer
        assert changed.changes[0].id == sent.message.id
        page = await bob.ask.read_history(control.ReadHistoryRequest(who="ada"))
        assert [each.text for each in page.messages] == ["Psst"]


async def test_rooms_that_one_caller_joins_and_leaves_all_hear_of(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with two_callers() as (ada, _):
        joined = await ada.ask.join_room(control.JoinRoomRequest(room="garden"))
        assert (joined.room, joined.already) == ("garden", False)
        assert (await ada.until("room_joined")).room_joined.room == "garden"
        assert (await ada.ask.join_room(control.JoinRoomRequest(room="garden"))).already
        members = await ada.ask.list_members(control.ListMembersRequest(room="garden"))
        assert [each.self for each in members.members] == [True]
        await ada.ask.leave_room(control.LeaveRoomRequest(room="garden"))
        assert (await ada.until("room_left")).room_left.room == "garden"
        with pytest.raises(RequestRejectedError):
            await ada.ask.leave_room(control.LeaveRoomRequest(room="garden"))


async def test_who_is_there(autojump_clock: trio.testing.MockClock) -> None:
    async with two_callers() as (ada, bob):
        (peer,) = (await ada.ask.list_peers(control.ListPeersRequest())).peers
        assert (peer.peer, peer.name) == (bob.node.identity.peer, "bob")
        info = await ada.ask.get_info(control.GetInfoRequest())
        assert (info.peer, info.name, info.connections) == (ada.node.identity.peer, "ada", 1)
        found = await ada.ask.resolve_peer(control.ResolvePeerRequest(who="bob"))
        assert found.peer == bob.node.identity.peer
