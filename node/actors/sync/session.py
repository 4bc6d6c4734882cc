"""The side that asks: one comparison of one room with one peer, and the messages that either side lacks."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import trio

from p2pchat.node.actors.sync.frames import (
    FRAME_LIMIT,
    PAGE_BYTES,
    PAGE_MESSAGES,
    RESET_TIMEOUT,
    SYNC_PROTOCOL,
    cut_items,
    flaws,
    framed,
    items_in,
    pages,
)
from p2pchat.node.errors import RequestRejectedError, StreamError
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import items as item_rules
from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol.sync_schedule import Result
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import sync_pb2 as sync
from p2pchat.proto import wire_pb2 as wire

log = logging.getLogger(__name__)

REPLY_TIMEOUT = 30.0  # seconds until a peer that does not answer is taken for stuck
MAX_COMPARISONS = (
    4_096  # requests to compare in one session; 24 rounds need no more for 10,000 differences
)
HEAD_START = 60.0  # seconds that a session may take in any case ...
SLOWEST = 20.0  # messages/s that have to come for it to take longer
MAX_GIVEN = 512  # messages; whoever lacks more fetches them itself, the newest first, and can show how it goes
MAX_FETCHED = 1_000_000  # messages in one session; the next one goes on


class LiarError(Exception):
    """The peer has said what cannot be; the text says what."""


class DeclinedError(Exception):
    """The peer does not want to, for now, in this room. `pause` is in seconds."""

    def __init__(self, reason: str, pause: float) -> None:
        super().__init__(reason)
        self.pause = pause


Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Findings:
    """What the comparison has found so far."""

    need: list[sync.Items] = field(default_factory=list)
    have: list[sync.Items] = field(default_factory=list)
    need_all: list[actors.CountedInterval] = field(default_factory=list)
    have_all: list[actors.CountedInterval] = field(default_factory=list)
    differing: int = 0

    def add(self, found: actors.RangesCompared) -> None:
        self.differing += found.differing
        self.need_all.extend(found.need_all)
        self.have_all.extend(found.have_all)
        if items_in(found.need):
            self.need.append(found.need)
        if items_in(found.have):
            self.have.append(found.have)

    @property
    def expected(self) -> int:
        """Messages that the other side says it has and we have not."""
        return sum(map(items_in, self.need)) + sum(each.count for each in self.need_all)

    @property
    def owed(self) -> int:
        """Messages that the other side does not have."""
        return sum(map(items_in, self.have)) + sum(each.count for each in self.have_all)


class SyncSession:
    """One stream, from opening to end."""

    def __init__(
        self,
        network: Network,
        room: str,
        peer: str,
        *,
        storage: ActorRef,
        pubsub: ActorRef,
        counters: Counter[str],
        now_ms: Callable[[], int],
        progress: Progress,
    ) -> None:
        """`progress(fetched, expected)` is called with every portion that came."""
        self._network = network
        self._room = room
        self._peer = peer
        self._storage = storage
        self._pubsub = pubsub
        self._counters = counters
        self._now_ms = now_ms
        self._progress = progress
        self._expected = 0
        self._horizon = rules.horizon(now_ms())
        self._began = trio.current_time()
        self._fresh = 0
        self._taken = 0  # messages that came, fresh or not
        self._given = 0
        self._stream: Stream

    async def run(self) -> Result:
        """Raises `LiarError`, `DeclinedError`, `StreamError`, and what the own store or pubsub raise."""
        self._stream = await self._network.open_stream(self._peer, SYNC_PROTOCOL)
        try:
            own = await self._begin()
            found = await self._compare(own)
            self._expected = found.expected
            await self._fetch(found)
            await self._give(found)
            await self._stream.close()
            fruitless = await self._is_fruitless(found, own)
        except BaseException:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + RESET_TIMEOUT):
                await self._stream.reset()
            raise
        return Result(self._fresh, self._given, fruitless)

    async def _is_fruitless(self, found: _Findings, own: actors.RangesCompared) -> bool:
        """The sets differ, and nothing that does came of it, although ours has stayed as it was meanwhile."""
        if not found.differing or self._taken or found.owed:
            return False
        return await self._begin() == own

    # ---- requests -----------------------------------------------------------------------------------

    async def _send(self, **request: object) -> None:
        data = framed(sync.SyncRequest(room=self._room, **request))  # type: ignore[arg-type]
        self._counters["sync_bytes_out"] += len(data)
        with trio.move_on_after(REPLY_TIMEOUT) as patience:
            await self._stream.write(data)
        if patience.cancelled_caught:
            raise StreamError("the peer does not read")

    async def _reply(self, kind: str) -> sync.SyncReply:
        with trio.move_on_after(REPLY_TIMEOUT) as patience:
            body = await self._stream.read_frame(FRAME_LIMIT)
        if patience.cancelled_caught:
            raise StreamError(f"no answer within {REPLY_TIMEOUT:g} s")
        self._counters["sync_bytes_in"] += len(body)
        try:
            reply = sync.SyncReply.FromString(body)
        except Exception:  # protobuf's DecodeError; upb also raises UnicodeDecodeError
            raise LiarError("not a SyncReply") from None
        if reply.WhichOneof("reply") == "declined":
            raise _declined(reply.declined)
        if reply.WhichOneof("reply") != kind:
            raise LiarError("another kind of reply than asked for")
        return reply

    # ---- comparing ----------------------------------------------------------------------------------

    async def _begin(self) -> actors.RangesCompared:
        """The first question: with the fingerprint of all that is here."""
        begin = actors.CompareRanges(room=self._room, horizon=self._horizon)
        return await self._storage.ask(begin, actors.RangesCompared)

    async def _compare(self, own: actors.RangesCompared) -> _Findings:
        found = _Findings()
        ask = deque(own.ask)
        for _ in range(MAX_COMPARISONS):
            if not ask:
                return found
            asked = ask.popleft()
            await self._send(compare=asked)
            reply = (await self._reply("compared")).compared
            self._counters["sync_rounds"] += 1
            self._mind_pace()
            question = actors.CompareRanges(
                room=self._room, asked=asked, reply=reply, horizon=self._horizon
            )
            try:
                compared = await self._storage.ask(question, actors.RangesCompared)
            except RequestRejectedError as error:
                if error.reason == actors.INVALID:
                    raise LiarError(str(error)) from error
                raise
            found.add(compared)
            ask.extend(compared.ask)
        raise LiarError("endless ranges")

    # ---- fetching -----------------------------------------------------------------------------------

    async def _fetch(self, found: _Findings) -> None:
        """The newest ranges first: what was said last is wanted first."""
        for counted in sorted(
            found.need_all, key=lambda each: each.interval.upper.lamport, reverse=True
        ):
            async with aclosing(self._range_pages(counted.interval)) as found_pages:
                async for messages in found_pages:
                    await self._take_in(messages)
        for packed in reversed(found.need):
            for portion in reversed(list(cut_items(packed))):
                await self._fetch_items(portion)

    async def _fetch_items(self, wanted: list[bytes]) -> None:
        """Some may have been deleted meanwhile; those that come are the wanted ones."""
        while wanted:
            await self._send(fetch_items=item_rules.pack_items(wanted))
            reply = (await self._reply("messages")).messages
            messages = await self._checked(reply.messages)
            came = [item_rules.item_of(message) for message in messages]
            if came != sorted(set(came)) or not set(came) <= set(wanted):
                raise LiarError("messages that were not asked for")
            if not came:
                return  # deleted meanwhile; whoever made them up is fruitless
            await self._take_in(messages)
            wanted = [item for item in wanted if item > came[-1]] if reply.more else []

    async def _range_pages(
        self, interval: sync.Interval
    ) -> AsyncGenerator[Sequence[wire.RoomMessage], None]:
        """The newest page first; the next one is asked for while this one is worked on."""
        lower = item_rules.unpack_bound(interval.lower)
        upper = item_rules.unpack_bound(interval.upper)
        await self._send(fetch_range=interval)
        more = True
        while more:
            page = (await self._reply("messages")).messages
            _check_length(page.messages)
            came = [item_rules.item_of(message) for message in page.messages]
            descending = all(later < earlier for earlier, later in zip([upper, *came], came))  # noqa: B905
            if not descending or (came and came[-1] < lower):
                raise LiarError("messages that were not asked for")
            if not came:
                return  # deleted meanwhile; whoever made them up is found fruitless the next time
            upper = came[-1]
            more = page.more and self._taken < MAX_FETCHED
            if more:
                rest = sync.Interval(lower=interval.lower, upper=item_rules.pack_bound(upper))
                await self._send(fetch_range=rest)
            yield list(reversed(await self._checked(page.messages)))

    async def _checked(self, messages: Sequence[wire.RoomMessage]) -> Sequence[wire.RoomMessage]:
        _check_length(messages)
        found = await flaws(messages, self._room, self._now_ms())
        if bad := next((flaw for flaw in found if flaw is not None), None):
            raise LiarError(f"a forged message: {bad.value}")
        return messages

    async def _take_in(self, messages: Sequence[wire.RoomMessage]) -> None:
        message = actors.TakeIn(room=self._room, messages=messages)
        taken = await self._pubsub.request(message, actors.TakenIn)
        self._taken += len(messages)
        self._fresh += taken.fresh
        self._counters["sync_messages_in"] += taken.fresh
        self._progress(self._fresh, max(self._expected, self._taken))
        self._mind_pace()

    def _mind_pace(self) -> None:
        """Others wait for the end of this session, and may have somebody faster to ask."""
        spent = trio.current_time() - self._began
        if spent > HEAD_START + self._taken / SLOWEST:
            raise StreamError("the peer is too slow")

    # ---- giving -------------------------------------------------------------------------------------

    async def _give(self, found: _Findings) -> None:
        if found.owed > MAX_GIVEN:
            return
        try:
            await self._give_all(found)
        except DeclinedError as error:  # its disk is full: what we came for is here all the same
            log.debug("sync: %s does not take anything: %s", self._peer, error)

    async def _give_all(self, found: _Findings) -> None:
        for packed in found.have:
            for portion in cut_items(packed):
                question = actors.ReadItems(room=self._room, items=item_rules.pack_items(portion))
                await self._push((await self._storage.ask(question, actors.RoomPage)).records)
        for counted in found.have_all:
            await self._give_range(counted.interval)

    async def _give_range(self, interval: sync.Interval) -> None:
        rest = sync.Interval()
        rest.CopyFrom(interval)
        while True:
            question = actors.ReadRange(
                room=self._room, interval=rest, limit=PAGE_MESSAGES, max_bytes=PAGE_BYTES
            )
            page = await self._storage.ask(question, actors.RoomPage)
            if page.records:
                await self._push(page.records)
                oldest = item_rules.item_of(page.records[-1].message)
                rest.upper.CopyFrom(item_rules.pack_bound(oldest))
            if not page.records or not page.more:
                return

    async def _push(self, found: Sequence[actors.RoomPage | object]) -> None:
        for messages in pages(found):  # type: ignore[arg-type]
            await self._send(push=sync.Push(messages=messages))
            pushed = (await self._reply("pushed")).pushed
            if pushed.fresh > len(messages):
                raise LiarError("took more than it was given")
            self._given += pushed.fresh
            self._counters["sync_messages_out"] += len(messages)


def _check_length(messages: Sequence[wire.RoomMessage]) -> None:
    if len(messages) > PAGE_MESSAGES:
        raise LiarError("more messages than a page may have")


def _declined(declined: sync.Declined) -> DeclinedError:
    known = declined.reason in sync.Declined.Reason.values()
    reason = sync.Declined.Reason.Name(declined.reason).lower() if known else "unknown"
    return DeclinedError(reason, declined.retry_after_ms / 1000)
