"""Look-ups through the network: asks whom the state machine says, a few at a time, until it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.dht.neighbours import Neighbours
from p2pchat.node.actors.dht.questions import Questions, UnsureError
from p2pchat.node.actors.dht.state import DhtState
from p2pchat.node.actors.dht.turns import NotTriedError
from p2pchat.node.errors import NetworkError
from p2pchat.node.protocol.kad.keys import position
from p2pchat.node.protocol.kad.limits import K
from p2pchat.node.protocol.kad.lookup import Lookup
from p2pchat.node.protocol.kad.peers import KadPeer, from_wire, tidied
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.proto import kad_pb2 as kad

LOOKUP_TIMEOUT = 30.0  # seconds; what was found until then counts

Heard = Callable[[KadPeer, kad.Message], None]


class Walk:
    """One look-up under way."""

    def __init__(
        self, walks: Walks, lookup: Lookup, request: kad.Message, on_answer: Heard | None
    ) -> None:
        self._walks = walks
        self._lookup = lookup
        self._request = request
        self._on_answer = on_answer
        self._bell = Bell()
        self._scope = trio.CancelScope()

    def hurry(self, seconds: float) -> None:
        """Be done in that time: enough is known."""
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + seconds)

    async def run(self) -> list[KadPeer]:
        """The peers nearest to the key that answered, the nearest first; empty when nobody did."""
        self.hurry(LOOKUP_TIMEOUT)
        with self._scope:
            async with trio.open_nursery() as nursery:
                while not self._lookup.done:
                    for peer in self._lookup.next():
                        nursery.start_soon(self._ask, peer)
                    await self._bell.wait()
        return self._lookup.closest

    async def _ask(self, peer: KadPeer) -> None:
        answer = await self._walks.ask(peer, self._request)
        if answer is None:
            self._lookup.failed(peer.peer)
        else:
            self._lookup.heard(peer.peer, self._walks.peers_in(answer.closer_peers, peer))
            if self._on_answer is not None:
                self._on_answer(peer, answer)
        self._bell.ring()


class Walks:
    """Begins look-ups at the routing table, and files there who answers and who does not."""

    def __init__(self, neighbours: Neighbours, state: DhtState, questions: Questions) -> None:
        self._neighbours = neighbours
        self._state = state
        self._questions = questions

    def begin(
        self,
        request: kad.Message,
        on_answer: Heard | None = None,
        *,
        besides: frozenset[bytes] = frozenset(),
        enough: int = K,
    ) -> Walk:
        """Towards the key of `request`, which everybody on the way is asked; `besides` are not."""
        seeds = self._state.table.seeds(position(request.key), trio.current_time())
        besides |= {self._state.own}
        lookup = Lookup(request.key, seeds, besides=besides, enough=enough)
        return Walk(self, lookup, request, on_answer)

    async def ask(self, peer: KadPeer, request: kad.Message) -> kad.Message | None:
        """The answer; None when there is none."""
        try:
            answer = await self._questions.ask(peer, request)
        except NotTriedError:
            return None
        except NetworkError as error:
            self._file_failure(peer, sure=not isinstance(error, UnsureError))
            return None
        self._file(peer)
        return answer

    def _file_failure(self, peer: KadPeer, *, sure: bool) -> None:
        connected = bool(self._neighbours.address_of(peer.name))
        self._state.table.failed(peer.peer, trio.current_time(), connected=connected, sure=sure)

    def _file(self, peer: KadPeer) -> None:
        """It has answered. What it says itself of its addresses holds; others say it as long as it does not."""
        table = self._state.table
        addresses = () if peer.peer in table else tidied(peer.addresses)
        alive = KadPeer(peer.peer, addresses)
        table.heard(alive, self._neighbours.address_of(peer.name), trio.current_time())

    async def tell(self, peers: Sequence[KadPeer], message: kad.Message) -> int:
        """Send each of them what has no answer; how many took it."""
        return await _successes(partial(self._tell, message), peers)

    async def put(self, peers: Sequence[KadPeer], message: kad.Message) -> int:
        """Ask each of them to keep a record; how many do."""
        return await _successes(partial(self._put, message), peers)

    def peers_in(
        self, peers: Sequence[kad.Message.Peer], via: KadPeer, limit: int = K
    ) -> list[KadPeer]:
        """Those in an answer of `via`. Nobody makes us knock at our own machine who is not on it himself."""
        found = from_wire(peers, limit)
        if scope_of(self._neighbours.address_of(via.name)) is Scope.LOOPBACK:
            return found
        return [KadPeer(peer.peer, _elsewhere(peer.addresses)) for peer in found]

    async def _tell(self, message: kad.Message, peer: KadPeer) -> bool:
        try:
            await self._questions.tell(peer, message)
        except NetworkError:
            return False
        return True

    async def _put(self, message: kad.Message, peer: KadPeer) -> bool:
        try:
            answer = await self._questions.ask(peer, message)
        except NetworkError:
            return False  # which is no sign that it is not there: it may have a newer one
        return answer.record.value == message.record.value


def _elsewhere(addresses: Sequence[str]) -> tuple[str, ...]:
    return tuple(address for address in addresses if scope_of(address) is not Scope.LOOPBACK)


async def _successes(
    attempt: Callable[[KadPeer], Awaitable[bool]], peers: Sequence[KadPeer]
) -> int:
    """Of attempts side by side."""
    good = 0

    async def count(peer: KadPeer) -> None:
        nonlocal good
        good += await attempt(peer)

    async with trio.open_nursery() as nursery:
        for peer in peers:
            nursery.start_soon(count, peer)
    return good
