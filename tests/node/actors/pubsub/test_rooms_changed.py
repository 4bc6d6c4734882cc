"""Discovery hears in which rooms the node is."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from google.protobuf.message import Message
from trio.testing import MockClock

from p2pchat.node.actors.pubsub.actor import PubsubActor
from p2pchat.node.actors.storage import StorageActor, inline
from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.room_message import topic_of
from p2pchat.node.protocol.self_image import SelfImage
from p2pchat.node.runtime import Actor, ActorCell, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

ME = Identity(bytes(32))


class Bystander(Actor):
    """Stands in for those who hear of rooms as well."""

    mailbox_size = 100

    @handles(actors.RoomOpened)
    async def _opened(self, _: actors.RoomOpened) -> None: ...

    @handles(actors.RoomClosed)
    async def _closed(self, _: actors.RoomClosed) -> None: ...

    @handles(actors.RoomJoined)
    async def _joined(self, _: actors.RoomJoined) -> None: ...

    @handles(actors.MembersChanged)
    async def _members(self, _: actors.MembersChanged) -> None: ...


class FakeDiscovery(Actor):
    def __init__(self, heard: list[list[tuple[str, str]]]) -> None:
        self._heard = heard

    @handles(actors.RoomsChanged)
    async def _changed(self, change: actors.RoomsChanged) -> None:
        self._heard.append([(entry.room, entry.topic) for entry in change.rooms])


@asynccontextmanager
async def pubsub(
    heard: list[list[tuple[str, str]]] | None, rooms: dict[str, bool] | None = None
) -> AsyncIterator[ActorRef]:
    network = MemoryNetwork(MemoryHub(seed=1), ME.peer)
    storage = ActorCell.of("storage", StorageActor, lambda: StorageActor(MemoryStore(), inline))
    bystander = ActorCell.of("bystander", Bystander, Bystander)
    written = [] if heard is None else heard
    discovery = ActorCell.of("discovery", FakeDiscovery, lambda: FakeDiscovery(written))
    cell = ActorCell.of(
        "pubsub",
        PubsubActor,
        lambda: PubsubActor(
            network,
            author=ME.peer_bytes,
            key=ME.private_key,
            storage=storage.ref,
            ui=bystander.ref,
            sync=bystander.ref,
            self_image=SelfImage("me", rooms=rooms or {}, default_room=False),
            randomness=random.Random(1).randbytes,
            rng=random.Random(1),
            discovery=discovery.ref if heard is not None else None,
        ),
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        for each in (storage, bystander, discovery, cell):
            await nursery.start(each.run)
        yield cell.ref
        nursery.cancel_scope.cancel()


def entry(room: str, *, plain: bool = False) -> tuple[str, str]:
    return stored_room(room, plain), topic_of(room, plain)


async def ask(ref: ActorRef, *commands: Message) -> None:
    for command in commands:
        await ref.ask(command, Message)
    await trio.testing.wait_all_tasks_blocked()


async def test_the_rooms_of_the_start_are_told_together(autojump_clock: MockClock) -> None:
    heard: list[list[tuple[str, str]]] = []
    async with pubsub(heard, {"a": False, "b": True}):
        await trio.testing.wait_all_tasks_blocked()
        assert [sorted(rooms) for rooms in heard] == [[entry("b", plain=True), entry("a")]]


async def test_joining_and_leaving_are_told_when_they_change_something(
    autojump_clock: MockClock,
) -> None:
    heard: list[list[tuple[str, str]]] = []
    async with pubsub(heard, {"a": False}) as ref:
        await ask(ref, actors.JoinRoom(room="b"), actors.JoinRoom(room="b"))
        assert heard[1:] == [[entry("a"), entry("b")]]
        await ask(ref, actors.LeaveRoom(room="a"))
        assert heard[2:] == [[entry("b")]]


async def test_without_discovery_rooms_work_all_the_same(autojump_clock: MockClock) -> None:
    async with pubsub(None) as ref:
        await ask(ref, actors.JoinRoom(room="a"), actors.LeaveRoom(room="a"))
        listed = await ref.ask(actors.ListRooms(), actors.RoomList)
        assert not listed.rooms
