"""Runs the app on a screen of a given size, and writes down what stands there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from rich.style import Style
from textual.pilot import Pilot

from p2pchat.cli.tui.app import ChatApp
from p2pchat.cli.tui.opening import OpeningScreen
from p2pchat.cli.tui.settings import UiSettings
from tests.cli.tui import scene
from tests.cli.tui.scripted_link import ScriptedLink

SNAPSHOTS = Path(__file__).parent / "snapshots"
REWRITE = "P2PCHAT_REWRITE_SNAPSHOTS"  # in the environment: the screens of now are the right ones
LOOKS = 1000  # at most, for something to come true
LOOK_PAUSE = 0.01  # seconds
NOW = scene.START_MS / 1000 + 40 * 3600  # Unix seconds

SMALL, LARGE = (80, 24), (160, 50)

Play = Callable[["Stage"], Awaitable[None]]


class Stage:
    """The app, its node, and the keyboard."""

    def __init__(self, app: ChatApp, link: ScriptedLink, pilot: Pilot[int]) -> None:
        self.app, self.link, self.pilot = app, link, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if each == " " else each for each in text))

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(LOOKS):
            await self.pilot.pause()
            if holds():
                return
            await asyncio.sleep(LOOK_PAUSE)
        raise AssertionError("it never came true; the screen is:\n" + self.text())

    async def until_shown(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text() for text in texts))

    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def picture(self) -> str:
        """The text, and below it which style stands where: `a24 b3 ...` are 24 columns of one style, 3 of another."""
        strips = self.app.screen._compositor.render_strips()
        letters: dict[str, str] = {}
        runs = []
        for strip in strips:
            row: list[tuple[str, int]] = []
            for segment in strip:
                style = _plain_style(segment.style)
                letter = letters.setdefault(style, f"s{len(letters)}")
                width = segment.cell_length
                if row and row[-1][0] == letter:
                    row[-1] = (letter, row[-1][1] + width)
                elif width:
                    row.append((letter, width))
            runs.append(" ".join(f"{letter}:{width}" for letter, width in row))
        legend = [f"{letter} = {style or 'plain'}" for style, letter in letters.items()]
        return "\n".join([self.text(), "-" * 20, *runs, "-" * 20, *legend, ""])


def _plain_style(style: Style | None) -> str:
    """Without the offsets that Textual puts into it for the mouse."""
    return str(style.clear_meta_and_links()) if style else ""


def on_stage(
    play: Play,
    size: tuple[int, int] = SMALL,
    *,
    settings: UiSettings = scene.SETTINGS,
    link: ScriptedLink | None = None,
    opening: OpeningScreen | None = None,
    is_up: bool = True,
    **changes: object,
) -> None:
    """Textual needs asyncio, so each play has an event loop of its own."""

    async def run() -> None:
        node = link or scene.link()
        app = ChatApp(
            node,
            settings=replace(settings, **changes),  # type: ignore[arg-type]
            opening=scene.opening() if opening is None else opening,
            now=lambda: NOW,
        )
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, node, pilot)
            if is_up:
                scene.up(node)
                await stage.until_shown("12 peers")
            await play(stage)

    asyncio.run(run())


def same_as_snapshot(name: str, picture: str) -> None:
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get(REWRITE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(picture, "utf-8")
    assert path.read_text("utf-8") == picture
