"""How far back /history has gone, in each room or conversation."""

from __future__ import annotations

from p2pchat.cli.terminal.lines import Line
from p2pchat.cli.terminal.render import count, note


class Bookmarks:
    """Positions are a page's `first`, see HistoryPage in actors.proto. Named by room or peer."""

    def __init__(self) -> None:
        self._positions: dict[str, bytes] = {}

    def before(self, name: str, *, more: bool) -> bytes:
        """Where the next page ends; empty: it is the last one of all."""
        return self._positions.get(name, b"") if more else b""

    def turned(self, name: str, first: bytes) -> None:
        """A page was shown that begins there; at the end of all nothing changes."""
        if first:
            self._positions[name] = first


def heading(number: int, limit: int, where: str, *, earlier: bool, more: bool) -> Line:
    """Above a page of `number` messages, of up to `limit`. `where`: "of #den", "with Bob".

    `more`: something stands before an empty one.
    """
    if not number and more:
        return note(
            f"Many changes of messages {where}, and none to be shown; /history more goes on."
        )
    if not earlier:
        return note(f"The last {count(number, 'message')} {where}:")
    if not number:
        return note(f"That was the beginning: nothing older {where} is kept here.")
    if number < limit:
        what = "message" if number == 1 else count(number, "message")
        return note(f"The first {what} {where}:")
    return note(f"{count(number, 'earlier message')} {where}:")
