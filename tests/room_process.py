"""A member of a room as a process of its own: obeys lines on stdin, answers JSON lines on stdout.

Commands: `say <text>`, `burst <messages>` (as fast as the node takes them), `digest` (of the whole room, in its order),
`members`, `sync`, `archive`, `quit`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trio

ROOM = "p2pchat-default"
PAGE = 1000
AT_ONCE = 256  # texts that wait for their save at a time
PATIENCE = 120.0  # seconds for one answer


class Member:
    """Starts such a process, and talks to it."""

    def __init__(self, folder: Path, bootstrap: Sequence[str] = (), *options: str) -> None:
        command = [sys.executable, "-m", "tests.room_process", "--data-dir", str(folder)]
        command += ["--bootstrap", *bootstrap, *options]
        self.folder = folder
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address: str = self.hear("addresses")[0]

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def hear(self, key: str) -> Any:
        """The value of `key` in the next answer that has it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            answer = json.loads(line)
            if key in answer:
                return answer[key]
        raise AssertionError(f"the member ended before it answered {key}")

    def ask(self, line: str, key: str) -> Any:
        self.tell(line)
        return self.hear(key)

    def digest(self) -> tuple[int, str]:
        """How many messages there are, and a digest over them in their order."""
        count, digest = self.ask("digest", "digest")
        return count, digest

    def until_count(self, messages: int, patience: float = PATIENCE) -> tuple[int, str]:
        deadline = time.monotonic() + patience
        while True:
            found = self.digest()
            if found[0] >= messages:
                return found
            assert time.monotonic() < deadline, f"{found[0]} of {messages} messages came"
            time.sleep(0.2)

    def until_members(self, others: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.ask("members", "members")) < others:
            assert time.monotonic() < deadline, f"{others} others did not come"
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> None:
        """In order, if that works."""
        try:
            self.tell("quit")
            self.process.communicate(timeout=15)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self.kill()


# ---- inside the process -----------------------------------------------------------------------------------


def answer(**words: object) -> None:
    print(json.dumps(words), flush=True)


class Front:
    """The front end of the node."""

    async def run(self, node: Any) -> None:
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._collect, feed)
                await self._obey(node)
                nursery.cancel_scope.cancel()

    async def _collect(self, feed: Any) -> None:
        from p2pchat.proto import actors_pb2 as actors

        while True:
            for event in await feed.next_batch():
                if isinstance(event, actors.Listening) and event.addresses:
                    answer(addresses=list(event.addresses))

    async def _obey(self, node: Any) -> None:
        from p2pchat.proto import actors_pb2 as actors

        async for line in trio.wrap_file(sys.stdin):
            word, _, rest = line.rstrip("\n").partition(" ")
            match word:
                case "say":
                    await self._say(node, rest)
                    answer(said=1)
                case "burst":
                    await self._burst(node, int(rest))
                    answer(said=int(rest))
                case "digest":
                    answer(digest=await self._digest(node))
                case "members":
                    listed = await node.ui.ask(actors.ListRooms(), actors.RoomList)
                    answer(members=[peer for room in listed.rooms for peer in room.subscribers])
                case "sync":
                    described = await node.ui.ask(actors.DescribeNode(), actors.NodeDescription)
                    answer(sync=dict(described.sync.counters))
                case "archive":
                    question = actors.ArchiveRoom(room=ROOM)
                    asked = await node.ui.ask(question, actors.ArchiveStatus)
                    answer(archive=[[each.archiving, each.problem] for each in asked.answers])
                case "quit":
                    return

    async def _say(self, node: Any, text: str) -> None:
        from p2pchat.proto import actors_pb2 as actors

        await node.ui.ask(actors.PostText(room=ROOM, text=text), actors.Posted)

    async def _burst(self, node: Any, count: int) -> None:
        limit = trio.CapacityLimiter(AT_ONCE)

        async def one(number: int) -> None:
            async with limit:
                await self._say(node, f"line {number} of a burst, as long as a line of chat is")

        async with trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(one, number)

    async def _digest(self, node: Any) -> tuple[int, str]:
        from p2pchat.proto import actors_pb2 as actors

        pages, before = [], b""
        while True:
            question = actors.ReadHistory(room=ROOM, limit=PAGE, before=before)
            page = await node.ui.ask(question, actors.HistoryPage)
            if not page.records:
                break
            pages.append(page.records)
            before = page.first
        hashed = hashlib.sha256()
        for records in reversed(pages):
            for record in records:
                hashed.update(record.message.SerializeToString(deterministic=True))
        return sum(map(len, pages)), hashed.hexdigest()


def main() -> None:
    from p2pchat.node import identity
    from p2pchat.node.app import run_node
    from p2pchat.node.config import NodeConfig

    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--bootstrap", nargs="*", default=[])
    options.add_argument("--mailbox", nargs="*", default=[])
    given = options.parse_args()
    config = NodeConfig(
        given.data_dir,
        listen=("/ip4/127.0.0.1/tcp/0",),
        bootstrap=tuple(given.bootstrap),
        mdns=False,
        mailboxes=tuple(given.mailbox),
    )
    own = identity.load_or_create(config.identity_path)
    trio.run(run_node, config, own, Front().run)


if __name__ == "__main__":
    main()
