"""Who provides what, as others have said of themselves."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from p2pchat.node.protocol.kad.keys import distance, position
from p2pchat.node.protocol.kad.limits import K
from p2pchat.node.protocol.kad.peers import KadPeer

PROVIDER_TTL = 2 * 3600.0  # seconds; who is still there says it again
MAX_PROVIDERS = 10_000  # entries kept, of all keys; of more those of the key farthest from us go
MAX_OF_KEY = 200  # of one key; a further one replaces the oldest
MAX_OF_PEER = 300  # keys that one peer provides; a further one is refused
MAX_TOLD = K  # in one answer, chosen at random


@dataclass(slots=True)
class _Provider:
    peer: KadPeer
    until: float


@dataclass(slots=True)
class _Provided:
    position: int
    providers: dict[bytes, _Provider] = field(default_factory=dict)  # the oldest first


class ProviderStore:
    """Times are seconds of any monotonic clock."""

    def __init__(self, own: bytes, rng: random.Random) -> None:
        self._position = position(own)
        self._rng = rng
        self._keys: dict[bytes, _Provided] = {}
        self._by_peer: Counter[bytes] = Counter()
        self._count = 0

    def __len__(self) -> int:
        """Entries, of all keys."""
        return self._count

    def add(self, key: bytes, peer: KadPeer, now: float) -> bool:
        """Whether it is kept: else there is no room for it."""
        provided = self._keys.get(key) or _Provided(position(key))
        if peer.peer in provided.providers:
            self._remove(key, peer.peer)
        elif not self._makes_room(key, provided, peer.peer, now):
            return False
        provided.providers[peer.peer] = _Provider(peer, now + PROVIDER_TTL)
        self._keys[key] = provided
        self._by_peer[peer.peer] += 1
        self._count += 1
        return True

    def get(self, key: bytes, now: float) -> list[KadPeer]:
        """Up to `MAX_TOLD`, others each time: members of a large room shall all be found."""
        provided = self._keys.get(key)
        if provided is None:
            return []
        live = [p.peer for p in provided.providers.values() if p.until > now]
        return self._rng.sample(live, min(len(live), MAX_TOLD))

    def expire(self, now: float) -> None:
        ended = [
            (key, peer)
            for key, provided in self._keys.items()
            for peer, provider in provided.providers.items()
            if provider.until <= now
        ]
        for key, peer in ended:
            self._remove(key, peer)

    def _makes_room(self, key: bytes, provided: _Provided, peer: bytes, now: float) -> bool:
        if self._by_peer[peer] >= MAX_OF_PEER or self._count >= MAX_PROVIDERS:
            self.expire(now)
        if self._by_peer[peer] >= MAX_OF_PEER:
            return False
        if len(provided.providers) >= MAX_OF_KEY:
            self._remove(key, next(iter(provided.providers)))
        return self._count < MAX_PROVIDERS or self._drop_farther_than(provided.position)

    def _drop_farther_than(self, place: int) -> bool:
        """Keys near our own position are looked for here; others are kept elsewhere too."""
        farthest = max(self._keys, key=lambda key: self._distance(self._keys[key].position))
        if self._distance(self._keys[farthest].position) < self._distance(place):
            return False
        self._remove(farthest, next(iter(self._keys[farthest].providers)))
        return True

    def _distance(self, place: int) -> int:
        return distance(place, self._position)

    def _remove(self, key: bytes, peer: bytes) -> None:
        providers = self._keys[key].providers
        del providers[peer]
        if not providers:
            del self._keys[key]
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]
        self._count -= 1
