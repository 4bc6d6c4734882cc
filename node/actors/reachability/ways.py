"""By which way a peer is connected, as the network says at the moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p2pchat.node.ports import ConnectionInfo, Network
from p2pchat.node.protocol.own_addresses import Scope, scope_of


class Ways:
    """Looks at the network each time: an event that got lost must not leave a wrong picture."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def to(self, peer: str) -> tuple[list[ConnectionInfo], ConnectionInfo | None]:
        """The direct connections; and the circuit, when there is nothing better."""
        every = [c for c in self._network.connections() if c.peer == peer]
        direct = [connection for connection in every if not connection.relayed]
        return direct, every[0] if every and not direct else None

    def direct(self, peer: str) -> list[ConnectionInfo]:
        return self.to(peer)[0]

    def relayed(self, peer: str) -> ConnectionInfo | None:
        """The circuit to a peer to whom there is nothing better; None: there is, or nothing at all."""
        return self.to(peer)[1]

    def peers(self) -> list[str]:
        return list(dict.fromkeys(c.peer for c in self._network.connections()))


def is_over_loopback(connection: ConnectionInfo) -> bool:
    """Of a circuit: whether its relay is reached so."""
    return scope_of(connection.address.partition("/p2p/")[0]) is Scope.LOOPBACK


def has_dialled_in(connections: Sequence[ConnectionInfo], scope: Callable[[Scope], bool]) -> bool:
    """Whether the peer has reached us by its own dial, from a place that `scope` accepts."""
    return any(
        not (c.outbound or c.punched or c.relayed) and scope(scope_of(c.address))
        for c in connections
    )
