"""Something to read above everything else, e.g. the help: scrolled with the keys, and closed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from p2pchat.cli.tui.layout import folded
from p2pchat.cli.tui.rows import Piece, Row, row
from p2pchat.cli.tui.rows_view import Fitted, RowsBar, RowsView
from p2pchat.cli.tui.settings import UiSettings

HINT = " ↑↓, page up, page down: read on    escape: close"

RowsFor = Callable[[int], Iterable[Row]]  # the rows for so many columns


class Sheet(ModalScreen[None]):
    CSS = """
    Sheet { align: center middle; background: $background 60%; }
    Sheet > Vertical {
        width: 94%; max-width: 120; height: 92%;
        background: $surface; border: round $primary;
    }
    Sheet #text { height: 1fr; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,enter,q,ctrl+c", "close", "Close", show=False),
        Binding("up,shift+up,ctrl+up", "scroll_by(-1)", show=False),
        Binding("down,shift+down,ctrl+down", "scroll_by(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,ctrl+home", "edge(-1)", show=False),
        Binding("end,ctrl+end", "edge(1)", show=False),
    ]

    def __init__(self, title: str, rows: RowsFor, settings: UiSettings) -> None:
        super().__init__()
        self._title, self._rows, self._settings = title, rows, settings

    def compose(self) -> ComposeResult:
        with Vertical():
            yield RowsBar("bar", id="title")
            yield RowsView(id="text")
            yield RowsBar("bar", id="keys")

    def on_mount(self) -> None:
        for part in self.query("RowsBar, RowsView"):
            part.dark, part.color = self._settings.dark, self._settings.color  # type: ignore[attr-defined]
        self.query_one("#title", RowsBar).show(row(Piece(f" {self._title}", "strong")))
        self.query_one("#keys", RowsBar).show(row(Piece(HINT, "dim")))
        self.call_after_refresh(self._draw)

    def on_fitted(self, event: Fitted) -> None:
        event.stop()
        self._draw()

    def _draw(self) -> None:
        columns = self._text.columns - 1
        rows = (part for each in self._rows(columns) for part in folded(each, columns))
        self._text.show([Row((Piece(" "), *each.pieces)) for each in rows])

    @property
    def _text(self) -> RowsView:
        return self.query_one("#text", RowsView)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_scroll_by(self, rows: int) -> None:
        text = self._text
        text.scroll_to(y=text.scroll_offset.y + rows, animate=False, force=True)

    def action_page(self, direction: int) -> None:
        self.action_scroll_by(direction * max(1, self._text.size.height - 1))

    def action_edge(self, direction: int) -> None:
        self.action_scroll_by(direction * len(self._text.rows))
