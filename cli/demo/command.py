"""`p2pchat demo`: sets the stage, lets the story be played, and cleans up."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from p2pchat.cli import service
from p2pchat.node.errors import P2pchatError

if TYPE_CHECKING:  # trio takes its time to load
    from p2pchat.cli.demo.narrator import Narrator
    from p2pchat.cli.demo.processes import Stage, StepFailedError
    from p2pchat.cli.demo.story import Cast

LAST_LINES = 12  # shown of a program that fails
MORAL = (
    "Her message outlived the kill -9 of its reader, and from the moment when she wrote it until he had read it, the "
    "two were never there together."
)
YOUR_TURN = "Now you: p2pchat node --name You starts chatting, p2pchat mailbox starts a mailbox."


class StoppedError(P2pchatError):
    """The user has seen enough."""


@dataclass(slots=True)
class _Folder:
    path: Path
    keep: bool


def run(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the folder with everything, and say where it is.")
    ] = False,
) -> None:
    """Watch a message reach somebody who is away.

    For some seconds a mailbox and two nodes run as real processes: on this computer only, in a temporary folder.
    """
    with service.ending_on_signals(), _temporary_folder(keep) as folder:
        from p2pchat.cli.demo import narrator
        from p2pchat.cli.demo.processes import StepFailedError

        teller = narrator.for_output(sys.stdout, color="NO_COLOR" not in os.environ)
        try:
            _perform(folder.path, teller)
        except StepFailedError:
            folder.keep = True
            raise
        finally:
            if folder.keep:
                teller.place("All data, logs and output are left in", folder.path)


@contextlib.contextmanager
def _temporary_folder(keep: bool) -> Iterator[_Folder]:
    folder = _Folder(Path(tempfile.mkdtemp(prefix="p2pchat-demo-")), keep)
    try:
        yield folder
    finally:
        if not folder.keep:
            shutil.rmtree(folder.path, ignore_errors=True)


def _perform(folder: Path, teller: Narrator) -> None:
    """Raises `StepFailedError`, and `StoppedError` on a signal."""
    import trio

    async def main(until_stopped: service.UntilStopped) -> None:
        async def stop() -> None:
            await until_stopped()
            raise StoppedError("The demo was stopped.")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop)
            await _play(folder, teller)
            nursery.cancel_scope.cancel()

    service.run(main)


async def _play(folder: Path, teller: Narrator) -> None:
    from p2pchat.cli.demo import processes, story

    started = time.monotonic()
    teller.begin(story.TITLE, story.INTRO)
    async with processes.open_stage(folder, teller) as stage:
        cast = _cast(stage)
        for process in stage.processes:  # side by side: a start takes a second
            await process.start()
        try:
            await story.play(cast, teller)
        except processes.StepFailedError as error:
            _report(error, stage, teller)
            raise
    teller.end(f"That was all, in {time.monotonic() - started:.0f} s. {MORAL}", YOUR_TURN)


def _cast(stage: Stage) -> Cast:
    from p2pchat.cli.demo.story import Cast

    return Cast(
        mailbox=stage.p2pchat("Mailbox", "mailbox"),
        alice=stage.p2pchat("Alice", "node", "--name", "Alice"),
        bob=stage.p2pchat("Bob", "node", "--name", "Bob"),
    )


def _report(error: StepFailedError, stage: Stage, teller: Narrator) -> None:
    """The last words of who failed, and of everybody who has ended unasked: that may be the reason."""
    fallen = [process for process in stage.processes if process.has_fallen]
    for process in dict.fromkeys([error.program, *fallen]):
        places = (f"Its output: {process.output_path}", f"Its log:    {process.log_path}")
        teller.failed(process.name, process.lines()[-LAST_LINES:], *places)
