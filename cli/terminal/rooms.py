"""The rooms of a session: which are joined, which is the current one, and the commands about them."""

from __future__ import annotations

import contextlib

import trio

from p2pchat.cli.terminal import commands, greeting, render, render_members
from p2pchat.cli.terminal.bookmarks import Bookmarks, heading
from p2pchat.cli.terminal.front import FIRST_LOOK, POLL, Front
from p2pchat.cli.terminal.lines import Line
from p2pchat.node.errors import P2pchatError
from p2pchat.node.protocol.names import stored_room
from p2pchat.proto import actors_pb2 as actors

NO_ROOM = "You are in no room: /join <room>."


class Rooms:
    def __init__(self, front: Front) -> None:
        config = front.node.config
        self._front = front
        self.known: dict[str, str] = {}  # names of connected chat peers, by peer id
        self.view = render.MessageView(front.node.identity.peer, known=self.known)
        self._bookmarks = Bookmarks()
        self._announced: set[str] = set()  # rooms of the start that have had their line
        self._waited = False  # for somebody who hears what comes in by a pipe
        self._is_up = False  # the current room is known
        self._unseen: set[str] = set()  # rooms of which something was shown since the last Enter
        self.joined: list[actors.Room] = []
        self.current = config.rooms[0].name if config.rooms else ""  # empty: in none

    @property
    def to_tell_apart(self) -> str:
        """The current room, for somebody in several."""
        return self.current if len(self.joined) > 1 else ""

    @property
    def here(self) -> actors.Room | None:
        return next((room for room in self.joined if room.name == self.current), None)

    def stored(self, name: str) -> str:
        """What the store calls this room."""
        plain = any(room.name == name and room.plain for room in self.joined)
        return stored_room(name, plain)

    async def refresh(self) -> None:
        self.joined = list((await self._front.ask(actors.ListRooms(), actors.RoomList)).rooms)
        self._front.offer_rooms(room.name for room in self.joined)

    # ---- events -------------------------------------------------------------------------------------

    def found(self) -> list[Line]:
        """The node is up, and its rooms are known."""
        if self.joined and self.here is None:
            self.current = self.joined[-1].name  # the one of the last time
        self._is_up = True
        current_last = sorted(self.joined, key=lambda room: room.name == self.current)
        return [line for room in current_last for line in self.entered(room.name, room.plain)]

    def entered(self, room: str, plain: bool) -> list[Line]:
        """One line for each room, however often the node says so; none before the current one is known."""
        if room in self._announced or not self._is_up:
            return []
        self._announced.add(room)
        style = render.joined if room == self.current else render.also_in
        return [style(room, plain=plain)]

    def arrived(self, event: actors.RoomMessagesArrived, *, elsewhere: bool) -> list[Line]:
        """`elsewhere`: what is typed does not go to this room, so it is named."""
        self._unseen.add(event.room)
        return [
            line
            for record in event.records
            for line in self.view.message(record, elsewhere=elsewhere)
        ]

    async def mark_seen(self) -> None:
        """Somebody has pressed Enter: for other front ends nothing that was shown is unread any more."""
        if not self._front.console.is_watched:
            return
        rooms, self._unseen = self._unseen, set()
        for room in rooms:
            try:
                await self._front.ask(actors.MarkRoomSeen(room=room), actors.Done)
            except P2pchatError:
                self._unseen.add(room)  # the next Enter tries again

    # ---- commands -----------------------------------------------------------------------------------

    async def carry_out(self, command: commands.RoomCommand) -> bool:
        """Whether the user has gone to a room. Raises `P2pchatError`."""
        match command:
            case commands.ShowRooms():
                await self.refresh()
                await self._front.show(render.rooms(self.joined, self.current))
            case commands.Leave(room):
                await self._leave(room or self.current)
            case commands.Switch(room):
                return await self._switch(room)
            case commands.Join(room, plain):
                await self._join(room, plain=plain)
                return True
        return False

    async def show_peers(self) -> None:
        found = await self._front.ask(actors.ListConnections(), actors.ConnectionList)
        await self.refresh()
        await self._front.show(render.peers(found.connections, self.here, self.known))

    async def show_members(self, room: str, own_name: str) -> None:
        """`room` is empty for the current one."""
        room = room or self.current
        if not room:
            await self._front.show([render.hint(NO_ROOM)])
            return
        found = await self._front.ask(actors.ListMembers(room=room), actors.MemberList)
        me = actors.Member(peer=self._front.node.identity.peer, name=own_name)
        await self._front.show(render_members.who(room, me, found.members))

    async def show_history(self, limit: int, *, more: bool) -> None:
        room = self.current
        if not room:
            await self._front.show([render.hint(NO_ROOM)])
            return
        before = self._bookmarks.before(room, more=more)
        question = actors.ReadHistory(room=self.stored(room), limit=limit, before=before)
        page = await self._front.ask(question, actors.HistoryPage)
        self._bookmarks.turned(room, page.first)
        where = f"of {greeting.room(room)}"
        head = heading(len(page.records), limit, where, earlier=bool(before), more=bool(page.first))
        if not (page.records or before or page.first):
            head = render.note(f"Nothing of {greeting.room(room)} is kept here yet.")
        await self._front.show([head, *self.view.history(page.records)])

    async def _join(self, room: str, *, plain: bool = False) -> None:
        """Also for a room that was joined before: the node remembers which one was used last."""
        self._announced.add(room)  # by what follows, and not by the event
        joined = await self._front.ask(actors.JoinRoom(room=room, plain=plain), actors.RoomJoined)
        self.current = joined.room
        await self.refresh()
        await self._front.show([render.joined(joined.room, plain=joined.plain)])

    async def _switch(self, room: str) -> bool:
        """Whether it is a room that was joined."""
        await self.refresh()
        if room in [each.name for each in self.joined]:
            await self._join(room)
            return True
        hint = f"You have not joined {greeting.room(room)}: /join {room}."
        await self._front.show(render.several(render.hint, hint))
        return False

    async def _leave(self, room: str) -> None:
        if not room:
            await self._front.show([render.hint("You are in no room.")])
            return
        await self._front.ask(actors.LeaveRoom(room=room), actors.RoomLeft)
        self._announced.discard(room)
        await self.refresh()
        await self._front.show([render.note(f"You have left {greeting.room(room)}")])
        if self.current != room:
            return
        self.current = self.joined[-1].name if self.joined else ""
        if self.current:
            await self._join(self.current)
        else:
            await self._front.show([render.hint("You are in no room now: /join <room>.")])

    async def wait_for_company(self) -> None:
        """Nobody looks at a pipe to see whether somebody is there: wait a little before the first message."""
        config = self._front.node.config
        if self._waited or not (config.bootstrap or config.mdns):
            return
        self._waited = True
        with trio.move_on_after(FIRST_LOOK), contextlib.suppress(P2pchatError):
            while self.here is None or not self.here.subscribers:
                await trio.sleep(POLL)
                await self.refresh()
