"""The command palette: everything that can be done, by name. Loaded when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from p2pchat.cli.tui import help_list

if TYPE_CHECKING:
    from p2pchat.cli.tui.app import ChatApp

CONVERSATIONS_OFFERED = 200

Entry = tuple[str, str, Callable[[], None]]  # what, in other words, and how


def entries(app: ChatApp) -> Iterator[SystemCommand]:
    yield from (SystemCommand(title, text, act) for title, text, act in _all(app))


def open_palette(app: ChatApp) -> None:
    if not CommandPalette.is_open(app):  # type: ignore[arg-type]
        app.push_screen(CommandPalette([Everything], placeholder="What do you want to do?"))


class Everything(Provider):
    """Names of people are shown as they are: nothing in them is markup."""

    async def discover(self) -> Hits:
        for title, text, act in _all(self.app):  # type: ignore[arg-type]
            yield DiscoveryHit(_plain(title), act, text=title, help=text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, text, act in _all(self.app):  # type: ignore[arg-type]
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, _plain(title), act, text=title, help=text)


def _plain(title: str) -> Content:
    return Content(title)


def _all(app: ChatApp) -> Iterator[Entry]:
    yield from _deeds(app)
    for usage, what, typed in help_list.commands():
        act = app.fill_input if typed.endswith(" ") else app.run_command
        yield usage, what, partial(act, typed)
    state = app.state
    for key, each in list(state.conversations.items())[:CONVERSATIONS_OFFERED]:
        if key != state.current:
            verb = "Go to #" if each.is_room else "Write to "
            unread = f"{each.status.unread:,} unread" if each.status.unread else ""
            yield f"{verb}{app.titled(key)}", unread, partial(app.open, key)


def _deeds(app: ChatApp) -> Iterator[Entry]:
    run, fill = app.run_command, app.fill_input
    here = app.state.here
    yield "Search messages", "ctrl+f", app.action_search
    yield "Join a room", "/join", partial(fill, "/join ")
    yield "Write to somebody", "/dm", partial(fill, "/dm ")
    yield (
        "Add a contact",
        "/contact add, with the link you were given",
        partial(fill, "/contact add "),
    )
    yield "Show my own link", "/contact link", partial(run, "/contact link")
    if here is not None:
        muted = here.status.muted
        word = "Unmute" if muted else "Mute"
        yield f"{word} this conversation", f"/{word.lower()}", partial(run, f"/{word.lower()}")
    if here is not None and here.is_room:
        yield "Who is in this room", "/who", partial(run, "/who")
        yield "Leave this room", "/leave", partial(run, "/leave")
    if here is not None and not here.is_room:
        yield from _about_person(app)
    yield "Edit my last message", "/edit", partial(run, "/edit")
    yield "Take back my last message", "/retract", partial(fill, "/retract")
    yield "Files", "/files", partial(run, "/files")
    yield "Light or dark", "ctrl+t", app.action_other_theme
    yield "Show or hide the list", "ctrl+b", partial(app.action_toggle_pane, "list")
    yield "Show or hide who is there", "ctrl+o", partial(app.action_toggle_pane, "side")
    for how in ("off", "bell", "desktop"):
        yield f"Notifications: {how}", f"/notify {how}", partial(run, f"/notify {how}")
    yield "Rooms", "/rooms", partial(run, "/rooms")
    yield "Contacts", "/contacts", partial(run, "/contacts")
    yield "Mailboxes", "/mailbox list", partial(run, "/mailbox list")
    yield "Connected peers", "/peers", partial(run, "/peers")
    yield "How this node is doing", "/info", partial(run, "/info")
    yield "What keeps others from reaching me", "/doctor", partial(run, "/doctor")
    yield "Help", "F1", app.action_help
    yield "Quit", "ctrl+q", app.action_leave


def _about_person(app: ChatApp) -> Iterator[Entry]:
    here = app.state.here
    assert here is not None
    peer = here.status.conversation.peer
    yield "Send a file", "/send", partial(app.fill_input, "/send ")
    yield "Compare safety numbers", "/verify", partial(app.run_command, f"/verify {peer}")
    word = "Unblock" if here.status.blocked else "Block"
    yield f"{word} this person", f"/{word.lower()}", partial(app.fill_input, f"/{word.lower()}")
