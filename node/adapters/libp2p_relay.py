"""The relay service: takes reservations, and joins two streams to a circuit for peers that cannot reach each other.

Of py-libp2p's own service nothing could be kept but the messages. It lets anybody reserve in another peer's
name, has no limit on circuits in all, keeps reservations of peers that have left, looks at the time limit only when
bytes arrive, writes a status message into the middle of a circuit that it ends, mixes up the circuits of one peer
(one table entry for each), and leaves the half of a circuit whose other half has ended.

Vouchers are left out, as the specification allows: no client needs one.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import (
    HopMessage,
    Limit,
    PeerId,
    Reservation,
    Status,
    StopMessage,
)
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit as wire
from p2pchat.node.config import RelayLimits
from p2pchat.node.ports import RelayStatus

log = logging.getLogger(__name__)

CHUNK = (
    64 * 1024
)  # bytes read at once; more waits in the stream's window, which libp2p_fixes bounds
LINGER = 5.0  # seconds for the second direction to end after the first


class RelayService:
    """`serve` the HOP protocol with it, within the limits it was `set_limits`.

    `let_off` takes a stream out of its peer's share of streams.
    """

    def __init__(
        self,
        swarm: Swarm,
        counters: Counter[str],
        addresses: Callable[[], Sequence[str]],
        let_off: Callable[[INetStream], None],
    ) -> None:
        self._swarm = swarm
        self._limits = RelayLimits()
        self._counters = counters
        self._addresses = addresses
        self._let_off = let_off
        self._reservations: dict[ID, float] = {}  # peer -> end, on trio's clock
        self._circuits: Counter[ID] = Counter()  # those that end at a peer, at either end
        self._total = 0

    def set_limits(self, limits: RelayLimits | None) -> None:
        """For what is asked from now on; none: nobody can reserve or call, reservations end, circuits go on."""
        if limits is None:
            self._reservations.clear()
        else:
            self._limits = limits

    def status(self) -> RelayStatus:
        self._forget_the_gone()
        return RelayStatus(reservations=len(self._reservations), circuits=self._total)

    async def serve(self, stream: INetStream) -> None:
        try:
            request = await wire.read_message(stream, HopMessage)
        except wire.CircuitError as error:
            log.debug("refused a relay request of %s: %s", stream.muxed_conn.peer_id, error)
            await self._turn_down(stream, Status.MALFORMED_MESSAGE)
            return
        if wire.is_relayed(wire.connection_of(stream)):
            await self._turn_down(stream, Status.PERMISSION_DENIED)
        elif request.type == HopMessage.RESERVE:
            await self._answer(stream, self._reserve(stream))
        elif request.type == HopMessage.CONNECT:
            await self._connect(stream, request.peer.id)
        else:
            await self._turn_down(stream, Status.UNEXPECTED_MESSAGE)

    # ---- reservations -------------------------------------------------------------------------------

    def _reserve(self, stream: INetStream) -> HopMessage:
        """For the peer that asks; whom else it names does not matter."""
        self._forget_the_gone()
        peer = stream.muxed_conn.peer_id
        if peer not in self._reservations:
            if len(self._reservations) >= self._limits.max_reservations:
                self._counters["reservations_refused"] += 1
                return _status(Status.RESERVATION_REFUSED)
            if wire.connection_of(stream).is_closed:
                return _status(Status.CONNECTION_FAILED)
        now = time.time()
        expire = math.ceil(now + self._limits.reservation_seconds)  # whole seconds on the wire
        self._reservations[peer] = trio.current_time() + expire - now
        own = f"/p2p/{self._swarm.get_peer_id()}"
        addresses = [Multiaddr(address + own).to_bytes() for address in self._addresses()]
        answer = _status(Status.OK)
        answer.reservation.CopyFrom(Reservation(expire=expire, addrs=addresses))
        answer.limit.CopyFrom(self._circuit_limit())
        return answer

    def _forget_the_gone(self) -> None:
        """A reservation ends with its time, and with the peer's connection (as the specification says)."""
        now = trio.current_time()
        for peer, end in list(self._reservations.items()):
            if end <= now or wire.direct_connection(self._swarm, peer) is None:
                del self._reservations[peer]

    def _circuit_limit(self) -> Limit:
        return Limit(duration=self._limits.circuit_seconds, data=self._limits.circuit_bytes)

    # ---- circuits -----------------------------------------------------------------------------------

    async def _connect(self, stream: INetStream, wanted: bytes) -> None:
        source, target = stream.muxed_conn.peer_id, ID(wanted)
        self._forget_the_gone()
        connection = wire.direct_connection(self._swarm, target)
        if not wanted:
            await self._turn_down(stream, Status.MALFORMED_MESSAGE)
        elif source == target:
            await self._turn_down(stream, Status.PERMISSION_DENIED)
        elif target not in self._reservations or connection is None:
            await self._answer(stream, _status(Status.NO_RESERVATION))
        elif self._is_full(source, target):
            self._counters["circuits_refused"] += 1
            await self._answer(stream, _status(Status.RESOURCE_LIMIT_EXCEEDED))
        else:
            with self._counted(source, target):
                await self._carry(stream, source, connection)

    def _is_full(self, *peers: ID) -> bool:
        if self._total >= self._limits.max_circuits:
            return True
        return any(self._circuits[peer] >= self._limits.max_circuits_per_peer for peer in peers)

    @contextlib.contextmanager
    def _counted(self, *peers: ID) -> Iterator[None]:
        self._total += 1
        self._circuits.update(peers)
        try:
            yield
        finally:
            self._total -= 1
            self._circuits.subtract(peers)
            self._circuits = +self._circuits  # without the zeros

    async def _carry(self, near: INetStream, source: ID, connection: INetConn) -> None:
        """One circuit, from the request to its end."""
        try:
            far = await self._call(connection, source)
        except Exception as error:
            self._counters["circuits_failed"] += 1
            log.debug("no circuit to %s: %r", connection.muxed_conn.peer_id, error)
            await self._answer(near, _status(Status.CONNECTION_FAILED))
            return
        try:
            yes = _status(Status.OK)
            yes.limit.CopyFrom(self._circuit_limit())
            await wire.write_message(near, yes)
            self._let_off(near)  # from here on the limits on circuits hold
            self._counters["circuits_carried"] += 1
            await Circuit(near, far, self._limits, self._counters).run()
        finally:
            await wire.discard(near)
            await wire.discard(far)

    async def _call(self, connection: INetConn, source: ID) -> INetStream:
        """A stream on which the target has agreed to be called by `source`. Raises what there is."""
        with trio.fail_after(wire.ANSWER_TIMEOUT):
            stream = await wire.open_stream(connection, wire.STOP)
            try:
                call = StopMessage(
                    type=StopMessage.CONNECT,
                    peer=PeerId(id=source.to_bytes()),
                    limit=self._circuit_limit(),
                )
                await wire.write_message(stream, call)
                wire.require_ok(await wire.read_message(stream, StopMessage))
            except BaseException:
                await wire.discard(stream)
                raise
        return stream

    async def _turn_down(self, stream: INetStream, status: Status.ValueType) -> None:
        """An answer to what nobody should have sent."""
        self._counters["relay_messages_refused"] += 1
        await self._answer(stream, _status(status))

    async def _answer(self, stream: INetStream, answer: HopMessage) -> None:
        with contextlib.suppress(Exception):  # whoever left needs none
            await wire.write_message(stream, answer)
            await stream.close()


