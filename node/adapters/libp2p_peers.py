"""What a libp2p connection says about its peer."""

from __future__ import annotations

from libp2p.abc import INetConn
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.rcmgr import Direction

from p2pchat.node.adapters.libp2p_circuit import is_relayed


def remote_address(connection: INetConn) -> str:
    """Empty when it is closing already."""
    try:
        if is_relayed(connection):
            return str(connection.get_transport_addresses()[0])
        remote = connection.muxed_conn.get_remote_address()  # type: ignore[attr-defined]
        host, port = remote[0], remote[1]
    except Exception:
        return ""
    host = host.removeprefix("::ffff:")
    family = "ip6" if ":" in host else "ip4"
    if transport_of(connection) == "quic":
        return f"/{family}/{host}/udp/{port}/quic-v1"
    return f"/{family}/{host}/tcp/{port}"


def is_outbound(connection: INetConn) -> bool:
    return isinstance(connection, SwarmConn) and connection.direction is Direction.OUTBOUND


def transport_of(connection: INetConn) -> str:
    if is_relayed(connection):
        return "relay"
    return "quic" if type(connection.muxed_conn).__name__ == "QUICConnection" else "tcp"
