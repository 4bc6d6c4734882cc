"""Children that are killed and started again: mailboxes and people, each with one folder and many lives."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import trio

from p2pchat.node import identity
from p2pchat.node.identity import Identity
from p2pchat.node.protocol.links import MailboxLink, parse_link

P2PCHAT = Path(sys.executable).with_name("p2pchat")
ROOT = Path(__file__).parent.parent.parent
PORTS = (20_000, 32_000)
LOOK = 0.002  # seconds between two looks at what a child has said

T = TypeVar("T")


def free_port() -> int:
    """Not one of those that outgoing connections get: it must still be free for the next life."""
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def until(found: Callable[[], T]) -> T:
    """The first true answer."""
    while not (answer := found()):
        await trio.sleep(LOOK)
    return answer


class DiedError(AssertionError):
    """A child ended by itself; the message has its last words."""


class Life:
    """One process. What it says goes to a file, where a kill leaves it."""

    def __init__(self, command: Sequence[object], output: Path) -> None:
        self._output = output
        self._errors = output.with_name(f"{output.name}.err")
        with output.open("wb") as out, self._errors.open("wb") as err:
            self.process = subprocess.Popen(
                list(map(str, command)), cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=err
            )
        self._read = 0
        self.lines: list[str] = []

    def look(self) -> list[str]:
        """Every whole line so far."""
        with self._output.open("rb") as said:
            said.seek(self._read)
            whole, _, _ = said.read().rpartition(b"\n")
        if whole:
            self._read += len(whole) + 1
            self.lines += whole.decode().split("\n")
        return self.lines

    def last_words(self) -> str:
        return self._errors.read_text(errors="replace")[-4000:]

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def check(self) -> None:
        if not self.alive:
            raise DiedError(f"{self._output.name} ended: {self.last_words()}")

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.look()


class Child:
    """Someone with a folder, who lives several times."""

    def __init__(self, folder: Path, before: Sequence[object] = ()) -> None:
        """`before` is a command that runs it."""
        self.folder = folder
        self.lives: list[Life] = []
        self.killed = False  # in its last life, so far
        self._before = before
        folder.mkdir(exist_ok=True)

    @property
    def life(self) -> Life:
        return self.lives[-1]

    def command(self) -> Sequence[object]:
        raise NotImplementedError

    def start(self) -> None:
        # Beside the folder, which may be a disk that is full.
        output = self.folder.parent / f"{self.folder.name}.{len(self.lives)}"
        self.killed = False
        self.lives.append(Life([*self._before, *self.command()], output))

    def kill(self) -> None:
        self.killed = True
        if self.lives:
            self.life.kill()

    async def end(self) -> int:
        """Wait until it has ended by itself."""
        await until(lambda: not self.life.alive)
        self.kill()
        return self.life.process.returncode


class MailboxProcess(Child):
    """`p2pchat mailbox` with its default limits, always on the same port."""

    def __init__(self, folder: Path, before: Sequence[object] = ()) -> None:
        super().__init__(folder, before)
        self.address = f"/ip4/127.0.0.1/tcp/{free_port()}"

    def command(self) -> Sequence[object]:
        where = ("--data-dir", self.folder, "--listen", self.address)
        return (P2PCHAT, "mailbox", *where, "--no-mdns", "--bootstrap", "none")

    async def up(self) -> str:
        """Its link, once it has said so."""
        return await until(self._link)

    def _link(self) -> str:
        lines = self.life.look()
        if not lines:
            self.life.check()
        return next((line[6:] for line in lines if line.startswith("Link: ")), "")

    async def link(self) -> MailboxLink:
        link = parse_link(await self.up())
        assert isinstance(link, MailboxLink)
        return link

    async def status(self) -> dict[str, Any]:
        """What its operator sees."""
        command = (P2PCHAT, "mailbox", "status", "--json", "--data-dir", self.folder)
        whole = list(map(str, (*self._before, *command)))
        done = await trio.run_process(whole, capture_stdout=True, cwd=ROOT)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    async def until_empty(self) -> None:
        while int((await self.status())["held_envelopes"]):
            await trio.sleep(0.1)


class PersonProcess(Child):
    """A node of `person_process.py`, always on the same port."""

    def __init__(
        self, folder: Path, name: str, mailboxes: Sequence[str] = (), before: Sequence[object] = ()
    ) -> None:
        super().__init__(folder, before)
        # Beside the folder, where its friends find it.
        self._key = folder.parent / f"{folder.name}.key"
        self.identity: Identity = identity.load_or_create(self._key)
        self._name = name
        self._mailboxes = mailboxes
        self._address = f"/ip4/127.0.0.1/tcp/{free_port()}"

    def command(self) -> Sequence[object]:
        where = ("--data-dir", self.folder, "--listen", self._address)
        who = ("--identity", self._key, "--name", self._name)
        program = (sys.executable, "-m", "tests.soak.person_process")
        return (*program, *where, *who, "--mailbox", *self._mailboxes)

    def say(self, **command: object) -> None:
        self.life.say(json.dumps(command))

    def said(self, key: str) -> list[Any]:
        """In this life."""
        return _said(self.life, key)

    def ever_said(self, key: str) -> list[Any]:
        """In all lives, in order."""
        return [answer for life in self.lives for answer in _said(life, key)]

    def count(self, key: str) -> int:
        """How often it has said something under that key in this life."""
        marker = _marker(key)
        return sum(line.startswith(marker) for line in self.life.look())

    async def hear(self, key: str, after: int = 0) -> Any:
        """What it says under that key for the next time after so many times in this life."""

        def answers() -> list[Any]:
            found = self.said(key)[after:]
            if not found:
                self.life.check()
            return found

        return (await until(answers))[0]

    async def ask(self, question: str, **command: object) -> Any:
        """Say it, and hear what comes next under `question`."""
        before = len(self.said(question))
        self.say(**(command or {"ask": question}))
        return await self.hear(question, before)

    async def up(self) -> None:
        await self.hear("listening")

    async def registered(self) -> None:
        """Until every mailbox takes its mail, and hands it over."""
        await self.up()
        while not all(m["collecting"] for m in (await self.ask("status"))["mailboxes"]):
            await trio.sleep(0.05)

    async def history(self, peer: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.ask("history", history=peer)
        return found

    async def kept(self, peer: str) -> int:
        """How many messages of that peer it has."""
        return int(await self.ask("count", count=peer))

    async def quit(self) -> None:
        self.say(quit=True)
        assert await self.end() == 0, self.life.last_words()


def _marker(key: str) -> str:
    return f'{{"{key}": '


def _said(life: Life, key: str) -> list[Any]:
    marker = _marker(key)
    return [json.loads(line)[key] for line in life.look() if line.startswith(marker)]


@contextlib.contextmanager
def ending(*children: Child) -> Iterator[None]:
    """However it goes, none of them is left behind."""
    try:
        yield
    finally:
        for child in children:
            child.kill()
