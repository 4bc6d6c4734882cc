from __future__ import annotations

import pytest

from p2pchat.node.protocol import endpoints
from p2pchat.node.protocol.endpoints import Endpoint


@pytest.mark.parametrize(
    ("address", "host", "service", "transport", "port"),
    [
        ("/ip4/203.0.113.7/tcp/4001", "/ip4/203.0.113.7", "/tcp/4001", "tcp", 4001),
        ("/ip6/2001:DB8::1/tcp/1", "/ip6/2001:db8::1", "/tcp/1", "tcp", 1),
        (
            "/ip4/10.0.0.1/udp/65535/quic-v1/p2p/12D3KooWx",
            "/ip4/10.0.0.1",
            "/udp/65535/quic-v1",
            "quic-v1",
            65535,
        ),
        ("/ip6/::ffff:192.0.2.1/tcp/2", "/ip4/192.0.2.1", "/tcp/2", "tcp", 2),
        ("/memory/7", "/memory/7", "", "memory", 0),
    ],
)
def test_direct_addresses_are_taken_apart(
    address: str, host: str, service: str, transport: str, port: int
) -> None:
    found = endpoints.parse(address)
    assert found == Endpoint(host, service)
    assert str(found) == host + service
    assert (found.transport, found.port) == (transport, port)
    assert host == f"/{found.family}/{found.ip}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/ip4/203.0.113.7",
        "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWx/p2p-circuit",
        "/dns4/example.org/tcp/4001",
        "/ip4/0.0.0.0/tcp/4001",
        "/ip6/::/tcp/4001",
        "/ip4/224.0.0.1/tcp/4001",
        "/ip4/255.255.255.255/tcp/4001",
        "/ip6/fe80::1/tcp/4001",
        "/ip4/203.0.113.7/tcp/0",
        "/ip4/203.0.113.7/tcp/65536",
        "/ip4/203.0.113.7/tcp/-1",
        "/ip4/203.0.113.7/tcp/4001/ws",
        "/ip4/203.0.113.7/udp/4001",
        "/ip4/no/tcp/4001",
    ],
)
def test_where_nobody_can_be_dialled_directly_is_no_endpoint(address: str) -> None:
    assert endpoints.parse(address) is None


def test_lists_keep_their_order_without_repetition() -> None:
    found = endpoints.parse_all(["/memory/2", "/nonsense", "/memory/1", "/memory/2"])
    assert [str(endpoint) for endpoint in found] == ["/memory/2", "/memory/1"]
