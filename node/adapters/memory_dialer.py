"""How a memory network gets its connections: dialling, calling through relays, probing and punching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import trio

from p2pchat.node.adapters.memory_addresses import NO_ADDRESS, plan_dial
from p2pchat.node.adapters.memory_hub import Weather
from p2pchat.node.adapters.memory_nat import Punch
from p2pchat.node.errors import DialError
from p2pchat.node.protocol import peer_id

if TYPE_CHECKING:
    from p2pchat.node.adapters.memory_network import MemoryHub, MemoryNetwork

PUNCH_TIME = 1.0  # seconds that one side waits for the other's
PUNCH_POLL = 0.01  # seconds


class MemoryDialer:
    """Of one network; see `Network` for what the methods promise."""

    def __init__(self, network: MemoryNetwork, hub: MemoryHub) -> None:
        self._network = network
        self._hub = hub

    async def dial(self, peer: str, addresses: Sequence[str]) -> None:
        plan = plan_dial(peer, addresses)
        if self._network.is_connected(plan.peer) and not plan.direct:
            return
        for address in plan.direct:
            if self._network.direct_end(plan.peer):
                return
            await self._travel(self._weather(plan.peer))
            if not self._network.direct_end(plan.peer):
                self._connect(plan.peer, address)
        reason = ""
        for address, relay in plan.circuits:
            if self._network.is_connected(plan.peer):
                return
            try:
                await self._call(plan.peer, address, relay)
            except DialError as error:
                reason = f": {error}"
        if not self._network.is_connected(plan.peer):
            raise DialError(f"no address led to {peer_id.short(plan.peer)}{reason}")

    async def probe(self, peer: str, addresses: Sequence[str]) -> str:
        for address in plan_dial(peer, addresses).direct:
            await self._travel(self._weather(peer))
            listener = self._listener(address)
            if listener is not None and listener.peer == peer:
                return address
        raise DialError(f"{peer_id.short(peer)} cannot be dialled at any of these addresses")

    async def punch(self, peer: str, addresses: Sequence[str], *, initiator: bool) -> None:
        direct = plan_dial(peer, addresses).direct
        ready = self._hub.nats.can_meet(self._network.peer, peer) and any(
            self._could_lead_to(address, peer) for address in direct
        )
        punch = Punch(initiator, ready)
        both = self._hub.punches.begin(self._network.peer, peer, punch)
        try:
            with trio.move_on_after(PUNCH_TIME):
                await self._travel(self._weather(peer))
                if not self._network.direct_end(peer):
                    self._break_through(peer, direct, both)
                while not self._network.direct_end(peer):  # noqa: ASYNC110
                    await trio.sleep(PUNCH_POLL)
        finally:
            self._hub.punches.end(self._network.peer, peer, punch)
        if not self._network.direct_end(peer):
            raise DialError(f"no way through to {peer_id.short(peer)}")

    def _break_through(self, peer: str, addresses: Sequence[str], both: bool) -> None:
        for address in addresses:
            self._connect(peer, address, punched=True)
        other = self._hub.running(peer)
        found = self._network.direct_end(peer)
        if both and found is None and other is not None and self._reaches(peer):
            address = addresses[0]
            self._network.join(other, address, self._seen_as(), punched=True)

    def _could_lead_to(self, address: str, peer: str) -> bool:
        listener = self._hub.listener(address)
        found = listener is not None and listener.peer == peer
        return found or self._hub.nats.leads_to(address, peer)

    async def _travel(self, weather: Weather) -> None:
        """A round trip, after which this run still goes on."""
        life = self._network.life
        await weather.round_trip()
        if life is None or life is not self._network.life:
            raise DialError("the network does not run")

    def _weather(self, peer: str, relay: str = "") -> Weather:
        return self._hub.weather(self._network.peer, peer, relay)

    def _reaches(self, peer: str) -> bool:
        return self._hub.reachable(self._network.peer, peer)

    def _seen_as(self) -> str:
        return self._hub.nats.seen_as(self._network.peer, self._network.own_address or NO_ADDRESS)

    def _listener(self, address: str) -> MemoryNetwork | None:
        """Somebody else who can be dialled there."""
        other = self._hub.listener(address)
        if other is None or other is self._network or not self._reaches(other.peer):
            return None
        return None if self._hub.nats.hides(other.peer) else other

    def _connect(self, peer: str, address: str, *, punched: bool = False) -> None:
        other = self._listener(address)
        if other is None or self._network.direct_end(peer):
            return
        if other.peer != peer:
            self._network.count("wrong_peers")
            return
        self._network.join(other, address, self._seen_as(), punched=punched)

    async def _call(self, peer: str, address: str, relay: str) -> None:
        """Connect through a relay. Raises `DialError`."""
        if not self._network.direct_end(relay):
            try:
                await self.dial(relay, [address])
            except DialError as error:
                raise DialError(f"the relay cannot be reached: {error}") from None
        await self._travel(self._weather(peer, relay))
        network = self._hub.running(relay)
        if network is None or not self._network.direct_end(relay):
            raise DialError("the connection to the relay was lost")
        if not self._network.is_connected(peer):
            network.carry(self._network, peer)
