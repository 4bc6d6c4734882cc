import pytest

from p2pchat.node.protocol.own_addresses import (
    CIRCUITS_TOLD,
    Scope,
    relay_of,
    scope_of,
    scope_of_ip,
    worth_telling,
)

RELAY = "12D3KooWQXRL37LdcJFwV2ueaDNN7H2FUAPJh9aJRij89VSxZBa1"
OTHER = "12D3KooWRLSm61f9WXi1LyhJte7Gds6PoBDMDqL8WJfQFBK16cTG"
WIDE = "/ip4/198.51.100.7/tcp/4001"
LAN = "/ip4/192.168.1.7/tcp/4001"
LOOPBACK = "/ip4/127.0.0.1/tcp/4001"


def circuit(relay: str, host: str = "198.51.100.1") -> str:
    return f"/ip4/{host}/tcp/4001/p2p/{relay}/p2p-circuit"


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        (WIDE, Scope.WIDE),
        ("/ip6/2001:db8::1/tcp/1", Scope.WIDE),
        ("/dns4/mail.example.org/tcp/4001", Scope.WIDE),
        ("/memory/7", Scope.WIDE),
        ("", Scope.WIDE),
        ("/ip4", Scope.WIDE),
        ("/ip4/no address/tcp/1", Scope.WIDE),
        (LAN, Scope.LOCAL),
        ("/ip4/10.1.0.10/udp/1/quic-v1", Scope.LOCAL),
        ("/ip4/172.31.255.1/tcp/1", Scope.LOCAL),
        ("/ip4/172.32.0.1/tcp/1", Scope.WIDE),
        ("/ip4/100.64.0.1/tcp/1", Scope.LOCAL),
        ("/ip4/169.254.3.3/tcp/1", Scope.LOCAL),
        ("/ip6/fd00::1/tcp/1", Scope.LOCAL),
        ("/ip6/fe80::1/tcp/1", Scope.LOCAL),
        (LOOPBACK, Scope.LOOPBACK),
        ("/ip6/::1/tcp/1", Scope.LOOPBACK),
        (circuit(RELAY), Scope.CIRCUIT),
    ],
)
def test_how_far_an_address_reaches(address: str, scope: Scope) -> None:
    assert scope_of(address) is scope


def test_a_mapped_address_is_the_one_inside() -> None:
    assert scope_of_ip("::ffff:10.0.0.1") is Scope.LOCAL
    assert scope_of_ip("::ffff:127.0.0.1") is Scope.LOOPBACK


def test_the_widest_come_first_and_loopback_is_not_told_to_others() -> None:
    assert worth_telling([LOOPBACK, LAN, WIDE], to_loopback=False) == [WIDE, LAN]
    assert worth_telling([LOOPBACK, LAN, WIDE], to_loopback=True) == [WIDE, LAN, LOOPBACK]


def test_circuits_have_room_beside_many_direct_addresses() -> None:
    direct = [f"/ip4/192.168.{n}.1/tcp/4001" for n in range(20)]
    told = worth_telling([*direct, circuit(RELAY)], to_loopback=False)
    assert told == [*direct[:7], circuit(RELAY)]


def test_each_relay_is_told_before_a_second_way_to_one() -> None:
    ways = [circuit(RELAY, f"198.51.100.{n}") for n in range(1, 9)]
    told = worth_telling([*ways, circuit(OTHER)], to_loopback=False)
    assert told == [ways[0], circuit(OTHER), *ways[1 : CIRCUITS_TOLD - 1]]


def test_what_is_repeated_or_too_long_is_left_out() -> None:
    long = f"/dns4/{'a' * 300}/tcp/1"
    assert worth_telling([WIDE, WIDE, long], to_loopback=False) == [WIDE]


def test_the_relay_of_an_address() -> None:
    assert relay_of(circuit(RELAY)) == RELAY
    assert relay_of(f"/p2p/{RELAY}/p2p-circuit") == RELAY
    assert relay_of(WIDE) == ""
    assert relay_of(f"{WIDE}/p2p/{RELAY}") == ""
