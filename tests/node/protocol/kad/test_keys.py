from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.kad import keys

ANY = st.binary(min_size=1, max_size=40)


def test_a_topic_is_found_under_the_multihash_of_its_name() -> None:
    digest = hashlib.sha256("café".encode()).digest()
    assert keys.topic_key("café") == b"\x12\x20" + digest


def test_a_record_is_found_under_the_peer_id_as_people_write_it() -> None:
    who = Identity(b"a" * 32)
    assert keys.record_key(who.peer_bytes) == f"/p2pchat/{who.peer}".encode()


def test_a_position_is_a_hash() -> None:
    # SHA-256 of the empty string, as everybody knows it.
    assert f"{keys.position(b''):064x}".startswith("e3b0c44298fc1c149afbf4c8996fb924")


@given(ANY, ANY, ANY)
def test_distances_are_those_of_a_metric(a: bytes, b: bytes, c: bytes) -> None:
    x, y, z = map(keys.position, (a, b, c))
    assert keys.distance(x, x) == 0
    assert keys.distance(x, y) == keys.distance(y, x)
    assert keys.distance(x, z) <= keys.distance(x, y) + keys.distance(y, z)


@given(ANY, ANY)
def test_who_shares_more_bits_is_nearer(a: bytes, b: bytes) -> None:
    x, y = keys.position(a), keys.position(b)
    bits = keys.shared_bits(x, y)
    assert keys.distance(x, y) < 2 ** (256 - bits)
    assert x == y or keys.distance(x, y) >= 2 ** (255 - bits)


@pytest.mark.parametrize("bits", [0, 1, 5, keys.MOST_RANDOM_BITS])
def test_a_random_key_stands_where_it_shall(bits: int) -> None:
    near = keys.position(b"here")
    key = keys.random_key(near, bits, random.Random(1))
    assert keys.shared_bits(keys.position(key), near) == bits
    assert keys.is_peer_id(key)


@pytest.mark.parametrize("data", [b"", b"\x12\x20", b"\x12\x20" + bytes(31), b"\x13\x01a", b"\x00"])
def test_what_is_no_multihash_is_no_peer_id(data: bytes) -> None:
    assert not keys.is_peer_id(data)


def test_peer_ids_of_every_key_type_are_peer_ids() -> None:
    assert keys.is_peer_id(Identity(b"a" * 32).peer_bytes)
    assert keys.is_peer_id(b"\x12\x20" + bytes(32))  # RSA
    assert keys.is_peer_id(b"\x00\x25" + bytes(37))  # secp256k1
    assert not keys.is_peer_id(b"\x00\x7f" + bytes(127))
