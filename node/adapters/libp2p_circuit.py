"""What relays and their clients say to each other, and a circuit used as a connection.

Circuit relay v2: https://github.com/libp2p/specs/blob/master/relay/circuit-v2.md. Messages are py-libp2p's protobuf
of it; libp2p_relay.py says why nothing else of its relay code is used.
"""

from __future__ import annotations

import contextlib
from typing import TypeVar

import trio
from libp2p.abc import INetConn, INetStream, IRawConnection
from libp2p.connection_types import ConnectionType
from libp2p.custom_types import TProtocol
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.protocol_muxer.exceptions import ProtocolNotSupportedError
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, Status, StopMessage
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited
from multiaddr import Multiaddr

HOP = TProtocol("/libp2p/circuit/relay/0.2.0/hop")  # client to relay
STOP = TProtocol("/libp2p/circuit/relay/0.2.0/stop")  # relay to the peer that is called

MAX_MESSAGE = 4096  # bytes, as go-libp2p's maxMessageSize
ANSWER_TIMEOUT = 5.0  # seconds for the next message of the handshake
GOODBYE_TIMEOUT = 0.5  # seconds to tell the other side that a stream is over

M = TypeVar("M", HopMessage, StopMessage)

_REASONS = {
    Status.RESERVATION_REFUSED: "the relay takes no more reservations",
    Status.RESOURCE_LIMIT_EXCEEDED: "the relay carries as many circuits as it may",
    Status.PERMISSION_DENIED: "the relay does not allow it",
    Status.CONNECTION_FAILED: "the relay cannot reach that peer",
    Status.NO_RESERVATION: "that peer has no reservation at the relay",
    Status.MALFORMED_MESSAGE: "the relay did not understand us",
    Status.UNEXPECTED_MESSAGE: "the relay did not understand us",
}


class CircuitError(Exception):
    """The other side does not keep to the circuit protocol, or says no; the text is for users."""


async def read_message(
    stream: INetStream,
    kind: type[M],
    timeout: float | None = None,  # noqa: ASYNC109
) -> M:
    """The next message, within `timeout` seconds (none: `ANSWER_TIMEOUT`). Raises `CircuitError`."""
    patience = ANSWER_TIMEOUT if timeout is None else timeout
    try:
        with trio.fail_after(patience):
            body = await read_varint_prefixed_bytes_limited(stream, MAX_MESSAGE)
        message = kind.FromString(body)
    except trio.TooSlowError as error:
        raise CircuitError(f"no answer within {patience:g} s") from error
    except Exception as error:
        raise CircuitError("that is no circuit message") from error
    if not message.HasField("type"):
        raise CircuitError("that is no circuit message")
    return message


async def write_message(stream: INetStream, message: HopMessage | StopMessage) -> None:
    with trio.fail_after(ANSWER_TIMEOUT):
        await stream.write(encode_varint_prefixed(message.SerializeToString()))


def require_ok(answer: HopMessage | StopMessage) -> None:
    """Raises `CircuitError` for every answer but a yes."""
    if answer.type != type(answer).STATUS:
        raise CircuitError("the answer was none")
    if answer.status != Status.OK:
        raise CircuitError(_REASONS.get(answer.status, f"the relay refused ({answer.status})"))


async def open_stream(connection: INetConn, protocol: TProtocol) -> INetStream:
    """On this very connection; `host.new_stream` chooses one itself, perhaps a circuit.

    Raises `CircuitError` when the other side does not serve the protocol, else what there is.
    """
    stream = await connection.new_stream()
    try:
        with trio.fail_after(ANSWER_TIMEOUT):
            client, communicator = MultiselectClient(), MultiselectCommunicator(stream)
            await client.handshake(communicator)
            await client.try_select(communicator, protocol)
        stream.set_protocol(protocol)
    except ProtocolNotSupportedError as error:
        await discard(stream)
        raise CircuitError("that peer is no relay") from error
    except BaseException:
        await discard(stream)
        raise
    return stream


async def discard(stream: INetStream) -> None:
    """Reset, also when cancelled; bounded, because on a connection that is stuck it may wait for ever."""
    with trio.move_on_after(GOODBYE_TIMEOUT, shield=True), contextlib.suppress(Exception):
        await stream.reset()


def is_relayed(connection: INetConn) -> bool:
    return connection.get_connection_type() is ConnectionType.RELAYED


def connection_of(stream: INetStream) -> INetConn:
    connection: INetConn = stream.swarm_conn  # type: ignore[attr-defined]
    return connection


def direct_connection(swarm: Swarm, peer: ID) -> INetConn | None:
    """A live connection that is no circuit: relays refuse to be used over other relays.

    The newest, because a peer that connects again has often just been restarted.
    """
    connections = reversed(swarm.get_connections(peer))
    return next((c for c in connections if not c.is_closed and not is_relayed(c)), None)


class CircuitConnection(IRawConnection):
    """A stream through a relay in the place of a socket. `ended` is set when nobody uses it any more."""

    def __init__(self, stream: INetStream, address: Multiaddr, *, initiator: bool) -> None:
        self.is_initiator = initiator
        self.stream = stream
        self.ended = trio.Event()
        self._address = address
        self._reading = trio.CancelScope()

    async def read(self, n: int | None = None) -> bytes:
        if not self.ended.is_set():
            # py-libp2p never wakes who reads a stream that is closed on this side.
            with trio.CancelScope() as self._reading:
                try:
                    return await self.stream.read(n)
                except Exception as error:
                    raise RawConnError("the circuit has ended") from error
        raise RawConnError("the circuit is closed")

    async def write(self, data: bytes) -> None:
        try:
            await self.stream.write(data)
        except Exception as error:
            # Part of it may be under way, and nothing after that would be understood.
            self._end()
            raise RawConnError("the circuit has ended") from error

    async def close(self) -> None:
        self._end()
        with trio.move_on_after(GOODBYE_TIMEOUT), contextlib.suppress(Exception):
            await self.stream.close_write()  # type: ignore[attr-defined]

    def get_remote_address(self) -> tuple[str, int] | None:
        return None  # nobody knows; the relay's own would be taken for the peer's

    def get_transport_addresses(self) -> list[Multiaddr]:
        return [self._address]

    def get_connection_type(self) -> ConnectionType:
        return ConnectionType.RELAYED

    def _end(self) -> None:
        self.ended.set()
        self._reading.cancel()
