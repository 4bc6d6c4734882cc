"""Peer ids as the libp2p specification makes them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.protocol import peer_id

# The public key of the specification's Ed25519 test vector (libp2p/specs, peer-ids).
PUBLIC_KEY = bytes.fromhex("1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e")
RSA_PEER = "QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN"  # a public bootstrap peer


def test_an_ed25519_key_stands_in_its_id() -> None:
    made = peer_id.from_public_key(PUBLIC_KEY)
    assert made == bytes.fromhex("0024 0801 1220") + PUBLIC_KEY
    assert len(made) == peer_id.ED25519_ID_BYTES
    assert peer_id.public_key_of(made) == PUBLIC_KEY
    assert peer_id.to_text(made).startswith("12D3KooW")


def test_py_libp2p_makes_the_same_id() -> None:
    libp2p_keys = pytest.importorskip("libp2p.crypto.ed25519")
    libp2p_id = pytest.importorskip("libp2p.peer.id")
    key = libp2p_keys.Ed25519PublicKey.from_bytes(PUBLIC_KEY)
    theirs = libp2p_id.ID.from_pubkey(key)
    ours = peer_id.from_public_key(PUBLIC_KEY)
    assert (theirs.to_bytes(), str(theirs)) == (ours, peer_id.to_text(ours))


def test_an_id_that_only_hashes_its_key_is_an_id_without_a_key() -> None:
    decoded = peer_id.from_text(RSA_PEER)
    assert decoded[:2] == b"\x12\x20"
    assert peer_id.public_key_of(decoded) is None
    assert peer_id.to_text(decoded) == RSA_PEER


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        peer_id.from_public_key(bytes(length))


@pytest.mark.parametrize(
    "text",
    ["", "1", "0OIl", "not base58!", "ünï", "QmNnooDu7", RSA_PEER + "1", "/p2p/" + RSA_PEER],
)
def test_what_is_no_peer_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a peer id|[Ii]nvalid|ascii"):
        peer_id.from_text(text)


@pytest.mark.parametrize(
    "peer",
    [b"", bytes(38), bytes.fromhex("002408011220"), bytes.fromhex("002408011220") + bytes(33)],
)
def test_only_whole_ed25519_ids_hold_a_key(peer: bytes) -> None:
    assert peer_id.public_key_of(peer) is None


@settings(database=None)
@given(st.binary(min_size=32, max_size=32))
def test_text_and_bytes_lead_to_each_other(key: bytes) -> None:
    peer = peer_id.from_public_key(key)
    assert peer_id.from_text(peer_id.to_text(peer)) == peer


def test_the_short_form_is_the_end() -> None:
    assert peer_id.short(RSA_PEER) == "ezGAJN"
