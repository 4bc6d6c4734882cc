"""One person's session: typed lines become commands to the node, events become lines on the console."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import trio
from google.protobuf.message import Message

from p2pchat.cli.terminal import commands, greeting, render
from p2pchat.cli.terminal.console import Console, Typed
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.posts import Posts
from p2pchat.node.errors import AskTimeoutError, P2pchatError
from p2pchat.node.events import EventFeed
from p2pchat.proto import actors_pb2 as actors

if TYPE_CHECKING:  # importing it imports the whole node
    from p2pchat.node.app import NodeHandle

ALONE_AFTER = 30.0  # seconds without a chat peer until a hint is due
COMPANY_WAIT = 10.0  # seconds at most to wait for a first listener when the input is no terminal
FLUSH_PATIENCE = 120.0  # seconds for everything that came by a pipe to reach the neighbours
COMPANY_POLL = 0.1  # seconds
LAST_WORDS = 1.0  # seconds at the end of a session to see saved what was sent

ALONE = (
    "Nobody is here yet. Others need the same room name; a firewall may be in the way; finding each other "
    "over the internet can take a minute. /info shows the addresses that others can give to --bootstrap."
)
RECALL = " Press Up to edit it."
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

R = TypeVar("R", bound=Message)


class Session:
    """Ends when the user or a signal says so, or when the input is at its end and everything is sent."""

    def __init__(self, node: NodeHandle, console: Console) -> None:
        self._node = node
        self._console = console
        self._name = node.config.name  # empty until the store is open
        self._rooms: list[actors.Room] = []  # joined
        self._room = node.config.rooms[0].name if node.config.rooms else ""  # the current one
        self._named: dict[str, str] = {}  # connected chat peers, by peer id
        self._messages = render.MessageView(node.identity.peer, known=self._named)
        self._announced: set[str] = set()  # rooms of the start that have had their line
        self._addresses: list[str] = []
        self._in_company = False  # a chat peer or a message has been seen
        self._missed = 0
        self._waited = False  # for somebody who hears what comes in by a pipe
        self._up = trio.Event()  # the node answers, and the current room is known
        self._over = trio.Event()
        self._drained = trio.Event()

    async def run(self) -> int:
        """Returns how many texts were said to nobody."""
        with (
            trio.open_signal_receiver(*STOP_SIGNALS) as signals,
            self._node.hub.open() as feed,
        ):
            async with trio.open_nursery() as nursery:
                self._posts = Posts(self._node.ui, nursery, self._show)
                nursery.start_soon(self._stop_on, signals)
                nursery.start_soon(self._show_events, feed)
                nursery.start_soon(self._greet)
                nursery.start_soon(self._hint_when_alone)
                nursery.start_soon(self._work_off_input, feed)
                await self._over.wait()
                with trio.move_on_after(LAST_WORDS):
                    await self._posts.finish()
                    await self._drain(feed)
                nursery.cancel_scope.cancel()
        return self._posts.unheard

    async def _stop_on(self, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            self._over.set()

    async def _drain(self, feed: EventFeed) -> None:
        """Show what has happened so far."""
        feed.push(actors.Done())
        await self._drained.wait()

    # ---- input --------------------------------------------------------------------------------------

    async def _work_off_input(self, feed: EventFeed) -> None:
        while (typed := await self._console.read()) is not None and not self._over.is_set():
            await self._take(typed)
        if self._console.must_finish and not self._over.is_set():
            await self._posts.finish()
            await self._flush()
            await self._drain(feed)
        self._over.set()

    async def _flush(self) -> None:
        """What was sent has left; its answer comes behind the events of what was sent."""
        with trio.move_on_after(FLUSH_PATIENCE):
            while True:
                try:
                    await self._ask(actors.FlushRooms(), actors.Done)
                    return
                except AskTimeoutError:
                    continue

    async def _take(self, typed: Typed) -> None:
        if typed.remark:
            await self._show([render.warning(typed.remark)])
        command = commands.parse(typed.text)
        if not isinstance(command, (commands.Mistake, commands.ShowHelp, commands.Quit)):
            await self._up.wait()  # before, the current room is not known
        if isinstance(command, commands.Say):
            await self._say(command.text)
            return
        if self._console.wipes_input and typed.text.startswith("/"):
            await self._show([render.echo(self._prompt, typed.text)])
        await self._posts.finish()
        try:
            await self._carry_out(command)
        except P2pchatError as error:
            await self._show(render.several(render.warning, str(error)))

    async def _say(self, text: str) -> None:
        if self._room:
            if self._console.must_finish:
                await self._wait_for_company()
            await self._posts.send(self._room, text)
        else:
            await self._show(
                [render.hint("You are in no room, so nobody would read it: /join <room>.")]
            )

    async def _wait_for_company(self) -> None:
        """Nobody looks at a pipe to see whether somebody is there: wait a little before the first message."""
        looked_for = self._node.config.bootstrap or self._node.config.mdns
        if self._waited or not looked_for:
            return
        self._waited = True
        with trio.move_on_after(COMPANY_WAIT):
            while not any(room.name == self._room and room.subscribers for room in self._rooms):
                await trio.sleep(COMPANY_POLL)
                await self._refresh_rooms()

    async def _carry_out(self, command: commands.Command) -> None:
        match command:
            case commands.Mistake(problem, is_text):
                remedy = RECALL if is_text and self._console.wipes_input else ""
                await self._show(render.several(render.hint, problem + remedy))
            case commands.Quit():
                self._over.set()
            case commands.ShowHelp():
                await self._show(render.help_lines())
            case commands.ShowPeers():
                await self._show_peers()
            case commands.ShowInfo():
                await self._show(list(render.info(await self._describe())))
            case commands.ShowRooms():
                await self._refresh_rooms()
                await self._show(list(render.rooms(self._rooms, self._room)))
            case commands.ShowHistory(limit):
                await self._show_history(limit)
            case commands.Rename(name):
                await self._rename(name)
            case commands.Join(room, plain):
                await self._join(room, plain=plain)
            case commands.Switch(room):
                await self._switch(room)
            case commands.Leave(room):
                await self._leave(room or self._room)

    async def _show_peers(self) -> None:
        found = await self._ask(actors.ListConnections(), actors.ConnectionList)
        await self._refresh_rooms()
        here = next((room for room in self._rooms if room.name == self._room), None)
        await self._show(list(render.peers(found.connections, here, self._named)))

    async def _show_history(self, limit: int) -> None:
        if not self._room:
            await self._show([render.hint("You are in no room: /join <room>.")])
            return
        question = actors.ReadHistory(room=self._room, limit=limit)
        page = await self._ask(question, actors.HistoryPage)
        await self._show(list(self._messages.history(page.records, self._room)))

    async def _rename(self, name: str) -> None:
        await self._ask(actors.SetName(name=name), actors.Done)
        self._name = name
        self._set_prompt()
        await self._show([render.note(f"You are now called {name}")])

    async def _join(self, room: str, *, plain: bool = False) -> None:
        """Also for a room that was joined before: the node remembers which one was used last."""
        joined = await self._ask(actors.JoinRoom(room=room, plain=plain), actors.RoomJoined)
        self._room = joined.room
        self._announced.add(room)
        await self._refresh_rooms()
        await self._show([render.joined(joined.room, plain=joined.plain)])

    async def _switch(self, room: str) -> None:
        await self._refresh_rooms()
        if room in [each.name for each in self._rooms]:
            await self._join(room)
        else:
            hint = f"You have not joined {greeting.room(room)}: /join {room}."
            await self._show(render.several(render.hint, hint))

    async def _leave(self, room: str) -> None:
        if not room:
            await self._show([render.hint("You are in no room.")])
            return
        await self._ask(actors.LeaveRoom(room=room), actors.RoomLeft)
        self._announced.discard(room)
        await self._refresh_rooms()
        await self._show([render.note(f"You have left {greeting.room(room)}")])
        if self._room != room:
            return
        self._room = self._rooms[-1].name if self._rooms else ""
        if self._room:
            await self._join(self._room)
        else:
            await self._show([render.hint("You are in no room now: /join <room>.")])

    # ---- events -------------------------------------------------------------------------------------

    async def _show_events(self, feed: EventFeed) -> None:
        while True:
            batch = await feed.next_batch()
            lines = [line for event in batch for line in self._lines_of(event)]
            if feed.missed > self._missed:
                skipped = render.count(feed.missed - self._missed, "event")
                self._missed = feed.missed
                lines.insert(0, render.warning(f"{skipped} skipped here; /history shows messages."))
            if lines:
                await self._show(lines)
            if any(isinstance(event, actors.Done) for event in batch):
                self._drained.set()

    def _lines_of(self, event: Message) -> Sequence[Line]:
        match event:
            case actors.RoomMessagesArrived():
                return self._arrived(event)
            case actors.PeerNamed():
                return self._peer_named(event)
            case actors.PeerDisconnected():
                name = self._named.pop(event.peer, None)
                return [] if name is None else [render.disconnected(event.peer, name)]
            case actors.Listening():
                fresh = [each for each in event.addresses if each not in self._addresses]
                self._addresses = list(event.addresses)
                return render.listening(fresh)
            case actors.RoomJoined():
                return self._entered(event.room, event.plain)
            case actors.Notice():
                return render.notice(event)
        return []

    def _arrived(self, event: actors.RoomMessagesArrived) -> list[Line]:
        elsewhere = event.room != self._room
        me = self._node.identity.peer_bytes
        self._in_company |= any(record.message.sender != me for record in event.records)
        return [
            line
            for record in event.records
            for line in self._messages.message(record, elsewhere=elsewhere)
        ]

    def _peer_named(self, event: actors.PeerNamed) -> list[Line]:
        """A peer is worth a line once it is known to chat: most of the network does not."""
        previous = self._named.get(event.peer)
        self._named[event.peer] = event.name
        self._in_company = True
        if previous is None:
            return [render.connected(event.peer, event.name)]
        return [] if previous == event.name else [render.renamed(event.peer, previous, event.name)]

    async def _hint_when_alone(self) -> None:
        await trio.sleep(ALONE_AFTER)
        if not self._in_company:
            await self._show([render.hint(ALONE)])

    # ---- the node and the console -------------------------------------------------------------------

    async def _greet(self) -> None:
        """What is known only when the node is up; starting may take longer than one question waits."""
        while True:
            try:
                name = (await self._describe()).name
                await self._refresh_rooms()
            except AskTimeoutError:
                continue
            except P2pchatError:
                return  # it is stopping
            break
        if name != self._name:
            self._name = name
            await self._show([render.note(f"Your name is {name}; /name changes it")])
        if self._rooms and self._room not in [room.name for room in self._rooms]:
            self._room = self._rooms[-1].name  # the one of the last time
        self._set_prompt()
        self._up.set()
        current_last = sorted(self._rooms, key=lambda room: room.name == self._room)
        await self._show(
            [line for room in current_last for line in self._entered(room.name, room.plain)]
        )

    def _entered(self, room: str, plain: bool) -> list[Line]:
        """One line for each room, however often the node says so; none before the current one is known."""
        if room in self._announced or not self._up.is_set():
            return []
        self._announced.add(room)
        style = render.joined if room == self._room else render.also_in
        return [style(room, plain=plain)]

    async def _describe(self) -> actors.NodeDescription:
        return await self._ask(actors.DescribeNode(), actors.NodeDescription)

    async def _refresh_rooms(self) -> None:
        self._rooms = list((await self._ask(actors.ListRooms(), actors.RoomList)).rooms)
        self._console.set_rooms([room.name for room in self._rooms])
        self._set_prompt()

    async def _ask(self, question: Message, reply: type[R]) -> R:
        return await self._node.ui.ask(question, reply)

    async def _show(self, lines: Sequence[Line]) -> None:
        await self._console.show(lines)

    @property
    def _prompt(self) -> str:
        return greeting.prompt(self._name, self._room if len(self._rooms) > 1 else "")

    def _set_prompt(self) -> None:
        self._console.set_prompt(self._prompt)
