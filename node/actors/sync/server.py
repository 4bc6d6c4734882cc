"""The side that is asked: serves what is stored of open rooms, to anybody, within limits."""

from __future__ import annotations

import logging
import struct
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

import trio

from p2pchat.node.actors.sync.frames import (
    FETCH_ITEMS,
    FRAME_LIMIT,
    PAGE_BYTES,
    PAGE_MESSAGES,
    flaws,
    framed,
    items_in,
    pages,
)
from p2pchat.node.config import SyncLimits
from p2pchat.node.errors import ActorError, RequestRejectedError, StreamError
from p2pchat.node.ports import Stream
from p2pchat.node.protocol import items as item_rules
from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import sync_pb2 as sync
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

INFINITY = float("inf")
IDLE = 10.0  # seconds without a request until a stream is ended
IDLE_ENOUGH = 2.0  # seconds without a request until a stream makes room for another one when there are too many
RANGES_PER_REQUEST = 4  # ranges to compare that count as much as a request
MESSAGES_PER_REQUEST = (
    8  # messages given to us that count as much as a request: each has a signature
)
WRITE_TIMEOUT = 60.0  # seconds in which a peer must read a reply
BUSY_PAUSE_MS = 10_000  # milliseconds for somebody to wait who is one too many
DISK_PAUSE_MS = 60_000  # milliseconds for somebody to wait when the disk is full
FIRST_ITEMS = 16  # messages that are read at least, when some are asked for one by one
ALLOWANCES = 1_000  # peers whose rates are remembered


class BadRequestError(Exception):
    """Nobody honest would ask this; the text names the counter."""


@dataclass(slots=True)
class _Allowance:
    requests: TokenBucket
    bytes: TokenBucket


