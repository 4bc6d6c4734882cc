"""What the keys do, besides those with which one types."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from p2pchat.cli.tui.rows import Piece, row

if TYPE_CHECKING:
    from p2pchat.cli.tui.picture import Picture
    from p2pchat.cli.tui.settings import UiSettings
    from p2pchat.cli.tui.sheet import RowsFor
    from p2pchat.cli.tui.state import ChatState

QUIT_HINT = "ctrl+c again, ctrl+q or /quit leaves"
QUIT_AGAIN = 3.0  # seconds within which a second ctrl+c leaves


class Keys(App[int]):
    """The part of the app that only passes on what was pressed."""

    state: ChatState
    picture: Picture
    settings: UiSettings
    _interrupted_at = 0.0

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", "Clear or quit", show=False, system=True),
        Binding("ctrl+d", "end_of_input", "Quit", show=False),
        Binding("f1", "help", "Help", show=False),
        Binding("ctrl+f", "search", "Search", show=False),
        Binding("ctrl+t", "other_theme", "Light or dark", show=False),
        Binding("ctrl+b", "toggle_pane('list')", "The list", show=False),
        Binding("ctrl+o", "toggle_pane('side')", "Who is there", show=False),
        Binding("ctrl+g", "expand", "All of a long message", show=False),
        Binding("alt+up", "neighbour(-1)", "The conversation above", show=False),
        Binding("alt+down", "neighbour(1)", "The conversation below", show=False),
        Binding("alt+a", "next_unread", "The next unread one", show=False),
        Binding("pageup", "page(-1)", "Older", show=False),
        Binding("pagedown", "page(1)", "Newer", show=False),
        Binding("shift+up,ctrl+up", "scroll_by(-1)", "A row up", show=False),
        Binding("shift+down,ctrl+down", "scroll_by(1)", "A row down", show=False),
        Binding("ctrl+home", "to_top", "The oldest", show=False),
        Binding("ctrl+end,escape", "to_bottom", "The newest", show=False),
    ]

    def run_command(self, text: str) -> None:
        raise NotImplementedError

    def open(self, key: str) -> None:
        raise NotImplementedError

    def expand(self, key: str) -> None:
        raise NotImplementedError

    def set_dark(self, dark: bool) -> None:
        raise NotImplementedError

    def action_leave(self) -> None:
        self.exit(0)

    async def action_quit(self) -> None:
        self.action_leave()

    def action_interrupt(self) -> None:
        composer = self.picture.composer
        if composer.text:
            composer.fill("")
        elif time.monotonic() - self._interrupted_at < QUIT_AGAIN:
            self.action_leave()
        else:
            self._interrupted_at = time.monotonic()
            self.picture.hint(row(Piece(f" {QUIT_HINT}", "hint")))
            self.set_timer(QUIT_AGAIN, self.picture.end_hint)

    def action_help_quit(self) -> None:
        self.action_interrupt()

    def action_end_of_input(self) -> None:
        if not self.picture.composer.text:
            self.action_leave()

    def action_help(self) -> None:
        from p2pchat.cli.tui import help_list

        self.show_sheet("Help", help_list.rows)

    def show_sheet(self, title: str, rows: RowsFor) -> None:
        """Above everything, until it is closed."""
        from p2pchat.cli.tui.sheet import Sheet

        self.push_screen(Sheet(title, rows, self.settings))

    def action_other_theme(self) -> None:
        self.set_dark(not self.settings.dark)

    def action_toggle_pane(self, part: str) -> None:
        self.picture.toggle(part)
        self.call_after_refresh(self.picture.all)

    def action_expand(self) -> None:
        timeline = self.picture.timeline
        key = timeline.long_item_in_sight() or timeline.item_at_middle()
        self.expand(key)

    def action_page(self, direction: int) -> None:
        self.picture.timeline.page(direction)

    def action_scroll_by(self, rows: int) -> None:
        self.picture.timeline.by(rows)

    def action_to_top(self) -> None:
        self.picture.timeline.to_top()

    def action_to_bottom(self) -> None:
        self.picture.timeline.to_bottom()

    def action_neighbour(self, step: int) -> None:
        keys = list(self.state.conversations)
        if keys:
            at = keys.index(self.state.current) if self.state.current in keys else 0
            self.open(keys[(at + step) % len(keys)])

    def action_next_unread(self) -> None:
        every = [*self.state.conversations.values()]
        wanted = next((each.key for each in every if each.draws_attention), "")
        if wanted:
            self.open(wanted)
