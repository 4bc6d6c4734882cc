"""Says who is where, and dials nobody itself: the configured bootstrap peers, and mDNS on the local network."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence

import trio

from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import NetworkError
from p2pchat.node.ports import LocalDiscovery, Resolver
from p2pchat.node.protocol import p2p_address
from p2pchat.node.runtime import Actor, ActorRef, handles
from p2pchat.proto import actors_pb2 as actors

log = logging.getLogger(__name__)

LOOK_UP_RETRY = Backoff(first=5.0, most=300.0)  # seconds, until a bootstrap name was resolved
FINDS = 256  # peers found and not told yet; full: the next one is dropped, mDNS repeats itself
REMEMBERED_FINDS = 1000  # different peers counted


class DiscoveryActor(Actor):
    """Tells transport of every peer it hears of; transport decides whom to dial and when to try again.

    `bootstrap` are multiaddrs that end in `/p2p/<peer id>`; when the user chose them he wants to hear of those that
    cannot be reached. Without `local` nobody is looked for nearby.
    """

    def __init__(
        self,
        *,
        bootstrap: Sequence[str],
        chosen_by_user: bool,
        transport: ActorRef,
        ui: ActorRef,
        local: LocalDiscovery | None,
        resolver: Resolver,
        rng: random.Random,
    ) -> None:
        self._bootstrap = _by_peer(bootstrap)
        self._source = actors.USER if chosen_by_user else actors.BOOTSTRAP
        self._transport = transport
        self._ui = ui
        self._local = local
        self._resolver = resolver
        self._rng = rng
        self._problem = ""
        self._looking = False
        self._found_nearby: set[str] = set()
        self._finds, self._to_tell = trio.open_memory_channel[actors.PeerFound](FINDS)

    async def started(self) -> None:
        self.spawn(self._tell_bootstrap, name="bootstrap")
        self.spawn(self._tell_finds, name="mDNS finds")

    @handles(actors.Listening)
    async def _advertise(self, listening: actors.Listening) -> None:
        if self._local is None:
            return
        self._local.announce(
            [p2p_address.with_peer(address, listening.peer) for address in listening.addresses]
        )
        if not self._looking:
            self._looking = True
            self.spawn(self._local.run, listening.peer, self._find, self._report, name="mDNS")

    @handles(actors.DescribeDiscovery)
    async def _describe(self, _: actors.DescribeDiscovery) -> actors.DiscoveryDescription:
        return actors.DiscoveryDescription(
            bootstrap_peers=len(self._bootstrap),
            mdns=self._local is not None,
            mdns_found=len(self._found_nearby),
            mdns_problem=self._problem,
        )

    # ---- bootstrap ----------------------------------------------------------------------------------

    async def _tell_bootstrap(self) -> None:
        for peer, addresses in self._bootstrap.items():
            names = [address for address in addresses if p2p_address.is_dnsaddr(address)]
            for name in names:
                self.spawn(self._resolve, peer, name, name=f"look up {name}")
            await self._tell(peer, [a for a in addresses if a not in names], self._source)

    async def _resolve(self, peer: str, name: str) -> None:
        attempt = 0
        while True:
            try:
                await self._tell(peer, await self._resolver(name), self._source)
                return
            except NetworkError as error:
                log.info("cannot look up %s: %s", name, error)
            attempt += 1
            await trio.sleep(LOOK_UP_RETRY.delay(attempt, self._rng))

    # ---- mDNS ---------------------------------------------------------------------------------------

    def _find(self, peer: str, addresses: Sequence[str]) -> None:
        if len(self._found_nearby) < REMEMBERED_FINDS:
            self._found_nearby.add(peer)
        try:
            self._finds.send_nowait(
                actors.PeerFound(peer=peer, addresses=addresses, source=actors.MDNS)
            )
        except trio.WouldBlock:
            log.debug("no room for what mDNS found: %s", peer)

    async def _tell_finds(self) -> None:
        async for found in self._to_tell:
            await self._transport.tell(found)

    def _report(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("%s", problem)
            self._ui.offer(actors.Notice(level=actors.Notice.HINT, text=problem))
        self._problem = problem

    async def _tell(self, peer: str, addresses: Sequence[str], source: actors.Source) -> None:
        if addresses:
            await self._transport.tell(
                actors.PeerFound(peer=peer, addresses=addresses, source=source)
            )


def _by_peer(addresses: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address in addresses:
        try:
            found.setdefault(p2p_address.peer_of(address), []).append(address)
        except ValueError as error:
            log.warning("no bootstrap address: %s", error)
    return found
