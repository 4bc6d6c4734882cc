"""p2pchat and js-libp2p on loopback: real programs, hosts of ours in this process, and js nodes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from p2pchat.cli.demo.processes import LOOPBACK, Process, Stage, open_stage
from p2pchat.cli.this_program import P2PCHAT
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.errors import StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.framing import frame
from tests.interop.dht_node import DhtNode
from tests.interop.js_peer import LINE_PATIENCE, JsPeer

PATIENCE = 120.0  # seconds for a whole scene
POLL = 0.02  # seconds between two looks at what nothing tells of
LAST_LINES, LINE_LENGTH = 40, 400  # of a program, shown when a test fails; characters of each
ECHO = "/p2pchat/interop/echo/1.0.0"  # as in node.mjs
ECHO_LIMIT = 65_536  # bytes


class Scene:
    """Makes everybody, all by names that are used once."""

    def __init__(self, stage: Stage, folder: Path, js_folder: Path, nursery: trio.Nursery) -> None:
        self._stage = stage
        self._folder = folder
        self._js_folder = js_folder
        self._nursery = nursery

    async def js(self, name: str, *services: str, hidden: bool = False) -> JsPeer:
        return await JsPeer.start(self._stage, self._js_folder, name, services, hidden=hidden)

    async def ours(self, *, hidden: bool = False) -> Libp2pNetwork:
        network = Libp2pNetwork(Identity.generate(), [] if hidden else [LOOPBACK])
        network.handle(ECHO, echo)
        await self._nursery.start(network.run)
        return network

    async def dht(self) -> DhtNode:
        """One of ours that serves the DHT."""
        node = DhtNode(await self.ours())
        self._nursery.start_soon(node.run)
        return node

    async def mailbox(self, name: str) -> str:
        """Its address, once it runs."""
        mailbox = self._stage.p2pchat(name, "mailbox", "--registration", "open")
        mailbox.patience = LINE_PATIENCE
        await mailbox.start()
        return address_in(await mailbox.shows("Listening: "))

    async def person(self, name: str, room: str, bootstrap: str = "none") -> Process:
        """Somebody in a plain room."""
        where = ("--data-dir", str(self._folder / name), "--listen", LOOPBACK, "--no-mdns")
        options = ("--name", name, "--plain-room", room, "--bootstrap", bootstrap)
        person = self._stage.program(name, [*P2PCHAT, "node", *where, *options])
        person.patience = LINE_PATIENCE
        await person.start()
        return person


@contextlib.asynccontextmanager
async def scene(folder: Path, js_folder: Path) -> AsyncIterator[Scene]:
    """Everybody is stopped at the end; when a test fails, the programs' last lines are shown."""
    with trio.fail_after(PATIENCE):
        async with open_stage(folder, _Nobody()) as stage, trio.open_nursery() as nursery:
            try:
                yield Scene(stage, folder, js_folder, nursery)
            except Exception as error:
                for process in stage.processes:
                    last = [line[:LINE_LENGTH] for line in process.lines()[-LAST_LINES:]]
                    error.add_note("\n  ".join([f"{process.name}:", *last]))
                raise
            nursery.cancel_scope.cancel()


def full_address(network: Libp2pNetwork) -> str:
    """Where the host can be dialled; ends in /p2p/<peer id>."""
    return f"{network.listen_addresses()[0]}/p2p/{network.peer}"


def address_in(text: str) -> str:
    found = re.search(r"/ip4/127\.0\.0\.1/tcp/\d+/p2p/\w+", text)
    assert found, text
    return found[0]


async def echo(stream: Stream) -> None:
    while True:
        try:
            body = await stream.read_frame(ECHO_LIMIT)
        except StreamError:
            return
        await stream.write(frame(body))


async def echoed(network: Libp2pNetwork, peer: str, text: str) -> str:
    """What comes back for a text, sent as one frame."""
    stream = await network.open_stream(peer, ECHO)
    await stream.write(frame(text.encode()))
    back = await stream.read_frame(ECHO_LIMIT)
    await stream.close()
    return back.decode()


class _Nobody:
    """Watches nothing."""

    def typed(self, name: str, text: str) -> None: ...

    def printed(self, name: str, text: str) -> None: ...

    def happened(self, name: str, text: str) -> None: ...
