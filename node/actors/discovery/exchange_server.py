"""Tells members of a room where its other members are."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import trio
from google.protobuf.message import DecodeError

from p2pchat.node.errors import ActorError, RequestRejectedError, StreamError
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import peer_exchange
from p2pchat.node.protocol.allowances import Allowances
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.node.protocol.peer_exchange import Whereabouts
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import wire_pb2 as wire

STREAMS = 8  # served at a time; a further one is reset, and asks again later
STREAMS_OF_PEER = 2  # of them of one peer
RATE = 0.2  # questions a second from one peer ...
BURST = 32  # ... and at once: one for each room in which both are
TIMEOUT = 10.0  # seconds for one question and its answer
GRACE = 3.0  # seconds that we may hear later than the other side that both are in a room
GRACE_STEP = 0.5  # seconds from one look to the next
SAMPLE = 2 * peer_exchange.MAX_PEERS  # members whose addresses are looked for


class ExchangeServer:
    """`rooms` are the joined ones, with their topics; who asks must be in the room as well."""

    def __init__(
        self,
        network: Network,
        transport: ActorRef,
        rooms: Mapping[str, str],
        *,
        rng: random.Random,
    ) -> None:
        self._network = network
        self._transport = transport
        self._rooms = rooms
        self._rng = rng
        self._streams: Counter[str] = Counter()
        self._allowances = Allowances(RATE, BURST)

    async def serve(self, stream: Stream) -> None:
        """One question. A stream that breaks the rules is reset by the exception."""
        peer = stream.peer
        if self._streams.total() >= STREAMS or self._streams[peer] >= STREAMS_OF_PEER:
            raise StreamError("peer exchange: too many questions at once")
        if not self._allowances.allows(peer, trio.current_time()):
            raise StreamError("peer exchange: too many questions")
        self._streams[peer] += 1
        try:
            with trio.fail_after(TIMEOUT):
                await self._answer(stream)
        except trio.TooSlowError:
            raise StreamError("peer exchange: too slow") from None
        finally:
            self._streams[peer] -= 1
            self._streams += Counter()  # drops zeros

    async def _answer(self, stream: Stream) -> None:
        try:
            request = wire.PeersRequest.FromString(
                await stream.read_frame(peer_exchange.REQUEST_LIMIT)
            )
        except DecodeError as error:
            raise StreamError(f"peer exchange: {error}") from None
        reply = peer_exchange.nobody()
        if await self._is_member(stream.peer, request.room):
            reply = peer_exchange.reply_of(
                await self._members(request.room, stream.peer),
                request.limit,
                to_loopback=is_on_loopback(self._network, stream.peer),
            )
        await stream.write(frame(reply.SerializeToString()))
        await stream.close()

    async def _is_member(self, peer: str, room: str) -> bool:
        """Gossip tells a moment after the connection who is where."""
        until = trio.current_time() + GRACE
        while (topic := self._rooms.get(room)) is not None:
            if peer in self._network.topic_peers(topic):
                return True
            if trio.current_time() >= until:
                return False
            await trio.sleep(GRACE_STEP)
        return False

    async def _members(self, room: str, asker: str) -> list[Whereabouts]:
        members = [p for p in self._network.topic_peers(self._rooms[room]) if p != asker]
        chosen = self._rng.sample(members, min(len(members), SAMPLE))
        if not chosen:
            return []
        try:
            known = await self._transport.ask(
                actors.ListAddresses(peers=chosen), actors.AddressList
            )
        except (RequestRejectedError, ActorError):
            return []
        return [Whereabouts(told.peer, told.addresses) for told in known.peers]


def is_on_loopback(network: Network, peer: str) -> bool:
    """Whether a connected peer runs on this computer, as its connections say."""
    mine = [c for c in network.connections() if c.peer == peer]
    return any(scope_of(c.address) is Scope.LOOPBACK for c in mine)
