"""A real node as a process of its own, for files: obeys JSON lines on stdin, answers JSON lines on stdout.

Commands: `{"link": true}`, `{"contact": link}`, `{"offer": path, "to": peer}`, `{"accept": true}` takes the next file
that is offered and answers when that is done, `{"running": bytes}` answers when so much of it is there, `{"finished":
true}` when the newest transfer is over, `{"bare": bytes, "to": peer}` receives as much over a bare stream, `{"memory":
true}`: resident now, and the most since the last question, in bytes, `{"quit": true}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import trio
from google.protobuf.message import Message

from p2pchat.node import identity
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.app import NodeHandle, real_adapters, run_node
from p2pchat.node.config import NodeConfig
from p2pchat.node.events import EventFeed
from p2pchat.node.ports import Stream
from p2pchat.node.protocol.file_transfer import CHUNK, FRAME_LIMIT
from p2pchat.node.protocol.framing import frame
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.bench.children import LISTEN

BARE = "/p2pchat/bench/bare/1.0.0"
LOOK = 0.1  # seconds between two looks at the memory


def tell(**words: object) -> None:
    print(json.dumps(words), flush=True)


class Front:
    """The front end of a node under measurement."""

    def __init__(self, network: Libp2pNetwork) -> None:
        self._network = network
        self._latest = actors.TransferStatus()
        self._over_at = 0
        self._changed = trio.lowlevel.ParkingLot()
        self._most = 0  # bytes resident

    async def run(self, node: NodeHandle) -> None:
        self._node = node
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, feed)
                nursery.start_soon(self._watch_memory)
                await self._obey()
                nursery.cancel_scope.cancel()

    async def _watch(self, feed: EventFeed) -> None:
        while True:
            for event in await feed.next_batch():
                match event:
                    case actors.Listening():
                        tell(listening=list(event.addresses))
                    case actors.TransferChanged():
                        self._latest, self._over_at = event.transfer, time.monotonic_ns()
                        self._changed.unpark_all()

    async def _watch_memory(self) -> None:
        while True:
            self._most = max(self._most, _resident())
            await trio.sleep(LOOK)

    async def _obey(self) -> None:
        async for line in trio.wrap_file(sys.stdin):
            match json.loads(line):
                case {"link": True}:
                    tell(link=(await self._ask(actors.DescribeSelf(), actors.Link)).text)
                case {"contact": link}:
                    await self._ask(actors.AddContact(text=link), actors.ContactStatus)
                    tell(contact=True)
                case {"offer": path, "to": peer}:
                    question = actors.OfferFile(text=peer, path=path)
                    await self._ask(question, actors.TransferStatus)
                    tell(offer=True)
                case {"accept": True}:
                    await self._until(records.OFFERED)
                    transfer = self._latest.record.offer.transfer.hex()
                    began = time.monotonic_ns()
                    await self._ask(actors.AcceptFile(transfer=transfer), actors.TransferStatus)
                    tell(accept=began)
                case {"running": enough}:
                    while self._latest.record.done < enough:
                        await self._changed.park()
                    tell(running=self._latest.record.done)
                case {"finished": True}:
                    await self._until(records.FINISHED)
                    tell(finished=self._over_at)
                case {"bare": size, "to": peer}:
                    tell(bare=await self._receive(size, peer))
                case {"memory": True}:
                    tell(memory={"now": _resident(), "most": self._most})
                    self._most = 0
                case {"quit": True}:
                    return

    async def _ask(self, question: Message, reply: type[Message]) -> Any:
        return await self._node.ui.request(question, reply)

    async def _until(self, state: records.TransferState) -> None:
        """Also if it has come so far before this process was started."""
        listed = await self._ask(actors.ListTransfers(), actors.TransferList)
        if listed.transfers and not self._latest.HasField("record"):
            self._latest, self._over_at = listed.transfers[0], time.monotonic_ns()
        while self._latest.record.state != state:
            await self._changed.park()

    async def _receive(self, size: int, peer: str) -> float:
        """Seconds for so many bytes in frames over a stream, with nothing done about them."""
        stream = await self._network.open_stream(peer, BARE)
        began = time.monotonic()
        await stream.write(frame(size.to_bytes(8, "big")))
        while size > 0:
            size -= len(await stream.read_frame(FRAME_LIMIT))
        await stream.close()
        return time.monotonic() - began


async def _send(stream: Stream) -> None:
    left = int.from_bytes(await stream.read_frame(8), "big")
    data = frame(bytes(CHUNK))
    while left > 0:
        await stream.write(data)
        left -= CHUNK


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--listen", nargs="*", default=LISTEN)
    given = options.parse_args()
    config = NodeConfig(
        given.data_dir, listen=tuple(given.listen), bootstrap=(), mdns=False, dht=False
    )
    own = identity.load_or_create(config.identity_path)
    network = Libp2pNetwork(own, config.listen, config.limits)
    network.handle(BARE, _send)
    adapters = replace(real_adapters(config, own), network=network)
    trio.run(run_node, config, own, Front(network).run, adapters)


if __name__ == "__main__":
    main()
