"""The parts of the screen, and what each of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p2pchat.cli.tui import panes
from p2pchat.cli.tui.cells import cut, steady_line, width
from p2pchat.cli.tui.composer import Composer
from p2pchat.cli.tui.layout import Setting
from p2pchat.cli.tui.rows import Piece, Row, row
from p2pchat.cli.tui.rows_view import RowsBar, RowsView
from p2pchat.cli.tui.settings import UiSettings
from p2pchat.cli.tui.state import Changes, ChatState
from p2pchat.cli.tui.timeline import Timeline

if TYPE_CHECKING:
    from textual.app import App

SIDE_FROM = 100  # columns of the screen from which on the pane at the right is shown
LIST_FROM = 60  # and the list at the left
SIDE_LEAST, LIST_LEAST = 66, 44  # on a narrower screen not even when asked for
NARROW_LIST, WIDE_LIST = 18, 24  # columns
TITLE_FROM = 4  # rows from which on there is a title; with fewer the input would be pushed out
AIRY_FROM = 32  # rows from which on there are empty ones


class Picture:
    def __init__(self, app: App[Any], state: ChatState, settings: UiSettings) -> None:
        self._app = app
        self._state = state
        self._settings = settings
        self._wanted: dict[str, bool] = {}  # what the user has shown or hidden
        self._width = self._height = 0
        self._in_sight = (
            "",
            0,
        )  # the conversation that the list was scrolled to, and its height then
        self._problem = ("", "")  # and the text that has it
        self.is_there = False

    def find_parts(self) -> None:
        find = self._app.screen.query_one
        self.list = find("#list", RowsView)
        self.side = find("#side", RowsView)
        self.title = find("#title", RowsBar)
        self.timeline = find("#timeline", Timeline)
        self.below = find("#below", RowsBar)
        self.offered = find("#offer", RowsBar)
        self.draft = find("#draft", RowsBar)
        self.composer = find("#composer", Composer)
        self.status = find("#status", RowsBar)
        self.is_there = True

    def set_look(self, settings: UiSettings) -> None:
        self._settings = settings
        parts: list[RowsView | RowsBar | Composer] = [self.list, self.side, self.timeline]
        parts += [self.title, self.below, self.offered, self.draft, self.composer, self.status]
        for part in parts:
            part.dark, part.color = settings.dark, settings.color
            part.refresh()

    # ---- room -------------------------------------------------------------------------------------------

    def fit(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        if not self.is_there:
            return
        self.composer.refit()
        self.list.styles.width = WIDE_LIST if width >= SIDE_FROM else NARROW_LIST
        self.list.display = self._wanted.get("list", width >= LIST_FROM) and width >= LIST_LEAST
        self.title.display = height >= TITLE_FROM
        self.side.display = self._wanted.get("side", width >= SIDE_FROM) and width >= SIDE_LEAST

    def toggle(self, part: str) -> None:
        shown = self.list.display if part == "list" else self.side.display
        self._wanted[part] = not shown
        self.fit(self._width, self._height)

    # ---- showing ----------------------------------------------------------------------------------------

    def all(self) -> None:
        if self.is_there:
            self.show_draft()
            self.changed(Changes({self._state.current}, overview=True, status=True, side=True), -1)

    def changed(self, changes: Changes, below: int) -> None:
        """`below`: new messages below what is shown; -1: as it was."""
        if changes.overview:
            self.list.show(panes.list_rows(self._state, self.list.columns))
            self._show_current()
        if changes.overview or changes.side:
            self.title.show(panes.title_row(self._state, self.title.size.width))
            self.side.show(panes.side_rows(self._state, self.side.columns))
            self._set_placeholder()
        if changes.status or changes.overview:
            self.status.show(panes.status_row(self._state, self.status.size.width))
        if self._state.current in changes.touched:
            self.timeline_changed()
        if below >= 0:
            self.show_below(below)

    def _show_current(self) -> None:
        """In the list, once: then it may be scrolled away from."""
        where = (self._state.current, self.list.size.height)
        if where != self._in_sight and self.list.size.height:
            self._in_sight = where
            self.list.bring_in_sight(f"open {where[0]}")

    def timeline_changed(self) -> None:
        setting = Setting(
            self.timeline.columns,
            self._state.people,
            self._settings.zone,
            self._height >= AIRY_FROM,
        )
        self.timeline.draw(self._state.here, setting, self._state.transfers)

    def show_below(self, number: int) -> None:
        shown = not self.timeline.at_bottom
        self.below.display = shown
        if shown:
            news = (
                f"{number:,} new message{'s' * (number != 1)} below"
                if number
                else "newer ones below"
            )
            self.below.show(row(Piece(f" ↓ {news}: escape", "hint"), action="bottom"))

    def _set_placeholder(self) -> None:
        here = self._state.here
        if here is None:
            text = "/join lobby goes to a room, /help lists the commands"
        elif here.is_room and not here.status.joined:
            text = f"you are not in this room: /join {steady_line(here.status.name)}"
        else:
            sign = "#" if here.is_room else ""
            text = f"Write to {sign}{panes.conversation_name(here, self._state.people)}"
        if text != self.composer.placeholder:
            self.composer.placeholder = text
            self.composer.refresh()

    # ---- the rows above the input ------------------------------------------------------------------------

    def offer(self, choices: Sequence[str], at: int) -> None:
        """The choices around the one that stands in the text."""
        if not choices:
            self.end_hint()
            return
        columns = self.composer.size.width or self._width
        pieces = [Piece(" ")]
        for index in range(_first_shown(choices, at, columns), len(choices)):
            style = "on:chosen strong" if index == at else "dim"
            pieces.append(Piece(f" {cut(steady_line(choices[index]).strip(), 32)} ", style))
        self.hint(Row(tuple(pieces)))

    def hint(self, shown: Row) -> None:
        self.offered.show(shown)
        self.offered.display = True

    def draft_has(self, problem: str) -> None:
        """Said above the text until that is another one."""
        self._problem = (problem, self.composer.text)
        self.show_draft()

    def show_draft(self) -> None:
        text, (problem, of) = self.composer.text, self._problem
        if text != of:
            problem, self._problem = "", ("", "")
        columns = self.composer.size.width or self._width
        rows = panes.draft_rows(text, problem, self.composer.shows_all, columns)
        self.draft.display = bool(rows)
        self.draft.styles.height = len(rows) or 1
        self.draft.show(*rows)

    def end_hint(self) -> None:
        self.offered.display = False


def _first_shown(choices: Sequence[str], at: int, columns: int) -> int:
    first, used = at, 0
    while first > 0:
        used += min(32, width(choices[first])) + 2
        if used > columns // 2:
            break
        first -= 1
    return first
