"""Pings every connection now and then: for its round-trip time, and to notice that it is dead.

py-libp2p's own health monitor rounds to whole milliseconds and replaces slow connections by dialling; a QUIC
peer that died silently is otherwise not noticed for minutes.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable
from weakref import WeakKeyDictionary, WeakSet

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.host.ping import ID as PING
from libp2p.host.ping import PING_LENGTH
from libp2p.io.exceptions import IOException
from libp2p.io.utils import read_exactly
from libp2p.network.stream.exceptions import StreamReset
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.protocol_muxer.exceptions import ProtocolNotSupportedError
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.stream_muxer.exceptions import MuxedStreamError

from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.adapters.libp2p_circuit import connection_of
from p2pchat.node.errors import StreamError

log = logging.getLogger(__name__)

CHECK_EVERY = 1.0  # seconds between looks for connections that are due
PING_EVERY = 15.0  # seconds for each connection
# Seconds more for who was pinged himself: so that of two sides one pings, and always the same.
LEAD = 2.0
RTT_LIFE = 300.0  # seconds until a round trip is measured again, if only the other side pings
PING_TIMEOUT = 5.0  # seconds; a connection that needs longer is closed
RESET_TIMEOUT = 0.2  # seconds to tell the other side that a ping's stream is done with
IDLE_TIMEOUT = 60.0  # seconds for the next ping on a stream that we serve
DOUBT_TIMEOUT = 4.0  # seconds for one that is probably dead


class Pings:
    """Keeps connections honest. `run` it for as long as the swarm lives, and `serve` the protocol with it."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._due: WeakKeyDictionary[INetConn, float] = WeakKeyDictionary()
        self._rtt: WeakKeyDictionary[INetConn, float] = WeakKeyDictionary()
        self._measured: WeakKeyDictionary[INetConn, float] = WeakKeyDictionary()
        self._doubted: WeakSet[INetConn] = WeakSet()
        # Opening a stream and agreeing on the protocol costs four times as much as a ping.
        self._streams: WeakKeyDictionary[INetConn, INetStream] = WeakKeyDictionary()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(CHECK_EVERY)
                now = trio.current_time()
                self._forget_the_gone()
                for connection in self._swarm.get_connections():
                    if self._due.get(connection, 0.0) <= now and not connection.is_closed:
                        self._due[connection] = now + PING_EVERY
                        nursery.start_soon(self._check, connection)

    def _forget_the_gone(self) -> None:
        """A stream refers to its connection, which would so live for ever."""
        for connection in [c for c in self._streams if c.is_closed]:
            del self._streams[connection]

    def rtt_ms(self, connection: INetConn) -> float | None:
        return self._rtt.get(connection)

    def doubt(self, connections: Iterable[INetConn]) -> None:
        """Look at these soon, and with less patience."""
        for connection in connections:
            self._doubted.add(connection)
            self._due[connection] = 0.0

    async def ping(self, connection: INetConn) -> float:
        """Seconds. Raises `StreamError`."""
        try:
            with trio.fail_after(DOUBT_TIMEOUT if connection in self._doubted else PING_TIMEOUT):
                seconds = await self._round_trip(connection)
        except Exception as error:
            raise StreamError(str(error) or type(error).__name__) from error
        self._rtt[connection] = seconds * 1000
        self._measured[connection] = trio.current_time()
        self._doubted.discard(connection)
        return seconds

    async def serve(self, stream: INetStream) -> None:
        """Answer pings. py-libp2p resets a peer's third stream, who may then take the connection for dead."""
        try:
            while True:
                with trio.fail_after(IDLE_TIMEOUT):
                    payload = await read_exactly(stream, PING_LENGTH)
                await stream.write(payload)
                self._was_pinged(connection_of(stream))
        except Exception as error:
            log.debug("no more pings of %s: %r", stream.muxed_conn.peer_id, error)
        await stream.close()

    def _was_pinged(self, connection: INetConn) -> None:
        """It lives, and whoever pings it will notice when it does not."""
        if connection in self._doubted:
            return  # what comes in may have been under way for long
        now, measured = trio.current_time(), self._measured.get(connection)
        if measured is not None:
            lead = LEAD if self._goes_first(connection) else 2 * LEAD
            self._due[connection] = min(now + PING_EVERY + lead, measured + RTT_LIFE)

    def _goes_first(self, connection: INetConn) -> bool:
        """Of two whose pings have crossed: else they would cross for ever."""
        other: ID = connection.muxed_conn.peer_id
        return bool(self._swarm.get_peer_id().to_bytes() < other.to_bytes())

    async def _check(self, connection: INetConn) -> None:
        try:
            await self.ping(connection)
        except StreamError as error:
            if not connection.is_closed and not _was_refused(error):
                log.debug(
                    "closing a dead connection to %s: %s", connection.muxed_conn.peer_id, error
                )
                await fixes.hang_up(connection)
                await connection.close()

    async def _round_trip(self, connection: INetConn) -> float:
        # Taken out while it is used: of two pings at once the second one has a stream of its own.
        stream = self._streams.pop(connection, None)
        if stream is not None:
            try:
                return await self._echo(connection, stream)
            except (IOException, MuxedStreamError):
                log.debug("the other side keeps no stream open for pings")
        begin = trio.current_time()
        stream = await connection.new_stream()
        try:
            # Not `select_one_of`, which gives no way to tell a "no" from silence.
            client, communicator = MultiselectClient(), MultiselectCommunicator(stream)
            await client.handshake(communicator)
            await client.try_select(communicator, PING)
        except ProtocolNotSupportedError:
            await _discard(stream)
            return (
                trio.current_time() - begin
            ) / 2  # "no" is an answer too; it took two round trips
        except BaseException:
            await _discard(stream)
            raise
        return await self._echo(connection, stream)

    async def _echo(self, connection: INetConn, stream: INetStream) -> float:
        """One ping; the stream is kept for the next one, if all goes well."""
        try:
            payload = os.urandom(PING_LENGTH)
            begin = trio.current_time()
            await stream.write(payload)
            answer = await read_exactly(stream, PING_LENGTH)
            seconds = trio.current_time() - begin
            if answer != payload:
                raise StreamError("the answer to a ping was wrong")
        except BaseException:
            await _discard(stream)
            raise
        if connection in self._streams:
            await _discard(stream)
        else:
            self._streams[connection] = stream
        return seconds


def _was_refused(error: BaseException | None) -> bool:
    """Somebody resets our pings, who must be alive for that."""
    while error is not None and not isinstance(error, StreamReset):
        error = error.__cause__
    return error is not None


async def _discard(stream: INetStream) -> None:
    """Bounded: on a connection that is stuck even a reset may wait for ever."""
    with trio.move_on_after(RESET_TIMEOUT, shield=True), contextlib.suppress(Exception):
        await stream.reset()
