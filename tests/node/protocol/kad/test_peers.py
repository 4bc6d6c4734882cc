from __future__ import annotations

from p2pchat.node.protocol import multiaddrs
from p2pchat.node.protocol.kad.limits import ADDRESSES
from p2pchat.node.protocol.kad.peers import KadPeer, from_wire, merged, tidied, to_wire
from p2pchat.proto import kad_pb2 as kad
from tests.node.protocol.kad.kad_builders import on_wire, peer, peer_bytes

WIDE, LAN, LOOPBACK = "/ip4/8.8.8.8/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1"
CIRCUIT = f"/ip4/8.8.4.4/tcp/1/p2p/{peer(9).name}/p2p-circuit"


def test_peers_come_through_the_wire() -> None:
    for who in (peer(1), peer(2, WIDE, LAN, CIRCUIT), KadPeer(peer_bytes(3))):
        assert from_wire([to_wire(who, kad.Message.CONNECTED)], 20) == [who]


def test_what_is_no_address_is_not_sent() -> None:
    assert not to_wire(peer(1, "nonsense"), kad.Message.CONNECTED).addrs


def test_nonsense_costs_only_itself() -> None:
    entries = [
        kad.Message.Peer(id=b"no peer id"),
        kad.Message.Peer(),
        kad.Message.Peer(id=peer_bytes(1), addrs=[b"\xff\xff", multiaddrs.to_bytes(WIDE), b""]),
    ]
    assert from_wire(entries, 20) == [peer(1, WIDE)]


def test_a_peer_named_twice_counts_once() -> None:
    assert from_wire([on_wire(peer(1)), on_wire(peer(1, WIDE))], 20) == [peer(1)]


def test_of_too_many_the_first_are_read() -> None:
    many = [on_wire(peer(number)) for number in range(1, 1000)]
    assert from_wire(many, 20) == [peer(number) for number in range(1, 21)]
    addresses = [f"/ip4/8.8.8.8/tcp/{port}" for port in range(1, 1000)]
    (read,) = from_wire([on_wire(peer(1, *addresses))], 20)
    assert list(read.addresses) == addresses[:ADDRESSES]


def test_the_own_id_at_the_end_of_an_address_says_nothing() -> None:
    entry = on_wire(peer(1, f"{WIDE}/p2p/{peer(1).name}"))
    assert from_wire([entry], 20) == [peer(1, WIDE)]


def test_loopback_is_told_when_there_is_nothing_wider() -> None:
    assert tidied([LOOPBACK, LAN, WIDE]) == (WIDE, LAN)
    assert tidied([LOOPBACK, LAN]) == (LAN,)
    assert tidied([LOOPBACK]) == (LOOPBACK,)
    assert set(tidied([LOOPBACK, CIRCUIT])) == {LOOPBACK, CIRCUIT}
    assert tidied([]) == ()


def test_circuits_have_a_place_among_many_addresses() -> None:
    own = [f"/ip4/8.8.8.8/tcp/{port}" for port in range(1, 20)]
    told = tidied([*own, CIRCUIT])
    assert len(told) == ADDRESSES
    assert CIRCUIT in told


def test_merging_keeps_each_once_and_no_more_than_it_may() -> None:
    assert merged([WIDE, LAN], [LAN, LOOPBACK]) == (WIDE, LAN, LOOPBACK)
    assert merged([WIDE, LAN], [LAN, LOOPBACK], 2) == (WIDE, LAN)
