"""A session between a console in memory and a played node."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import trio
from google.protobuf.message import Message

from p2pchat.cli.terminal.completion import Names
from p2pchat.cli.terminal.console import Typed
from p2pchat.cli.terminal.lines import Line, plain
from p2pchat.cli.terminal.outcome import Outcome
from p2pchat.cli.terminal.session import Session
from p2pchat.node.config import NodeConfig, RoomConfig
from p2pchat.node.events import EventHub
from p2pchat.node.identity import Identity
from p2pchat.node.runtime import ActorCell, Supervisor, handles
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.cli.played_altering import PlayedAltering
from tests.cli.played_delivery import Mail, PlayedDelivery
from tests.cli.played_keeping import Keeping, PlayedKeeping

ME = Identity(bytes(range(32)))
BOB = Identity(bytes(32))


class FakeConsole:
    """A terminal in memory."""

    def __init__(
        self, *, wipes_input: bool = False, must_finish: bool = False, is_watched: bool = False
    ) -> None:
        self.wipes_input = wipes_input
        self.must_finish = must_finish
        self.is_watched = is_watched
        self.lines: list[str] = []
        self.prompt = ""
        self.names = Names()
        self._type, self._typed = trio.open_memory_channel[Typed](10_000)

    async def read(self) -> Typed | None:
        try:
            return await self._typed.receive()
        except trio.EndOfChannel:
            return None

    async def show(self, lines: Sequence[Line]) -> None:
        await trio.lowlevel.checkpoint()
        self.lines += [plain(line) for line in lines]

    def set_prompt(self, prompt: str) -> None:
        self.prompt = prompt

    def set_names(self, names: Names) -> None:
        self.names = names

    def type(self, *texts: str) -> None:
        for text in texts:
            self._type.send_nowait(Typed(text))

    def end(self) -> None:
        self._type.close()


class PlayedUi(PlayedDelivery, PlayedKeeping, PlayedAltering):
    """Answers as the ui actor does."""

    mailbox_size = 256

    def __init__(self, world: World) -> None:
        self.world = world
        self.mail = world.mail
        self.keeping = world.keeping
        self.asked = world.asked
        self.answer = world.answer

    @handles(actors.PostText)
    async def _post(self, post: actors.PostText) -> actors.Posted | actors.Rejected:
        if post.room not in self.world.rooms:
            return actors.Rejected(reason=actors.NOT_JOINED, detail="You are not there.")
        own = record(post.text, "ada", ME, post.room)
        self.world.posted.append((post.room, post.text))
        self.world.hub.emit(actors.RoomMessagesArrived(room=post.room, records=[own]))
        return actors.Posted(record=own, listeners=len(self.world.listeners))

    @handles(actors.FlushRooms)
    async def _flush(self, _: actors.FlushRooms) -> actors.Done:
        self.world.flushed += 1
        return actors.Done()

    @handles(actors.ListRooms)
    async def _list(self, _: actors.ListRooms) -> actors.RoomList:
        here = self.world.listeners
        return actors.RoomList(
            rooms=[actors.Room(name=name, subscribers=here) for name in self.world.rooms]
        )

    @handles(actors.JoinRoom)
    async def _join(self, join: actors.JoinRoom) -> actors.RoomJoined | actors.Rejected:
        already = join.room in self.world.rooms
        if already and join.plain:
            return actors.Rejected(reason=actors.INVALID, detail="This room is signed: /leave it.")
        self.world.joins.append(join.room)
        if not already:
            self.world.rooms.append(join.room)
        return actors.RoomJoined(room=join.room, plain=join.plain, already=already)

    @handles(actors.LeaveRoom)
    async def _leave(self, leave: actors.LeaveRoom) -> actors.RoomLeft:
        self.world.rooms.remove(leave.room)
        return actors.RoomLeft(room=leave.room)

    @handles(actors.SetName)
    async def _name(self, change: actors.SetName) -> actors.Done | actors.Rejected:
        if change.name == "Taken":
            return actors.Rejected(reason=actors.INVALID, detail="Not this one.")
        return actors.Done()

    @handles(actors.ReadHistory)
    async def _history(self, question: actors.ReadHistory) -> actors.HistoryPage:
        """A history of so many messages, oldest first."""
        if question.room in self.world.history:
            return actors.HistoryPage(records=self.world.history[question.room], first=b"1")
        end = int(question.before or b"%d" % self.world.said)
        begin = max(0, end - question.limit)
        page = [record(f"old {number}") for number in range(begin, end)]
        return actors.HistoryPage(records=page, first=b"%d" % begin if page else b"")

    @handles(actors.ListConnections)
    async def _connections(self, _: actors.ListConnections) -> actors.ConnectionList:
        return actors.ConnectionList()

    @handles(actors.DescribeNode)
    async def _describe(self, _: actors.DescribeNode) -> actors.NodeDescription:
        await self.world.up.wait()
        node = actors.NodeDescription(peer=ME.peer, name="ada")
        node.delivery.SetInParent()
        return node

    @handles(actors.Diagnose)
    async def _diagnose(self, question: actors.Diagnose) -> actors.Diagnosis:
        assert not question.wait
        return actors.Diagnosis(checks=self.world.checks)


class World:
    """Use `running`; look at the console, at what was posted, and at `mail`."""

    def __init__(self, console: FakeConsole | None = None) -> None:
        self.hub = EventHub()
        self.mail = Mail(self.hub)
        self.outcome = Outcome()
        self.console = console or FakeConsole()
        self.rooms = ["lobby"]
        self.start_rooms: tuple[RoomConfig, ...] = ()  # those of --room
        self.joins: list[str] = []  # what was asked for, joined before or not
        self.listeners = [BOB.peer]
        self.said = 1000  # messages of every room's history
        self.keeping = Keeping()
        self.checks: Sequence[actors.Check] = ()  # of a diagnosis
        self.flushed = 0
        self.asked: list[Message] = []  # about single messages, and to hear less
        self.answer: actors.Rejected | None = None  # to that, instead of Done
        self.history: dict[str, list[records.RoomRecord]] = {}  # of rooms, instead of `said`
        self.posted: list[tuple[str, str]] = []
        self.up = trio.Event()
        self.up.set()
        self.ended = trio.Event()
        self.cell = ActorCell.of("ui", PlayedUi, lambda: PlayedUi(self))
        self.tree = Supervisor("root", [self.cell], root=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeConsole]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.tree.run)
            nursery.start_soon(self._session)
            await trio.testing.wait_all_tasks_blocked()
            yield self.console
            await trio.testing.wait_all_tasks_blocked()
            self.console.end()
            await self.ended.wait()
            self.tree.request_stop()

    async def _session(self) -> None:
        node = SimpleNamespace(
            config=NodeConfig(Path(), rooms=self.start_rooms),
            identity=ME,
            ui=self.cell.ref,
            hub=self.hub,
        )
        self.outcome = await Session(cast(Any, node), self.console).run()
        self.ended.set()

    def emit(self, *events: Any) -> None:
        for event in events:
            self.hub.emit(event)


def record(
    text: str, nick: str = "Bob", who: Identity = BOB, room: str = "lobby"
) -> records.RoomRecord:
    found = records.RoomRecord()
    found.message.sender = who.peer_bytes
    found.message.nick = nick
    found.message.text = text
    found.message.room = room
    return found


def arrived(*found: records.RoomRecord) -> actors.RoomMessagesArrived:
    return actors.RoomMessagesArrived(room=found[0].message.room, records=found)


def world_with_bob(**console: bool) -> World:
    world = World(FakeConsole(**console))
    world.mail.befriend(BOB.peer, "Bob")
    return world


def shown(world: World) -> list[str]:
    """Without the lines of the start and the times."""
    return [re.sub(r"^\[[^]]*\] ", "", line) for line in world.console.lines[2:]]


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()
