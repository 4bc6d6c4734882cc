"""A real node as a process of its own: obeys JSON lines on stdin, says JSON lines on stdout.

Commands: `{"write": [texts], "to": peer}`, `{"contact": link}`, `{"ask": "link" | "status"}`, `{"history": peer}`,
`{"count": peer}`, `{"quit": true}`. What it says at once, as a screen would: `{"shown": text}` for each message of
others, which counts as read from then on; `{"saved": text}` or `{"refused": [text, why]}` for each own one. Of each
text only the beginning is said: some are long.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

import trio
from google.protobuf.message import Message

from p2pchat.node import identity
from p2pchat.node.app import NodeHandle, run_node
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import P2pchatError
from p2pchat.node.events import EventFeed
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

WRITES_AT_ONCE = 64
PAGE = 1000  # messages of a history
BEGINNING = 40  # characters of a text
MARKS = 256  # messages marked as read at once


def say(*answers: dict[str, Any]) -> None:
    """In one write, so that a kill cannot part it."""
    sys.stdout.write("".join(f"{json.dumps(answer)}\n" for answer in answers))
    sys.stdout.flush()


class Person:
    """The front end of one node."""

    async def run(self, node: NodeHandle) -> None:
        self._node = node
        self._limit = trio.CapacityLimiter(WRITES_AT_ONCE)
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._watch, feed)
                await self._obey()
                nursery.cancel_scope.cancel()

    async def _watch(self, feed: EventFeed) -> None:
        while True:
            for event in await feed.next_batch():
                match event:
                    case actors.Listening():
                        say({"listening": list(event.addresses)})
                    case actors.DirectArrived():
                        await self._show(event)

    async def _show(self, event: actors.DirectArrived) -> None:
        fresh = [record for record in event.records if not record.outgoing]
        say(*({"shown": record.text[:BEGINNING]} for record in fresh))
        for start in range(0, len(fresh), MARKS):
            ids = [record.id for record in fresh[start : start + MARKS]]
            self._nursery.start_soon(self._mark, actors.MarkShown(peer=event.peer, ids=ids))

    async def _mark(self, shown: actors.MarkShown) -> None:
        try:
            await self._node.ui.ask(shown, actors.Done)
        except P2pchatError as error:
            say({"unmarked": len(shown.ids), "why": str(error)})

    async def _obey(self) -> None:
        # In a thread that may be left alone: a node that cannot start must be able to end.
        while line := await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
            match json.loads(line):
                case {"write": texts, "to": peer}:
                    self._nursery.start_soon(self._write, texts, peer)
                case {"contact": link}:
                    command = actors.AddContact(text=link)
                    added = await self._ask(command, actors.ContactStatus)
                    say({"contact": added.name})
                case {"ask": "link"}:
                    say({"link": (await self._ask(actors.DescribeSelf(), actors.Link)).text})
                case {"ask": "status"}:
                    say({"status": await self._status()})
                case {"history": peer}:
                    say({"history": await self._history(peer)})
                case {"count": peer}:
                    came = [not record["outgoing"] for record in await self._history(peer)]
                    say({"count": sum(came)})
                case {"quit": True}:
                    return

    async def _ask(self, question: Message, reply: type[Message]) -> Any:
        """Without a deadline: a node that has just started, or has a lot to do, takes its time."""
        return await self._node.ui.request(question, reply)

    async def _write(self, texts: list[str], peer: str) -> None:
        """In their order, many under way at a time, as a paste would be."""
        async with trio.open_nursery() as nursery:
            for text in texts:
                await self._limit.acquire_on_behalf_of(text)
                nursery.start_soon(self._write_one, text, peer)

    async def _write_one(self, text: str, peer: str) -> None:
        try:
            await self._ask(actors.SendDirect(peer=peer, text=text), actors.DirectSent)
        except P2pchatError as error:
            say({"refused": [text[:BEGINNING], str(error)]})
        else:
            say({"saved": text[:BEGINNING]})
        finally:
            self._limit.release_on_behalf_of(text)

    async def _status(self) -> dict[str, Any]:
        while True:
            node = await self._ask(actors.DescribeNode(), actors.NodeDescription)
            if node.HasField("delivery"):  # else it is too busy to answer at once
                break
        delivery = node.delivery
        return {
            "outbox": delivery.outbox,
            "counters": dict(delivery.counters),
            "mailboxes": [
                {"registered": m.registered, "collecting": m.collecting, "problem": m.problem}
                for m in delivery.mailboxes
            ],
        }

    async def _history(self, peer: str) -> list[dict[str, Any]]:
        """Oldest first."""
        found: list[records.DirectRecord] = []
        before = b""
        while True:
            question = actors.ReadDirectHistory(peer=peer, limit=PAGE, before=before)
            page = await self._ask(question, actors.DirectHistoryPage)
            if not page.records:
                return [
                    {
                        "text": record.text[:BEGINNING],
                        "outgoing": record.outgoing,
                        "read": record.read,
                        "stage": records.Stage.Name(record.delivery.stage),
                    }
                    for record in found
                ]
            found[:0] = page.records
            before = page.first


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--identity", type=Path, required=True)
    options.add_argument("--name", required=True)
    options.add_argument("--listen", required=True)
    options.add_argument("--mailbox", nargs="*", default=[])
    given = options.parse_args()
    logging.basicConfig(level=logging.INFO)
    config = NodeConfig(
        given.data_dir,
        name=given.name,
        listen=(given.listen,),
        bootstrap=(),
        mdns=False,
        mailboxes=tuple(given.mailbox),
    )
    trio.run(run_node, config, identity.load(given.identity), Person().run)


if __name__ == "__main__":
    main()
