"""Where peers can be found that have told us so: also those that only ask in the DHT and are in nobody's table."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from p2pchat.node.protocol.kad.peers import KadPeer, tidied

MAX_PEERS = 1000  # known; of more the one that was heard of least recently is forgotten
AWAY_TTL = 30 * 60.0  # seconds that addresses of a peer are kept after it has gone
TOLD_TTL = 2 * 3600.0  # seconds that addresses are kept which a peer has told on purpose


@dataclass(slots=True)
class _Place:
    peer: KadPeer
    until: float  # kept so long at least
    connected: bool


class Whereabouts:
    """Times are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._places: dict[bytes, _Place] = {}  # heard of last stands last

    def __len__(self) -> int:
        return len(self._places)

    def identified(self, peer: KadPeer, now: float) -> None:
        """A connected peer says where it listens."""
        self._put(peer, now + AWAY_TTL, connected=True)

    def told(self, peer: KadPeer, now: float) -> None:
        """A peer wants to be found there."""
        before = self._places.get(peer.peer)
        self._put(peer, now + TOLD_TTL, connected=before is not None and before.connected)

    def gone(self, peer: bytes, now: float) -> None:
        if place := self._places.get(peer):
            place.connected = False
            place.until = max(place.until, now + AWAY_TTL)

    def get(self, peer: bytes, now: float) -> KadPeer | None:
        place = self._places.get(peer)
        if place is None or not (place.connected or place.until > now):
            return None
        return place.peer

    def is_connected(self, peer: bytes) -> bool:
        place = self._places.get(peer)
        return place is not None and place.connected

    def all_gone(self, now: float, *, besides: Container[bytes] = ()) -> None:
        """The network begins anew, and nobody is connected, or nobody but these."""
        for peer, place in self._places.items():
            if place.connected and peer not in besides:
                self.gone(peer, now)

    def _put(self, peer: KadPeer, until: float, *, connected: bool) -> None:
        addresses = tidied(peer.addresses)
        before = self._places.pop(peer.peer, None)
        if not addresses and before is None:
            return
        known = KadPeer(peer.peer, addresses) if addresses or before is None else before.peer
        until = max(until, before.until if before else 0.0)
        self._places[peer.peer] = _Place(known, until, connected)
        if len(self._places) > MAX_PEERS:
            del self._places[next(iter(self._places))]
