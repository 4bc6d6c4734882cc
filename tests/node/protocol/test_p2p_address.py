from __future__ import annotations

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.p2p_address import is_dnsaddr, peer_of, with_peer

PEER = Identity(bytes(32)).peer
OLD_PEER = "QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ"


@pytest.mark.parametrize("peer", [PEER, OLD_PEER])
def test_an_address_ends_in_its_peer(peer: str) -> None:
    assert peer_of(f"/ip4/192.0.2.1/tcp/4001/p2p/{peer}") == peer
    assert peer_of(f"/dnsaddr/example.org/p2p/{peer}") == peer


def test_the_last_peer_of_a_circuit_is_the_one_who_is_meant() -> None:
    assert peer_of(f"/ip4/192.0.2.1/tcp/1/p2p/{OLD_PEER}/p2p-circuit/p2p/{PEER}") == PEER


@pytest.mark.parametrize(
    "address",
    [
        "",
        PEER,
        "/ip4/192.0.2.1/tcp/4001",
        "/p2p/",
        "/ip4/192.0.2.1/tcp/4001/p2p/nobody",
        "/ip4/192.0.2.1/tcp/4001/p2p/0OIl",
        f"/ip4/192.0.2.1/tcp/4001/p2p/{PEER}/",
        f"/ip4/192.0.2.1/tcp/4001/p2p/{PEER}/p2p-circuit",
    ],
)
def test_an_address_without_a_peer_at_its_end_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="does not end in"):
        peer_of(address)


def test_a_peer_is_added_once() -> None:
    address = with_peer("/memory/1", PEER)
    assert peer_of(address) == PEER
    assert with_peer(address, PEER) == address


def test_dnsaddr_is_told_apart() -> None:
    assert is_dnsaddr("/dnsaddr/example.org/p2p/x")
    assert not is_dnsaddr("/dns4/example.org/tcp/1/p2p/x")
