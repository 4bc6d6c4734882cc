"""The engine, the images, and at the end what was seen.

`COMPOSE_TEST_ENGINE=FOLDER` keeps the data of an engine of our own there, so that the next run has it already.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.compose import engine, figures, private_engine
from tests.compose.engine import Engine, EngineError
from tests.compose.project import Project, socket_of

KEPT = os.environ.get("COMPOSE_TEST_ENGINE", "")


@dataclass(frozen=True, slots=True)
class Bed:
    """An engine that has the images."""

    engine: Engine
    image: str
    base: str = private_engine.BASE

    @property
    def images(self) -> tuple[str, ...]:
        return (self.image, f"{self.image}-router", f"{self.image}-workers")

    def project(self, name: str) -> Project:
        there = {"P2PCHAT_IMAGE": self.image, "DOCKER_SOCKET": socket_of(self.engine)}
        environment = {**self.engine.environment, **there}
        return Project(replace(self.engine, environment=environment), f"{self.image}-{name}")


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    image = f"p2pchat-test-{secrets.token_hex(3)}"
    with _engine_with(image) as found:
        made = Bed(found, image)
        try:
            yield made
        finally:
            for each in made.images:
                found.try_to("image", "rm", "--force", each)


@contextlib.contextmanager
def _engine_with(image: str) -> Iterator[Engine]:
    reason = engine.missing()
    if not reason:
        figures.note("engine", "the one that runs here")
        _build(Engine(), image)
        yield Engine()
        return
    if why := private_engine.why_not():
        pytest.skip(f"{reason}; {why}")
    with private_engine.folder(KEPT) as made:
        _prepare(made, image)
        with made.secluded() as found:
            yield found


def _prepare(made: private_engine.PrivateEngine, image: str) -> None:
    figures.note("engine", "one of our own")
    try:
        with figures.timed("engine installed"):
            made.install()
        with made.building() as builder:
            with figures.timed("base image ready"):
                figures.note("base image", made.prepare_base())
            _build(builder, image)
    except EngineError as error:
        pytest.skip(f"there is no engine, and none could be made: {error}")


def _build(builder: Engine, image: str) -> None:
    """A build that fails is a failure, and no reason to skip."""
    try:
        with figures.timed("image built"):
            builder.build("p2pchat", image)
        with figures.timed("router built"):
            builder.build("router", f"{image}-router")
        with figures.timed("image with workers built"):
            builder.build("p2pchat", f"{image}-workers", ["--build-arg", "WORKERS=1"])
    except EngineError as error:
        pytest.fail(f"an image cannot be built: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.seen:
        terminalreporter.section("seen")
    width = max(map(len, figures.seen), default=0)
    for what, value in figures.seen.items():
        terminalreporter.write_line(f"{what:{width}}  {value}")
