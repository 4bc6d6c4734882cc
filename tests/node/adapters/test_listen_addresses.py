"""Unusable listen addresses are refused in plain words; wildcards are expanded."""

from __future__ import annotations

import socket

import pytest
from multiaddr import Multiaddr

from p2pchat.node.adapters import listen_addresses
from p2pchat.node.errors import ListenError


@pytest.mark.parametrize(
    "address", ["nonsense", "/ip4/1.2.3.4", "/dns4/example.org/tcp/1", "/ip4/0.0.0.0/tcp/1/ws", ""]
)
def test_what_is_no_listen_address(address: str) -> None:
    with pytest.raises(ListenError, match="listen"):
        listen_addresses.parse(address)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (socket.SOCK_STREAM, "/ip4/127.0.0.1/tcp/{}"),
        (socket.SOCK_DGRAM, "/ip4/127.0.0.1/udp/{}/quic-v1"),
    ],
)
def test_a_port_in_use_even_one_that_others_may_share(
    kind: socket.SocketKind, address: str
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        taken = listen_addresses.parse(address.format(other.getsockname()[1]))
        with pytest.raises(ListenError, match="in use by another program"):
            listen_addresses.check(taken)


def test_an_address_of_another_machine() -> None:
    with pytest.raises(ListenError, match=r"no address 192\.0\.2\.1"):
        listen_addresses.check(Multiaddr("/ip4/192.0.2.1/tcp/0"))


def test_a_good_address_passes() -> None:
    listen_addresses.check(listen_addresses.parse("/ip4/127.0.0.1/tcp/0"))


def test_a_wildcard_stands_for_every_interface_with_loopback_last() -> None:
    expanded = list(map(str, listen_addresses.expand([Multiaddr("/ip4/0.0.0.0/tcp/4001")])))
    assert expanded[-1] == "/ip4/127.0.0.1/tcp/4001"
    assert not any("0.0.0.0" in address for address in expanded)


def test_an_address_that_is_none_stays() -> None:
    address = Multiaddr("/ip4/127.0.0.2/udp/9/quic-v1")
    assert listen_addresses.expand([address]) == [address]


@pytest.mark.parametrize(
    ("address", "dialable"),
    [
        ("/ip4/192.168.1.2/tcp/4001", True),
        ("/ip4/1.2.3.4/udp/4001/quic-v1", True),
        ("/ip6/2001:db8::1/tcp/4001", True),
        ("/dns4/relay.example/tcp/4001", True),
        ("/ip4/0.0.0.0/tcp/4001", False),
        ("/ip4/127.0.0.1/tcp/4001", False),
        ("/ip6/::/tcp/4001", False),
        ("/ip6/fe80::1/tcp/4001", False),
        ("/ip4/1.2.3.4/udp/4001", False),
        ("/ip4/1.2.3.4", False),
        ("/p2p-circuit", False),
    ],
)
def test_what_another_machine_could_dial(address: str, dialable: bool) -> None:
    assert listen_addresses.is_dialable_elsewhere(Multiaddr(address)) is dialable


def test_only_direct_addresses_are_announced() -> None:
    relay = "12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba"
    good = [
        "/ip4/203.0.113.7/tcp/4001",
        "/ip4/203.0.113.7/udp/4001/quic-v1",
        "/dns4/a.example/tcp/1",
    ]
    bad = [
        "nonsense",
        "/ip4/203.0.113.7",
        f"{good[0]}/p2p/{relay}/p2p-circuit",
        "/ip4/1.2.3.4/udp/1",
    ]
    announced = listen_addresses.announceable([*bad, *good, good[0]])
    assert [str(address) for address in announced] == good


def test_announced_addresses_are_bounded() -> None:
    many = [f"/ip4/203.0.113.7/tcp/{port}" for port in range(1, 100)]
    announced = listen_addresses.announceable(many)
    assert [str(address) for address in announced] == many[: listen_addresses.MAX_ANNOUNCED]
