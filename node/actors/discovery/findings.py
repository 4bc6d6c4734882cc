"""Members of rooms that others speak of, on their way to transport: not more of them than can be looked after."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from p2pchat.node.errors import ActorError
from p2pchat.node.ports import Network
from p2pchat.node.protocol.peer_exchange import Whereabouts
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

RATE = 2.0  # members told a second, of all rooms together ...
BURST = 256  # ... and at once; more are dropped, and heard of again when they are needed
COUNTED = 1_000  # different peers


class Findings:
    """Who is connected already is not told."""

    def __init__(self, network: Network, transport: ActorRef) -> None:
        self._network = network
        self._transport = transport
        self._allowance = TokenBucket(RATE, BURST, trio.current_time())
        self._exchanged: set[str] = set()

    @property
    def exchanged(self) -> int:
        """Different peers heard of from other members, up to `COUNTED`."""
        return len(self._exchanged)

    def without(self) -> set[str]:
        """Peers that nobody needs to tell us of."""
        return {self._network.peer, *(c.peer for c in self._network.connections())}

    def count(self, members: Iterable[Whereabouts]) -> None:
        """They were heard of by peer exchange."""
        for member in members:
            if len(self._exchanged) < COUNTED:
                self._exchanged.add(member.peer)

    async def tell(self, members: Iterable[Whereabouts]) -> None:
        without = self.without()
        for member in members:
            if member.peer in without or not self._allowance.allows(trio.current_time()):
                continue
            try:
                await self._transport.tell(
                    actors.PeerFound(
                        peer=member.peer, addresses=member.addresses, source=actors.ROOM
                    )
                )
            except ActorError:
                return  # it stops, and so does this