@dataclass
class Circuit:
    """Two streams whose bytes go to each other, within the limits."""

    near: INetStream
    far: INetStream
    limits: RelayLimits
    counters: Counter[str]
    carried: int = 0  # bytes in both directions

    async def run(self) -> None:
        """Return when both directions have ended, or one was reset, or a limit is reached."""
        with trio.move_on_after(self.limits.circuit_seconds) as lifetime:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, self.near, self.far, nursery.cancel_scope)
                nursery.start_soon(self._pump, self.far, self.near, nursery.cancel_scope)
        if lifetime.cancelled_caught:
            self.counters["circuits_ended_by_limit"] += 1

    async def _pump(self, source: INetStream, target: INetStream, scope: trio.CancelScope) -> None:
        try:
            while chunk := await _read(source):
                self.carried += len(chunk)
                if self.carried > self.limits.circuit_bytes:
                    self.counters["circuits_ended_by_limit"] += not scope.cancel_called
                    scope.cancel()
                    return
                await target.write(chunk)
                self.counters["relay_bytes"] += len(chunk)
            await target.close_write()  # type: ignore[attr-defined]
            scope.deadline = trio.current_time() + LINGER
        except Exception as error:
            log.debug("a circuit was broken: %r", error)
            scope.cancel()


async def _read(stream: INetStream) -> bytes:
    """Nothing at the end of the stream."""
    try:
        return await stream.read(CHUNK)
    except StreamEOF:
        return b""


def _status(status: Status.ValueType) -> HopMessage:
    return HopMessage(type=HopMessage.STATUS, status=status)