class SyncServer:
    """Serves any number of streams.

    `compared(room, peer, lacking)` hears that somebody compares a room with us, and how many messages more it has.
    """

    def __init__(
        self,
        limits: SyncLimits,
        rooms: Collection[str],
        *,
        storage: ActorRef,
        pubsub: ActorRef,
        counters: Counter[str],
        now_ms: Callable[[], int],
        compared: Callable[[str, str, int], None],
        lied: Callable[[str], None],
        is_liar: Callable[[str], bool],
    ) -> None:
        """`rooms` are those that are open; `lied` hears of peers that push forged messages; `is_liar` says who is
        not served for a time."""
        self._is_liar = is_liar
        self._served: dict[
            trio.CancelScope, float
        ] = {}  # streams, and since when each of them waits
        # Others' questions stand in a row of their own: what is said here never waits for more than one of them.
        self._asking = trio.Semaphore(1)
        self._limits = limits
        self._rooms = rooms
        self._storage = storage
        self._pubsub = pubsub
        self._counters = counters
        self._now_ms = now_ms
        self._compared = compared
        self._lied = lied
        self._streams: Counter[str] = Counter()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    async def serve(self, stream: Stream) -> None:
        """Until the other side is done. A stream that breaks the rules is reset by the exception."""
        peer = stream.peer
        if self._is_liar(peer) or (self._is_full(peer) and not self._make_room(peer)):
            self._counters["sync_streams_refused"] += 1
            await self._reply(stream, _declined(sync.Declined.BUSY, BUSY_PAUSE_MS))
            await stream.close()
            return
        self._streams[peer] += 1
        scope = trio.CancelScope()
        try:
            with scope:
                await self._serve_requests(stream, scope)
        except BadRequestError as error:
            self._counters[f"sync_{error}"] += 1
            raise StreamError(f"sync: {error}") from None
        finally:
            self._served.pop(scope, None)
            self._streams[peer] -= 1
            self._streams += Counter()  # drops zeros

    def _make_room(self, peer: str) -> bool:
        """End the stream that has waited for its next request the longest; an honest one asks at once, or is done."""
        if self._streams[peer] >= self._limits.max_streams_per_peer:
            return False
        now = trio.current_time()
        idlest = min(self._served, key=self._served.__getitem__, default=None)
        if idlest is None or self._served[idlest] > now - IDLE_ENOUGH:
            return False
        self._served.pop(idlest)
        self._counters["sync_streams_evicted"] += 1
        idlest.cancel()
        return True

    def _is_full(self, peer: str) -> bool:
        limits = self._limits
        return (
            self._streams.total() >= limits.max_streams
            or self._streams[peer] >= limits.max_streams_per_peer
        )

    async def _serve_requests(self, stream: Stream, scope: trio.CancelScope) -> None:
        while True:
            self._served[scope] = trio.current_time()
            try:
                with trio.move_on_after(IDLE) as patience:
                    body = await stream.read_frame(FRAME_LIMIT)
            except StreamError:
                return  # the other side is done, or gone
            if patience.cancelled_caught:
                return
            self._served[scope] = INFINITY
            request = _parse(body)
            await self._admit(stream.peer, request, len(body))
            reply = await self._answer(stream.peer, request)
            await self._reply(stream, reply)
            if reply.declined.reason == sync.Declined.NOT_A_MEMBER:
                return

    async def _reply(self, stream: Stream, reply: sync.SyncReply) -> None:
        data = framed(reply)
        self._counters["sync_bytes_out"] += len(data)
        wait = self._allowance(stream.peer).bytes.spend(len(data), trio.current_time())
        await self._pause(wait)
        with trio.move_on_after(WRITE_TIMEOUT) as patience:
            await stream.write(data)
        if patience.cancelled_caught:
            raise StreamError("nobody reads the reply")

    # ---- rates --------------------------------------------------------------------------------------

    async def _admit(self, peer: str, request: sync.SyncRequest, size: int) -> None:
        self._counters["sync_bytes_in"] += size
        allowance, now = self._allowance(peer), trio.current_time()
        work = 1 + len(request.compare.ranges) / RANGES_PER_REQUEST
        work += len(request.push.messages) / MESSAGES_PER_REQUEST
        requests, transfer = allowance.requests, allowance.bytes
        await self._pause(max(requests.spend(work, now), transfer.spend(size, now)))

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._counters["sync_waits"] += 1
            await trio.sleep(seconds)

    def _allowance(self, peer: str) -> _Allowance:
        if peer not in self._allowances:
            limits, now = self._limits, trio.current_time()
            self._allowances[peer] = _Allowance(
                TokenBucket(limits.request_rate, limits.request_burst, now),
                TokenBucket(limits.byte_rate, limits.byte_burst, now),
            )
            if len(self._allowances) > ALLOWANCES:
                self._allowances.popitem(last=False)
        self._allowances.move_to_end(peer)
        return self._allowances[peer]

    # ---- requests -----------------------------------------------------------------------------------

    async def _answer(self, peer: str, request: sync.SyncRequest) -> sync.SyncReply:
        if request.room not in self._rooms:
            return _declined(sync.Declined.NOT_A_MEMBER, 0)
        try:
            match request.WhichOneof("request"):
                case "compare":
                    return await self._compare(peer, request)
                case "fetch_items":
                    return await self._fetch_items(request)
                case "fetch_range":
                    return await self._fetch_range(request)
                case "push":
                    return await self._push(peer, request)
        except RequestRejectedError as error:
            if error.reason == actors.INVALID:
                raise BadRequestError("malformed") from error
            if error.reason == actors.NOT_JOINED:
                return _declined(sync.Declined.NOT_A_MEMBER, 0)
            return _declined(sync.Declined.NO_SPACE, DISK_PAUSE_MS)
        except ActorError:  # a part of this node restarts
            return _declined(sync.Declined.BUSY, BUSY_PAUSE_MS)
        raise BadRequestError("malformed")

    async def _compare(self, peer: str, request: sync.SyncRequest) -> sync.SyncReply:
        question = actors.AnswerRanges(room=request.room, ranges=request.compare)
        async with self._asking:
            ranges = await self._storage.ask(question, sync.Ranges)
        if len(request.compare.ranges) == 1:  # the beginning of a comparison
            self._compared(request.room, peer, _lacking(request.compare, ranges))
        return sync.SyncReply(compared=ranges)

    async def _fetch_items(self, request: sync.SyncRequest) -> sync.SyncReply:
        if not 1 <= items_in(request.fetch_items) <= FETCH_ITEMS:
            raise BadRequestError("malformed")
        wanted = _items(request.fetch_items)
        found: list[records.RoomRecord] = []
        while wanted and _size(found) < PAGE_BYTES:
            # As many as fit, going by those before: the largest messages are 1,000 times as long as others.
            fit = len(found) * (PAGE_BYTES - _size(found)) // _size(found) if found else 0
            portion = wanted[: max(fit, FIRST_ITEMS)]
            question = actors.ReadItems(room=request.room, items=item_rules.pack_items(portion))
            async with self._asking:
                found += (await self._storage.ask(question, actors.RoomPage)).records
            wanted = wanted[len(portion) :]
        cut = list(pages(found))
        return self._messages(cut[0] if cut else [], more=len(cut) > 1 or bool(wanted))

    async def _fetch_range(self, request: sync.SyncRequest) -> sync.SyncReply:
        if not _is_interval(request.fetch_range):
            raise BadRequestError("malformed")
        question = actors.ReadRange(
            room=request.room,
            interval=request.fetch_range,
            limit=PAGE_MESSAGES,
            max_bytes=PAGE_BYTES,
        )
        async with self._asking:
            page = await self._storage.ask(question, actors.RoomPage)
        return self._messages([record.message for record in page.records], more=page.more)

    def _messages(self, messages: Sequence[wire.RoomMessage], *, more: bool) -> sync.SyncReply:
        self._counters["sync_messages_out"] += len(messages)
        return sync.SyncReply(messages=sync.Messages(messages=messages, more=more))

    async def _push(self, peer: str, request: sync.SyncRequest) -> sync.SyncReply:
        messages = request.push.messages
        if not 1 <= len(messages) <= PAGE_MESSAGES:
            raise BadRequestError("malformed")
        found = await flaws(messages, request.room, self._now_ms())
        if any(flaw not in (None, rules.Flaw.TOO_FAR_AHEAD) for flaw in found):
            self._lied(peer)
            raise BadRequestError("forged")
        good = [each for each, flaw in zip(messages, found, strict=True) if flaw is None]
        if not good:
            return sync.SyncReply(pushed=sync.Pushed(fresh=0))
        taken = await self._take_in(actors.TakeIn(room=request.room, messages=good))
        self._counters["sync_messages_in"] += taken.fresh
        return sync.SyncReply(pushed=sync.Pushed(fresh=taken.fresh))

    def _take_in(self, message: actors.TakeIn) -> Awaitable[actors.TakenIn]:
        return self._pubsub.ask(message, actors.TakenIn)


