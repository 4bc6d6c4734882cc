"""What becomes of a typed line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from p2pchat.cli.terminal import commands as line
from p2pchat.cli.tui import commands
from p2pchat.cli.tui.errands import Errands
from p2pchat.cli.tui.link import NodeLink
from p2pchat.cli.tui.rows import Piece, row
from p2pchat.node.errors import P2pchatError

if TYPE_CHECKING:
    from p2pchat.cli.tui.app import ChatApp


SOON = 0.5  # seconds until it is said what takes so long
READING = " The file is read once before it is offered …"


class Desk:
    def __init__(self, app: ChatApp, link: NodeLink) -> None:
        self._app = app
        self._errands = Errands(link, app.state, lambda: app.columns)

    def carry_out(self, text: str) -> None:
        app, command = self._app, commands.parse(text)
        match command:
            case line.Nothing():
                return
            case line.Mistake(problem, is_text):
                app.refuse(problem, text if is_text else "")
            case line.Say(said):
                app.say(said)
            case line.Quit():
                app.action_leave()
            case line.Search(words, room):
                app.action_search(f"#{room} {words}" if room else words)
            case line.SearchOn():
                app.action_search(app.searched)
            case line.ShowHistory():
                app.in_background(self._show_history(command))
            case line.ShowHelp():
                app.action_help()
            case commands.SetTheme(name):
                app.set_dark(name == "dark" if name else not app.is_dark)
            case commands.SetNotify(how):
                app.set_notify(how)
            case _:
                app.in_background(self._run(command, text))

    async def _show_history(self, command: line.ShowHistory) -> None:
        """It is on the screen: one is brought to where the messages begin."""
        from p2pchat.cli.tui.looking_back import look_back

        try:
            if command.who:
                self._app.finish(await self._errands.carry_out(line.Converse(command.who)))
            await look_back(self._app, command.limit, further=command.more)
        except P2pchatError as error:
            self._app.refuse(str(error))

    @contextlib.contextmanager
    def _patience_for(self, command: commands.Command) -> Iterator[None]:
        """Says above the input what takes so long."""
        if not isinstance(command, line.SendFile):
            yield
            return
        picture = self._app.picture
        told = self._app.set_timer(SOON, lambda: picture.hint(row(Piece(READING, "dim"))))
        try:
            yield
        finally:
            told.stop()
            picture.end_hint()

    async def _run(self, command: commands.Command, text: str) -> None:
        try:
            with self._patience_for(command):
                outcome = await self._errands.carry_out(command)
        except P2pchatError as error:
            is_text = isinstance(command, line.EditMessage | line.Write)
            self._app.refuse(str(error), text if is_text else "")
            return
        self._app.finish(outcome)
