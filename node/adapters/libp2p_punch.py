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
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import trio
from libp2p.abc import INetConn
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from p2pchat.node.adapters import libp2p_circuit as wire
from p2pchat.node.adapters import listen_addresses
from p2pchat.node.errors import DialError

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
    made: trio.Event = field(default_factory=trio.Event)


class Puncher:
    """Gets through to peers, and knows which connections were made so."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._punches: dict[ID, Punch] = {}
        self._punched: WeakSet[INetConn] = WeakSet()
        self._accept: Callable[[Any, Any], Awaitable[None]] = swarm._handle_inbound_connection
        swarm._handle_inbound_connection = self._handle_inbound  # type: ignore[method-assign, assignment]

    def is_punched(self, connection: INetConn) -> bool:
        return connection in self._punched

    def connected(self, connection: INetConn) -> None:
        """To be told of every new connection, whoever made it."""
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
        punch = self._punches[peer] = Punch(peer, initiator, endpoints)
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
                await self._shake_hands(punch, stream)
            await trio.sleep_until(next_one)

    async def _shake_hands(self, punch: Punch, stream: trio.SocketStream) -> INetConn | None:
        """In the part that we have taken; with somebody else, or nobody, there is no connection."""
        connection = None
        _reset_on_close(stream, True)  # its addresses and ports shall be free for the next attempt
        try:
            raw = RawConnection(TrioTCPStream(stream), punch.initiator)
            with trio.fail_after(HANDSHAKE_TIMEOUT):
                connection = await self._upgrade(punch, raw)
            _reset_on_close(stream, False)
        except Exception as error:
            log.debug("punching to %s: %r", punch.peer, error)
        finally:
            if connection is None:
                await trio.aclose_forcefully(stream)
        return connection

    async def _upgrade(self, punch: Punch, raw: RawConnection) -> INetConn:
        expected = punch.peer if punch.initiator else None
        secured = await self._swarm.upgrader.upgrade_security(raw, punch.initiator, expected)
        if secured.get_remote_peer() != punch.peer:
            raise DialError("somebody with another peer id answers there")
        muxed = await self._swarm.upgrader.upgrade_connection(secured, punch.peer)
        # Who is told of the connection ends the attempt, which must not end the connection.
        with trio.fail_after(HANDSHAKE_TIMEOUT, shield=True):
            return await self._swarm.add_conn(
                muxed, direction="outbound" if punch.initiator else "inbound"
            )

    async def _handle_inbound(self, stream: Any, address: Any) -> None:
        """What comes from where we punch to is the other half of it: whoever dialled, the parts stay as agreed."""
        remote = _plain(stream.get_remote_address())
        punch = next((p for p in self._punches.values() if remote in p.endpoints), None)
        if punch is None or not punch.initiator or not isinstance(stream, TrioTCPStream):
            await self._accept(stream, address)
            return
        connection = await self._shake_hands(punch, stream.stream)
        if connection is not None:
            # The socket is closed when this returns.
            await connection.event_closed.wait()  # type: ignore[attr-defined]

    def _source(self, destination: Endpoint) -> Endpoint | None:
        """Where we listen; None when that is nowhere in this address family."""
        is_ipv6 = ":" in destination[0]
        for listener in self._swarm.listeners.values():
            for address in listener.get_addrs():
                host, port, is_udp = listen_addresses.endpoint(address)
                if not is_udp and (":" in host) == is_ipv6:
                    return host, port
        return None


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
