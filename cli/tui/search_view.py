"""The search: what is looked for at the top, what was found below, newest first. Loaded when it is opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from p2pchat.cli.tui.composer import Composer, Submitted, Typed
from p2pchat.cli.tui.found import found_rows, head_row, split_query
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.rows import Piece, row
from p2pchat.cli.tui.rows_view import Acted, Fitted, RowsBar, RowsView
from p2pchat.cli.tui.settings import UiSettings
from p2pchat.cli.tui.state import ChatState
from p2pchat.node.errors import P2pchatError
from p2pchat.proto import control_pb2 as control

if TYPE_CHECKING:
    from textual import events

    from p2pchat.cli.tui.app import ChatApp

PAUSE = 0.25  # seconds without a key until it is looked for
PAGE = 30  # messages
FOUND_MOST = 600  # messages shown

HINT = ' words, "in a row", beginn*, #room    ↑↓ enter: go there    esc'


def open_search(app: ChatApp, words: str) -> None:
    """What is chosen is gone to; the words are kept for `/search more`."""
    view = SearchView(app.link, app.state, app.settings, words)

    def chosen(message: control.Message | None) -> None:
        app.searched = view.words or app.searched
        if message is not None:
            app.in_background(app.go_to(message))

    app.push_screen(view, chosen)


class Results(RowsView):
    back: ClassVar[str] = "pane"


class Chosen(Message):
    """The result so many below is meant."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step


class Words(Composer):
    """One line; up and down choose among what was found."""

    def on_key(self, event: events.Key) -> None:
        steps = {"up": -1, "down": 1}
        if event.key in (*steps, "tab", "shift+tab", "ctrl+j", "alt+enter"):
            event.stop()
            event.prevent_default()  # else Textual goes on with the same of the class above
        if event.key in steps:
            self.post_message(Chosen(steps[event.key]))


class SearchView(ModalScreen["control.Message | None"]):
    CSS = """
    SearchView { align: center middle; background: $background 60%; }
    #box { width: 90%; height: 85%; background: $surface; border: round $primary; }
    #results { height: 1fr; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("pageup", "choose(-8)", show=False),
        Binding("pagedown", "choose(8)", show=False),
    ]

    def __init__(
        self, link: NodeLink, state: ChatState, settings: UiSettings, words: str = ""
    ) -> None:
        super().__init__()
        self._link, self._state, self._settings = link, state, settings
        self._words = words
        self._found: list[control.Message] = []
        self._cursor = ""
        self._at = 0
        self._problem = ""
        self._waiting = 0  # messages that are not in the index yet
        self._search: asyncio.Task[None] | None = None

    @property
    def words(self) -> str:
        """What was looked for last."""
        return self._words

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield RowsBar("pane", id="head")
            yield Words(id="words")
            yield Results(id="results")
            yield RowsBar("bar", id="keys")

    def on_mount(self) -> None:
        for part in self.query("RowsBar, Results, Composer"):
            part.dark, part.color = self._settings.dark, self._settings.color  # type: ignore[attr-defined]
        words = self.query_one("#words", Composer)
        words.placeholder = "What are you looking for?"
        words.focus()
        words.fill(self._words)
        self.query_one("#keys", RowsBar).show(row(Piece(HINT, "dim")))
        self.call_after_refresh(self._draw)
        if self._words:
            self._look_for(0.0)

    def on_unmount(self) -> None:
        if self._search is not None:
            self._search.cancel()

    # ---- keys -------------------------------------------------------------------------------------------

    def on_typed(self, _: Typed) -> None:
        self._look_for(PAUSE)

    def on_chosen(self, event: Chosen) -> None:
        self.choose(event.step)

    def choose(self, step: int) -> None:
        if not self._found:
            return
        self._at = max(0, min(len(self._found) - 1, self._at + step))
        if self._at == len(self._found) - 1 and self._cursor:
            self._look_for(0.0, more=True)
        self._draw()

    def action_choose(self, step: int) -> None:
        self.choose(step)

    def on_submitted(self, event: Submitted) -> None:
        event.stop()
        self.query_one("#words", Composer).fill(event.text)
        if self._found and event.text == self._words:
            self.dismiss(self._found[self._at])
        else:
            self._look_for(0.0)

    def on_fitted(self, event: Fitted) -> None:
        event.stop()
        self._draw()

    def on_acted(self, event: Acted) -> None:
        event.stop()
        self.dismiss(self._found[int(event.action.removeprefix("found "))])

    def action_close(self) -> None:
        self.dismiss(None)

    # ---- searching --------------------------------------------------------------------------------------

    def _look_for(self, pause: float, *, more: bool = False) -> None:
        if self._search is not None:
            self._search.cancel()
        self._search = asyncio.create_task(self._ask(pause, more))

    async def _ask(self, pause: float, more: bool) -> None:
        await asyncio.sleep(pause)
        words = self.query_one("#words", Composer).text.strip()
        if not more and words == self._words and self._found:
            return
        self._words = words
        self._problem = ""
        try:
            await self._read(words, self._cursor if more else "")
        except P2pchatError as error:
            self._problem = str(error)
            self._found = self._found if more else []
        self._draw()

    async def _read(self, words: str, before: str) -> None:
        if not before:
            self._found, self._at, self._cursor = [], 0, ""
        request = split_query(words)
        if request is None:
            return
        request.limit, request.before = PAGE, before
        answer = await self._link.ask(request)
        self._found = [*self._found, *answer.messages][:FOUND_MOST]
        self._cursor = answer.cursor if len(self._found) < FOUND_MOST else ""
        self._waiting = answer.waiting

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        head = head_row(
            self._words, len(self._found), bool(self._cursor), self._waiting, self._problem
        )
        self.query_one("#head", RowsBar).show(head)
        results = self.query_one("#results", Results)
        rows, starts = found_rows(
            self._found, self._at, self._words, self._state, results.columns, self._settings.zone
        )
        results.show(rows)
        if starts:
            start = starts[self._at]
            top, height = results.scroll_offset.y, max(4, results.size.height)
            if not top <= start <= top + height - 3:
                results.scroll_to(y=max(0, start - height // 2), animate=False, force=True)
