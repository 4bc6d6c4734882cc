"""One node of a crowd, as a process of its own: obeys lines on stdin, answers JSON lines on stdout.

It says where it listens, then `found` once it lists so many others in the room. Commands: `rest <seconds>` answers with
the processor time that this took, `report` with connections, memory and descriptors, `quit`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import psutil
import trio

from p2pchat.node import identity
from p2pchat.node.app import NodeHandle, run_node
from p2pchat.node.config import NodeConfig
from p2pchat.proto import actors_pb2 as actors
from tests.bench.chat_process import ROOM, tell

LOOK = 0.25  # seconds between two looks at who is there
PATIENCE = 120.0  # seconds of that


class Front:
    """The front end of a node that looks around."""

    def __init__(self, others: int) -> None:
        self._others = others
        self._listens = trio.Event()  # a start may take longer than anybody waits for an answer

    async def run(self, node: NodeHandle) -> None:
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, feed)
                nursery.start_soon(self._look_around, node)
                await self._obey(node)
                nursery.cancel_scope.cancel()

    async def _listen(self, feed: object) -> None:
        told = False
        while True:
            for event in await feed.next_batch():  # type: ignore[attr-defined]
                if isinstance(event, actors.Listening) and event.addresses and not told:
                    tell(addresses=list(event.addresses))
                    told = True
                    self._listens.set()

    async def _look_around(self, node: NodeHandle) -> None:
        await self._listens.wait()
        begin = trio.current_time()
        while trio.current_time() < begin + PATIENCE:
            await trio.sleep(LOOK)
            answer = await node.ui.ask(actors.ListRooms(), actors.RoomList)
            if not any(room.name == ROOM for room in answer.rooms):
                continue
            listed = await node.ui.ask(actors.ListMembers(room=ROOM), actors.MemberList)
            if len(listed.members) >= self._others:
                tell(found=time.time())
                return
        tell(found=None)

    async def _obey(self, node: NodeHandle) -> None:
        async for line in trio.wrap_file(sys.stdin):
            match line.split():
                case ["rest", seconds]:
                    before = _cpu_s()
                    await trio.sleep(float(seconds))
                    tell(cpu_s=_cpu_s() - before)
                case ["report"]:
                    await self._report(node)
                case ["quit"]:
                    return

    async def _report(self, node: NodeHandle) -> None:
        listed = await node.ui.ask(actors.ListConnections(), actors.ConnectionList)
        process = psutil.Process()
        tell(
            report={
                "connections": len(listed.connections),
                "rss": process.memory_info().rss,
                "descriptors": process.num_fds(),
            }
        )


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


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
