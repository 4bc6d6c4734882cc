"""A container engine with compose: the one that runs here, or one of our own (private_engine.py)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
BUILD_PATIENCE = 1200.0  # seconds; packages come over the network
PATIENCE = 300.0  # seconds for any other command, on a busy machine


class EngineError(Exception):
    """A command of the engine's has failed; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`environment` tells the client where it is. `network` is what builds are given, empty for the usual one."""

    environment: Mapping[str, str] = field(default_factory=dict)
    network: str = ""

    def run(self, *words: str, given: str = "", patience: float = PATIENCE) -> str:
        """What `docker ...` prints. Raises `EngineError`."""
        done = self.try_to(*words, given=given, patience=patience)
        if done.returncode:
            raise EngineError(f"docker {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def try_to(
        self, *words: str, given: str = "", patience: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            input=given,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            cwd=ROOT,
            check=False,
            timeout=patience,
        )

    def command(self, *words: str) -> list[str]:
        return ["docker", *words]

    def build(self, target: str, tag: str, arguments: Sequence[str] = ()) -> None:
        """A stage of deploy/Dockerfile."""
        network = ["--network", self.network] if self.network else []
        where = ["--target", target, "--tag", tag, "--file", str(DOCKERFILE), str(ROOT)]
        self.run("build", "--quiet", *network, *arguments, *where, patience=BUILD_PATIENCE)


def missing(environment: Mapping[str, str] | None = None) -> str:
    """Why the engine that `environment` leads to cannot be used, in a sentence; empty: it can."""
    engine = Engine(environment or {})
    try:
        engine.run("version", patience=30)
        engine.run("compose", "version", patience=30)
    except FileNotFoundError:
        return "there is no docker here"
    except (EngineError, subprocess.TimeoutExpired) as error:
        return f"there is no Docker with compose that answers: {' '.join(str(error).split())}"
    return ""