def _items(packed: sync.Items) -> list[bytes]:
    try:
        return item_rules.unpack_items(packed)
    except ValueError:
        raise BadRequestError("malformed") from None


def _size(found: Sequence[records.RoomRecord]) -> int:
    return sum(record.message.ByteSize() for record in found)


def _is_interval(interval: sync.Interval) -> bool:
    try:
        return item_rules.unpack_bound(interval.lower) < item_rules.unpack_bound(interval.upper)
    except (ValueError, struct.error):
        return False


def _lacking(asked: sync.Ranges, ours: sync.Ranges) -> int:
    """How many messages more the other side says it has; 0 where we say nothing, for then nothing differs."""
    differs = any(each.WhichOneof("content") for each in ours.ranges)
    return _count(asked) - _count(ours) if differs else 0


def _count(ranges: sync.Ranges) -> int:
    """Messages in these ranges, as far as they are told of: 0 for equal ones."""
    return sum(each.fingerprint.count + items_in(each.items) for each in ranges.ranges)


def _parse(body: bytes) -> sync.SyncRequest:
    try:
        return sync.SyncRequest.FromString(body)
    except Exception:  # protobuf's DecodeError; upb also raises UnicodeDecodeError
        raise BadRequestError("malformed") from None


def _declined(reason: sync.Declined.Reason, retry_after_ms: int) -> sync.SyncReply:
    return sync.SyncReply(declined=sync.Declined(reason=reason, retry_after_ms=retry_after_ms))
