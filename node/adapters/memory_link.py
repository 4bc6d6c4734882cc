"""One connection of the memory network: two ends, joined by a wire each way, with streams on top.

What is sent over a wire arrives in order, after the hub's latency; a wire belongs to whoever receives from it
and stops with that node's run. All of it happens on trio's clock, so that virtual time works.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

import trio

from p2pchat.node.adapters.memory_hub import Weather
from p2pchat.node.errors import StreamError
from p2pchat.node.ports import ConnectionInfo, Identified
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.framing import FrameDecoder, FrameError

if TYPE_CHECKING:
    from p2pchat.node.adapters.memory_gossip import Rumour
    from p2pchat.node.adapters.memory_relay import Circuit

STREAM_WINDOW = (
    256 * 1024
)  # bytes sent and not read yet, as in Yamux; a full window makes write() wait


class Wire:
    """One direction of a connection. Holds no more than what windows and queue bounds let through."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self._under_way: deque[tuple[float, Callable[[], None]]] = deque()
        self._last_arrival = 0.0
        self._arrivals = trio.lowlevel.ParkingLot()

    def send(self, deliver: Callable[[], None]) -> None:
        """Run `deliver` at the other side, after everything that was sent before."""
        self._last_arrival = max(self._last_arrival, trio.current_time() + self.weather.latency())
        self._under_way.append((self._last_arrival, deliver))
        self._arrivals.unpark_all()

    async def pump(self, scope: trio.CancelScope) -> None:
        """Deliver until `scope` is cancelled; runs in the receiver's nursery."""
        with scope:
            while True:
                while not self._under_way:
                    await self._arrivals.park()
                arrival, deliver = self._under_way[0]
                if arrival > trio.current_time():
                    await trio.sleep_until(arrival)
                self._under_way.popleft()
                deliver()


class Host(Protocol):
    """The node at an end, as the other side reaches it."""

    def accept(self, stream: MemoryStream, end: End, protocol: str) -> bool: ...

    def hear(self, rumour: Rumour, sender: End) -> None: ...

    def learn(self, end: End, said: Identified) -> None: ...

    def lose(self, end: End) -> None: ...


class End:
    """What one node holds of a connection. `other` is set right after both ends are made."""

    other: End

    def __init__(
        self,
        host: Host,
        info: ConnectionInfo,
        incoming: Wire,
        counters: Counter[str],
        circuit: Circuit | None = None,
    ) -> None:
        self.host = host
        self.info = info
        self.incoming = incoming
        self.counters = counters
        self.circuit = circuit
        self.alive = True
        self.topics: dict[str, None] = {}  # what the other side is subscribed to
        self.streams: dict[MemoryStream, None] = {}
        self.served = 0  # inbound streams whose handler runs
        self.gossip_under_way = 0  # messages sent and not delivered yet
        self.gossip_space = trio.lowlevel.ParkingLot()
        self.scope = trio.CancelScope()  # of the task that pumps `incoming`
        self._waiting: dict[trio.Event, None] = {}  # round trips under way

    @property
    def peer(self) -> str:
        return self.info.peer

    def send(self, deliver: Callable[[], None]) -> None:
        if self.alive:
            self.other.incoming.send(deliver)

    def carry(self, size: int) -> None:
        """Bytes of a stream or of gossip; only a relay counts them."""
        if self.circuit is not None:
            self.circuit.carry(size)

    def hang_up(self) -> None:
        """Close this side now; the other side notices after the latency."""
        self.send(partial(self.other.host.lose, self.other))
        self.host.lose(self)

    def close(self) -> bool:
        """False when it was closed already. Streams of this side fail at once."""
        if not self.alive:
            return False
        self.alive = False
        if self.circuit is not None:
            self.circuit.release()
        self.scope.cancel()
        for answered in self._waiting:
            answered.set()
        self.gossip_space.unpark_all()
        for stream in list(self.streams):
            stream.fail("the connection was lost")
        return True

    async def round_trip(self, request: Callable[[Callable[[], None]], None]) -> None:
        """Call `request` at the other side, with what sends the answer back; wait for that answer.

        Raises `StreamError` when the connection ends first.
        """
        answered = trio.Event()
        self._waiting[answered] = None
        try:
            if self.alive:
                self.send(partial(request, partial(self.other.send, answered.set)))
                await answered.wait()
        finally:
            del self._waiting[answered]
        if not self.alive:
            raise StreamError(f"the connection to {peer_id.short(self.peer)} was lost")


