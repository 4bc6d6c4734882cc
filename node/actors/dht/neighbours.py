"""The connected peers, and which of them serve the DHT."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from p2pchat.node.actors.dht.state import DhtState
from p2pchat.node.ports import Network
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.kad.limits import KAD_PROTOCOL
from p2pchat.node.protocol.kad.peers import KadPeer, tidied


class Neighbours:
    """Takes servers into the routing table, when they are told of and when it looks itself: news may be lost."""

    def __init__(self, network: Network, state: DhtState) -> None:
        self._network = network
        self._table = state.table
        self._whereabouts = state.whereabouts

    def identified(self, peer: KadPeer, protocols: Iterable[str]) -> bool:
        """A connected peer has said what it serves. Whether it is in the table now."""
        now = trio.current_time()
        self._whereabouts.identified(peer, now)
        if KAD_PROTOCOL in protocols:
            return self._table.heard(peer, self.address_of(peer.name), now)
        self._table.forget(peer.peer)
        return False

    def look(self) -> int:
        """See who is connected now; how many of them have come into the table. Costs no question to anybody."""
        present = {peer_id.from_text(name): name for name in self._names()}
        self._whereabouts.all_gone(trio.current_time(), besides=present)
        return sum(self._look_at(peer, name) for peer, name in present.items())

    def _look_at(self, peer: bytes, name: str) -> bool:
        said = self._network.identified(name)
        if said is None:
            return False
        if KAD_PROTOCOL in said.protocols and self._table.knows(peer):
            return False  # that it is connected does not mean that it answers
        return self.identified(KadPeer(peer, tidied(said.addresses)), said.protocols)

    def _names(self) -> list[str]:
        return list(dict.fromkeys(c.peer for c in self._network.connections()))

    def address_of(self, peer: str) -> str:
        """Of the connection to a peer; empty when there is none."""
        addresses = (c.address for c in self._network.connections() if c.peer == peer)
        return next(addresses, "")
