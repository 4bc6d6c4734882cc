"""Senders of a benchmark in a process of their own: they leave mail at a mailbox, word for word as a node would.

What they send is ready before the clock starts. Commands: `{"register": true}` in the recipient's name,
`{"prepare": envelopes, "frame": envelopes in one}` for each sender, `{"deposit": frames under way}` of all that is
prepared, `{"quit": true}`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import custody, limits, mailbox_record, peer_id, seal, uuid7
from p2pchat.node.protocol.envelope import ENVELOPE_VERSION, Sealer
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.links import MailboxLink, parse_link
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from tests.bench.children import LINE, LISTEN

CIPHERTEXT = seal.OVERHEAD + seal.SMALLEST_CLASS  # bytes, of an ordinary line of chat
RETENTION_MS = 10 * limits.DAY_MS


def tell(**words: object) -> None:
    print(json.dumps(words), flush=True)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class MailSender:
    """One peer with one stream to the mailbox."""

    def __init__(self, link: MailboxLink, recipient: Identity, is_sealed: bool) -> None:
        self._identity = Identity.generate()
        self._link = link
        self._mailbox = peer_id.from_text(link.peer)
        self._recipient = recipient
        self._make = self._sealed if is_sealed else self._random
        self._sealer = Sealer(self._identity.peer_bytes, self._identity.private_key)
        self._seal_key = seal.SealKey.derive(recipient.seed).public
        self._frames: list[bytes] = []
        self._made = 0

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        network = Libp2pNetwork(self._identity, LISTEN)
        async with trio.open_nursery() as nursery:
            await nursery.start(network.run)
            self._stream = await open_stream(network, self._link)
            task_status.started()
            await trio.sleep_forever()

    def prepare(self, count: int, size: int) -> None:
        for start in range(0, count, size):
            envelopes = [self._make() for _ in range(start, min(start + size, count))]
            request = mailbox.MailboxRequest(deposit=mailbox.Deposit(envelopes=envelopes))
            self._frames.append(frame(request.SerializeToString()))

    async def deposit(self, under_way: int, into: dict[str, Any]) -> None:
        """Everything that is prepared; every receipt is verified."""
        frames, self._frames = self._frames, []
        sent: deque[int] = deque()
        waiting = iter(frames)
        into["began"].append(time.monotonic_ns())
        for data in _first(waiting, under_way):
            sent.append(time.monotonic_ns())
            await self._stream.write(data)
        while sent:
            kept = await self._receipt()
            into["kept"] += kept
            into["frame_ms"].append((time.monotonic_ns() - sent.popleft()) / 1e6)
            for data in _first(waiting, 1):
                sent.append(time.monotonic_ns())
                await self._stream.write(data)
        into["ended"].append(time.monotonic_ns())

    async def _receipt(self) -> int:
        """How many envelopes it is for."""
        body = await self._stream.read_frame(limits.FRAME_LIMIT)
        reply = mailbox.MailboxReply.FromString(body)
        if not custody.verify(reply.custody, self._mailbox):
            raise RuntimeError(f"no receipt: {reply}")
        return len(reply.custody.ids)

    def _random(self) -> wire.Envelope:
        """Looks sealed, and cannot be compressed; nobody opens it."""
        return wire.Envelope(
            version=ENVELOPE_VERSION,
            recipient=self._recipient.peer_bytes,
            scheme=seal.SCHEME,
            ciphertext=os.urandom(CIPHERTEXT),
            expires_at_ms=now_ms() + RETENTION_MS,
        )

    def _sealed(self) -> wire.Envelope:
        self._made += 1
        sent_at = now_ms()
        content = wire.Content(
            id=uuid7.make(sent_at, os.urandom(10)),
            sent_at_ms=sent_at,
            lamport=sent_at + self._made,
            nick="Bench",
            text=wire.Text(text=f"{self._made}{LINE}"),
        )
        expires = sent_at + RETENTION_MS
        return self._sealer.seal(content, self._recipient.peer_bytes, self._seal_key, expires)


def _first(frames: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _, data in zip(range(count), frames, strict=False):
        yield data


async def open_stream(network: Libp2pNetwork, link: MailboxLink) -> Stream:
    await network.dial(link.peer, link.addresses)
    return await network.open_stream(link.peer, limits.MAILBOX_PROTOCOL)


async def register(recipient: Identity, link: MailboxLink) -> None:
    """From now on the mailbox takes mail for the recipient."""
    record = wire.MailboxRecord(
        peer=recipient.peer_bytes,
        seal_key=seal.SealKey.derive(recipient.seed).public,
        sequence=1,
        expires_at_ms=now_ms() + RETENTION_MS,
    )
    mailbox_record.sign(record, recipient.private_key)
    request = mailbox.MailboxRequest(register=mailbox.Register(record=record))
    network = Libp2pNetwork(recipient, LISTEN)
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        stream = await open_stream(network, link)
        await stream.write(frame(request.SerializeToString()))
        reply = mailbox.MailboxReply.FromString(await stream.read_frame(limits.FRAME_LIMIT))
        if reply.WhichOneof("reply") != "registered":
            raise RuntimeError(f"not registered: {reply}")
        nursery.cancel_scope.cancel()


async def deposit(senders: Sequence[MailSender], under_way: int) -> dict[str, Any]:
    done: dict[str, Any] = {"began": [], "ended": [], "frame_ms": [], "kept": 0}
    async with trio.open_nursery() as nursery:
        for sender in senders:
            nursery.start_soon(sender.deposit, under_way, done)
    return {**done, "began": min(done["began"]), "ended": max(done["ended"])}


async def run(link: MailboxLink, recipient: Identity, count: int, is_sealed: bool) -> None:
    senders = [MailSender(link, recipient, is_sealed) for _ in range(count)]
    async with trio.open_nursery() as nursery:
        for sender in senders:
            await nursery.start(sender.run)
        tell(ready=True)
        async for line in trio.wrap_file(sys.stdin):
            match json.loads(line):
                case {"register": True}:
                    await register(recipient, link)
                    tell(register=True)
                case {"prepare": envelopes, "frame": size}:
                    for sender in senders:
                        sender.prepare(envelopes, size)
                    tell(prepare=True)
                case {"deposit": under_way}:
                    tell(deposit=await deposit(senders, under_way))
                case {"quit": True}:
                    break
        nursery.cancel_scope.cancel()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--mailbox", required=True)
    options.add_argument("--recipient", required=True, help="seed of its identity, in hex")
    options.add_argument("--senders", type=int, default=1)
    options.add_argument("--sealed", action="store_true")
    given = options.parse_args()
    link = parse_link(given.mailbox)
    assert isinstance(link, MailboxLink)
    recipient = Identity(bytes.fromhex(given.recipient))
    trio.run(run, link, recipient, given.senders, given.sealed)


if __name__ == "__main__":
    main()
