"""How a peer is connected, in the words of the user: one wording for each, wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping

from p2pchat.cli.terminal.safe_text import safe_line, safe_name
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import NAME_LIMIT
from p2pchat.node.protocol.own_addresses import Scope, scope_of
from p2pchat.proto import actors_pb2 as actors

DIRECT = "direct"
HOLE_PUNCHED = "hole-punched"
RELAYED_VIA = "relayed via"
RELAYED = "relayed"

THROUGH_RELAY = "Others can come in through the relay"

MOVED_DIRECT = "is connected directly now"
MOVED_RELAYED = "is connected through a relay now"

REACHED = {
    actors.PUBLIC: "Others can reach this computer directly",
    actors.PRIVATE: "This computer is behind a router: others reach it through relays",
}
REACHED_NEARBY = "Others in the same network can reach this computer directly (nobody outside could be asked yet)"


def way(connection: actors.Connection, names: Mapping[str, str]) -> str:
    """`direct`, `hole-punched`, `relayed via …a1B2c3 (Bob's box)`; `names`: of peers, by peer id."""
    if not connection.relayed:
        return HOLE_PUNCHED if connection.punched else DIRECT
    if not connection.relay:
        return RELAYED
    end = safe_line(f"…{peer_id.short(connection.relay)}")
    name = names.get(connection.relay, "").strip()
    return f"{RELAYED_VIA} {end}" + (f" ({safe_name(name, NAME_LIMIT)})" if name else "")


def reached(event: actors.ReachabilityChanged) -> str:
    """Empty when it is not known. Where those who were asked did not say at which address, nobody claims less."""
    is_public = event.reachability == actors.PUBLIC
    if is_public and event.addresses and Scope.WIDE not in map(scope_of, event.addresses):
        return REACHED_NEARBY
    return REACHED.get(event.reachability, "")


def moved(event: actors.PeerMoved) -> str:
    """What is said behind the peer's name."""
    if event.relayed:
        return MOVED_RELAYED
    return f"{MOVED_DIRECT} ({HOLE_PUNCHED})" if event.punched else MOVED_DIRECT
