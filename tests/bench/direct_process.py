"""A real node as a process of its own, for direct messages: obeys JSON lines on stdin, answers JSON lines on stdout.

A text carries its sender's clock, which all processes on one machine share: monotonic nanoseconds, then padding to
the length of an ordinary chat line. Commands: `{"link": true}`, `{"contact": link}`, `{"registered": true}`,
`{"send": messages, "to": peer}` as fast as they are taken, `{"at_rate": per second, "count": n, "to": peer}`,
`{"echo": bytes, "at_rate": per second, "count": n, "to": peer}` over a bare stream, `{"shown": true}`,
`{"handed_over": true}`, `{"quit": true}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import trio
from google.protobuf.message import Message

from p2pchat.node import identity
from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.app import NodeHandle, real_adapters, run_node
from p2pchat.node.config import NodeConfig
from p2pchat.node.errors import StreamError
from p2pchat.node.events import EventFeed
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import limits
from p2pchat.node.protocol.framing import FrameDecoder, frame
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records
from tests.bench.children import LINE, LISTEN

ECHO = "/p2pchat/bench/echo/1.0.0"
ANSWER = bytes(6)  # as long as the answer to one envelope
AT_ONCE = 256  # messages that wait to be saved
SMALL = 64  # bytes; what is longer carries envelopes


def tell(**words: object) -> None:
    print(json.dumps(words), flush=True)


class WatchedStream:
    """A stream to a mailbox; notes when mail was asked for and when all of it was acknowledged."""

    def __init__(self, stream: Stream, times: dict[str, int]) -> None:
        self._stream = stream
        self._times = times

    @property
    def peer(self) -> str:
        return self._stream.peer

    async def read_frame(self, limit: int) -> bytes:
        body = await self._stream.read_frame(limit)
        if (
            len(body) < SMALL
            and mailbox.MailboxReply.FromString(body).WhichOneof("reply") == "caught_up"
        ):
            self._times.setdefault("caught_up", time.monotonic_ns())
        return body

    async def write(self, data: bytes) -> None:
        if len(data) < SMALL:
            for body in FrameDecoder(SMALL).feed(data):
                if mailbox.MailboxRequest.FromString(body).WhichOneof("request") == "collect":
                    self._times.setdefault("collect", time.monotonic_ns())
                    self._times.setdefault("cpu", time.process_time_ns())
        await self._stream.write(data)

    async def close(self) -> None:
        await self._stream.close()

    async def reset(self) -> None:
        await self._stream.reset()


class WatchedNetwork(Libp2pNetwork):
    """The real one, with a watch on streams to mailboxes."""

    times: dict[str, int]

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        stream = await super().open_stream(peer, protocol)
        watched = protocol == limits.MAILBOX_PROTOCOL
        return WatchedStream(stream, self.times) if watched else stream


class Front:
    """The front end of a node under measurement."""

    def __init__(self, network: WatchedNetwork) -> None:
        self._network = network
        self._sent_at: dict[bytes, int] = {}  # own messages that are not delivered
        self._delivered_ms: list[float] = []
        self._last_delivery = 0
        self._shown_ms: list[float] = []
        self._last_shown = 0
        self._change = trio.lowlevel.ParkingLot()

    async def run(self, node: NodeHandle) -> None:
        self._node = node
        with node.hub.open() as feed:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, feed)
                await self._obey()
                nursery.cancel_scope.cancel()

    async def _watch(self, feed: EventFeed) -> None:
        while True:
            for event in await feed.next_batch():
                match event:
                    case actors.Listening():
                        tell(listening=list(event.addresses))
                    case actors.DirectArrived():
                        for record in event.records:
                            self._arrived(record)
                    case actors.DeliveriesChanged():
                        self._changed(event)

    def _arrived(self, record: records.DirectRecord) -> None:
        now, sent = time.monotonic_ns(), int(record.text.split()[0])
        if record.outgoing:
            self._sent_at[record.id] = sent
        else:
            self._shown_ms.append((now - sent) / 1e6)
            self._last_shown = now

    def _changed(self, event: actors.DeliveriesChanged) -> None:
        now = time.monotonic_ns()
        for change in event.changes:
            sent = self._sent_at
            if change.delivery.stage == records.DELIVERED and change.id in sent:
                self._delivered_ms.append((now - sent.pop(change.id)) / 1e6)
                self._last_delivery = now
        self._change.unpark_all()

    async def _obey(self) -> None:
        async for line in trio.wrap_file(sys.stdin):
            match json.loads(line):
                case {"link": True}:
                    tell(link=(await self._ask(actors.DescribeSelf(), actors.Link)).text)
                case {"contact": link}:
                    await self._ask(actors.AddContact(text=link), actors.ContactStatus)
                    tell(contact=True)
                case {"registered": True}:
                    await self._until_registered()
                    tell(registered=True)
                case {"send": count, "to": peer}:
                    await self._send_all(count, peer)
                case {"echo": size, "at_rate": rate, "count": count, "to": peer}:
                    await self._echo(size, rate, count, peer)
                case {"at_rate": rate, "count": count, "to": peer}:
                    await self._send_at(rate, count, peer)
                case {"shown": True}:
                    cpu = time.process_time_ns()
                    tell(shown={"ms": self._shown_ms, "last": self._last_shown, "cpu": cpu})
                    self._shown_ms = []
                case {"handed_over": True}:
                    while "caught_up" not in self._network.times:
                        await trio.sleep(0.01)
                    tell(handed_over=self._network.times)
                case {"quit": True}:
                    return

    async def _ask(self, question: Message, reply: type[Message]) -> Any:
        """Without a deadline: a node that has a lot to do takes its time."""
        return await self._node.ui.request(question, reply)

    async def _until_registered(self) -> None:
        while True:
            status = await self._ask(actors.ListMailboxes(), actors.MailboxStatusList)
            if all(one.registered for one in status.mailboxes):
                return
            await trio.sleep(0.02)

    # ---- messages ---------------------------------------------------------------------------------

    async def _send(self, peer: str) -> None:
        text = f"{time.monotonic_ns()}{LINE}"
        await self._ask(actors.SendDirect(peer=peer, text=text), actors.DirectSent)

    async def _send_all(self, count: int, peer: str) -> None:
        """Many asked at a time, as a paste or a bot would."""
        began = time.monotonic_ns()
        limit = trio.CapacityLimiter(AT_ONCE)

        async def one(number: int) -> None:
            await self._send(peer)
            limit.release_on_behalf_of(number)

        async with trio.open_nursery() as nursery:
            for number in range(count):
                await limit.acquire_on_behalf_of(number)
                nursery.start_soon(one, number)
        saved = time.monotonic_ns()
        await self._until_delivered(count)
        self._delivered_ms = []
        tell(send={"began": began, "saved": saved, "delivered": self._last_delivery})

    async def _send_at(self, rate: float, count: int, peer: str) -> None:
        async def one() -> None:
            await self._send(peer)

        await _at_rate(rate, count, one)
        await self._until_delivered(count)
        tell(at_rate=self._delivered_ms)
        self._delivered_ms = []

    async def _until_delivered(self, count: int) -> None:
        while len(self._delivered_ms) < count:
            await self._change.park()
        if self._sent_at:
            raise RuntimeError("more was sent than was asked for")

    # ---- a bare stream ----------------------------------------------------------------------------

    async def _echo(self, size: int, rate: float, count: int, peer: str) -> None:
        stream = await self._network.open_stream(peer, ECHO)
        data, times_ms = frame(bytes(size)), []

        async def one() -> None:
            began = time.monotonic_ns()
            await stream.write(data)
            await stream.read_frame(len(ANSWER))
            times_ms.append((time.monotonic_ns() - began) / 1e6)

        await _at_rate(rate, count, one)
        await stream.close()
        tell(echo=times_ms)


async def _at_rate(rate: float, count: int, do: Callable[[], Awaitable[None]]) -> None:
    begin = trio.current_time()
    for number in range(count):
        await trio.sleep_until(begin + number / rate)
        await do()


async def _answer(stream: Stream) -> None:
    answer = frame(ANSWER)
    try:
        while await stream.read_frame(limits.FRAME_LIMIT):
            await stream.write(answer)
    except StreamError:
        return


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--mailbox", nargs="*", default=[])
    given = options.parse_args()
    config = NodeConfig(
        given.data_dir,
        listen=LISTEN,
        bootstrap=(),
        mdns=False,
        mailboxes=tuple(given.mailbox),
    )
    own = identity.load_or_create(config.identity_path)
    network = WatchedNetwork(own, config.listen, config.limits)
    network.times = {}
    network.handle(ECHO, _answer)
    adapters = replace(real_adapters(config, own), network=network)
    trio.run(run_node, config, own, Front(network).run, adapters)


if __name__ == "__main__":
    main()
