from __future__ import annotations

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import multiaddrs
from p2pchat.node.protocol.multiaddrs import all_from_bytes, all_to_bytes, from_bytes, to_bytes

ALICE = Identity(b"a" * 32)
HERE = "/ip4/203.0.113.1/tcp/4001"
HOP = bytes.fromhex("047f000001060fa1")  # /ip4/127.0.0.1/tcp/4001


@pytest.mark.parametrize(
    "address",
    [
        HERE,
        "/ip6/2a00:1450:4001::1/udp/4001/quic-v1",
        "/dns4/example.org/tcp/443/wss",
        "/memory/7",
        f"{HERE}/p2p/{ALICE.peer}/p2p-circuit",
    ],
)
def test_addresses_come_through_the_binary_form(address: str) -> None:
    assert from_bytes(to_bytes(address)) == address


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff",
        b"\x04",  # cut off; the library fills up with zeros
        b"\x04\x7f\x00",
        HOP[:5] + b"\x29" + bytes(3),
        b"\x84\x00" + HOP[1:],  # a number in a longer form than it needs
        HOP * 25,  # too long as text
    ],
)
def test_nothing_else_is_an_address(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"address|multiaddr"):
        from_bytes(data)


@pytest.mark.parametrize("text", ["nonsense", "/ip4/1.2.3", "/ip4"])
def test_text_that_is_no_address_has_no_binary_form(text: str) -> None:
    assert all_to_bytes([text, HERE]) == [to_bytes(HERE)]


def reads_of(monkeypatch: pytest.MonkeyPatch, text: str) -> list[bytes]:
    """What is given to the library, which finds `text` in all of it."""
    read: list[bytes] = []

    def write_down(data: bytes) -> str:
        read.append(data)
        return text

    monkeypatch.setattr(multiaddrs, "_read", write_down)
    return read


def test_what_is_too_long_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    read = reads_of(monkeypatch, HERE)
    with pytest.raises(ValueError, match="too long"):
        from_bytes(HOP * 8000)
    assert not read
    from_bytes(HOP * (multiaddrs.MAX_LENGTH // len(HOP)))
    assert len(read) == 1


def test_of_very_many_only_so_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = reads_of(monkeypatch, "")
    assert all_from_bytes([HOP] * 1000, 8) == []
    assert len(read) == 16
    read.clear()
    assert all_from_bytes([HOP * 30] * 16, 8) == []
    assert sum(map(len, read)) <= 8 * 80


def test_a_bad_one_costs_only_itself() -> None:
    known = [to_bytes(HERE), to_bytes(f"{HERE}/p2p/{ALICE.peer}"), to_bytes("/memory/7")]
    told = [b"\x04", HOP * 8000, *known]
    assert all_from_bytes(told, 8, ALICE.peer_bytes) == [HERE, "/memory/7"]
    assert all_from_bytes(told, 1, ALICE.peer_bytes) == []
    assert all_from_bytes(known, 1) == [HERE]
