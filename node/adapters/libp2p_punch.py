"""Hole punching over TCP: two hosts dial each other at the same time, from the ports that they listen on.

As in DCUtR (https://github.com/libp2p/specs/blob/master/relay/DCUtR.md): each side's first packet opens its own
router for the other side's, and both attempts may become one connection. Of py-libp2p's own nothing is used: it waits
for one long attempt, falls back to another port without a word, adds whoever answers before it looks at who that is,
and takes every accepted connection for one in which the other side begins the handshake. When the other side's
packet arrives between two attempts of ours, both would wait for each other.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakSet

import trio
from libp2p.abc import IMuxedConn, INetConn, ISecureConn
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit as wire
from p2pchat.node.adapters import listen_addresses
from p2pchat.node.adapters.libp2p_peers import is_outbound
from p2pchat.node.errors import DialError
from p2pchat.node.protocol.own_addresses import Scope, scope_of_ip

log = logging.getLogger(__name__)

# Seconds of the attempts to connect to one address, one after the other. A router may refuse or drop the first ones;
# a short one must not give up before an answer from far away is there, so they become longer.
KNOCKS = (0.3, 0.3, 0.3, 0.5, 0.5, 0.8, 0.8, 1.5)
# Seconds more when the other side's packet has come: giving up then would break its attempt.
ANSWER_TIMEOUT = 1.0
HANDSHAKE_TIMEOUT = 2.0  # seconds; when both wait for each other, there is time for another attempt
MAX_ADDRESSES = 8  # dialled at once
MAX_PUNCHES = 16  # at once, to as many peers
_SYN_RECEIVED = 3  # Linux's TCP_SYN_RECV

Endpoint = tuple[str, int]  # IP address and port


@dataclass
class Punch:
    """One attempt to get through to a peer."""

    peer: ID
    initiator: bool
    endpoints: Sequence[Endpoint]
    guest: bool  # it is the other side that wants to be connected
    made: trio.Event = field(default_factory=trio.Event)


class Puncher:
    """Gets through to peers, and knows which connections were made so."""

    def __init__(self, swarm: Swarm, counters: Counter[str]) -> None:
        self._swarm = swarm
        self._counters = counters
        self._punches: dict[ID, Punch] = {}
        self._punched: WeakSet[INetConn] = WeakSet()
        self._adding: dict[int, trio.CancelScope] = {}  # by the id of the connection's muxer
        self._accept: Callable[[Any, Any], Awaitable[None]] = swarm._handle_inbound_connection
        swarm._handle_inbound_connection = self._handle_inbound  # type: ignore[method-assign, assignment]

    def is_punched(self, connection: INetConn) -> bool:
        return connection in self._punched

    def connected(self, connection: INetConn) -> None:
        """To be told of every new connection, whoever made it."""
        if (deadline := self._adding.get(id(connection.muxed_conn))) is not None:
            deadline.deadline = math.inf  # it is registered, and others may use it
        punch = self._punches.get(connection.muxed_conn.peer_id)
        if punch is not None and not wire.is_relayed(connection):
            self._punched.add(connection)
            punch.made.set()

    async def punch(self, peer: ID, addresses: Iterable[Multiaddr], *, initiator: bool) -> None:
        """Return when there is a direct connection. Raises `DialError`."""
        if wire.direct_connection(self._swarm, peer) is not None:
            return
        endpoints = [e for e in map(_endpoint, addresses) if e is not None][:MAX_ADDRESSES]
        if not endpoints:
            raise DialError("no TCP address to dial")
        if peer in self._punches or len(self._punches) >= MAX_PUNCHES:
            raise DialError("too many attempts at once")
        punch = self._punches[peer] = Punch(
            peer, initiator, endpoints, guest=not self._has_called(peer)
        )
        try:
            await self._knock_everywhere(punch)
        finally:
            del self._punches[peer]
        if not punch.made.is_set():
            raise DialError("nobody came through")

    async def _knock_everywhere(self, punch: Punch) -> None:
        with trio.move_on_after(sum(KNOCKS)):
            async with trio.open_nursery() as nursery:
                for endpoint in punch.endpoints:
                    nursery.start_soon(self._knock, punch, endpoint)
                await punch.made.wait()
                nursery.cancel_scope.cancel()

    async def _knock(self, punch: Punch, endpoint: Endpoint) -> None:
        """Try again and again; an attempt that fails at once is not repeated at once."""
        for patience in KNOCKS:
            next_one = trio.current_time() + patience
            stream = None
            with contextlib.suppress(OSError):
                stream = await _open(endpoint, self._source(endpoint), patience)
            if stream is not None:
                await self._shake_hands(punch, stream, endpoint)
            await trio.sleep_until(next_one)

    async def _shake_hands(
        self, punch: Punch, stream: trio.SocketStream, remote: Endpoint, *, accepted: bool = False
    ) -> INetConn | None:
        """In the part that we have taken; with somebody else, or nobody, there is no connection."""
        connection = None
        _reset_on_close(stream, True)  # its addresses and ports shall be free for the next attempt
        try:
            raw = RawConnection(TrioTCPStream(stream), punch.initiator)
            with trio.fail_after(HANDSHAKE_TIMEOUT):
                connection = await self._upgrade(punch.initiator, raw, remote, accepted)
            _reset_on_close(stream, False)
        except Exception as error:
            log.debug("punching to %s: %r", punch.peer, error)
        finally:
            if connection is None:
                await trio.aclose_forcefully(stream)
        return connection

    async def _upgrade(
        self, initiator: bool, raw: RawConnection, remote: Endpoint, accepted: bool
    ) -> INetConn:
        secured = await self._secured(raw, initiator)
        punch = self._punches.get(secured.get_remote_peer())
        if punch is None or remote not in punch.endpoints:
            raise DialError("somebody with another peer id answers there")
        give_back = self._take_slot() if accepted or punch.guest else _nothing
        try:
            muxed = await self._swarm.upgrader.upgrade_connection(secured, punch.peer)
            connection = await self._add(muxed, initiator)
        except BaseException:
            give_back()
            raise
        self._swarm.manager.run_task(_when_closed, connection, give_back)
        return connection

    async def _secured(self, raw: RawConnection, initiator: bool) -> ISecureConn:
        """Whoever answers: more than one peer may have said that it is to be found there."""
        security = self._swarm.upgrader.security_multistream
        if initiator:
            return await security.secure_outbound(raw, None)  # type: ignore[arg-type]
        return await security.secure_inbound(raw)

    def _take_slot(self) -> Callable[[], None]:
        """One of those for inbound connections, of which py-libp2p sees nothing here; how to give it back."""
        slots, slot = self._swarm._inbound_limiter, object()
        try:
            slots.acquire_on_behalf_of_nowait(slot)
        except trio.WouldBlock as error:
            self._counters["connections_refused"] += 1
            raise DialError("too many inbound connections") from error
        return partial(slots.release_on_behalf_of, slot)

    async def _add(self, muxed: IMuxedConn, initiator: bool) -> INetConn:
        direction = "outbound" if initiator else "inbound"
        # Who is told of the connection ends the attempt, which must not end the connection.
        with trio.fail_after(HANDSHAKE_TIMEOUT, shield=True) as deadline:
            self._adding[id(muxed)] = deadline  # until it is registered
            try:
                return await self._swarm.add_conn(muxed, direction=direction)
            finally:
                del self._adding[id(muxed)]

    async def _handle_inbound(self, stream: Any, address: Any) -> None:
        """What comes from where we punch to is the other half of it: whoever dialled, the parts stay as agreed."""
        remote = _plain(stream.get_remote_address())
        punch = next((p for p in self._punches.values() if remote in p.endpoints), None)
        if (
            remote is None
            or punch is None
            or not punch.initiator
            or not isinstance(stream, TrioTCPStream)
        ):
            await self._accept(stream, address)
            return
        connection = await self._shake_hands(punch, stream.stream, remote, accepted=True)
        if connection is not None:
            # The socket is closed when this returns.
            await connection.event_closed.wait()  # type: ignore[attr-defined]

    def _has_called(self, peer: ID) -> bool:
        """Whether a relayed connection to it is our own doing."""
        connections = self._swarm.get_connections(peer)
        return any(wire.is_relayed(c) and is_outbound(c) for c in connections if not c.is_closed)

    def _source(self, destination: Endpoint) -> Endpoint | None:
        """Where we listen; None when that is nowhere from where `destination` can be reached."""
        listening = [
            (host, port)
            for listener in self._swarm.listeners.values()
            for host, port, is_udp in map(listen_addresses.endpoint, listener.get_addrs())
            if not is_udp
        ]
        return best_source(listening, destination)


def best_source(listening: Sequence[Endpoint], destination: Endpoint) -> Endpoint | None:
    """A listener for all addresses before one for a single address; one on loopback leads to loopback only."""
    is_ipv6 = ":" in destination[0]
    to_loopback = scope_of_ip(destination[0]) is Scope.LOOPBACK
    usable = [
        (host, port)
        for host, port in listening
        if (":" in host) == is_ipv6 and (to_loopback or scope_of_ip(host) is not Scope.LOOPBACK)
    ]
    return min(usable, key=lambda source: source[0] not in ("0.0.0.0", "::"), default=None)


async def _when_closed(connection: INetConn, do: Callable[[], None]) -> None:
    try:
        await connection.event_closed.wait()  # type: ignore[attr-defined]
    finally:
        do()


def _nothing() -> None: ...


def _plain(remote: Endpoint | None) -> Endpoint | None:
    """A socket for IPv6 may take IPv4 as well."""
    return remote and (remote[0].removeprefix("::ffff:"), remote[1])


def _reset_on_close(stream: trio.SocketStream, wanted: bool) -> None:
    with contextlib.suppress(OSError):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", wanted, 0))


def _endpoint(address: Multiaddr) -> Endpoint | None:
    """None for what is no TCP address with an IP address."""
    values = {protocol.name: value for protocol, value in address.items()}
    host = values.get("ip4") or values.get("ip6")
    if not host or "tcp" not in values or "p2p-circuit" in values:
        return None
    return str(host), int(values["tcp"])


async def _open(
    destination: Endpoint, source: Endpoint | None, patience: float
) -> trio.SocketStream | None:
    """None when nobody is there within `patience` seconds, or is found a little later. Raises `OSError`."""
    sock = socket.socket(_family(destination), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if source is not None:
            sock.bind(source)
        code = sock.connect_ex(destination)
        if code == errno.EINPROGRESS and await _is_decided(sock, patience):
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except BaseException:
        sock.close()
        raise
    if code != 0:
        sock.close()
        return None
    return trio.SocketStream(trio.socket.from_stdlib_socket(sock))


async def _is_decided(sock: socket.socket, patience: float) -> bool:
    with trio.move_on_after(patience) as scope:
        await trio.lowlevel.wait_writable(sock)
    if scope.cancelled_caught and _is_answering(sock):
        with trio.move_on_after(ANSWER_TIMEOUT) as scope:
            await trio.lowlevel.wait_writable(sock)
    return not scope.cancelled_caught


def _is_answering(sock: socket.socket) -> bool:
    """Whether the other side's packet has come, so that both are about to meet. Only Linux tells."""
    if not hasattr(socket, "TCP_INFO"):
        return False
    [state] = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return bool(state == _SYN_RECEIVED)


def _family(endpoint: Endpoint) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET
