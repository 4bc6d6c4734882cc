"""Real mailboxes and nodes inside the bed: typed to and read by pipes, as the demo does it."""

from __future__ import annotations

import contextlib
import functools
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path

import trio

from p2pchat.cli.demo.processes import Process, Stage, open_stage
from p2pchat.cli.demo.story import link_in
from p2pchat.cli.terminal.ways import THROUGH_RELAY
from p2pchat.cli.this_program import P2PCHAT
from tests.bed.namespaces import PUBLIC, Bed
from tests.bed.space import Space
from tests.direct_scene import processes_below

ROOM = "den"
PORT = 4001  # of the public host
LOOK = 0.2  # seconds between two looks at a screen
ASK = 0.5  # seconds between two questions of the same kind
LAST_LINES = 60  # of a screen or a log, quoted when something fails
HISTORY = 500  # messages asked for; no scene has so many

# What is never answered otherwise, and so marks the end of the answer before.
FENCE = ("/mailbox list nothing", "/mailbox list takes nothing")
ARRIVED = ("delivered", "read")


class Person:
    """Somebody with a node, a keyboard and a screen."""

    def __init__(self, name: str, process: Process, folder: Path) -> None:
        self.name = name
        self.process = process
        self._folder = folder

    async def start(self) -> None:
        await self.process.start()

    async def types(self, *lines: str) -> None:
        for line in lines:
            await self.process.types(line)

    async def answer(self, command: str) -> list[str]:
        """What the screen shows after it, up to the end of the answer."""
        before = len(self.process.lines())
        await self.types(command, FENCE[0])
        await self.process.shows(FENCE[1])
        return self.process.lines()[before:]

    def pause(self) -> None:
        """As a laptop that is closed."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        [process] = processes_below(self._folder)
        process.send_signal(number)

    # ---- who is there ---------------------------------------------------------------------------------

    async def link(self) -> str:
        await self.types("/contact link")
        return link_in(await self.process.shows("p2pchat:peer/"))

    async def relayed(self) -> None:
        """Until it can be reached through the public host."""
        await until(lambda: self._sees(THROUGH_RELAY))

    async def registered(self) -> None:
        """Until the mailbox takes its mail."""
        while not any(" registered," in line for line in await self.answer("/mailbox list")):
            await trio.sleep(ASK)

    async def knows(self, other: Person, link: str) -> None:
        await self.types(f"/contact add {link} {other.name}")
        await self.process.shows(f"Now among your contacts: {other.name}")

    async def connection(self, other: Person) -> str:
        """What /peers says of it; empty: there is none."""
        answer = await self.answer("/peers")
        return " ".join(line for line in answer if line.startswith(f"  {other.name} (…"))

    async def connected(self, other: Person, how: str) -> None:
        """Until /peers says so."""
        while how not in await self.connection(other):
            await trio.sleep(ASK)

    async def sees(self, other: Person) -> None:
        """Until the other one is in the room."""
        while not any(line.startswith(f"  {other.name} (…") for line in await self.answer("/who")):
            await trio.sleep(ASK)

    # ---- what is said ---------------------------------------------------------------------------------

    async def says(self, *texts: str) -> None:
        """In the room."""
        await self.types(*texts)

    async def writes(self, other: Person, *texts: str) -> None:
        await self.types(*(f"/msg {other.name} {text}" for text in texts))

    async def hears(self, texts: Iterable[str]) -> None:
        """Until all of them are on the screen."""
        for text in texts:
            await until(functools.partial(self._sees, f": {text}", at_end=True))

    async def delivered(self, other: Person, texts: Sequence[str]) -> None:
        """Until the other one has all of these messages, as far as this node knows."""
        wanted = set(texts)
        while not wanted <= await self._arrived(other):
            await trio.sleep(ASK)

    async def room_history(self) -> Counter[str]:
        """How often each text of others is kept of the room."""
        lines = await self.answer(f"/history {HISTORY}")
        found = (re.fullmatch(r"\[[\d:]+\] (.*?) \(….{6}\): (.*)", line) for line in lines)
        return Counter(match[2] for match in found if match and match[1] != self.name)

    async def direct_history(self, other: Person) -> Counter[str]:
        """How often each text of the other one's to this one is kept."""
        lines = await self.answer(f"/history {other.name} {HISTORY}")
        found = (re.fullmatch(r"\[[\d:]+\] .*? to you: (.*)", line) for line in lines)
        return Counter(match[1] for match in found if match)

    async def _arrived(self, other: Person) -> set[str]:
        lines = await self.answer(f"/history {other.name} {HISTORY}")
        found = (re.fullmatch(r"\[[\d:]+\] you to .*?: (.*)  - (\w+)", line) for line in lines)
        return {match[1] for match in found if match and match[2] in ARRIVED}

    def _sees(self, text: str, *, at_end: bool = False) -> bool:
        lines = self.process.lines()
        return any(line.endswith(text) if at_end else text in line for line in lines)


