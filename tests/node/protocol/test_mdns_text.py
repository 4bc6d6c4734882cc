from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import mdns_text

PEER = Identity(bytes(32)).peer
OTHER = Identity(bytes([1]) * 32).peer


def lan(number: int, peer: str = PEER) -> str:
    return f"/ip4/192.168.1.{number}/tcp/4001/p2p/{peer}"


def txt(*strings: str | bytes) -> bytes:
    raw = [s.encode() if isinstance(s, str) else s for s in strings]
    return b"".join(bytes([len(s)]) + s for s in raw)


def test_what_is_announced_is_understood() -> None:
    addresses = [lan(1), f"/ip6/fd00::1/tcp/4001/p2p/{PEER}", lan(2)]
    text = mdns_text.encode(addresses)
    assert text.startswith(bytes([len(f"dnsaddr={lan(1)}")]) + b"dnsaddr=/ip4/")
    assert mdns_text.decode([text]) == {PEER: addresses}


def test_nothing_to_announce_is_nothing() -> None:
    assert mdns_text.encode([]) == b""
    assert mdns_text.encode(["/memory/1/p2p/x", f"/dns4/example.org/tcp/1/p2p/{PEER}"]) == b""


def test_only_what_neighbours_can_dial_is_announced() -> None:
    loopback = f"/ip4/127.0.0.1/tcp/4001/p2p/{PEER}"
    circuit = f"/ip4/192.0.2.1/tcp/1/p2p/{OTHER}/p2p-circuit/p2p/{PEER}"
    assert mdns_text.usable([loopback, lan(1), circuit]) == [lan(1)]
    assert mdns_text.usable([loopback]) == [loopback]


def test_what_is_too_long_is_left_out() -> None:
    long = "/ip4/192.168.1.1/tcp/4001" + "/ws" * 80 + f"/p2p/{PEER}"
    many = [lan(n) for n in range(100)]
    text = mdns_text.encode([long, *many])
    assert len(text) <= mdns_text.MAX_TEXT
    assert mdns_text.decode([text])[PEER] == many[: len(mdns_text.decode([text])[PEER])]


def test_other_implementations_are_understood() -> None:
    one_record_for_each = [txt(f"dnsaddr={lan(1)}"), txt(f"dnsaddr={lan(2)}")]
    numbered_keys = [txt(f"dnsaddr={lan(1)}", f"dnsaddr2={lan(2)}", "agent=py")]
    for texts in (one_record_for_each, numbered_keys):
        assert mdns_text.decode(texts) == {PEER: [lan(1), lan(2)]}


def test_several_peers_in_one_answer_are_kept_apart() -> None:
    found = mdns_text.decode([txt(f"dnsaddr={lan(1)}", f"dnsaddr={lan(2, OTHER)}")])
    assert found == {PEER: [lan(1)], OTHER: [lan(2, OTHER)]}


@pytest.mark.parametrize(
    "string",
    [
        b"",
        b"dnsaddr=",
        b"dnsaddr=/ip4/192.168.1.1/tcp/4001",
        b"dnsaddr=/ip4/192.168.1.1/tcp/4001/p2p/nobody",
        f"dnsaddr=/dns4/example.org/tcp/1/p2p/{PEER}",
        f"dnsaddr=/ip4/192.168.1.1/tcp/1/p2p/{PEER}\n",
        f"dnsaddr=/ip4/192.168.1.1/\x1b[2J/p2p/{PEER}",
        f"dnsaddr=/ip4/192.168.1.ü/tcp/1/p2p/{PEER}",
        f"dnsaddr=/ip4/192.0.2.1/tcp/1/p2p/{OTHER}/p2p-circuit/p2p/{PEER}",
        f"address={lan(1)}",
    ],
)
def test_nonsense_is_left_out_and_the_rest_is_kept(string: str | bytes) -> None:
    assert mdns_text.decode([txt(string, f"dnsaddr={lan(9)}")]) == {PEER: [lan(9)]}


def test_a_string_that_is_cut_off_ends_the_record() -> None:
    whole = txt(f"dnsaddr={lan(1)}", f"dnsaddr={lan(2)}")
    assert mdns_text.decode([whole[:-1]]) == {PEER: [lan(1)]}


def test_one_answer_costs_a_bounded_amount() -> None:
    identities = [Identity(bytes([n]) * 32).peer for n in range(1, 100)]
    many_peers = mdns_text.decode([txt(f"dnsaddr={lan(1, peer)}") for peer in identities])
    assert len(many_peers) == mdns_text.MAX_STRINGS
    many_addresses = mdns_text.decode([txt(*(f"dnsaddr={lan(n)}" for n in range(60)))])
    assert many_addresses == {PEER: [lan(n) for n in range(mdns_text.MAX_ADDRESSES)]}


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_any_bytes_are_harmless(texts: list[bytes]) -> None:
    assert len(mdns_text.decode(texts)) <= mdns_text.MAX_STRINGS


@given(st.text(max_size=200))
def test_any_value_is_harmless(value: str) -> None:
    string = f"dnsaddr={value}".encode()[: mdns_text.MAX_STRING]
    mdns_text.decode([txt(string)])
