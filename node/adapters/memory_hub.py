"""The internet between memory networks: who listens where, and the weather on the way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import trio

from p2pchat.node.adapters.memory_nat import NatKind, Nats, Punches


class Attached(Protocol):
    """What the hub needs of a network."""

    @property
    def peer(self) -> str: ...

    def cut_unreachable(self) -> None: ...


N = TypeVar("N", bound=Attached)


class Hub(Generic[N]):
    """Where networks find each other.

    `latency` is the range of seconds that something takes one way; `loss` the share of gossip messages lost
    between two neighbours (streams repair themselves, as over TCP). Both may be changed at any time. Every
    wire draws from a generator of its own, so that equal seeds give equal weather however tasks are scheduled.
    """

    def __init__(
        self, seed: int = 0, latency: tuple[float, float] = (0.0, 0.0), loss: float = 0.0
    ) -> None:
        self.seed = seed
        self.latency = latency
        self.loss = loss
        self._addresses = 0
        self.lost = 0  # gossip messages that never arrived
        self.nats = Nats(self.new_address)
        self.punches = Punches()
        self._listening: dict[str, N] = {}
        self._running: dict[str, N] = {}
        self._sides: dict[str, int] = {}  # peer id -> side; empty: no partition
        self._weathers: Counter[str] = Counter()
        self._messages = 0

    def new_address(self) -> str:
        """An address that was not given out before."""
        self._addresses += 1
        return f"/memory/{self._addresses}"

    def new_message_id(self) -> int:
        """Unique on the whole hub, so that a peer that comes back does not repeat itself."""
        self._messages += 1
        return self._messages

    def partition(self, *sides: Iterable[str]) -> None:
        """Cut every connection between peers of different sides, and allow no new one, until `heal`.

        Peers that are named nowhere form one more side.
        """
        self._sides = {peer: index for index, side in enumerate(sides) for peer in side}
        for network in list(self._running.values()):
            network.cut_unreachable()

    def heal(self) -> None:
        self._sides = {}

    def nat(self, peer: str, kind: NatKind | None) -> None:
        """Put a peer behind a router of its own, before it connects to anybody; None: into the open again."""
        self.nats.put(peer, kind)

    def reachable(self, peer: str, other: str) -> bool:
        return self._sides.get(peer) == self._sides.get(other)

    def listener(self, address: str) -> N | None:
        return self._listening.get(address)

    def running(self, peer: str) -> N | None:
        return self._running.get(peer)

    def attach(self, network: N, addresses: Iterable[str]) -> list[str]:
        """Those of `addresses` that nobody had taken; they are the network's until `detach`."""
        if network.peer in self._running:
            raise RuntimeError(f"{network.peer} runs already")
        free = [address for address in addresses if address not in self._listening]
        self._listening.update(dict.fromkeys(free, network))
        self._running[network.peer] = network
        return free

    def detach(self, network: N) -> None:
        del self._running[network.peer]
        self._listening = {a: n for a, n in self._listening.items() if n is not network}

    def weather(self, sender: str, receiver: str, relay: str = "") -> Weather:
        if relay:
            return TwoHops(self.weather(sender, relay), self.weather(relay, receiver))
        name = f"{self.seed} {sender} {receiver}"
        self._weathers[name] += 1
        return OneHop(self, random.Random(f"{name} {self._weathers[name]}"))


class Weather(Protocol):
    """Latency and loss on one way from peer to peer."""

    def latency(self) -> float: ...

    def loses(self) -> bool: ...

    async def round_trip(self) -> None:
        await trio.sleep(self.latency() + self.latency())


class OneHop(Weather):
    """Between neighbours."""

    def __init__(self, hub: Hub[N], rng: random.Random) -> None:
        self._hub = hub
        self._rng = rng

    def latency(self) -> float:
        """Seconds, drawn anew each time."""
        return self._rng.uniform(*self._hub.latency)

    def loses(self) -> bool:
        lost = self._rng.random() < self._hub.loss
        self._hub.lost += lost
        return lost


class TwoHops(Weather):
    """By way of a relay."""

    def __init__(self, first: Weather, second: Weather) -> None:
        self._hops = (first, second)

    def latency(self) -> float:
        return sum(hop.latency() for hop in self._hops)

    def loses(self) -> bool:
        return any(hop.loses() for hop in self._hops)
