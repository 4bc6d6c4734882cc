"""Senders who speak the mailbox protocol word for word, and write down every receipt."""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Iterable, Sequence

import trio

from p2pchat.node.adapters.libp2p_network import Libp2pNetwork
from p2pchat.node.errors import DialError, StreamError
from p2pchat.node.identity import Identity
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import custody, limits, peer_id, seal, uuid7
from p2pchat.node.protocol.envelope import Sealer, envelope_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.links import MailboxLink
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import wire_pb2 as wire
from tests.relay_mailbox.builders import record_of

UNDER_WAY = 16  # envelopes without an answer at a time
LARGEST_FRAME = 8  # envelopes
RETRY = 0.05  # seconds until a mailbox that is away is tried again
EXPIRES_MS = 1_900_000_000_000  # 2030


def sealed(sender: Identity, recipient: Identity, texts: Iterable[str]) -> list[wire.Envelope]:
    """Messages as a node would send them."""
    sealer = Sealer(sender.peer_bytes, sender.private_key)
    key = seal.SealKey.derive(recipient.seed).public
    return [
        sealer.seal(
            wire.Content(
                id=uuid7.make(
                    1_790_000_000_000 + number, hashlib.sha256(text.encode()).digest()[:10]
                ),
                sent_at_ms=1_790_000_000_000 + number,
                lamport=1_790_000_000_000 + number,
                text=wire.Text(text=text),
            ),
            recipient.peer_bytes,
            key,
            EXPIRES_MS,
        )
        for number, text in enumerate(texts)
    ]


async def register(peer: Identity, link: MailboxLink) -> None:
    """As the peer's own node would: from now on the mailbox takes mail for it."""
    network = Libp2pNetwork(peer, ["/ip4/127.0.0.1/tcp/0"])
    record = record_of(peer)
    request = mailbox.MailboxRequest(register=mailbox.Register(token=link.token, record=record))
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run)
        await network.dial(link.peer, link.addresses)
        stream = await network.open_stream(link.peer, limits.MAILBOX_PROTOCOL)
        await stream.write(frame(request.SerializeToString()))
        reply = mailbox.MailboxReply.FromString(await stream.read_frame(limits.FRAME_LIMIT))
        assert reply.WhichOneof("reply") == "registered", reply
        nursery.cancel_scope.cancel()


class Depositor:
    """Deposits whatever it is given until there is a receipt for it, over as many connections as that takes.

    What has a receipt is never deposited again.
    """

    def __init__(self, identity: Identity, mailbox_peer: str, address: str, seed: int) -> None:
        self.receipts: dict[bytes, int] = {}  # envelope id -> stored until, of verified receipts
        self.refusals: list[mailbox.Refused] = []
        self.sessions = 0
        self.identity = identity
        self._mailbox = mailbox_peer
        self._mailbox_bytes = peer_id.from_text(mailbox_peer)
        self._address = address
        self._rng = random.Random(seed)
        self._waiting: deque[wire.Envelope] = deque()
        self._under_way: dict[bytes, wire.Envelope] = {}
        self._change = trio.lowlevel.ParkingLot()

    def give(self, envelopes: Sequence[wire.Envelope]) -> None:
        self._waiting.extend(envelopes)
        self._change.unpark_all()

    @property
    def left(self) -> int:
        """What has no receipt yet."""
        return len(self._waiting) + len(self._under_way)

    async def run(self) -> None:
        """Until cancelled."""
        network = Libp2pNetwork(self.identity, ["/ip4/127.0.0.1/tcp/0"])
        async with trio.open_nursery() as nursery:
            await nursery.start(network.run)
            while True:
                while not self.left:
                    await self._change.park()
                try:
                    await network.dial(self._mailbox, [self._address])
                    stream = await network.open_stream(self._mailbox, limits.MAILBOX_PROTOCOL)
                except (DialError, StreamError):
                    await trio.sleep(RETRY)
                    continue
                self.sessions += 1
                await self._session(stream)

    async def _session(self, stream: Stream) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read, stream, nursery.cancel_scope)
            try:
                await self._write(stream)
            except StreamError:
                nursery.cancel_scope.cancel()
        await stream.reset()
        self._waiting.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()

    async def _write(self, stream: Stream) -> None:
        while True:
            while not self._waiting or len(self._under_way) >= UNDER_WAY:
                await self._change.park()
            count = min(len(self._waiting), self._rng.randint(1, LARGEST_FRAME))
            batch = [self._waiting.popleft() for _ in range(count)]
            self._under_way |= {envelope_id(one): one for one in batch}
            request = mailbox.MailboxRequest(deposit=mailbox.Deposit(envelopes=batch))
            await stream.write(frame(request.SerializeToString()))

    async def _read(self, stream: Stream, scope: trio.CancelScope) -> None:
        while True:
            try:
                body = await stream.read_frame(limits.FRAME_LIMIT)
            except StreamError:
                scope.cancel()
                return
            reply = mailbox.MailboxReply.FromString(body)
            if reply.WhichOneof("reply") == "refused":
                await self._refused(reply.refused)
            else:
                self._receipted(reply.custody)
            self._change.unpark_all()

    def _receipted(self, receipt: mailbox.Custody) -> None:
        assert custody.verify(receipt, self._mailbox_bytes)
        for id_, until_ms in zip(receipt.ids, receipt.stored_until_ms, strict=True):
            del self._under_way[id_]
            self.receipts[id_] = until_ms

    async def _refused(self, refused: mailbox.Refused) -> None:
        assert refused.retry_after_ms, refused.detail
        self.refusals.append(refused)
        self._waiting.extend(self._under_way.pop(id_) for id_ in refused.ids)
        await trio.sleep(RETRY)
