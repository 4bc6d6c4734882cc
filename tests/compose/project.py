"""The project in compose.yml under a name of its own, and the people in its containers."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.compose.engine import Engine, EngineError

PATIENCE = 120.0  # seconds until what was said has to be there, on a busy machine
UP_PATIENCE = 600.0  # seconds until everything is healthy
LOOK = 0.5  # seconds between two looks

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Project:
    engine: Engine
    name: str

    def run(self, *words: str, profile: str = "", patience: float = UP_PATIENCE) -> str:
        """What `docker compose ...` prints. Raises `EngineError`."""
        return self.engine.run(*self.words(*words, profile=profile), patience=patience)

    def words(self, *words: str, profile: str = "") -> list[str]:
        chosen = ["--profile", profile] if profile else []
        return ["compose", "--project-name", self.name, *chosen, *words]

    def up(self, *words: str, profile: str = "") -> None:
        """Until everything is healthy; images are there already."""
        try:
            self.run("up", "--detach", "--no-build", "--wait", *words, profile=profile)
        except EngineError as error:
            logs = self.run("logs", "--no-color", "--tail", "20", profile="*")
            raise EngineError(f"{error}\n{logs}") from error

    def down(self) -> None:
        """With volumes and networks."""
        end = ("--volumes", "--remove-orphans", "--timeout", "10")
        self.run("down", *end, profile="*")

    def person(self, service: str, number: int = 1) -> Person:
        return Person(self, service, number)

    def containers(self) -> list[Any]:
        """All that run, as `docker inspect` tells."""
        ids = self.run("ps", "--quiet", profile="*").split()
        return list(json.loads(self.engine.run("inspect", *ids)))


@dataclass(frozen=True, slots=True)
class Person:
    """A node in a container, spoken to as its owner does."""

    project: Project
    service: str
    number: int

    @property
    def container(self) -> str:
        return f"{self.project.name}-{self.service}-{self.number}"

    def p2pchat(self, *words: str) -> str:
        """What `p2pchat ...` prints in the container. Raises `EngineError`."""
        return self.project.engine.run("exec", self.container, "p2pchat", *words)

    def ask(self, *words: str) -> Any:
        return json.loads(self.p2pchat(*words, "--json"))

    @property
    def peer(self) -> str:
        return str(self.ask("info")["peer"])

    def say(self, text: str, room: str = "lobby") -> None:
        self.p2pchat("send", "--room", room, text)

    def heard(self, text: str, room: str = "lobby") -> bool:
        return text in self._texts("--room", room)

    def got(self, text: str, sender: str) -> bool:
        return text in self._texts("--with", sender)

    def _texts(self, *where: str) -> list[str]:
        try:
            return [message["text"] for message in self.ask("history", *where)["messages"]]
        except EngineError:  # nobody of that name has written yet
            return []

    def sees(self) -> set[str]:
        """The peers in the room that it is connected to, itself among them."""
        members = self.ask("rooms", "members", "lobby")["members"]
        return {each["peer"] for each in members if each["connected"] or each["self"]}

    def do(self, verb: str, *words: str) -> None:
        """start, stop, kill ... the container."""
        self.project.engine.run(verb, *words, self.container)

    def restart(self) -> None:
        self.do("start")
        until(self._answers, f"{self.container} answers")

    def _answers(self) -> bool:
        done = self.project.engine.try_to("exec", self.container, "p2pchat", "health")
        return done.returncode == 0


def until(look: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """What `look` finds in the end, looked for again and again."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {patience:g} s: {what}"
        time.sleep(LOOK)
    return found


@contextlib.contextmanager
def living(project: Project, *words: str, profile: str = "") -> Iterator[Project]:
    """Up, and in the end down with everything that it has made."""
    try:
        project.up(*words, profile=profile)
        yield project
    finally:
        project.down()


def socket_of(engine: Engine) -> str:
    """The path of the engine's socket; empty: it is reached otherwise."""
    host = engine.environment.get("DOCKER_HOST") or os.environ.get("DOCKER_HOST", "")
    if not host:
        return "/var/run/docker.sock"
    return host.removeprefix("unix://") if host.startswith("unix://") else ""


def command(engine: Engine, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """For a program of our own to run in a terminal: the command line, and what it needs in the environment."""
    return engine.command(*words), dict(engine.environment)
