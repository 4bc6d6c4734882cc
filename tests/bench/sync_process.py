"""One node that is compared with another, as a process of its own: obeys JSON lines on stdin, answers them on stdout.

Commands: `{"report": true}` (what it has seen so far), `{"counters": true}` (of sync), `{"stored": true}` (messages),
`{"indexed": true}` (answered once everything can be searched), `{"memory": true}` (the most that was ever resident, in
MB), `{"quit": true}`. Times are seconds of the clock that all processes on one machine share.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import trio
from google.protobuf.message import Message

from p2pchat.node import identity
from p2pchat.node.actors.sync.session import SyncSession
from p2pchat.node.app import NodeHandle, run_node
from p2pchat.node.config import NodeConfig
from p2pchat.node.events import EventFeed
from p2pchat.node.protocol.sync_schedule import Result
from p2pchat.proto import actors_pb2 as actors

LISTEN = ("/ip4/127.0.0.1/tcp/0",)
PROBE_PAUSE = 0.02  # seconds between two questions that see how long an answer takes
INDEX_PAUSE = 1.0  # seconds between two looks at how far the search index is


def tell(**words: object) -> None:
    print(json.dumps(words), flush=True)


@dataclass
class Session:
    """A comparison that this node has begun; times in seconds."""

    began: float
    ended: float = 0.0
    fetched: int = 0
    given: int = 0


@dataclass
class Seen:
    """What a front end sees; times in seconds, 0 for what has not happened."""

    connected: float = 0.0
    arrived: int = 0
    first_arrived: float = 0.0
    last_arrived: float = 0.0
    progress: int = 0  # events
    first_progress: float = 0.0
    missed: int = 0  # events
    slowest_ask: float = 0.0  # seconds
    sessions: list[Session] = field(default_factory=list)


class Front:
    """The front end of the node."""

    def __init__(self, probe: bool) -> None:
        self._probe = probe
        self._seen = Seen()
        self._listening = trio.Event()
        _watch_sessions(self._seen.sessions)

    async def run(self, node: NodeHandle) -> None:
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._collect, feed)
                if self._probe:
                    nursery.start_soon(self._ask_again_and_again, node)
                await self._obey(node)
                nursery.cancel_scope.cancel()

    async def _collect(self, feed: EventFeed) -> None:
        while True:
            for event in await feed.next_batch():
                self._note(event, time.monotonic())
            self._seen.missed = feed.missed

    def _note(self, event: Message, now: float) -> None:
        seen = self._seen
        match event:
            case actors.Listening() if event.addresses:
                self._listening.set()
                tell(addresses=list(event.addresses))
            case actors.PeerConnected():
                seen.connected = seen.connected or now
            case actors.RoomMessagesArrived():
                seen.arrived += len(event.records)
                seen.first_arrived = seen.first_arrived or now
                seen.last_arrived = now
            case actors.SyncProgressed():
                seen.progress += 1
                seen.first_progress = seen.first_progress or now

    async def _ask_again_and_again(self, node: NodeHandle) -> None:
        await self._listening.wait()
        while True:
            began = time.monotonic()
            await node.ui.ask(actors.ListRooms(), actors.RoomList)
            if self._seen.connected:
                taken = time.monotonic() - began
                self._seen.slowest_ask = max(self._seen.slowest_ask, taken)
            await trio.sleep(PROBE_PAUSE)

    async def _obey(self, node: NodeHandle) -> None:
        async for line in trio.wrap_file(sys.stdin):
            match json.loads(line):
                case {"report": _}:
                    tell(report=asdict(self._seen))
                case {"counters": _}:
                    described = await node.ui.ask(actors.DescribeNode(), actors.NodeDescription)
                    tell(counters=dict(described.sync.counters))
                case {"stored": _}:
                    stored = await node.ui.ask(actors.ListStoredRooms(), actors.RoomUsageList)
                    tell(stored=sum(room.messages for room in stored.rooms))
                case {"indexed": _}:
                    await _indexed(node)
                    tell(indexed=True)
                case {"memory": _}:
                    tell(memory=_peak_memory())
                case {"quit": _}:
                    return


async def _indexed(node: NodeHandle) -> None:
    question = actors.SearchHistory(words="nothing", limit=1)
    while (await node.ui.ask(question, actors.SearchPage)).waiting:
        await trio.sleep(INDEX_PAUSE)


def _peak_memory() -> float:
    """Not by `getrusage`, which also says what the process before `exec` had."""
    status = Path("/proc/self/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _watch_sessions(sessions: list[Session]) -> None:
    run = SyncSession.run

    async def timed(self: SyncSession) -> Result:
        session = Session(time.monotonic())
        sessions.append(session)
        try:
            result = await run(self)
        finally:
            session.ended = time.monotonic()
        session.fetched, session.given = result.fetched, result.given
        return result

    SyncSession.run = timed  # type: ignore[method-assign]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--bootstrap", nargs="*", default=[])
    options.add_argument("--probe", action="store_true")
    given = options.parse_args()
    config = NodeConfig(given.data_dir, listen=LISTEN, bootstrap=tuple(given.bootstrap), mdns=False)
    own = identity.load_or_create(config.identity_path)
    trio.run(run_node, config, own, Front(given.probe).run)


if __name__ == "__main__":
    main()
