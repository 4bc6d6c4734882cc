"""A js-libp2p node in a process of its own, driven by JSON lines; peer.mjs is the other end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from p2pchat.cli.demo.processes import LOOPBACK, Process, Stage

LINE_PATIENCE = 60.0  # seconds for a program's next line; on a busy machine a start takes ten


class JsError(Exception):
    """What a js-libp2p node threw."""


class JsPeer:
    """Made by `JsPeer.start`; stopped with its stage. `addresses` end in /p2p/<peer>."""

    def __init__(self, process: Process, peer: str, addresses: Sequence[str]) -> None:
        self._process = process
        self._ids = count(1)
        self.peer = peer
        self.addresses = addresses

    @classmethod
    async def start(
        cls, stage: Stage, folder: Path, name: str, services: Sequence[str], *, hidden: bool = False
    ) -> JsPeer:
        """`services` by their names in node.mjs. `hidden`: listens nowhere."""
        options = {"listen": [] if hidden else [LOOPBACK], "with": services}
        process = stage.program(name, ["node", str(folder / "peer.mjs"), json.dumps(options)])
        process.patience = LINE_PATIENCE
        await process.start()
        ready = json.loads(await process.shows('{"event":"ready"'))
        return cls(process, ready["peer"], ready["addresses"])

    @property
    def address(self) -> str:
        return self.addresses[0]

    async def ask(self, command: str, **given: object) -> Any:
        """The answer of a function in commands.mjs. Raises `JsError`."""
        number = next(self._ids)
        await self._process.types(json.dumps({"id": number, "do": command, **given}))
        answer = json.loads(await self._process.shows(f'{{"id":{number},'))
        if "error" in answer:
            raise JsError(f"{command}: {answer['error']}")
        return answer["ok"]

    async def hears(self, text: str) -> dict[str, str]:
        """The next room message with this in it: topic, from, text."""
        found: dict[str, str] = json.loads(await self._process.shows('{"event":"message"', text))
        return found
