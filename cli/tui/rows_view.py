"""Widgets that show rows, and only draw those that can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from p2pchat.cli.tui.painting import strip
from p2pchat.cli.tui.rows import Piece, Row, plain

if TYPE_CHECKING:
    from textual import events
    from textual.selection import Selection

STRIPS_KEPT = 1_024  # drawn rows; with one more, all are drawn anew

_SELECTED = Style(reverse=True)


class Painted(Widget):
    """Draws its own lines, past Textual's cache of them: there is nothing around or behind them."""

    def render_lines(self, crop: Region) -> list[Strip]:
        columns = self.size.width
        strips = self.painted(range(crop.y, crop.bottom), columns)
        if (crop.x, crop.right) == (0, columns):
            return strips
        return [each.crop(crop.x, crop.right) for each in strips]

    def render_line(self, y: int) -> Strip:
        """For Textual to find what stands under the mouse."""
        return self.painted(range(y, y + 1), self.size.width)[0]

    def painted(self, lines: range, columns: int) -> list[Strip]:
        """Of the lines that can be seen, the first of which is 0."""
        raise NotImplementedError


class Acted(Message):
    """Somebody clicked on a row that does something."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action


class Fitted(Message):
    """There is more or less room than before: rows have to be made anew for it."""


class RowsView(ScrollView, Painted, can_focus=False):
    """Any number of rows, which can be scrolled, clicked and selected."""

    DEFAULT_CSS = """
    RowsView { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """
    back: ClassVar[str] = "pane"
    margin: ClassVar[int] = 0  # columns in front of every row
    dark = True
    color = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: Sequence[Row] = ()
        self._strips: dict[tuple[Row, int], Strip] = {}
        self._manner: tuple[int, bool, bool] | None = None  # in which those were drawn

    @property
    def allow_select(self) -> bool:
        return True

    @property
    def columns(self) -> int:
        """For a row."""
        return max(1, self.scrollable_content_region.width - self.margin)

    def show(self, rows: Sequence[Row]) -> None:
        if rows == self.rows and self.virtual_size.height == len(rows):
            return
        self.rows = rows
        size = Size(self.columns, len(rows))
        if self.show_vertical_scrollbar and size.height > self.container_size.height:
            # The scroll bar stays, so that nothing else on the screen is laid out and drawn anew.
            self.set_reactive(RowsView.virtual_size, size)
            self._scroll_update(size)
        elif size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    def painted(self, lines: range, columns: int) -> list[Strip]:
        manner = (columns, self.dark, self.color)
        if manner != self._manner or len(self._strips) > STRIPS_KEPT:
            self._manner = manner
            self._strips.clear()
        top, selection = self.scroll_offset.y, self.text_selection
        if selection is None:
            return [self._line(top + y, columns) for y in lines]
        return [self._drawn(top + y, columns, selection) for y in lines]

    def _line(self, at: int, columns: int) -> Strip:
        key = (self._row(at), at)
        known = self._strips.get(key)
        if known is None:
            known = self._strips[key] = self._drawn(at, columns, None)
        return known

    def _row(self, at: int) -> Row:
        return self.rows[at] if 0 <= at < len(self.rows) else Row()

    def _drawn(self, at: int, columns: int, selection: Selection | None) -> Strip:
        row = self._row(at)
        row = Row((Piece(" " * self.margin), *row.pieces)) if self.margin else row
        shown = strip(row, columns, self.back, dark=self.dark, color=self.color)
        if selection is not None:
            shown = _selected(shown, selection.get_span(at), columns)
        return shown.apply_offsets(0, at)  # at last: they are by the segments as they are now

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        indent = " " * self.margin
        return selection.extract("\n".join(indent + plain(row) for row in self.rows)), "\n"

    def bring_in_sight(self, action: str) -> None:
        """The row that does that, if there is one."""
        at = next((at for at, each in enumerate(self.rows) if each.action == action), None)
        top, height = self.scroll_offset.y, self.size.height
        if at is not None and height and not top <= at < top + height:
            self.scroll_to(y=max(0, at - height // 2), animate=False, force=True)

    def on_resize(self) -> None:
        self.post_message(Fitted())

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        at = self.scroll_offset.y + event.y
        if 0 <= at < len(self.rows) and self.rows[at].action:
            self.post_message(Acted(self.rows[at].action))


def _selected(shown: Strip, span: tuple[int, int] | None, columns: int) -> Strip:
    if span is None:
        return shown
    start, end = span[0], columns if span[1] == -1 else min(span[1], columns)
    if start >= end:
        return shown
    before, middle, behind = shown.crop(0, start), shown.crop(start, end), shown.crop(end, columns)
    return Strip.join([before, middle.apply_style(_SELECTED), behind])


class RowsBar(Painted, can_focus=False):
    """A few rows at the edge of something."""

    DEFAULT_CSS = """
    RowsBar { height: 1; }
    """
    dark = True
    color = True

    def __init__(self, back: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.back = back
        self.rows: Sequence[Row] = ()

    def show(self, *rows: Row) -> None:
        if tuple(rows) != tuple(self.rows):
            self.rows = rows
            self.refresh()

    def painted(self, lines: range, columns: int) -> list[Strip]:
        rows = (self.rows[y] if y < len(self.rows) else Row() for y in lines)
        return [strip(each, columns, self.back, dark=self.dark, color=self.color) for each in rows]

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self.rows) and self.rows[event.y].action:
            self.post_message(Acted(self.rows[event.y].action))
