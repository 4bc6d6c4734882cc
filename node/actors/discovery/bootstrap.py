"""The peers to begin with: multiaddrs from the configuration, and names that stand for some."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence

import trio

from p2pchat.node.actors.bell import Bell
from p2pchat.node.backoff import Backoff
from p2pchat.node.errors import NetworkError
from p2pchat.node.ports import Network, Resolver
from p2pchat.node.protocol import p2p_address

log = logging.getLogger(__name__)

LOOK_UP_RETRY = Backoff(first=5.0, most=300.0)  # seconds, until a bootstrap name was resolved
LOOK = 60.0  # seconds between two looks whether any of them is connected
ALONE = 300.0  # seconds without any of them until the names are looked up again
SETTLE = 5.0  # seconds that another network gets until names can be looked up in it


class Bootstrap:
    """`tell(peer, addresses)` hears where they are."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        network: Network,
        resolver: Resolver,
        tell: Callable[[str, Sequence[str]], Awaitable[None]],
        rng: random.Random,
    ) -> None:
        self._fixed = _by_peer(addresses)
        self._names = [
            (peer, address)
            for peer, known in self._fixed.items()
            for address in known
            if p2p_address.is_dnsaddr(address)
        ]
        self._network = network
        self._resolver = resolver
        self._tell = tell
        self._rng = rng
        self._bell = Bell()
        self._changed = False

    def __len__(self) -> int:
        return len(self._fixed)

    def connected(self) -> int:
        """How many of them are."""
        return len({c.peer for c in self._network.connections()} & self._fixed.keys())

    def network_changed(self) -> None:
        """Names may stand for others here, or for the first time for any."""
        self._changed = True
        self._bell.ring()

    async def run(self) -> None:
        for peer, addresses in self._fixed.items():
            fixed = [a for a in addresses if not p2p_address.is_dnsaddr(a)]
            if fixed:
                await self._tell(peer, fixed)
        while self._names:
            await self._resolve_all()
            await self._until_alone()

    async def _resolve_all(self) -> None:
        async with trio.open_nursery() as nursery:
            for peer, name in self._names:
                nursery.start_soon(self._resolve, peer, name, name=f"look up {name}")

    async def _resolve(self, peer: str, name: str) -> None:
        attempt = 0
        while True:
            try:
                addresses = await self._resolver(name)
            except NetworkError as error:
                log.info("cannot look up %s: %s", name, error)
            else:
                if addresses:
                    await self._tell(peer, addresses)
                return
            attempt += 1
            await trio.sleep(LOOK_UP_RETRY.delay(attempt, self._rng))

    async def _until_alone(self) -> None:
        """Until none of them was connected for a while, or the network is another one."""
        self._changed = False
        since = trio.current_time()
        while trio.current_time() - since < ALONE:
            await self._bell.wait_until(trio.current_time() + LOOK)
            if self._changed:
                await trio.sleep(SETTLE)
                return
            if self.connected():
                since = trio.current_time()


def _by_peer(addresses: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address in addresses:
        try:
            found.setdefault(p2p_address.peer_of(address), []).append(address)
        except ValueError as error:
            log.warning("no bootstrap address: %s", error)
    return found
