"""Makes direct connections out of relayed ones."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Sequence

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.reachability.exchange import opened
from p2pchat.node.actors.reachability.ways import Ways, is_over_loopback
from p2pchat.node.errors import ActorError, DialError, RequestRejectedError, StreamError
from p2pchat.node.ports import Network, Stream
from p2pchat.node.protocol import endpoints, hole_punch
from p2pchat.node.protocol.allowances import Allowances
from p2pchat.node.protocol.framing import frame
from p2pchat.node.protocol.hole_punch import FRAME_LIMIT, Upgrades
from p2pchat.node.protocol.observed import Observed
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

AT_ONCE = 4  # attempts under way that we have begun, and as many that others have
PLAIN_DIAL = 3.0  # seconds for the public addresses that a caller says it has
EXCHANGE_TIMEOUT = 10.0  # seconds for the messages of one attempt
PUNCH_TIMEOUT = 15.0  # seconds; the network gives up earlier


class Punching:
    """`upgrades` decides; tell it what has happened, then `look`."""

    def __init__(
        self,
        network: Network,
        ways: Ways,
        observed: Observed,
        *,
        transport: ActorRef,
        rng: random.Random,
        counters: Counter[str],
    ) -> None:
        self.upgrades = Upgrades(rng)
        self.attempts = 0
        self.successes = 0
        self._network = network
        self._ways = ways
        self._observed = observed
        self._transport = transport
        self._counters = counters
        self._bell = Bell()
        self._begun = trio.Semaphore(AT_ONCE)
        self._asked = trio.Semaphore(AT_ONCE)
        self._visitors = Allowances(hole_punch.VISITOR_RATE, hole_punch.VISITOR_BURST)
        self._under_way: set[str] = set()

    def look(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        """Begin what is due, until cancelled."""
        self._network.handle(hole_punch.PROTOCOL, self.answer)
        async with trio.open_nursery() as nursery:
            while True:
                for peer in self.upgrades.due(trio.current_time()):
                    nursery.start_soon(self._upgrade, peer, name=f"direct way to {peer}")
                await self._bell.wait_until(self.upgrades.next_due())

    # ---- being called ---------------------------------------------------------------------------------

    async def _upgrade(self, peer: str) -> None:
        async with self._begun:
            if self._ways.relayed(peer) is not None:
                self._under_way.add(peer)
                try:
                    await self._attempt(peer)
                finally:
                    self._under_way.discard(peer)
        if self._ways.relayed(peer) is None:
            self.upgrades.settled(peer)
        else:
            self.upgrades.failed(peer, trio.current_time())
        self._bell.ring()

    async def _attempt(self, peer: str) -> None:
        if self.upgrades.is_first(peer):
            await self._dial_plainly(peer)
            if self._ways.relayed(peer) is None:
                return
        try:
            await self._begin(peer)
        except (StreamError, DialError, ValueError, trio.TooSlowError) as error:
            log.debug("no direct way to %s: %s", peer, error or "it does not answer")

    async def _dial_plainly(self, peer: str) -> None:
        """It may be that only we are behind a NAT."""
        found = self._network.identified(peer)
        if found is None or not (addresses := hole_punch.public(found.addresses)):
            return
        with trio.move_on_after(PLAIN_DIAL):
            try:
                command = actors.Connect(peer=peer, addresses=addresses)
                await self._transport.request(command, actors.Done)
            except (RequestRejectedError, ActorError) as error:
                log.debug("no plain way to %s: %s", peer, error)

    async def _begin(self, peer: str) -> None:
        """Raises `StreamError`, `DialError`, `ValueError` and `TooSlowError`."""
        over_loopback = self._is_over_loopback(peer)
        own = self._own_addresses(over_loopback)
        if not own:
            raise DialError("we have no address to be dialled at")
        with trio.fail_after(EXCHANGE_TIMEOUT):
            async with opened(self._network, peer, hole_punch.PROTOCOL) as stream:
                began = trio.current_time()
                await stream.write(frame(hole_punch.connect(own)))
                answer = hole_punch.read_connect(await stream.read_frame(FRAME_LIMIT))
                round_trip = trio.current_time() - began
                await stream.write(frame(hole_punch.sync()))
                dial_at = trio.current_time() + round_trip / 2  # when SYNC is there
        theirs = hole_punch.acceptable(answer, over_loopback=over_loopback)
        await trio.sleep_until(dial_at)
        await self._punch(peer, theirs, initiator=False)

    # ---- having called --------------------------------------------------------------------------------

    async def answer(self, stream: Stream) -> None:
        """One attempt that the peer begins. Raises what `_begin` raises, which resets the stream."""
        if not self._may_ask(stream.peer):
            self._counters["punches_refused"] += 1
            await stream.reset()
            return
        async with self._asked:
            self._under_way.add(stream.peer)
            try:
                await self._take_part(stream)
            finally:
                self._under_way.discard(stream.peer)

    def _may_ask(self, peer: str) -> bool:
        return (
            self._ways.relayed(peer) is not None
            and peer not in self._under_way
            and self._asked.value > 0
            and self._visitors.allows(peer, trio.current_time())
        )

    async def _take_part(self, stream: Stream) -> None:
        over_loopback = self._is_over_loopback(stream.peer)
        own = self._own_addresses(over_loopback)
        with trio.fail_after(EXCHANGE_TIMEOUT):
            asked = hole_punch.read_connect(await stream.read_frame(FRAME_LIMIT))
            theirs = hole_punch.acceptable(asked, over_loopback=over_loopback)
            await stream.write(frame(hole_punch.connect(own)))
            hole_punch.read_sync(await stream.read_frame(FRAME_LIMIT))
        try:
            await self._punch(stream.peer, theirs, initiator=True)
        except (DialError, trio.TooSlowError) as error:
            log.debug("no direct way to %s: %s", stream.peer, error or "no answer")
        with trio.fail_after(EXCHANGE_TIMEOUT):
            await stream.close()

    # ---- both -----------------------------------------------------------------------------------------

    async def _punch(self, peer: str, addresses: Sequence[str], *, initiator: bool) -> None:
        """Raises `DialError` and `TooSlowError`."""
        if not addresses:
            raise DialError("the other side has no address to be dialled at")
        self.attempts += 1
        with trio.fail_after(PUNCH_TIMEOUT):
            await self._network.punch(peer, addresses, initiator=initiator)
        self.successes += 1
        log.debug("a direct connection to %s has been made out of a relayed one", peer)

    def _is_over_loopback(self, peer: str) -> bool:
        connection = self._ways.relayed(peer)
        return connection is not None and is_over_loopback(connection)

    def _own_addresses(self, over_loopback: bool) -> list[str]:
        listening = [a for a in self._network.listen_addresses() if endpoints.parse(a)]
        observed = self._observed.candidates(listening)
        return hole_punch.own_addresses(observed, listening, over_loopback=over_loopback)
