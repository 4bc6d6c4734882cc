"""Where others see this node, and which of its addresses may follow from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from p2pchat.node.protocol import endpoints
from p2pchat.node.protocol.endpoints import Endpoint

MAX_OBSERVERS = 512  # remembered; of more the oldest is forgotten
MAX_HOSTS = 4  # different own ones that count: those which most others see


@dataclass(frozen=True, slots=True)
class _Sight:
    endpoint: Endpoint
    dialled: bool  # by the observer: it has reached us at this very port


class Observed:
    """What others say is not proven: it says what to ask about, and where to punch a hole."""

    def __init__(self) -> None:
        self._sights: dict[str, _Sight] = {}  # by observer

    def heard(self, peer: str, address: str, *, outbound: bool) -> bool:
        """`peer` sees us at `address`, over a connection that we have dialled or not. Whether nobody did so before."""
        endpoint = endpoints.parse(address)
        if endpoint is None:
            return False
        sight = _Sight(endpoint, dialled=not outbound)
        before = self._known()
        self._sights.pop(peer, None)
        self._sights[peer] = sight
        if len(self._sights) > MAX_OBSERVERS:
            del self._sights[next(iter(self._sights))]
        return not self._known() <= before

    def gone(self, peer: str) -> None:
        self._sights.pop(peer, None)

    def hosts(self) -> list[str]:
        """As "/ip4/203.0.113.7", the one that most see first."""
        seen = Counter(sight.endpoint.host for sight in self._sights.values())
        return [host for host, _ in seen.most_common(MAX_HOSTS)]

    def _known(self) -> set[str]:
        hosts = self.hosts()
        reached = {str(e) for e in self._reached() if e.host in hosts}
        return reached.union(hosts)

    def _reached(self) -> list[Endpoint]:
        return [sight.endpoint for sight in self._sights.values() if sight.dialled]

    def host_seen_by(self, peer: str) -> str:
        """Empty: it has not said."""
        sight = self._sights.get(peer)
        return sight.endpoint.host if sight else ""

    def candidates(self, listening: Iterable[str]) -> list[Endpoint]:
        """Every observed host with every port that we listen on, and the ports at which others have reached us.

        A router that forwards a port mostly keeps its number.
        """
        own = endpoints.parse_all(listening)
        reached = self._reached()
        found: dict[Endpoint, None] = {}
        for host in self.hosts():
            found |= dict.fromkeys(each for each in reached if each.host == host)
            family = Endpoint(host, "").family
            found |= {Endpoint(host, o.service): None for o in own if o.family == family}
        return list(found)
