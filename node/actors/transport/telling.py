"""What the transport actor says of connections, as messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from p2pchat.node.actors.transport.greetings import Greetings
from p2pchat.node.ports import ConnectionInfo, Identified, PeerMoved, PeerUp
from p2pchat.node.protocol import own_addresses
from p2pchat.proto import actors_pb2 as actors


def connection(info: ConnectionInfo, greetings: Greetings) -> actors.Connection:
    """With what its peer has said of itself."""
    greeting = greetings.of(info.peer)
    clock = greetings.clocks.of(info.peer)
    return actors.Connection(
        peer=info.peer,
        name=greeting.name if greeting else "",
        agent=greeting.agent if greeting else "",
        address=info.address,
        transport=info.transport,
        outbound=info.outbound,
        rtt_ms=info.rtt_ms or 0.0,
        record=greeting.record if greeting else None,
        relayed=info.relayed,
        relay=own_addresses.relay_of(info.address),
        punched=info.punched,
        clock_ms=clock or 0,
        has_clock=clock is not None,
    )


def connection_counts(infos: Iterable[ConnectionInfo]) -> list[actors.ConnectionCount]:
    """How many there are of each kind; nothing about whose they are."""
    kinds = Counter((info.transport, info.outbound, info.relayed) for info in infos)
    return [
        actors.ConnectionCount(transport=transport, outbound=outbound, relayed=relayed, count=count)
        for (transport, outbound, relayed), count in sorted(kinds.items())
    ]


def connected(event: PeerUp) -> actors.PeerConnected:
    return actors.PeerConnected(
        peer=event.peer,
        address=event.address,
        transport=event.transport,
        outbound=event.outbound,
        relayed=event.relayed,
    )


def moved(event: PeerMoved) -> actors.PeerMoved:
    return actors.PeerMoved(
        peer=event.peer,
        address=event.address,
        transport=event.transport,
        relayed=event.relayed,
        punched=event.punched,
    )


def identified(peer: str, found: Identified) -> actors.PeerIdentified:
    return actors.PeerIdentified(
        peer=peer,
        protocols=sorted(found.protocols),
        addresses=found.addresses,
        observed=found.observed,
        outbound=found.outbound,
    )
