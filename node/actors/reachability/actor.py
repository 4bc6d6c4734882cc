"""Finds out whether others can reach this node, and sees to it that they can."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Sequence

import trio

from p2pchat.node.actors.reachability.answering import Answering
from p2pchat.node.actors.reachability.asking import Asking
from p2pchat.node.actors.reachability.consequences import Consequences, Standing
from p2pchat.node.actors.reachability.port_mapping import PortMapping
from p2pchat.node.actors.reachability.punching import Punching
from p2pchat.node.actors.reachability.reservations import HOP_PROTOCOL, Reservations
from p2pchat.node.actors.reachability.ways import Ways, has_dialled_in
from p2pchat.node.config import RelayLimits
from p2pchat.node.ports import ConnectionInfo, Identified, Network, PortMapper
from p2pchat.node.protocol import autonat, hole_punch, p2p_address
from p2pchat.node.protocol.observed import Observed
from p2pchat.node.protocol.own_addresses import Scope
from p2pchat.node.protocol.reachability import Rank
from p2pchat.node.protocol.token_bucket import TokenBucket
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

CHAT_PREFIX = "/p2pchat/"  # of the protocols that only our own program speaks
# How often we try anew for direct ways because others see us elsewhere, a second and at once: they may be lying.
STIR_RATE, STIR_BURST = 1 / 60, 3


class ReachabilityActor(Actor):
    """Joins AutoNAT, reservations, hole punching and the router's port mapping to the `Network` port.

    What happens is only a reason to look: how peers are connected is read from the network, so that nothing is wrong
    for long when a message was lost, and a restart finds what is there.
    """

    mailbox_size = 512

    def __init__(
        self,
        network: Network,
        *,
        transport: ActorRef,
        told: Sequence[ActorRef],
        ui: ActorRef,
        rng: random.Random,
        serve: bool | None = None,
        small_relay: RelayLimits | None = None,
        mapper: PortMapper | None = None,
        bootstrap: Sequence[str] = (),
        announced: Sequence[str] = (),
    ) -> None:
        """`told` and `ui` hear what the node is. `serve`: answer AutoNAT always, never, or (None) when the node is
        public. `small_relay`: what a public node relays for others. `bootstrap`: multiaddrs of peers to be asked
        before others. `announced`: multiaddrs that the owner says lead here."""
        self._network = network
        self._transport = transport
        self._own: set[str] = set()  # the owner's mailboxes
        self._configured = _peers(bootstrap)
        self._dialled_in: set[str] = set()  # connected peers that have reached us by themselves
        self._counters: Counter[str] = Counter()
        self._observed = Observed()
        self._stirs = TokenBucket(STIR_RATE, STIR_BURST, trio.current_time())
        self._ways = Ways(network)
        self._mapping = PortMapping(network, mapper, self._mapping_changed)
        self._asking = Asking(
            network,
            self._ways,
            self._observed,
            mapped=lambda: self._mapping.mapped,
            rng=rng,
            counters=self._counters,
            on_change=self._draw_conclusions,
        )
        self._consequences = Consequences(
            network,
            Answering(network, self._ways, self._counters),
            serve=serve,
            small_relay=small_relay,
            told=told,
            ui=ui,
            announced=announced,
        )
        # Who serves whatever others say of it is to be found at its own addresses, or it is of no use.
        self._reservations = Reservations(
            network, rng, self._tell_addresses, strangers=serve is not True
        )
        self._punching = Punching(
            network,
            self._ways,
            self._observed,
            transport=transport,
            rng=rng,
            counters=self._counters,
        )

    async def started(self) -> None:
        self._consequences.begin()
        self._look_at_everybody()
        for task, name in (
            (self._consequences.run, "reachability"),
            (self._asking.run, "autonat"),
            (self._reservations.run, "reservations"),
            (self._punching.run, "hole punching"),
            (self._mapping.run, "port mapping"),
        ):
            self.spawn(task, name=name)

    async def stopping(self) -> None:
        await self._mapping.end()

    # ---- what happens ---------------------------------------------------------------------------------

    @handles(actors.NetworkStarted)
    async def _started_anew(self, _: actors.NetworkStarted) -> None:
        self._look_at_everybody()

    @handles(actors.UseRelays)
    async def _use_relays(self, command: actors.UseRelays) -> None:
        self._own = {relay.peer for relay in command.relays}
        self._reservations.choice.use(self._own)
        self._look_at_everybody()

    @handles(actors.PeerConnected)
    async def _connected(self, event: actors.PeerConnected) -> None:
        self._look_at(event.peer)

    @handles(actors.PeerMoved)
    async def _moved(self, event: actors.PeerMoved) -> None:
        self._look_at(event.peer)

    @handles(actors.PeerIdentified)
    async def _identified(self, event: actors.PeerIdentified) -> None:
        self._look_at(event.peer)

    @handles(actors.PeerDisconnected)
    async def _disconnected(self, event: actors.PeerDisconnected) -> None:
        """Also when it is back by now: then the connection is another one."""
        self._gone(event.peer)
        self._look_at(event.peer)

    @handles(actors.NetworkChanged)
    async def _network_changed(self, _: actors.NetworkChanged) -> None:
        now = trio.current_time()
        self._dialled_in.clear()
        self._asking.anew()
        self._mapping.renew()
        self._reservations.choice.doubt(now)
        self._reservations.look()
        self._stir()

    def _mapping_changed(self) -> None:
        self._draw_conclusions()
        self._asking.hurry()

    def _stir(self) -> None:
        now = trio.current_time()
        if self._stirs.allows(now):
            self._punching.upgrades.stirred(now)
            self._punching.look()

    # ---- looking --------------------------------------------------------------------------------------

    def _look_at_everybody(self) -> None:
        for peer in self._ways.peers():
            self._look_at(peer)

    def _look_at(self, peer: str) -> None:
        now = trio.current_time()
        direct, circuit = self._ways.to(peer)
        found = self._network.identified(peer) if direct or circuit else None
        if not direct:
            self._no_direct_way(peer, now)
        if circuit is None:
            self._punching.upgrades.settled(peer)
        elif not circuit.outbound:
            self._punching.upgrades.called(peer, now)
        if found is not None:
            self._take_in(peer, found, is_direct=bool(direct))
        if direct:
            self._direct_way(peer, direct, now)
        self._reservations.look()
        self._punching.look()

    def _gone(self, peer: str) -> None:
        self._no_direct_way(peer, trio.current_time())
        self._punching.upgrades.settled(peer)

    def _no_direct_way(self, peer: str, now: float) -> None:
        self._dialled_in.discard(peer)
        self._asking.withdraw(peer)
        self._observed.gone(peer)
        self._reservations.choice.disconnected(peer, now)

    def _direct_way(self, peer: str, direct: Sequence[ConnectionInfo], now: float) -> None:
        self._reservations.choice.connected(peer, now)
        if peer in self._dialled_in or not has_dialled_in(direct, lambda _: True):
            return
        is_first = not self._dialled_in
        self._dialled_in.add(peer)
        from_afar = has_dialled_in(direct, lambda scope: scope is Scope.WIDE)
        if is_first and from_afar and self._asking.judgement.state != actors.PUBLIC:
            self._asking.hurry()
        self._draw_conclusions()

    def _take_in(self, peer: str, found: Identified, *, is_direct: bool) -> None:
        """What a peer says of itself and of us."""
        speaks = found.protocols
        self._punching.upgrades.identified(peer, hole_punch.PROTOCOL in speaks, trio.current_time())
        if not is_direct:
            return
        self._reservations.choice.offers(peer, HOP_PROTOCOL in speaks)
        if found.observed and self._observed.heard(peer, found.observed, outbound=found.outbound):
            self._asking.addresses_changed()
            self._stir()
        if autonat.PROTOCOL in speaks:
            self._asking.offer(peer, self._rank(peer))
        elif any(protocol.startswith(CHAT_PREFIX) for protocol in speaks):
            self._asking.offer(peer, Rank.GUESS)

    def _rank(self, peer: str) -> Rank:
        if peer in self._own:
            return Rank.MAILBOX
        return Rank.CONFIGURED if peer in self._configured else Rank.OTHER

    # ---- what follows ---------------------------------------------------------------------------------

    def _draw_conclusions(self) -> None:
        now = trio.current_time()
        judgement = self._asking.judgement
        is_public = judgement.state == actors.PUBLIC
        confirmed = judgement.confirmed(now) if is_public else []
        addresses = tuple(dict.fromkeys([*confirmed, *self._mapping.mapped]))
        self._consequences.set(Standing(judgement.state, addresses, bool(self._dialled_in)))
        self._reservations.choice.reachability(judgement.state, now)
        self._reservations.look()

    async def _tell_addresses(self) -> None:
        await self._transport.inform(actors.AddressesChanged())

    @handles(actors.DescribeReachability)
    async def _describe(self, _: actors.DescribeReachability) -> actors.ReachabilityDescription:
        now = trio.current_time()
        judgement, choice = self._asking.judgement, self._reservations.choice
        reached = [verdict.reached for verdict in judgement.verdicts.counting(now)]
        return actors.ReachabilityDescription(
            reachability=judgement.state,
            observed=[host.split("/", 2)[2] for host in self._observed.hosts()],
            yes=sum(reached),
            no=len(reached) - sum(reached),
            reservations=choice.describe(now),
            wants_relays=choice.wants_relays(now),
            punches=self._punching.attempts,
            punched=self._punching.successes,
            upnp=self._mapping.is_on,
            mapped=self._mapping.mapped,
            upnp_problem=self._mapping.problem,
            counters={name: count for name, count in self._counters.items() if count},
            relays=self._network.relay_status() is not None,
        )


def _peers(addresses: Sequence[str]) -> set[str]:
    """Discovery says which addresses are none."""
    found = set()
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.add(p2p_address.peer_of(address))
    return found
