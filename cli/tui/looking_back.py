"""Goes back in a conversation by a number of messages, and reads those that are not here yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.cli.terminal.render import count
from p2pchat.cli.tui.conversation import Conversation
from p2pchat.cli.tui.rows import Piece, row

if TYPE_CHECKING:
    from p2pchat.cli.tui.app import ChatApp

PAGES = 50  # read back at most
SHOWN_FOR = 4.0  # seconds that the sentence about it stands above the input


async def look_back(app: ChatApp, number: int, *, further: bool) -> None:
    """`further`: counted from what stands at the top of the screen. Raises what `NodeLink.ask` raises."""
    here = app.state.here
    if here is None:
        app.refuse("There is no conversation: /join lobby goes to a room.")
        return
    wanted = number + (_from(here, app.picture.timeline.item_on_top()) if further else 0)
    here.held = True
    for _ in range(PAGES):
        if len(_keys(here)) >= wanted or here.cursor == "":
            break
        app.draw(await app.feed.read_older())
    keys = _keys(here)
    if keys:
        app.picture.timeline.begin_with(keys[-min(wanted, len(keys))])
    _tell(app, min(wanted, len(keys)), is_all=wanted >= len(keys) and here.cursor == "")
    here.held = not app.picture.timeline.at_bottom


def _keys(here: Conversation) -> list[str]:
    return [each.key for each in here.items if each.message is not None]


def _from(here: Conversation, key: str) -> int:
    """Messages from an item on, and below it."""
    at = next((at for at, each in enumerate(here.items) if each.key == key), len(here.items))
    return sum(each.message is not None for each in here.items[at:])


def _tell(app: ChatApp, number: int, *, is_all: bool) -> None:
    picture = app.picture
    if picture.timeline.at_bottom:
        text = f" on the screen already: the last {count(number, 'message')}"
    else:
        text = f" from here on: {count(number, 'message')}"
    older = "nothing is older" if is_all else "page up: older"
    picture.hint(row(Piece(f"{text} · {older}", "hint")))
    app.set_timer(SHOWN_FOR, picture.end_hint)
