"""To one recipient itself: a stream of its own, with many envelopes under way."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.delivery.outgoing import Outgoing, Parcel
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.limits import BATCH_BYTES, DELIVER_PROTOCOL, MAX_BATCH, WINDOW
from p2pchat.node.protocol.outbox import Change, Route
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

ANSWER_LIMIT = 4096  # bytes of a DeliverAnswer
ANSWER_TIMEOUT = 20.0  # seconds until a recipient that does not answer is taken for stuck
IDLE = 60.0  # seconds without anything to send until the stream is closed
LATER = 5.0  # seconds to leave a recipient alone that asked for it

_TAKEN = frozenset({wire.ACCEPTED, wire.DUPLICATE})
_WHY = {
    wire.MALFORMED: "its p2pchat does not understand the message",
    wire.WRONG_RECIPIENT: "it was sealed for somebody else",
    wire.UNKNOWN_SCHEME: "its p2pchat does not know this kind of seal",
    wire.BAD_SEAL: "it cannot open the seal",
    wire.BAD_SIGNATURE: "it does not accept the signature",
    wire.EXPIRED: "its time was over",
    wire.BLOCKED: "it does not want messages from you",
}


class DeliverLink:
    """Runs while there is something for the recipient, and a little longer."""

    def __init__(
        self, network: Network, outgoing: Outgoing, peer: str, now_ms: Callable[[], int]
    ) -> None:
        self._network = network
        self._outgoing = outgoing
        self._route = Route(peer)
        self._now_ms = now_ms
        self._under_way: deque[list[bytes]] = deque()  # message ids, by frame
        self._free = WINDOW
        self._bell = Bell()  # something to send, or an answer
        self._answers = Bell()  # something to be answered
        self._resume_at = 0.0
        self._settling = False  # an answer is on its way to the disk
        self._moved = False

    def wake(self) -> None:
        self._bell.ring()

    def moved(self) -> None:
        """There is a better connection: what is under way is answered on this stream, which ends then. The rest is for
        another link, which may run at the same time."""
        self._moved = True
        self._bell.ring()

    async def run(self) -> None:
        """Until nothing is left to send. Raises `StreamError` when the recipient does not take part."""
        try:
            stream = await self._network.open_stream(self._route.peer, DELIVER_PROTOCOL)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read, stream)
                    await self._write(stream)
                    nursery.cancel_scope.cancel()
                await stream.close()
            except BaseException:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + 0.2):
                    await stream.reset()
                raise
        finally:
            unanswered = [message_id for ids in self._under_way for message_id in ids]
            self._outgoing.outbox.give_back(self._route, unanswered)

    async def _write(self, stream: Stream) -> None:
        idle_since = trio.current_time()
        while True:
            if self._moved:
                if not self._under_way and not self._settling:
                    return
                await self._bell.wait()
                continue
            now = trio.current_time()
            parcels: list[Parcel] = []
            if self._free >= min(MAX_BATCH, WINDOW) and now >= self._resume_at:
                parcels = await self._outgoing.parcels(self._route, MAX_BATCH)
            if parcels:
                idle_since = now
                await self._send(stream, parcels)
                continue
            if not self._under_way and now - idle_since >= IDLE:
                return
            deadline = self._resume_at if self._resume_at > now else idle_since + IDLE
            await self._bell.wait_until(max(deadline, now + 0.01) if not self._under_way else None)

    async def _send(self, stream: Stream, parcels: Sequence[Parcel]) -> None:
        encoded = bytearray()
        for batch in frames_of(parcels):
            body = wire.Deliver(envelopes=[parcel.envelope for parcel in batch])
            encoded += frame(body.SerializeToString())
            self._under_way.append([parcel.item.id for parcel in batch])
            self._free -= len(batch)
        self._answers.ring()
        await stream.write(bytes(encoded))

    async def _read(self, stream: Stream) -> None:
        while True:
            while not self._under_way:
                await self._answers.wait()
            with trio.move_on_after(ANSWER_TIMEOUT) as patience:
                body = await stream.read_frame(ANSWER_LIMIT)
            if patience.cancelled_caught:
                raise StreamError(f"no answer within {ANSWER_TIMEOUT:g} s")
            ids = self._under_way[0]
            verdicts = _verdicts(body, len(ids))
            self._under_way.popleft()
            self._free += len(ids)
            self._settling = True
            self._bell.ring()
            await self._outgoing.settle(self._judge(ids, verdicts))
            self._settling = False
            self._bell.ring()

    def _judge(self, ids: Sequence[bytes], verdicts: Sequence[wire.Verdict]) -> list[Change]:
        outbox, peer, now_ms = self._outgoing.outbox, self._route.peer, self._now_ms()
        by_verdict: dict[wire.Verdict, list[bytes]] = {}
        for message_id, verdict in zip(ids, verdicts, strict=True):
            known = wire.ACCEPTED if verdict in _TAKEN else verdict
            by_verdict.setdefault(known, []).append(message_id)
        changes: list[Change] = []
        for verdict, some in by_verdict.items():
            if verdict == wire.ACCEPTED:
                changes += outbox.delivered(peer, some, now_ms)
            elif verdict == wire.TRY_LATER:
                self._resume_at = trio.current_time() + LATER
                reason = "The other side cannot take it just now; it is tried again."
                changes += outbox.put_off(self._route, some, reason, now_ms)
            else:
                changes += self._refused(verdict, some)
        return changes

    def _refused(self, verdict: wire.Verdict, ids: list[bytes]) -> list[Change]:
        """A seal that does not open may be of an old key, and deserves a second try."""
        outbox, now_ms = self._outgoing.outbox, self._now_ms()
        if verdict == wire.BAD_SEAL:
            again, ids = self._outgoing.envelopes.seal_again(self._route.peer, ids)
            outbox.give_back(self._route, again)
        why = _WHY.get(verdict, f"for a reason that this version does not know ({verdict})")
        return outbox.refused(self._route, ids, f"The other side refuses it: {why}.", now_ms)


def frames_of(parcels: Sequence[Parcel]) -> Iterator[list[Parcel]]:
    """Cut into frames: at most `MAX_BATCH` envelopes and `BATCH_BYTES`, a larger envelope alone."""
    batch: list[Parcel] = []
    size = 0
    for parcel in parcels:
        length = len(parcel.envelope.ciphertext) + 128  # the other fields, generously
        if batch and (len(batch) >= MAX_BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(parcel)
        size += length
    if batch:
        yield batch


def _verdicts(body: bytes, expected: int) -> Sequence[wire.Verdict]:
    try:
        verdicts = wire.DeliverAnswer.FromString(body).verdicts
    except Exception as error:
        raise StreamError("not a DeliverAnswer") from error
    if len(verdicts) != expected:
        raise StreamError(f"{len(verdicts)} verdicts on {expected} envelopes")
    return verdicts
