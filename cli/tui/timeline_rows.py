"""The rows of a conversation, of which only those are made anew that have changed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from p2pchat.cli.tui.conversation import Conversation
from p2pchat.cli.tui.layout import Place, Setting, item_rows, places
from p2pchat.cli.tui.rows import Row
from p2pchat.proto import control_pb2 as control


class Anchor(NamedTuple):
    """A row that stays what it is while others come and go above it."""

    key: str
    offset: int


class TimelineRows:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._starts: list[int] = []
        self._keys: list[str] = []
        self._cache: dict[str, tuple[object, list[Row]]] = {}
        self._for: tuple[object, ...] = ()

    def build(
        self,
        conversation: Conversation | None,
        setting: Setting,
        transfers: Mapping[str, control.Transfer],
        height: int = 0,
    ) -> None:
        """What fills less than `height` rows stands at the bottom of them."""
        self.rows, self._starts, self._keys = [], [], []
        if conversation is None:
            return
        self._forget_where_else(conversation, setting)
        kept: dict[str, tuple[object, list[Row]]] = {}
        for item, place in places(conversation, setting.zone):
            known = self._cache.get(item.key)
            signature: tuple[int, bool, Place] = (item.version, item.expanded, place)
            if known is None or known[0] != signature:
                transfer = transfers.get(item.message.file.transfer) if item.message else None
                known = (signature, item_rows(item, place, setting, transfer))
            kept[item.key] = known
            self._starts.append(len(self.rows))
            self._keys.append(item.key)
            self.rows += known[1]
        self._cache = kept
        self._sink(height - len(self.rows))

    def _sink(self, rows: int) -> None:
        if rows > 0:
            self.rows[:0] = [Row()] * rows
            self._starts = [start + rows for start in self._starts]

    def _forget_where_else(self, conversation: Conversation, setting: Setting) -> None:
        now = (conversation.key, setting, setting.people.generation)
        if now != self._for:
            self._for = now
            self._cache = {}

    def anchor(self, y: int) -> Anchor | None:
        """For the row at `y`."""
        index = bisect_right(self._starts, y) - 1
        return Anchor(self._keys[index], y - self._starts[index]) if index >= 0 else None

    def find(self, anchor: Anchor) -> int | None:
        """Where that row is now; None: it is gone."""
        try:
            index = len(self._keys) - 1 - self._keys[::-1].index(anchor.key)
        except ValueError:
            return None
        return self._starts[index] + anchor.offset

    def start_of(self, key: str) -> int | None:
        return self.find(Anchor(key, 0))

    def key_at(self, y: int) -> str:
        found = self.anchor(y)
        return found.key if found else ""
