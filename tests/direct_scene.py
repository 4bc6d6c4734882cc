"""Mailboxes and people as real processes on loopback, driven by pipes as the demo drives them."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import trio

from p2pchat.cli.demo.processes import LOOPBACK, Process, Stage, StepFailedError, open_stage
from p2pchat.cli.demo.story import link_in

P2PCHAT = Path(sys.executable).with_name("p2pchat")
PATIENCE = 120.0  # seconds for a whole scene
LAST_LINES = 40  # of a program that fails


class Scene:
    """`folder` holds what each program keeps, logs and prints."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage = stage
        self._folder = folder

    def mailbox(self, name: str = "Mailbox") -> Process:
        return self._stage.p2pchat(name, "mailbox")

    def person(self, name: str, *, listen: str = LOOPBACK) -> Process:
        return self._stage.p2pchat(name, "node", "--name", name, listen=listen)

    async def status(self, mailbox: Process) -> Any:
        """What its operator is told."""
        where = ["--data-dir", str(self._folder / mailbox.name.lower())]
        asked = await trio.run_process(
            [str(P2PCHAT), "mailbox", "status", "--json", *where], capture_stdout=True
        )
        return json.loads(asked.stdout)


@contextlib.asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """Everybody is stopped at the end; who does not do what a test says is quoted."""
    with trio.fail_after(PATIENCE):
        async with open_stage(folder, _Nobody()) as stage:
            try:
                yield Scene(stage, folder)
            except StepFailedError as error:
                for process in stage.processes:
                    last = "\n  ".join(process.lines()[-LAST_LINES:])
                    error.add_note(f"{process.name}:\n  {last}")
                raise


async def start(*processes: Process) -> None:
    for process in processes:
        await process.start()


async def link_of_mailbox(mailbox: Process) -> str:
    """With an invite."""
    return link_in(await mailbox.shows("Link: p2pchat:mailbox/"))


async def register(person: Process, *mailboxes: Process) -> None:
    for mailbox in mailboxes:
        await person.types(f"/mailbox add {await link_of_mailbox(mailbox)}")
        await person.shows("Your mailbox:", " registered,")


async def link_of(person: Process) -> str:
    await person.types("/contact link")
    return link_in(await person.shows("p2pchat:peer/"))


async def add_contact(person: Process, link: str, name: str) -> None:
    await person.types(f"/contact add {link} {name}")
    await person.shows(f"Now among your contacts: {name}")


async def messages_with(person: Process, other: str) -> list[str]:
    """The lines of a conversation, from the store, oldest first."""
    before = len(person.lines())
    await person.types(f"/history {other}")
    heading = await person.shows("* The last ", f" with {other}")
    # Shown in one piece with its heading; what is typed next is answered behind it.
    await person.types("/mailbox list nothing")
    await person.shows("/mailbox list takes nothing")
    page = person.lines()[before:]
    return [line for line in page[page.index(heading) :] if line.startswith("[")]


def shown(person: Process, text: str) -> int:
    """How many lines with `text` a person has seen in this run."""
    return sum(text in line for line in person.lines())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_below(folder: Path) -> Iterator[psutil.Process]:
    """Living processes that were started with something inside `folder`."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and str(folder) in " ".join(
                process.cmdline()
            ):
                yield process


def run_p2pchat(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [str(P2PCHAT), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options
    )


class _Nobody:
    """Watches nothing."""

    def typed(self, name: str, text: str) -> None: ...

    def printed(self, name: str, text: str) -> None: ...

    def happened(self, name: str, text: str) -> None: ...
