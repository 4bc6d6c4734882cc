"""The terminal UI: a screen on a node that runs in another process."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult

from p2pchat.cli.tui import settings, terminal_keys, theme
from p2pchat.cli.tui.composer import Composer, Drafted, Offering, Submitted, TooLong
from p2pchat.cli.tui.feed import Feed
from p2pchat.cli.tui.frames import LAYOUT, SideBySide, Stacked, Whole
from p2pchat.cli.tui.keys import Keys
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.opening import OpeningScreen
from p2pchat.cli.tui.outbox import Outbox
from p2pchat.cli.tui.panes import conversation_name
from p2pchat.cli.tui.picture import Picture
from p2pchat.cli.tui.reading import Reading
from p2pchat.cli.tui.rows import Row
from p2pchat.cli.tui.rows_view import Acted, Fitted, RowsBar, RowsView
from p2pchat.cli.tui.settings import Notify, UiSettings
from p2pchat.cli.tui.state import MEMBERS, Changes, ChatState
from p2pchat.cli.tui.timeline import BottomChanged, ScrolledToTop, Timeline
from p2pchat.node.errors import P2pchatError

if TYPE_CHECKING:
    from textual.screen import Screen

    from p2pchat.cli.terminal.completion import Names
    from p2pchat.cli.tui.desk import Desk
    from p2pchat.cli.tui.outcome import Outcome
    from p2pchat.proto import control_pb2 as control


class ChatApp(Keys):
    CSS = LAYOUT
    TITLE = "p2pchat"
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        link: NodeLink,
        *,
        settings: UiSettings | None = None,
        opening: OpeningScreen | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` gives the Unix time in seconds."""
        self.settings = settings or UiSettings()
        terminal_keys.learn()
        colorless = not self.settings.color
        super().__init__(ansi_color=True if colorless else None)
        if colorless and not self.no_color:
            theme.without_colours(self)
        self.link = link
        self.state = ChatState(opening)
        self._now = now
        self.feed = Feed(link, self.state, self.draw)
        self._outbox = Outbox(link, self.state, self.draw)
        self._desk: Desk | None = None  # with the first command
        self._reading = Reading(link, self.state, now)
        self.picture = Picture(self, self.state, self.settings)
        self._reads_older = False
        self.searched = ""  # the words of the last search

    # ---- the beginning ----------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with SideBySide(id="main"):
            yield RowsView(id="list")
            with Stacked(id="middle"):
                yield RowsBar("bar", id="title")
                yield Timeline(id="timeline")
                yield RowsBar("page", id="below")
                yield RowsBar("bar", id="offer")
                yield RowsBar("bar", id="draft")
                yield Composer(id="composer")
            yield RowsView(id="side")
        yield RowsBar("bar", id="status")

    def get_default_screen(self) -> Screen[Any]:
        return Whole(id="_default")

    def on_mount(self) -> None:
        for dark in (True, False):
            self.register_theme(theme.theme(dark))
        self.picture.find_parts()
        composer = self.picture.composer
        composer.names = self._names
        composer.transfers = lambda: [each[-6:] for each in self.state.transfers]
        composer.focus()
        self._look()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.picture.all()
        for work in (
            self.feed.take_events,
            self.feed.draw_frames,
            self.feed.answer_wants,
            self._outbox.hand_over,
        ):
            self.in_background(work())

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        self.run_worker(work, exit_on_error=True)

    def on_resize(self, event: events.Resize) -> None:
        self.picture.fit(event.size.width, event.size.height)
        self.call_after_refresh(self.picture.all)

    def on_fitted(self, _: Fitted) -> None:
        self.picture.all()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            self._reading.notice_focus(event)
            self._look_at_current()
        await super().on_event(event)

    def on_app_focus(self) -> None:
        self._reading.has_focus = True
        self._look_at_current()

    def on_app_blur(self) -> None:
        self._reading.has_focus = False

    # ---- drawing ----------------------------------------------------------------------------------------

    def draw(self, changes: Changes) -> None:
        if not self.picture.is_there:
            return
        for level, text in changes.notices:
            self._notice(level, text)
        at_bottom = self.picture.timeline.at_bottom
        if not at_bottom:
            self._reading.count_below(changes.arrived)
        self.picture.changed(changes, self._reading.below)
        if self.state.is_listed:
            for text in self._outbox.let_go():
                self.say(text)
        self._tell(changes.arrived, at_bottom)

    def _notice(self, level: str, text: str) -> None:
        from p2pchat.cli.tui import answers

        self._say_here(answers.notice(level, text))

    def _say_here(self, rows: list[Row]) -> str:
        """In the open conversation; where there is none, for a moment above everything. The note's key."""
        here = self.state.here
        if here is None:
            text = "\n".join("".join(piece.text for piece in each.pieces) for each in rows)
            self.notify(text, markup=False, timeout=8)
        elif rows:
            key = here.note(rows).key
            self.picture.timeline_changed()
            return key
        return ""

    def _in_background_if(self, work: Coroutine[Any, Any, Any] | None) -> None:
        if work is not None:
            self.in_background(self._safely(work))

    async def _safely(self, work: Coroutine[Any, Any, Any]) -> None:
        """What is not worth telling when the node cannot take it now."""
        try:
            await work
        except P2pchatError:
            return

    def _look(self) -> None:
        self.theme = theme.name(self.settings.dark)
        self.picture.set_look(self.settings)

    @property
    def is_dark(self) -> bool:
        return self.settings.dark

    @property
    def columns(self) -> int:
        """Of the conversation."""
        return self.picture.timeline.columns

    # ---- what is typed ----------------------------------------------------------------------------------

    def on_submitted(self, event: Submitted) -> None:
        self.run_command(event.text)

    def run_command(self, text: str) -> None:
        """As if it had been typed."""
        if self._desk is None:
            from p2pchat.cli.tui.desk import Desk  # not needed for the first screen

            self._desk = Desk(self, self.link)
        self._desk.carry_out(text)

    def say(self, text: str) -> None:
        here = self.state.here
        if here is None and not self.state.is_listed and self._outbox.hold(text):
            self.notify(f"Waits for the node: {text}", markup=False)
        elif here is None:
            self.refuse("There is nobody to say it to: /join lobby goes to a room.", text)
        elif here.is_room and not here.status.joined:
            self.refuse(f"You are not in this room: /join {here.status.name} goes there.", text)
        elif not self._outbox.say(here, text, int(self._now() * 1000)):
            self.refuse("Too much waits for the node already.", text)
        else:
            self.picture.timeline.to_bottom()

    def refuse(self, problem: str, text: str = "") -> None:
        """A sentence; the text back to where it was typed, with the sentence above it."""
        from p2pchat.cli.tui import answers

        if text and not self.picture.composer.text:
            self.picture.composer.fill(text)
            self.picture.draft_has(problem)
        else:
            self._say_here(answers.hint(problem))

    def finish(self, outcome: Outcome) -> None:
        if outcome.open:
            self.open(outcome.open)
        if outcome.input and not self.picture.composer.text:
            self.picture.composer.fill(outcome.input)
        if outcome.title:
            self.show_sheet(outcome.title, lambda _: outcome.rows)
        elif outcome.rows:
            key = self._say_here(outcome.rows)
            self.picture.timeline.to_beginning_of(key)
        self.feed.ask(outcome.ask)
        self.picture.all()

    def set_dark(self, dark: bool) -> None:
        self.settings = replace(self.settings, dark=dark)
        settings.remember(self.settings)
        self._look()
        self.picture.all()

    def set_notify(self, how: Notify | None) -> None:
        from p2pchat.cli.tui import answers

        if how is not None:
            self.settings = replace(self.settings, notify=how)
            settings.remember(self.settings)
        self._say_here(answers.note(f"Notifications: {self.settings.notify}."))

    def _names(self) -> Names:
        from p2pchat.cli.tui import completing

        return completing.names(self.state)

    # ---- conversations ----------------------------------------------------------------------------------

    def open(self, key: str) -> None:
        conversation = self.state.conversations.get(key)
        if conversation is None:
            return
        if self.state.here is not None:
            self.state.here.held = False
        self.state.current = key
        self._reading.begin(conversation)
        self.picture.all()
        self._look_at_current()
        self.in_background(self._read_current())

    async def _read_current(self) -> None:
        here = self.state.here
        self.feed.ask({MEMBERS})
        if here is not None and here.cursor is None:
            unread = here.status.unread
            await self._safely(self._read_newest())
            if unread and not here.new_from:
                here.unread_begins(unread)
                self.picture.timeline_changed()

    async def _read_newest(self) -> None:
        self.draw(await self.feed.read_newest())

    def _look_at_current(self) -> None:
        """Somebody does, unless something else stands in front of it."""
        if self.picture.is_there and len(self.screen_stack) == 1:
            self._in_background_if(self._reading.act(self.picture.timeline.at_bottom))

    async def go_to(self, message: control.Message) -> None:
        """Opens the conversation of a found message, and reads back until it is there."""
        from p2pchat.cli.tui.finding import reach

        await self._safely(reach(message, self.state, self.feed, self.open))
        self.picture.all()
        key = f"{message.sender}/{message.id}"
        if not self.picture.timeline.to_item(key):
            self.refuse("That message is no longer here.")

    async def on_scrolled_to_top(self, _: ScrolledToTop) -> None:
        here = self.state.here
        if self._reads_older or here is None or here.cursor == "":
            return
        self._reads_older, here.held = True, True
        self.in_background(self._read_older())

    async def _read_older(self) -> None:
        try:
            self.draw(await self.feed.read_older())
        except P2pchatError:
            return
        finally:
            self._reads_older = False

    def on_bottom_changed(self, _: BottomChanged) -> None:
        at_bottom = self.picture.timeline.at_bottom
        if self.state.here is not None:
            self.state.here.held = not at_bottom
        if at_bottom:
            self._reading.below = 0
            self._look_at_current()
        self.picture.show_below(self._reading.below)

    def on_acted(self, event: Acted) -> None:
        verb, _, rest = event.action.partition(" ")
        if verb == "open":
            self.open(rest)
        elif verb == "expand":
            self.expand(rest)
        elif verb == "command":
            self.run_command(rest)
        elif verb == "write":
            self.run_command(f"/dm {rest}")
        elif verb == "bottom":
            self.action_to_bottom()
        self.picture.composer.focus()

    def expand(self, key: str) -> None:
        item = self.state.here.find(key) if self.state.here else None
        if item is not None:
            item.expanded = not item.expanded
            self.picture.timeline_changed()

    # ---- attention --------------------------------------------------------------------------------------

    def _tell(self, arrived: list[control.Message], at_bottom: bool) -> None:
        if self.settings.notify == "off" or not arrived:
            return
        from p2pchat.cli.tui import notifying

        looked_at = self._reading.has_focus and at_bottom
        worth = notifying.worth_telling(arrived, self.state, is_looked_at=looked_at)
        if not worth or not self._reading.may_tell():
            return
        if self.settings.notify == "bell":
            self.bell()
        else:
            self.in_background(notifying.show_on_desktop(*notifying.words(worth, self.state)))

    # ---- what the parts report ---------------------------------------------------------------------------

    def on_offering(self, event: Offering) -> None:
        self.picture.offer(event.choices, event.at)

    def on_too_long(self, _: TooLong) -> None:
        self.picture.draft_has(
            "That is longer than a message may be (65,536 bytes), and was not taken."
        )

    def on_drafted(self, _: Drafted) -> None:
        if self.picture.is_there:
            self.picture.show_draft()

    def action_search(self, words: str = "") -> None:
        from p2pchat.cli.tui.search_view import open_search

        open_search(self, words)

    def action_command_palette(self) -> None:
        from p2pchat.cli.tui.palette import open_palette

        open_palette(self)

    def get_system_commands(self, screen: Screen[Any]) -> Any:
        from p2pchat.cli.tui.palette import entries

        yield from entries(self)

    def titled(self, key: str) -> str:
        """How a conversation is called."""
        return conversation_name(self.state.conversations[key], self.state.people)

    def fill_input(self, text: str) -> None:
        self.picture.composer.fill(text)
        self.picture.composer.focus()