async def until(found: Callable[[], bool]) -> None:
    while not found():
        await trio.sleep(LOOK)


class Cast:
    """Who plays in a scene. `folder` holds what everybody keeps, logs and prints."""

    def __init__(self, stage: Stage, folder: Path, made: Bed) -> None:
        self._stage = stage
        self._folder = folder
        self._bed = made
        self.mailbox = self._program("mailbox", made.pub, "mailbox", *MAILBOX)
        self.mailbox_link = ""

    async def open_mailbox(self) -> None:
        """On the public host; also after it was killed."""
        await self.mailbox.start()
        self.mailbox_link = link_in(await self.mailbox.shows("Link: p2pchat:mailbox/"))

    @property
    def mailbox_address(self) -> str:
        peer = re.search(r"p2pchat:mailbox/(\w+)", self.mailbox_link)
        assert peer is not None, self.mailbox_link
        return f"/ip4/{PUBLIC[0]}/tcp/{PORT}/p2p/{peer[1]}"

    def person(self, name: str, space: Space, *options: str) -> Person:
        """Knows nobody but the mailbox."""
        where = ("--bootstrap", self.mailbox_address, "--mailbox", self.mailbox_link, "--no-mdns")
        process = self._program(
            name, space, "node", "--name", name, "--room", ROOM, *where, *options
        )
        return Person(name, process, self._folder / name.lower())

    def _program(self, name: str, space: Space, command: str, *options: str) -> Process:
        folder, log = self._folder / name.lower(), self._folder / f"{name.lower()}.log"
        where = ("--data-dir", str(folder), "--log-file", str(log))
        process = self._stage.program(name, [*space.inside, *P2PCHAT, command, *where, *options])
        process.patience = 60.0  # seconds; a machine that runs much else takes its time
        return process

    def last_words(self) -> str:
        return "\n".join(
            f"---- {process.name}\n{_tail(process.lines())}\n-- log\n{_tail(_log(process))}"
            for process in self._stage.processes
        )


MAILBOX = (
    "--listen",
    f"/ip4/0.0.0.0/tcp/{PORT}",
    "--listen",
    f"/ip4/0.0.0.0/udp/{PORT}/quic-v1",
    "--registration",
    "open",
    "--bootstrap",
    "none",
    "--no-mdns",
)


def _log(process: Process) -> list[str]:
    path = process.log_path
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _tail(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines[-LAST_LINES:])


@contextlib.asynccontextmanager
async def cast(folder: Path, made: Bed, patience: float) -> AsyncIterator[Cast]:
    """With an open mailbox. After `patience` seconds the scene has failed; everybody is stopped at the end."""
    async with open_stage(folder, _Nobody()) as stage:
        here = Cast(stage, folder, made)
        try:
            with trio.fail_after(patience):
                await here.open_mailbox()
                yield here
        except Exception as error:
            error.add_note(here.last_words())
            raise


class _Nobody:
    """Watches nothing."""

    def typed(self, name: str, text: str) -> None: ...

    def printed(self, name: str, text: str) -> None: ...

    def happened(self, name: str, text: str) -> None: ...


# ---- what several scenes have in common -----------------------------------------------------------------


async def start(*people: Person) -> None:
    for person in people:
        await person.start()


async def become_contacts(one: Person, other: Person) -> None:
    """They give each other their links, by some other way than this network."""
    await one.relayed()
    await other.relayed()
    await introduce(one, other)


async def introduce(one: Person, other: Person) -> None:
    await one.registered()
    await other.registered()
    await one.knows(other, await other.link())
    await other.knows(one, await one.link())


async def talk(one: Person, other: Person, what: str, number: int = 1) -> None:
    """In the room and directly, both ways, until everything has arrived, and only once."""
    pairs = ((one, other), (other, one))
    for writer, reader in pairs:
        await say(writer, reader, what, number)
    for writer, reader in pairs:
        await arrived(writer, reader, what, number)


async def say(writer: Person, reader: Person, what: str, number: int = 1) -> None:
    await writer.says(*_texts(writer, f"room {what}", number))
    await writer.writes(reader, *_texts(writer, f"direct {what}", number))


async def arrived(writer: Person, reader: Person, what: str, number: int = 1) -> None:
    """Until it all has, and then: only once."""
    in_room = _texts(writer, f"room {what}", number)
    direct = _texts(writer, f"direct {what}", number)
    await reader.hears([*in_room, *direct])
    await writer.delivered(reader, direct)
    kept_room, kept_direct = await reader.room_history(), await reader.direct_history(writer)
    assert [kept_room[text] for text in in_room] == [1] * number, kept_room
    assert [kept_direct[text] for text in direct] == [1] * number, kept_direct


def _texts(writer: Person, what: str, number: int) -> list[str]:
    return [f"{what} {each} of {writer.name}'s" for each in range(number)]
