"""Connects to the other sides of files that wait for them, and finds out how to call them."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.files.ledger import Ledger
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import ActorError, RequestRejectedError
from p2pchat.node.ports import Network
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

LOOK = 2.0  # seconds between two looks, while anything waits
AGAIN = Backoff(first=5.0, most=300.0)  # seconds until somebody who was not reached is tried again
AT_ONCE = 4  # peers that are being connected to


class Reaching:
    def __init__(
        self,
        *,
        network: Network,
        transport: ActorRef,
        delivery: ActorRef,
        ledger: Ledger,
        spawn: Callable[..., None],
        rng: random.Random,
    ) -> None:
        self._network = network
        self._transport = transport
        self._delivery = delivery
        self._ledger = ledger
        self._spawn = spawn
        self._rng = rng
        self._under_way: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._bell = Bell()

    def ring(self) -> None:
        self._bell.ring()

    async def run(self) -> None:
        while True:
            wanted = {key.peer for key in self._ledger.having(rules.wants_peer)}
            self._forget({connection.peer for connection in self._network.connections()}, wanted)
            for peer in wanted:
                if self._may_try(peer):
                    self._under_way.add(peer)
                    self._spawn(self._reach, peer, name=f"file dial {peer}")
            await self._bell.wait_until(trio.current_time() + LOOK if wanted else None)

    async def find_names(self) -> None:
        """How to call those with whom there are transfers."""
        for peer in self._ledger.unnamed:
            try:
                await self._resolve(peer)
            except (RequestRejectedError, ActorError) as error:
                log.debug("no name for %s: %s", peer, error)

    def _forget(self, there: set[str], wanted: set[str]) -> None:
        for peer in there | (self._not_before.keys() - wanted):
            self._failures.pop(peer, None)
            self._not_before.pop(peer, None)
        for peer in there & wanted:
            self._not_before[peer] = trio.current_time() + LOOK

    def _may_try(self, peer: str) -> bool:
        if peer in self._under_way or len(self._under_way) >= AT_ONCE:
            return False
        return trio.current_time() >= self._not_before.get(peer, 0.0)

    async def _resolve(self, peer: str) -> actors.PeerResolved:
        found = await self._delivery.ask(actors.ResolvePeer(text=peer), actors.PeerResolved)
        self._ledger.called(peer, found.name)
        return found

    async def _reach(self, peer: str) -> None:
        try:
            found = await self._resolve(peer)
            connect = actors.Connect(peer=peer, addresses=found.addresses, look_up=True)
            await self._transport.request(connect, actors.Done)
        except (RequestRejectedError, ActorError) as error:
            log.debug("cannot reach %s: %s", peer, error)
        finally:
            self._under_way.discard(peer)
        self._failures[peer] = self._failures.get(peer, 0) + 1
        delay = AGAIN.delay(self._failures[peer], self._rng)
        self._not_before[peer] = trio.current_time() + delay
