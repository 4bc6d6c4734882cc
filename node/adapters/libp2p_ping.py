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
from libp2p.io.utils import read_exactly
from libp2p.network.stream.exceptions import StreamReset
from libp2p.network.swarm import Swarm
from libp2p.protocol_muxer.exceptions import ProtocolNotSupportedError
from libp2p.protocol_muxer.multiselect_client import MultiselectClient
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator

from p2pchat.node.adapters import libp2p_fixes as fixes
from p2pchat.node.errors import StreamError

log = logging.getLogger(__name__)

CHECK_EVERY = 1.0  # seconds between looks for connections that are due
PING_EVERY = 15.0  # seconds for each connection
PING_TIMEOUT = 5.0  # seconds; a connection that needs longer is closed
RESET_TIMEOUT = 0.2  # seconds to tell the other side that a ping's stream is done with
IDLE_TIMEOUT = 60.0  # seconds for the next ping on a stream that we serve
DOUBT_TIMEOUT = 2.0  # seconds for one that is probably dead


class Pings:
    """Keeps connections honest. `run` it for as long as the swarm lives."""

    def __init__(self, swarm: Swarm) -> None:
        self._swarm = swarm
        self._due: WeakKeyDictionary[INetConn, float] = WeakKeyDictionary()
        self._rtt: WeakKeyDictionary[INetConn, float] = WeakKeyDictionary()
        self._doubted: WeakSet[INetConn] = WeakSet()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(CHECK_EVERY)
                now = trio.current_time()
                for connection in self._swarm.get_connections():
                    if self._due.get(connection, 0.0) <= now and not connection.is_closed:
                        self._due[connection] = now + PING_EVERY
                        nursery.start_soon(self._check, connection)

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
                seconds = await _round_trip(connection)
        except Exception as error:
            raise StreamError(str(error) or type(error).__name__) from error
        self._rtt[connection] = seconds * 1000
        self._doubted.discard(connection)
        return seconds

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


async def serve(stream: INetStream) -> None:
    """Answer pings. py-libp2p resets a peer's third stream, who may then take the connection for dead."""
    try:
        while True:
            with trio.fail_after(IDLE_TIMEOUT):
                payload = await read_exactly(stream, PING_LENGTH)
            await stream.write(payload)
    except Exception as error:
        log.debug("no more pings of %s: %r", stream.muxed_conn.peer_id, error)
    await stream.close()


def _was_refused(error: BaseException | None) -> bool:
    """Somebody resets our pings, who must be alive for that."""
    while error is not None and not isinstance(error, StreamReset):
        error = error.__cause__
    return error is not None


async def _round_trip(connection: INetConn) -> float:
    stream = await connection.new_stream()
    try:
        begin = trio.current_time()
        try:
            # Not `select_one_of`, which gives no way to tell a "no" from silence.
            client, communicator = MultiselectClient(), MultiselectCommunicator(stream)
            await client.handshake(communicator)
            await client.try_select(communicator, PING)
        except ProtocolNotSupportedError:
            return (
                trio.current_time() - begin
            ) / 2  # "no" is an answer too; it took two round trips
        payload = os.urandom(PING_LENGTH)
        begin = trio.current_time()
        await stream.write(payload)
        answer = await read_exactly(stream, PING_LENGTH)
        seconds = trio.current_time() - begin
    finally:
        # Bounded: on a connection that is stuck even a reset may wait for ever.
        with trio.move_on_after(RESET_TIMEOUT, shield=True), contextlib.suppress(Exception):
            await stream.reset()
    if answer != payload:
        raise StreamError("the answer to a ping was wrong")
    return seconds
