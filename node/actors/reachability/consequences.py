"""What the node does about being reachable or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.reachability.answering import Answering
from p2pchat.node.config import RelayLimits
from p2pchat.node.ports import Network
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with this node."""

    state: actors.Reachability = actors.UNKNOWN
    addresses: tuple[str, ...] = ()  # that lead here, as others or the router say
    dialled_in: bool = False  # somebody has reached us by himself, so that we may look after others


class Consequences:
    """Public nodes help others a little; everybody who is to know is told. Done in a task of its own: who tells
    others must not be waited for by them."""

    def __init__(
        self,
        network: Network,
        answering: Answering,
        *,
        serve: bool | None,
        small_relay: RelayLimits | None,
        told: Sequence[ActorRef],
        ui: ActorRef,
        announced: Sequence[str] = (),
    ) -> None:
        """`announced`: addresses that the owner says lead here.

        `serve`: AutoNAT always (True), never (False), or while we can be reached ourselves."""
        self._network = network
        self._answering = answering
        self._serve = serve
        self._small_relay = small_relay
        self._told = told
        self._ui = ui
        self._announced = tuple(announced)
        self._done = Standing()
        self._wanted = Standing()
        self._bell = Bell()

    def begin(self) -> None:
        """Whatever was so in the run before."""
        self._network.announce(self._announced)
        if self._small_relay is not None:
            self._network.serve_relay(None)
        self._answering.begin()
        self._answering.serve(self._serves(self._done))

    def set(self, standing: Standing) -> None:
        self._wanted = standing
        self._bell.ring()

    async def run(self) -> None:
        while True:
            await self._bell.wait()
            before, self._done = self._done, self._wanted
            if self._done != before:
                self._act(before, self._done)
                await self._tell(before, self._done)

    def _act(self, before: Standing, now: Standing) -> None:
        self._answering.serve(self._serves(now))
        if now.addresses != before.addresses:
            self._network.announce(tuple(dict.fromkeys((*self._announced, *now.addresses))))
        if self._small_relay is not None and now.state != before.state:
            is_public = now.state == actors.PUBLIC
            self._network.serve_relay(self._small_relay if is_public else None)

    def _serves(self, standing: Standing) -> bool:
        if self._serve is not None:
            return self._serve
        # Somebody has to be the first: among nodes that know nothing of themselves, whoever was dialled.
        is_first = standing.state == actors.UNKNOWN and standing.dialled_in
        return standing.state == actors.PUBLIC or is_first

    async def _tell(self, before: Standing, now: Standing) -> None:
        if (now.state, now.addresses) == (before.state, before.addresses):
            return
        event = actors.ReachabilityChanged(reachability=now.state, addresses=now.addresses)
        self._ui.offer(event)
        for ref in self._told:
            await ref.inform(event)
