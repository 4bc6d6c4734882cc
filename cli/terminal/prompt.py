"""The trio side of the prompt on a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import trio

from p2pchat.cli.terminal.completion import Names
from p2pchat.cli.terminal.console import Typed
from p2pchat.cli.terminal.lines import Line, Painter
from p2pchat.cli.terminal.screen import Screen


class PromptConsole:
    """A `Console` over a running `Screen`."""

    wipes_input = True
    must_finish = False
    is_watched = True

    def __init__(self, screen: Screen, *, color: bool) -> None:
        self._screen = screen
        self._color = color
        self._token = trio.lowlevel.current_trio_token()
        self._arrivals = trio.lowlevel.ParkingLot()
        screen.on_input = lambda: self._soon(self._arrivals.unpark_all)

    async def read(self) -> Typed | None:
        while not self._screen.inbox:
            if self._screen.closed:
                return None
            await self._arrivals.park()
        return Typed(self._screen.inbox.popleft())

    async def show(self, lines: Sequence[Line]) -> None:
        text = Painter(color=self._color, width=self._screen.width).paint(lines)
        written = trio.Event()
        self._screen.show(text, lambda: self._soon(written.set))
        await written.wait()

    def set_prompt(self, prompt: str) -> None:
        self._screen.set_prompt(prompt)

    def set_names(self, names: Names) -> None:
        self._screen.set_names(names)

    def _soon(self, function: object) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(function)  # type: ignore[arg-type]
