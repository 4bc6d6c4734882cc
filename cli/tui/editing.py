"""The text that is being typed: its cursor, its rows, and what was sent before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from p2pchat.cli.tui.cells import clusters, steady_line, width

HISTORY_KEPT = 200  # texts that can be called back
LONGEST = (
    70_000  # characters; a message has at most 65,536 bytes, and whoever pastes more is told so
)


class View(NamedTuple):
    rows: list[str]  # safe to show, each at most as wide as asked
    row: int  # the cursor's
    column: int
    starts: list[int]  # where in the text each row begins


@dataclass(slots=True)
class Editor:
    text: str = ""
    cursor: int = 0  # characters before it
    _history: list[str] = field(default_factory=list)  # oldest first
    _at: int | None = None  # which one is shown; None: the one that is being written
    _draft: str = ""
    _removed: str = ""  # by the last ctrl+k, ctrl+u, ctrl+w

    # ---- changes ----------------------------------------------------------------------------------------

    def insert(self, text: str) -> bool:
        """Whether there was room for it."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(self.text) + len(text) > LONGEST:
            return False
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)
        return True

    def replace(self, text: str) -> None:
        self.text, self.cursor = text, len(text)

    def put_in_front(self, characters: int, text: str) -> None:
        """Instead of so many characters in front of the cursor."""
        start = self.cursor - characters
        self.text = self.text[:start] + text + self.text[self.cursor :]
        self.cursor = start + len(text)

    def take(self) -> str:
        """The text, to be sent; it is remembered."""
        text = self.text
        if text.strip() and (not self._history or self._history[-1] != text):
            self._history.append(text)
            del self._history[:-HISTORY_KEPT]
        self._at, self._draft = None, ""
        self.replace("")
        return text

    def backspace(self) -> None:
        self._remove(self._before(self.cursor), self.cursor)

    def delete(self) -> None:
        self._remove(self.cursor, self._behind(self.cursor))

    def delete_word(self) -> None:
        self._cut(self._word_start(), self.cursor)

    def delete_to_start(self) -> None:
        self._cut(self._line_start(), self.cursor)

    def delete_to_end(self) -> None:
        end = self._line_end()
        self._cut(self.cursor, end if end > self.cursor else self._behind(self.cursor))

    def put_back(self) -> None:
        self.insert(self._removed)

    def _cut(self, start: int, end: int) -> None:
        if end > start:
            self._removed = self.text[start:end]
            self._remove(start, end)

    def _remove(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    # ---- the cursor -------------------------------------------------------------------------------------

    def left(self) -> None:
        self.cursor = self._before(self.cursor)

    def right(self) -> None:
        self.cursor = self._behind(self.cursor)

    def word_left(self) -> None:
        self.cursor = self._word_start()

    def word_right(self) -> None:
        rest = self.text[self.cursor :]
        blanks = len(rest) - len(rest.lstrip())
        word = rest.lstrip().split(maxsplit=1)
        self.cursor += blanks + (len(word[0]) if word else 0)

    def home(self) -> None:
        self.cursor = self._line_start()

    def end(self) -> None:
        self.cursor = self._line_end()

    def _before(self, at: int) -> int:
        """Over a whole cluster: never between a letter and its marks."""
        start = max(0, self.text.rfind("\n", 0, at), at - 32)
        parts = [part for part, _ in clusters(self.text[start:at])]
        return at - (len(parts[-1]) if parts else 0)

    def _behind(self, at: int) -> int:
        part = next(clusters(self.text[at : at + 32]), ("", 0))[0]
        return at + len(part)

    def _word_start(self) -> int:
        before = self.text[: self.cursor].rstrip()
        return max(before.rfind(" "), before.rfind("\n")) + 1

    def _line_start(self) -> int:
        return self.text.rfind("\n", 0, self.cursor) + 1

    def _line_end(self) -> int:
        end = self.text.find("\n", self.cursor)
        return len(self.text) if end < 0 else end

    # ---- rows -------------------------------------------------------------------------------------------

    def view(self, columns: int) -> View:
        """The text in rows, as it is shown, with the cursor."""
        rows, starts = [""], [0]
        used, at, where = 0, 0, (0, 0)
        for part, _ in clusters(self.text):
            if at == self.cursor:
                where = (len(rows) - 1, used)
            if part[0] == "\n":
                at += len(part)
                rows.append("")
                starts.append(at)
                used = 0
                continue
            shown = steady_line(part)
            each = width(shown)
            if used + each > columns:
                rows.append("")
                starts.append(at)
                used = 0
                where = (len(rows) - 1, 0) if at == self.cursor else where
            rows[-1] += shown
            used += each
            at += len(part)
        if self.cursor >= at:
            where = (len(rows) - 1, used)
        if where[1] >= columns:
            rows.append("")
            starts.append(at)
            where = (where[0] + 1, 0)
        return View(rows, *where, starts)

    def up(self, columns: int) -> None:
        """A row up, or to what was sent before."""
        view = self.view(columns)
        if view.row > 0:
            self.place(view.row - 1, view.column, columns)
        else:
            self._recall(-1)

    def down(self, columns: int) -> None:
        view = self.view(columns)
        if view.row < len(view.rows) - 1:
            self.place(view.row + 1, view.column, columns)
        else:
            self._recall(1)

    def place(self, row: int, column: int, columns: int) -> None:
        """The cursor to where somebody clicked."""
        view = self.view(columns)
        row = max(0, min(row, len(view.rows) - 1))
        at, used = view.starts[row], 0
        end = view.starts[row + 1] if row + 1 < len(view.starts) else len(self.text)
        for part, _ in clusters(self.text[at:end]):
            each = width(steady_line(part))
            if part[0] == "\n" or used + each > column:
                break
            at, used = at + len(part), used + each
        self.cursor = at

    def _recall(self, step: int) -> None:
        at = (len(self._history) if self._at is None else self._at) + step
        if not 0 <= at <= len(self._history):
            return
        if self._at is None:
            self._draft = self.text
        self._at = None if at == len(self._history) else at
        self.replace(self._draft if self._at is None else self._history[at])
