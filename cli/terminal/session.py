"""One person's session: typed lines become commands to the node, events become lines on the console.

`rooms`, `conversations` and `contacts` know what there is to know about these; `posts` sends texts; here is what
holds them together: reading input, and showing events in their order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

import trio
from google.protobuf.message import Message

from p2pchat.cli import service
from p2pchat.cli.terminal import (
    commands,
    greeting,
    parsing,
    render,
    render_doctor,
    render_info,
)
from p2pchat.cli.terminal.alterations import Alterations
from p2pchat.cli.terminal.console import Console, Typed
from p2pchat.cli.terminal.contacts import Contacts
from p2pchat.cli.terminal.conversations import Conversations
from p2pchat.cli.terminal.event_lines import EventLines
from p2pchat.cli.terminal.files import Files
from p2pchat.cli.terminal.front import Front
from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.outcome import Outcome
from p2pchat.cli.terminal.posts import Posts
from p2pchat.cli.terminal.render_direct import Partner, label, left_behind
from p2pchat.cli.terminal.room_keeping import RoomKeeping
from p2pchat.cli.terminal.rooms import Rooms
from p2pchat.cli.terminal.searches import Searches
from p2pchat.node.errors import AskTimeoutError, P2pchatError, RequestRejectedError
from p2pchat.node.events import EventFeed
from p2pchat.proto import actors_pb2 as actors

if TYPE_CHECKING:  # importing it imports the whole node
    from p2pchat.node.app import NodeHandle

ALONE_AFTER = 30.0  # seconds without a chat peer until a hint is due
FLUSH_PATIENCE = 120.0  # seconds for everything that came by a pipe to reach the neighbours
LAST_WORDS = 1.0  # seconds at the end of a session to see saved what was sent

ALONE = (
    "Nobody is here yet. Others need the same room name; a firewall may be in the way; finding each other "
    "over the internet can take a minute. /doctor looks for what is wrong, /info shows the addresses that others "
    "can give to --bootstrap."
)
RECALL = " Press Up to edit it."
QUOTES = ' A name with spaces stands in quotes, e.g. /msg "Ann Lee" Hello.'

_DIRECT = (actors.DirectArrived, actors.DeliveriesChanged, actors.MessagesAltered)
_AT_ONCE = (commands.Mistake, commands.ShowHelp, commands.Quit)  # need no node


class Session:
    """Ends when the user or a signal says so, or when the input is at its end and everything is sent."""

    def __init__(self, node: NodeHandle, console: Console) -> None:
        self._node = node
        self._console = console
        self._front = Front(node, console)
        self._name = node.config.name  # empty until the store is open
        self._rooms = Rooms(self._front)
        self._contacts = Contacts(self._front)
        self._conversations = Conversations(self._front, self._contacts)
        self._searches = Searches(
            self._front, self._contacts, self._rooms.known, self._rooms.stored
        )
        self._keeping = RoomKeeping(self._front)
        self._files = Files(self._front, self._contacts)
        self._alterations = Alterations(self._front, self._contacts, self._rooms)
        self._event_lines = EventLines(
            node.identity.peer_bytes,
            self._rooms,
            self._conversations,
            self._files,
            self._alterations,
        )
        self._missed = 0
        self._up = trio.Event()  # the node answers, and the current room is known
        self._over = trio.Event()
        self._unread = 0  # lines that were too long to be taken
        self._drained = trio.Event()

    async def run(self) -> Outcome:
        """Returns what has reached nobody."""
        with (
            trio.open_signal_receiver(*service.STOPPING) as signals,
            self._node.hub.open() as feed,
        ):
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                self._posts = Posts(self._front, nursery, self._conversations.saved)
                nursery.start_soon(self._stop_on, signals)
                nursery.start_soon(self._show_events, feed)
                nursery.start_soon(self._greet)
                nursery.start_soon(self._hint_when_alone)
                nursery.start_soon(self._work_off_input, feed)
                await self._over.wait()
                with trio.move_on_after(LAST_WORDS):
                    await self._posts.finish()
                    await self._drain(feed)
                    await self._say_goodbye()
                nursery.cancel_scope.cancel()
        return self._outcome()

    async def _stop_on(self, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            self._over.set()

    async def _drain(self, feed: EventFeed) -> None:
        """Show what has happened so far."""
        self._drained = trio.Event()
        feed.push(actors.Done())
        await self._drained.wait()

    async def _say_goodbye(self) -> None:
        await self._front.show([*self._event_lines.flush(), *self._conversations.flush()])
        if self._console.wipes_input and self._conversations.unsent:
            await self._front.show([left_behind(self._conversations.unsent)])

    def _outcome(self) -> Outcome:
        return Outcome(
            unheard=self._posts.unheard,
            unsent=self._conversations.unsent,
            failed=self._conversations.failed,
            unsaved=self._posts.unsaved,
            unread=self._unread,
        )

    # ---- input --------------------------------------------------------------------------------------

    async def _work_off_input(self, feed: EventFeed) -> None:
        while (typed := await self._console.read()) is not None and not self._over.is_set():
            self._nursery.start_soon(self._conversations.mark_read)
            self._nursery.start_soon(self._rooms.mark_seen)
            await self._take(typed)
        if self._console.must_finish and not self._over.is_set():
            await self._posts.finish()
            await self._flush()
            await self._drain(feed)
            await self._conversations.wait_until_safe()
        self._over.set()

    async def _flush(self) -> None:
        """What was sent has left; its answer comes behind the events of what was sent."""
        with trio.move_on_after(FLUSH_PATIENCE):
            while True:
                try:
                    await self._front.ask(actors.FlushRooms(), actors.Done)
                    return
                except AskTimeoutError:
                    continue

    async def _take(self, typed: Typed) -> None:
        if typed.remark:
            await self._front.show([render.warning(typed.remark)])
            self._unread += not typed.text
        command = parsing.parse(typed.text)
        if not isinstance(command, _AT_ONCE):
            await self._up.wait()  # before, the current room is not known
        match command:
            case commands.Nothing():
                return
            case commands.Say(text):
                await self._say(text)
            case commands.Write(who, text):
                await self._write(who, text)
            case _:
                await self._obey(command, typed.text)

    async def _obey(self, command: commands.Command, typed: str) -> None:
        """Everything that is no message waits until what was said before is saved."""
        await self._front.show(self._conversations.flush())
        if self._console.wipes_input and typed.startswith("/"):
            await self._front.show([render.echo(self._prompt, typed)])
        await self._posts.finish()
        try:
            await self._carry_out(command)
        except P2pchatError as error:
            await self._front.show(render.several(render.warning, str(error)))
        self._set_prompt()

    async def _say(self, text: str) -> None:
        if (partner := self._conversations.current) is not None:
            await self._posts.send(actors.SendDirect(peer=partner.peer, text=text))
        elif self._rooms.current:
            if self._console.must_finish:
                await self._rooms.wait_for_company()
            await self._posts.send(actors.PostText(room=self._rooms.current, text=text))
        else:
            await self._front.show(
                [render.hint("You are in no room, so nobody would read it: /join <room>.")]
            )

    async def _write(self, who: str, text: str) -> None:
        try:
            partner = await self._contacts.resolve(who)
        except P2pchatError as error:
            is_unknown = isinstance(error, RequestRejectedError) and " " not in who
            remedy = QUOTES if is_unknown and text.count(" ") else ""
            recall = RECALL if self._console.wipes_input else ""
            await self._posts.refuse(text, f"{error}{remedy}{recall}")
        else:
            await self._posts.send(actors.SendDirect(peer=partner.peer, text=text))

    async def _carry_out(self, command: commands.Command) -> None:
        match command:
            case commands.Mistake(problem, is_text):
                remedy = RECALL if is_text and self._console.wipes_input else ""
                await self._front.show(render.several(render.hint, problem + remedy))
            case commands.Quit():
                self._over.set()
            case commands.ShowHelp():
                await self._front.show(render.help_lines())
            case commands.ShowPeers():
                await self._rooms.show_peers()
            case commands.ShowInfo():
                node, usage = await self._describe(), await self._keeping.usage()
                await self._front.show(render_info.info(node, usage))
            case commands.Examine():
                await self._examine()
            case commands.ShowMembers(room):
                await self._rooms.show_members(room, self._name)
            case commands.ShowHistory(limit, who, more):
                await self._show_history(limit, who, more=more)
            case _ if isinstance(command, commands.KeepingCommand):
                await self._keeping.carry_out(command, self._rooms.current)
            case _ if isinstance(command, commands.SearchCommand):
                await self._searches.carry_out(command)
            case commands.Rename(name):
                await self._rename(name)
            case commands.Converse(who):
                await self._converse(who)
            case _ if isinstance(command, commands.RoomCommand):
                await self._carry_out_in_rooms(command)
            case _ if isinstance(command, commands.FileCommand):
                await self._files.carry_out(command, self._conversations.current)
            case _ if isinstance(command, commands.AlteringCommand):
                await self._alterations.carry_out(command, self._conversations.current)
            case _ if isinstance(command, commands.ContactCommand):
                await self._contacts.carry_out(command)

    async def _carry_out_in_rooms(self, command: commands.RoomCommand) -> None:
        """Whoever goes to a room leaves the conversation for it."""
        partner = self._conversations.current
        if partner is not None and command == commands.Leave(""):
            hint = (
                f"You are writing to {label(partner)}: /dm goes back, /leave <room> leaves a room."
            )
            await self._front.show([render.hint(hint)])
        elif await self._rooms.carry_out(command):
            self._conversations.leave()

    async def _show_history(self, limit: int, who: str, *, more: bool) -> None:
        partner: Partner | None = self._conversations.current
        if who:
            partner = await self._contacts.resolve(who)
        if partner is None:
            await self._rooms.show_history(limit, more=more)
        else:
            await self._conversations.show_history(partner, limit, more=more)

    async def _examine(self) -> None:
        found = await self._front.ask(actors.Diagnose(), actors.Diagnosis)
        await self._front.show(render_doctor.diagnosis(found.checks))

    async def _rename(self, name: str) -> None:
        await self._front.ask(actors.SetName(name=name), actors.Done)
        self._name = name
        await self._front.show([render.note(f"You are now called {name}")])

    async def _converse(self, who: str) -> None:
        room = greeting.room(self._rooms.current) if self._rooms.current else ""
        if who:
            await self._conversations.enter(who, room)
        elif not self._conversations.leave():
            await self._front.show([render.hint("With whom? E.g. /dm Bob, or /dm …SxZBa1.")])
        elif room:
            await self._front.show([render.note(f"Back in {room}")])
        else:
            await self._front.show([render.hint("You are in no room: /join <room>.")])

    # ---- events -------------------------------------------------------------------------------------

    async def _show_events(self, feed: EventFeed) -> None:
        while True:
            batch: list[Message] = []
            due_at = min(self._conversations.due_at, self._event_lines.due_at)
            with trio.move_on_at(due_at):
                batch = await feed.next_batch()
            if not self._contacts.loaded and any(isinstance(event, _DIRECT) for event in batch):
                await self._contacts.try_to_load()  # who is no stranger
            lines = self._lines_of_batch(batch)
            if feed.missed > self._missed:
                skipped = render.count(feed.missed - self._missed, "event")
                self._missed = feed.missed
                lines.insert(0, render.warning(f"{skipped} skipped here; /history shows messages."))
            await self._front.show(lines)
            self._conversations.shown()
            if any(isinstance(event, actors.Done) for event in batch):
                self._drained.set()

    def _lines_of_batch(self, batch: Iterable[Message]) -> list[Line]:
        now = trio.current_time()
        lines = [line for event in batch for line in self._event_lines.of(event, now)]
        return lines + self._event_lines.due(now) + self._conversations.due(now)

    async def _hint_when_alone(self) -> None:
        await trio.sleep(ALONE_AFTER)
        if not self._event_lines.in_company:
            await self._front.show([render.hint(ALONE)])

    # ---- the start, and the prompt ------------------------------------------------------------------

    async def _greet(self) -> None:
        """What is known only when the node is up; starting may take longer than one question waits."""
        while True:
            try:
                node = await self._describe()
                await self._rooms.refresh()
            except AskTimeoutError:
                continue
            except P2pchatError:
                return  # it is stopping
            break
        if node.HasField("delivery"):
            await self._contacts.try_to_load()
        if node.name != self._name:
            self._name = node.name
            await self._front.show([render.note(f"Your name is {node.name}; /name changes it")])
        rooms = self._rooms.found()
        self._set_prompt()
        self._up.set()
        await self._front.show(rooms)
        if self._console.is_watched:
            await self._front.show(self._contacts.missed())

    async def _describe(self) -> actors.NodeDescription:
        return await self._front.ask(actors.DescribeNode(), actors.NodeDescription)

    @property
    def _prompt(self) -> str:
        partner = self._conversations.current
        shown = label(partner) if partner is not None else ""
        return greeting.prompt(self._name, self._rooms.to_tell_apart, shown)

    def _set_prompt(self) -> None:
        self._console.set_prompt(self._prompt)
