"""One node of a benchmark, as a process of its own: obeys lines on stdin, answers JSON lines on stdout.

Commands: `rate <messages/s> <seconds> <delay before the first in s>`, `burst <messages>`, `report`, `quit`. A text
carries its sender's clock, which all processes on one machine share: monotonic nanoseconds, then padding to the
length of an ordinary chat line.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

import trio

from p2pchat.node import identity
from p2pchat.node.app import NodeHandle, run_node
from p2pchat.node.config import NodeConfig
from p2pchat.proto import actors_pb2 as actors

ROOM = "p2pchat-default"
PADDING = " an ordinary line of chat, not long and not short"


def tell(**words: object) -> None:
    print(json.dumps(words), flush=True)


class Front:
    """The front end of a node under measurement."""

    def __init__(self, others: int) -> None:
        self._others = others
        self._latencies_ms: list[float] = []
        self._last_arrival = 0
        self._sent = 0

    async def run(self, node: NodeHandle) -> None:
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._collect, node, feed)
                await self._wait_for_others(node)
                tell(ready=True)
                await self._obey(node)
                nursery.cancel_scope.cancel()

    async def _collect(self, node: NodeHandle, feed: object) -> None:
        own = node.identity.peer_bytes
        while True:
            for event in await feed.next_batch():  # type: ignore[attr-defined]
                if isinstance(event, actors.Listening):
                    tell(addresses=list(event.addresses))
                if isinstance(event, actors.RoomMessagesArrived):
                    now = time.monotonic_ns()
                    for record in event.records:
                        if record.message.sender != own:
                            sent = int(record.message.text.split()[0])
                            self._latencies_ms.append((now - sent) / 1e6)
                            self._last_arrival = now

    async def _wait_for_others(self, node: NodeHandle) -> None:
        while True:
            rooms = await node.ui.ask(actors.ListRooms(), actors.RoomList)
            if rooms.rooms and len(rooms.rooms[0].subscribers) >= self._others:
                return
            await trio.sleep(0.05)

    async def _obey(self, node: NodeHandle) -> None:
        async for line in trio.wrap_file(sys.stdin):
            match line.split():
                case ["rate", per_second, seconds, delay]:
                    await trio.sleep(float(delay))
                    await self._send_at(node, float(per_second), float(seconds))
                case ["burst", count]:
                    await self._send_all(node, int(count))
                case ["report"]:
                    self._report()
                case ["quit"]:
                    return

    async def _send_at(self, node: NodeHandle, per_second: float, seconds: float) -> None:
        begin = trio.current_time()
        for number in range(int(per_second * seconds)):
            await trio.sleep_until(begin + number / per_second)
            await self._send(node)
        tell(sent=self._sent)

    async def _send_all(self, node: NodeHandle, count: int) -> None:
        """As fast as the node takes them, many asked at a time, as a paste or a bot would."""
        begin = time.monotonic_ns()
        limit = trio.CapacityLimiter(256)

        async def one() -> None:
            async with limit:
                await self._send(node)

        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(one)
        tell(sent=self._sent, began=begin)

    async def _send(self, node: NodeHandle) -> None:
        text = f"{time.monotonic_ns()}{PADDING}"
        await node.ui.ask(actors.PostText(room=ROOM, text=text), actors.Posted)
        self._sent += 1

    def _report(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        tell(
            latencies_ms=self._latencies_ms,
            last_arrival=self._last_arrival,
            cpu_s=usage.ru_utime + usage.ru_stime,
        )
        self._latencies_ms = []


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--bootstrap", nargs="*", default=[])
    options.add_argument("--others", type=int, required=True)
    given = options.parse_args()
    config = NodeConfig(
        given.data_dir,
        listen=("/ip4/127.0.0.1/tcp/0",),
        bootstrap=tuple(given.bootstrap),
        mdns=False,
    )
    own = identity.load_or_create(config.identity_path)
    trio.run(run_node, config, own, Front(given.others).run)


if __name__ == "__main__":
    main()
