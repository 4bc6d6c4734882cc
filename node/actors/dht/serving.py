"""Answers the requests of other peers, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import trio
from google.protobuf.message import DecodeError

from p2pchat.node.errors import StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.kad.limits import REQUEST_LIMIT
from p2pchat.node.protocol.kad.server import KadServer, RefusedError
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.proto import kad_pb2 as kad

MAX_STREAMS = 32  # served at a time; one more is reset
MAX_STREAMS_OF_PEER = 4
IDLE = 10.0  # seconds for a request to arrive as a whole, or a reply to be taken; then the stream is reset
RATE = 10.0  # requests a second from one peer ...
BURST = 100  # ... and at once: one look-up for each of many rooms
# Requests a second from all together. A common one costs as much as reading six addresses, the worst one that can be
# made seven times of that: at this rate 5 % of a slow core, and 35 % if all are of the worst kind.
TOTAL_RATE = 100.0
TOTAL_BURST = 300
MAX_ALLOWANCES = (
    1000  # peers whose requests are counted; of more the one that asked least recently is forgotten
)


class Serving:
    """Whether a peer is served is asked `is_server` with every request: streams outlive the mode."""

    def __init__(
        self,
        server: KadServer,
        *,
        is_server: Callable[[], bool],
        counters: Counter[str],
        now_ms: Callable[[], int],
    ) -> None:
        self._server = server
        self._is_server = is_server
        self._counters = counters
        self._now_ms = now_ms
        self._streams: Counter[str] = Counter()
        self._allowances: dict[str, TokenBucket] = {}
        self._total = TokenBucket(TOTAL_RATE, TOTAL_BURST, trio.current_time())

    async def serve(self, stream: Stream) -> None:
        """Handler of the protocol."""
        peer = stream.peer
        if self._streams.total() >= MAX_STREAMS or self._streams[peer] >= MAX_STREAMS_OF_PEER:
            self._counters["streams_refused"] += 1
            await stream.reset()
            return
        self._streams[peer] += 1
        try:
            await self._converse(stream)
        finally:
            self._streams[peer] -= 1
            if not self._streams[peer]:
                del self._streams[peer]

    async def _converse(self, stream: Stream) -> None:
        try:
            while await self._answer_one(stream):
                pass
        except (DecodeError, RefusedError):
            self._counters["requests_refused"] += 1
            await stream.reset()
        except StreamError:
            await stream.close()  # over

    async def _answer_one(self, stream: Stream) -> bool:
        """Whether another request may follow."""
        with trio.move_on_after(IDLE) as idle:
            body = await stream.read_frame(REQUEST_LIMIT)
        if idle.cancelled_caught or not self._may_ask(stream.peer):
            await stream.reset()
            return False
        reply = self._reply(stream.peer, body)
        if reply is None:
            return True
        with trio.move_on_after(IDLE) as idle:
            await stream.write(frame(reply.SerializeToString()))
        if idle.cancelled_caught:
            await stream.reset()
        return not idle.cancelled_caught

    def _reply(self, peer: str, body: bytes) -> kad.Message | None:
        request = kad.Message.FromString(body)
        now = trio.current_time()
        reply = self._server.answer(peer_id.from_text(peer), request, now, self._now_ms())
        self._counters["answered"] += 1
        return reply

    def _may_ask(self, peer: str) -> bool:
        if not self._is_server():
            return False
        now = trio.current_time()
        if not (self._allowance(peer, now).allows(now) and self._total.allows(now)):
            self._counters["requests_over_rate"] += 1
            return False
        return True

    def _allowance(self, peer: str, now: float) -> TokenBucket:
        allowance = self._allowances.pop(peer, None) or TokenBucket(RATE, BURST, now)
        self._allowances[peer] = allowance
        if len(self._allowances) > MAX_ALLOWANCES:
            del self._allowances[next(iter(self._allowances))]
        return allowance
