"""Runs command lines in this process, before a node that is played."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import main
from tests.cli.played_control import PlayedNode, playing

EVIL = "E\x1b[2Jve\u202e\x07"  # clears the screen, turns the reading direction, rings


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Commands:
    """`run("rooms", "--json")` before `node`."""

    def __init__(
        self,
        folder: Path,
        node: PlayedNode,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.folder = folder
        self.node = node
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def run(self, *words: str, stdin: bytes = b"") -> Ran:
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capsys.readouterr()
        code = main.run([*words, "--data-dir", str(self.folder)])
        return Ran(code, *self._capsys.readouterr())


@pytest.fixture
def commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Commands]:
    for name in [name for name in os.environ if name.startswith("P2PCHAT_")] + ["DATA_DIR"]:
        monkeypatch.delenv(name, raising=False)
    node = PlayedNode()
    with playing(tmp_path, node):
        yield Commands(tmp_path, node, capsys, monkeypatch)
