"""The conversation in the middle: stays at the bottom, or where somebody has scrolled to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.message import Message

from p2pchat.cli.tui.conversation import Conversation
from p2pchat.cli.tui.layout import Setting
from p2pchat.cli.tui.rows_view import RowsView
from p2pchat.cli.tui.timeline_rows import TimelineRows
from p2pchat.proto import control_pb2 as control

NEAR_TOP = 3  # rows; whoever comes so near the top gets what is older


class ScrolledToTop(Message):
    """What is older is wanted."""


class BottomChanged(Message):
    """The newest rows are to be seen now, or no longer."""


class Timeline(RowsView):
    DEFAULT_CSS = """
    Timeline { scrollbar-gutter: stable; }
    """
    back: ClassVar[str] = "page"
    margin: ClassVar[int] = 1

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._made = TimelineRows()
        self._at_bottom = True
        self._shown = ""  # the conversation
        self._drawing = False

    @property
    def at_bottom(self) -> bool:
        return self._at_bottom

    def draw(
        self,
        conversation: Conversation | None,
        setting: Setting,
        transfers: Mapping[str, control.Transfer],
    ) -> None:
        """What was looked at stays where it is; at the bottom, the bottom is."""
        key = conversation.key if conversation else ""
        if key != self._shown:
            self._shown, self._at_bottom = key, True
        anchor = None if self._at_bottom else self._made.anchor(self.scroll_offset.y)
        self._made.build(conversation, setting, transfers, self.size.height)
        self._drawing = True
        self.show(self._made.rows)
        if self._at_bottom:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        elif anchor is not None and (at := self._made.find(anchor)) is not None:
            self.scroll_to(y=at, animate=False, force=True)
        self._drawing = False

    def to_bottom(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        self._note_bottom(True)

    def to_item(self, key: str) -> bool:
        """Whether it is there."""
        at = self._made.start_of(key)
        if at is None:
            return False
        self._note_bottom(False)
        y = max(0, at - self.size.height // 3)
        self.scroll_to(y=y, animate=False, force=True)
        self._note_bottom(self.scroll_offset.y >= self.max_scroll_y)
        return True

    def to_beginning_of(self, key: str) -> None:
        """To the bottom, unless what is new there is longer than the screen: then to where it begins."""
        self.to_bottom()
        start = self._made.start_of(key)
        if start is not None and start < self.scroll_offset.y:
            self.by(start - self.scroll_offset.y)

    def begin_with(self, key: str) -> None:
        """That item at the top, as far as there is enough below it."""
        start = self._made.start_of(key)
        if start is not None:
            self.by(start - self.scroll_offset.y)

    def item_on_top(self) -> str:
        return self._made.key_at(self.scroll_offset.y)

    def to_top(self) -> None:
        self.by(-len(self.rows))

    def by(self, rows: int) -> None:
        y = max(0, min(self.max_scroll_y, self.scroll_offset.y + rows))
        self.scroll_to(y=y, animate=False, force=True)
        self._note_bottom(y >= self.max_scroll_y)
        self._ask_for_older(y)

    def page(self, direction: int) -> None:
        self.by(direction * max(1, self.size.height - 2))

    def item_at_middle(self) -> str:
        return self._made.key_at(self.scroll_offset.y + self.size.height // 2)

    def long_item_in_sight(self) -> str:
        """The lowest one of which not all is shown."""
        start = self.scroll_offset.y
        for row in reversed(self.rows[start : start + self.size.height]):
            if row.action.startswith("expand "):
                return row.action.removeprefix("expand ")
        return ""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._drawing and self.is_mounted:
            self._note_bottom(round(new_value) >= self.max_scroll_y)
            self._ask_for_older(round(new_value))

    def _ask_for_older(self, y: int) -> None:
        if y <= NEAR_TOP and not self._at_bottom:
            self.post_message(ScrolledToTop())

    def _note_bottom(self, at_bottom: bool) -> None:
        if at_bottom != self._at_bottom:
            self._at_bottom = at_bottom
            self.post_message(BottomChanged())
