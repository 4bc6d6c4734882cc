"""Where one types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip

from p2pchat.cli.tui.editing import Editor, View
from p2pchat.cli.tui.painting import cursor, pieces_strip
from p2pchat.cli.tui.rows import Piece, Row, fitted
from p2pchat.cli.tui.rows_view import Painted

if TYPE_CHECKING:
    from textual import events

    from p2pchat.cli.terminal.completion import Names
    from p2pchat.cli.tui.completing import Completion

MOST_ROWS = 8  # of a text that is being typed; the rest scrolls
PART = 2  # on a low screen at most one row in so many
PROMPT = " > "


class Submitted(Message):
    """Enter was pressed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Offering(Message):
    """The choices of the Tab key, and which one stands there; none: it is over."""

    def __init__(self, choices: Sequence[str], at: int) -> None:
        super().__init__()
        self.choices, self.at = choices, at


class TooLong(Message):
    """More was pasted than a message may have."""


class Drafted(Message):
    """There is another text, or it is shown in other rows."""


class Typed(Message):
    """The text is another one."""


class Composer(Painted, can_focus=True):
    DEFAULT_CSS = """
    Composer { height: 1; }
    """
    dark = True
    color = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.editor = Editor()
        self.placeholder = ""
        self.names: Callable[[], Names] | None = None
        self.transfers: Callable[[], Sequence[str]] = tuple
        self._completion: Completion | None = None
        self._top = 0  # the first row that is shown
        self.shows_all = True  # of the text

    @property
    def text(self) -> str:
        return self.editor.text

    def fill(self, text: str) -> None:
        self.editor.replace(text)
        self._changed()

    def refit(self) -> None:
        """The screen has another size."""
        self._changed()

    def on_focus(self) -> None:
        self.refresh()

    # ---- keys -------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        key, editor = event.key, self.editor
        if key in ("tab", "shift+tab"):
            self._complete(1 if key == "tab" else -1)
        elif key == "enter":
            self._submit()
        elif key in ("alt+enter", "ctrl+j", "shift+enter"):
            editor.insert("\n")
        elif key == "up":
            editor.up(self._columns)
        elif key == "down":
            editor.down(self._columns)
        elif key in _EDITS:
            _EDITS[key](editor)
        elif event.character is not None and event.is_printable and not key.startswith("alt+"):
            editor.insert(event.character)
        else:
            return
        event.stop()
        event.prevent_default()
        self.post_message(Typed())
        if key not in ("tab", "shift+tab"):
            self._end_completion()
        self._changed()

    def on_paste(self, event: events.Paste) -> None:
        """However many lines: one text."""
        event.stop()
        event.prevent_default()
        self._end_completion()
        if not self.editor.insert(event.text):
            self.post_message(TooLong())
        self._changed()

    def on_click(self, event: events.Click) -> None:
        self.editor.place(self._top + event.y, event.x - len(PROMPT), self._columns)
        self._changed()

    def _submit(self) -> None:
        if text := self.editor.take():
            self.post_message(Submitted(text))

    # ---- completion -------------------------------------------------------------------------------------

    def _complete(self, by: int) -> None:
        if self._completion is None and self.names is not None:
            from p2pchat.cli.tui import completing  # not needed for the first screen

            before = self.editor.text[: self.editor.cursor]
            self._completion = completing.begin(before, self.names(), self.transfers())
        found = self._completion
        if found is None:
            return
        choice, replaced = found.step(by)
        self.editor.put_in_front(replaced, choice)
        if len(found.choices) == 1:
            self._end_completion()
        else:
            self.post_message(Offering(found.choices, found.at))

    def _end_completion(self) -> None:
        if self._completion is not None:
            self._completion = None
            self.post_message(Offering((), -1))

    # ---- drawing ----------------------------------------------------------------------------------------

    @property
    def _columns(self) -> int:
        return max(8, self.size.width - len(PROMPT) - 1)

    def _changed(self) -> None:
        view = self.editor.view(self._columns)
        height = min(MOST_ROWS, max(1, self.app.size.height // PART), len(view.rows))
        self.shows_all = height == len(view.rows)
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self._keep_in_sight(view, height)
        self.app.cursor_position = self.region.offset + Offset(
            len(PROMPT) + view.column, view.row - self._top
        )
        self.refresh()
        self.post_message(Drafted())

    def on_resize(self) -> None:
        self._changed()

    def _keep_in_sight(self, view: View, height: int) -> None:
        self._top = min(self._top, view.row, max(0, len(view.rows) - height))
        self._top = max(self._top, view.row - height + 1)

    def painted(self, lines: range, columns: int) -> list[Strip]:
        view = self.editor.view(self._columns)
        return [self._line(view, y, columns) for y in lines]

    def _line(self, view: View, y: int, columns: int) -> Strip:
        at = self._top + y
        start = Piece(PROMPT if at == 0 else " " * len(PROMPT), "me")
        if not self.editor.text and y == 0:
            ghost = self.placeholder
            pieces = (
                [start, *cursor(ghost, 0, "faded")]
                if self.has_focus
                else [start, Piece(ghost, "faded")]
            )
        elif at >= len(view.rows):
            pieces = []
        elif at == view.row and self.has_focus:
            pieces = [start, *cursor(view.rows[at], view.column, "text")]
        else:
            pieces = [start, Piece(view.rows[at], "text")]
        shown = fitted(Row(tuple(pieces)), columns)
        return pieces_strip(shown, columns, "field", dark=self.dark, color=self.color)


_EDITS: dict[str, Callable[[Editor], None]] = {
    "backspace": Editor.backspace,
    "ctrl+h": Editor.backspace,
    "delete": Editor.delete,
    "ctrl+w": Editor.delete_word,
    "alt+backspace": Editor.delete_word,
    "ctrl+backspace": Editor.delete_word,
    "ctrl+u": Editor.delete_to_start,
    "ctrl+k": Editor.delete_to_end,
    "ctrl+y": Editor.put_back,
    "left": Editor.left,
    "right": Editor.right,
    "ctrl+left": Editor.word_left,
    "alt+b": Editor.word_left,
    "alt+left": Editor.word_left,
    "ctrl+right": Editor.word_right,
    "alt+f": Editor.word_right,
    "alt+right": Editor.word_right,
    "home": Editor.home,
    "ctrl+a": Editor.home,
    "end": Editor.end,
    "ctrl+e": Editor.end,
}