class MemoryStream:
    """One side of a stream, with Yamux's flow control: at most `STREAM_WINDOW` bytes wait to be read."""

    other: MemoryStream

    def __init__(self, end: End) -> None:
        self._end = end
        self._decoder = FrameDecoder(0)
        self._unread: deque[bytes] = deque()
        self._arrivals = trio.lowlevel.ParkingLot()
        self._credit = STREAM_WINDOW  # bytes that may still be sent
        self._credits = trio.lowlevel.ParkingLot()
        self._writing = trio.Lock()
        self._failure = ""  # why nothing works any more; empty while it does
        self._ended = False  # the other side writes no more
        self._finished = False  # this side writes no more
        self._ignoring = False  # this side reads no more
        end.streams[self] = None

    @classmethod
    def to(cls, end: End) -> MemoryStream:
        """A new stream, of which the other side does not know yet."""
        near, far = cls(end), cls(end.other)
        near.other, far.other = far, near
        return near

    @property
    def peer(self) -> str:
        return self._end.peer

    async def open(self, protocol: str) -> None:
        """Ask the other side to serve this stream. Raises `StreamError`."""
        accepted = False

        def request(answer: Callable[[], None]) -> None:
            nonlocal accepted
            accepted = self.other._end.host.accept(self.other, self.other._end, protocol)
            answer()

        try:
            await self._end.round_trip(request)
            if not accepted:
                raise StreamError(f"{peer_id.short(self.peer)} does not serve {protocol}")
        except BaseException:
            self._reset()
            raise

    async def read_frame(self, limit: int) -> bytes:
        await trio.lowlevel.checkpoint()
        self._decoder.limit = limit
        while True:
            self._check()
            try:
                body = self._decoder.next_frame()
            except FrameError as error:
                self._end.counters["frames_refused"] += 1
                self._reset()
                raise StreamError(f"bad frame: {error}") from error
            if body is not None:
                return body
            await self._read_more()

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        async with self._writing:
            rest = memoryview(data)
            while rest:
                while not self._credit and not self._failure and not self._finished:
                    await self._credits.park()
                self._check()
                if self._finished:
                    raise StreamError("the stream is closed")
                size = min(self._credit, len(rest))
                self._credit -= size
                self._end.carry(size)
                self._check()
                self._end.send(partial(self.other._receive, bytes(rest[:size])))
                rest = rest[size:]

    async def close(self) -> None:
        """Write no more; what was written arrives. Reading goes on until the other side closes as well."""
        await trio.lowlevel.checkpoint()
        if not self._finished and not self._failure:
            self._finished = True
            self._credits.unpark_all()
            self._end.send(self.other._receive_end)
            self._forget_when_over()

    async def reset(self) -> None:
        self._reset()
        await trio.lowlevel.checkpoint()

    def _reset(self) -> None:
        if not self._failure:
            self.fail("the stream was reset")
            self._end.send(partial(self.other.fail, "the stream was reset by the other side"))

    async def leave(self) -> None:
        """Close both directions: what still comes in is thrown away."""
        self._ignoring = True
        while self._unread:
            self._grant(self._unread.popleft())
        await self.close()

    def fail(self, reason: str) -> None:
        self._failure = self._failure or reason
        self._unread.clear()
        self._arrivals.unpark_all()
        self._credits.unpark_all()
        self._end.streams.pop(self, None)

    async def _read_more(self) -> None:
        while not self._unread and not self._failure:
            if self._ended:
                raise StreamError("the stream ended")
            await self._arrivals.park()
        if self._unread:
            chunk = self._unread.popleft()
            self._decoder.push(chunk)
            self._grant(chunk)

    def _check(self) -> None:
        if self._failure:
            raise StreamError(self._failure)

    def _grant(self, chunk: bytes) -> None:
        self._end.send(partial(self.other._receive_credit, len(chunk)))

    def _receive(self, chunk: bytes) -> None:
        if self._ignoring or self._failure:
            self._grant(chunk)
            return
        self._unread.append(chunk)
        self._arrivals.unpark_all()

    def _receive_credit(self, size: int) -> None:
        self._credit += size
        self._credits.unpark_all()

    def _receive_end(self) -> None:
        self._ended = True
        self._arrivals.unpark_all()
        self._forget_when_over()

    def _forget_when_over(self) -> None:
        if self._ended and self._finished:
            self._end.streams.pop(self, None)
