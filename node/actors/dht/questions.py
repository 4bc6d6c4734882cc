"""One question to one peer in the DHT: connect, open a stream, ask."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from google.protobuf.message import DecodeError

from p2pchat.node.actors.dht.turns import NotTriedError, Turns
from p2pchat.node.errors import (
    ActorError,
    DialError,
    NetworkError,
    RequestRejectedError,
    StreamError,
)
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.kad.limits import ANSWER_LIMIT, KAD_PROTOCOL
from p2pchat.node.protocol.kad.peers import KadPeer
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import kad_pb2 as kad

DIALS_AT_ONCE = 2  # of all look-ups together; more wait
DIAL_TIMEOUT = 10.0  # seconds
QUERY_TIMEOUT = 10.0  # seconds from an open connection to the answer
END_TIMEOUT = 2.0  # seconds for the other side to end a stream on which it has nothing to answer
RESET_TIMEOUT = 0.2  # seconds to give a stream up


class UnsureError(DialError):
    """There was no connection in time: nobody is there, or transport has too much to do."""


class Questions:
    """Asks on streams of its own; who is not connected is dialled by transport, for the moment."""

    def __init__(self, network: Network, transport: ActorRef, counters: Counter[str]) -> None:
        self._network = network
        self._transport = transport
        self._counters = counters
        self._dials = trio.Semaphore(DIALS_AT_ONCE)
        self._turns = Turns()

    async def ask(self, peer: KadPeer, request: kad.Message) -> kad.Message:
        """The answer, of the same type. Raises `NetworkError`: `NotTriedError` when the peer was not asked at all,
        `UnsureError` when that may be our own fault."""
        self._counters["asked"] += 1
        try:
            async with self._turns.turn(peer.peer):
                await self._connect(peer)
                return await self._exchange(peer, request)
        except NetworkError:
            self._counters["unanswered"] += 1
            raise

    async def tell(self, peer: KadPeer, message: kad.Message) -> None:
        """Send what has no answer. Raises `NetworkError`."""
        async with self._turns.turn(peer.peer):
            await self._connect(peer)
            await self._hand_over(peer, message)

    async def _hand_over(self, peer: KadPeer, message: kad.Message) -> None:
        with trio.move_on_after(QUERY_TIMEOUT):
            stream = await self._network.open_stream(peer.name, KAD_PROTOCOL)
            async with _given_up(stream):
                await stream.write(frame(message.SerializeToString()))
                await stream.close()
                await _heard_out(stream)
            return
        raise StreamError("it does not listen")

    async def _connect(self, peer: KadPeer) -> None:
        command = actors.Connect(peer=peer.name, addresses=peer.addresses, passing=True)
        async with self._dials:
            with trio.move_on_after(DIAL_TIMEOUT):
                try:
                    await self._transport.request(command, actors.Done)
                except (ActorError, RequestRejectedError) as error:
                    raise _dial_error(error) from error
                return
        raise UnsureError("no connection in time")

    async def _exchange(self, peer: KadPeer, request: kad.Message) -> kad.Message:
        with trio.move_on_after(QUERY_TIMEOUT):
            stream = await self._network.open_stream(peer.name, KAD_PROTOCOL)
            async with _given_up(stream):
                await stream.write(frame(request.SerializeToString()))
                return _parsed(await stream.read_frame(ANSWER_LIMIT), request)
        raise StreamError("no answer in time")


def _dial_error(error: ActorError | RequestRejectedError) -> NetworkError:
    if isinstance(error, RequestRejectedError) and error.reason == actors.NETWORK_FAILED:
        return DialError(str(error))
    return NotTriedError(str(error))  # transport has too much to do, or restarts


def _parsed(body: bytes, request: kad.Message) -> kad.Message:
    try:
        answer = kad.Message.FromString(body)
    except DecodeError as error:
        raise StreamError("the answer is no message of the DHT") from error
    if answer.type != request.type:
        raise StreamError("the answer is one to another question")
    return answer


@asynccontextmanager
async def _given_up(stream: Stream) -> AsyncIterator[None]:
    """Reset in the end whatever happened: one that was only closed stays as long as the other side likes."""
    try:
        yield
    finally:
        with trio.move_on_after(RESET_TIMEOUT, shield=True):
            await stream.reset()


async def _heard_out(stream: Stream) -> None:
    """Wait until the other side has read what was written, and ends the stream; some say something before."""
    with trio.move_on_after(END_TIMEOUT), contextlib.suppress(StreamError):
        await stream.read_frame(ANSWER_LIMIT)
