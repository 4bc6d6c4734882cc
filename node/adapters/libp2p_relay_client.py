"""The other side of relays: reserve at one, be called through it, call others through it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId, Status, StopMessage
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit as wire
from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.adapters import listen_addresses
from p2pchat.node.adapters.libp2p_peers import is_outbound, remote_address
from p2pchat.node.adapters.libp2p_stream import deepest
from p2pchat.node.errors import DialError, StreamError

log = logging.getLogger(__name__)

MAX_ADDRESSES = 8  # of one relay, to be announced; more would only slow down who dials us
MAX_RESERVATION = 86_400.0  # seconds; more can only be the relay's clock
ASSUMED_RESERVATION = 300.0  # seconds, when the clocks differ; renewing too early does no harm


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation. It ends with the connection it was made on: a relay that restarts knows nothing of it."""

    connection: INetConn
    until: float  # on trio's clock
    addresses: Sequence[str]

    @property
    def lasts(self) -> bool:
        return trio.current_time() < self.until and not self.connection.is_closed


class RelayClient:
    """`serve` the STOP protocol with it. `let_off` takes a stream out of its peer's share of streams."""

    def __init__(
        self, swarm: Swarm, counters: Counter[str], let_off: Callable[[INetStream], None]
    ) -> None:
        self._swarm = swarm
        self._counters = counters
        self._let_off = let_off
        self._held: dict[ID, Held] = {}

    # ---- being reachable ----------------------------------------------------------------------------

    async def reserve(self, relay: ID) -> float:
        """Seconds until it ends. Raises `StreamError`."""
        connection = self._connection_to(relay)
        if connection is None:
            raise StreamError("not connected to that relay, or only through another one")
        try:
            request = HopMessage(type=HopMessage.RESERVE)
            stream, answer = await self._exchange(connection, request)
        except Exception as error:
            self._held.pop(relay, None)
            raise StreamError(f"no reservation: {_why(error)}") from error
        with trio.move_on_after(wire.GOODBYE_TIMEOUT), contextlib.suppress(Exception):
            await stream.close()
        seconds = answer.reservation.expire - time.time()
        if not 0 < seconds <= MAX_RESERVATION:
            seconds = ASSUMED_RESERVATION
        addresses = _addresses_of(relay, connection, answer.reservation.addrs)
        self._held[relay] = Held(connection, trio.current_time() + seconds, addresses)
        return seconds

    def addresses(self) -> list[str]:
        """Where we can be called, without our own peer id."""
        self._held = {relay: held for relay, held in self._held.items() if held.lasts}
        return [address for held in self._held.values() for address in held.addresses]

    async def serve(self, stream: INetStream) -> None:
        """Somebody calls through a relay. Returns when that connection has ended."""
        try:
            call = await wire.read_message(stream, StopMessage)
        except wire.CircuitError as error:
            log.debug("refused a call through %s: %s", stream.muxed_conn.peer_id, error)
            await self._refuse(stream, Status.MALFORMED_MESSAGE)
            return
        held = self._held.get(stream.muxed_conn.peer_id)
        if call.type != StopMessage.CONNECT:
            await self._refuse(stream, Status.UNEXPECTED_MESSAGE)
        elif held is None or not held.lasts or wire.is_relayed(wire.connection_of(stream)):
            await self._refuse(stream, Status.PERMISSION_DENIED)
        else:
            await self._accept(stream)

    async def _accept(self, stream: INetStream) -> None:
        """Who really calls is for the handshake to say, not for the relay."""
        slots = self._swarm._inbound_limiter  # of sockets; py-libp2p does not ask it for circuits
        try:
            slots.acquire_nowait()
        except trio.WouldBlock:
            self._counters["connections_refused"] += 1
            await self._answer(stream, Status.RESOURCE_LIMIT_EXCEEDED)
            return
        try:
            await wire.write_message(stream, StopMessage(type=StopMessage.STATUS, status=Status.OK))
            address = _circuit_address(wire.connection_of(stream))
            circuit = wire.CircuitConnection(stream, Multiaddr(address), initiator=False)
            await self._swarm.upgrade_inbound_raw_conn(
                circuit, circuit.get_transport_addresses()[0]
            )
            self._let_off(stream)  # from here on the limit on inbound connections holds
            await circuit.ended.wait()
        finally:
            slots.release()

    async def _refuse(self, stream: INetStream, status: Status.ValueType) -> None:
        """An answer to what nobody should have sent."""
        self._counters["relay_messages_refused"] += 1
        await self._answer(stream, status)

    async def _answer(self, stream: INetStream, status: Status.ValueType) -> None:
        with contextlib.suppress(Exception):  # whoever left needs none
            await wire.write_message(stream, StopMessage(type=StopMessage.STATUS, status=status))
            await stream.close()

    # ---- calling others -----------------------------------------------------------------------------

    async def call(self, relay: ID, peer: ID, address: str = "") -> INetConn:
        """A connection to `peer` through a relay we are connected to; `address` is the relay's.

        Raises `DialError`.
        """
        connection = self._connection_to(relay)
        if connection is None:
            raise DialError("not connected to that relay")
        request = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=peer.to_bytes()))
        full = Multiaddr(_circuit_address(connection, address))
        try:
            stream, _ = await self._exchange(connection, request)
            try:
                circuit = wire.CircuitConnection(stream, full, initiator=True)
                made = await self._swarm.upgrade_outbound_raw_conn(circuit, peer)
            except BaseException:
                await wire.discard(stream)
                raise
        except Exception as error:
            raise DialError(_why(error)) from error
        self._swarm.manager.run_task(self._see_off, circuit)
        return made

    async def _see_off(self, circuit: wire.CircuitConnection) -> None:
        await circuit.ended.wait()
        with contextlib.suppress(Exception):
            await fixes.until_gone(circuit.stream)
            await circuit.stream.close()  # else the connection to the relay keeps it

    def _connection_to(self, relay: ID) -> INetConn | None:
        return wire.direct_connection(self._swarm, relay)

    async def _exchange(
        self, connection: INetConn, request: HopMessage
    ) -> tuple[INetStream, HopMessage]:
        """The relay's yes, and the stream it came on."""
        stream = await wire.open_stream(connection, wire.HOP)
        try:
            await wire.write_message(stream, request)
            answer = await wire.read_message(stream, HopMessage, 2 * wire.ANSWER_TIMEOUT)
            wire.require_ok(answer)
        except BaseException:
            await wire.discard(stream)
            raise
        return stream, answer


def _circuit_address(connection: INetConn, relay_address: str = "") -> str:
    """Of whoever is reached through the relay at the other end of `connection`."""
    relay = connection.muxed_conn.peer_id
    seen = remote_address(connection) if is_outbound(connection) else ""
    return f"{seen or relay_address}/p2p/{relay}/p2p-circuit"


def _addresses_of(relay: ID, connection: INetConn, announced: Sequence[bytes]) -> list[str]:
    """Circuit addresses: by the address that has led us there, and by what the relay says of itself."""
    found: dict[str, None] = {}
    if is_outbound(connection):
        found[remote_address(connection)] = None
    for raw in announced[:MAX_ADDRESSES]:
        with contextlib.suppress(Exception):  # one bad address must not cost the others
            address = str(Multiaddr(bytes(raw))).removesuffix(f"/p2p/{relay}")
            if listen_addresses.is_dialable_elsewhere(Multiaddr(address)):
                found[address] = None
    return [f"{address}/p2p/{relay}/p2p-circuit" for address in list(found)[:MAX_ADDRESSES]]


def _why(error: Exception) -> str:
    """In words for a user."""
    if isinstance(error, wire.CircuitError):
        return str(error)
    return deepest(error)
