"""The seal of scheme 1, the key that follows from an identity, and the padding."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import limits, seal
from p2pchat.node.protocol.seal import PaddingError, SealError, SealKey, length_prefixed

BOB = SealKey.derive(bytes(range(32)))
EVE = SealKey.derive(bytes(32))


@given(plaintext=st.binary(max_size=2000), info=st.binary(max_size=100))
def test_what_is_sealed_opens(plaintext: bytes, info: bytes) -> None:
    sealed = seal.seal(plaintext, BOB.public, info)
    assert len(sealed) == len(plaintext) + seal.OVERHEAD
    assert BOB.open(sealed, info) == plaintext


def test_sealing_the_same_twice_looks_different() -> None:
    assert seal.seal(b"x", BOB.public, b"") != seal.seal(b"x", BOB.public, b"")


def test_another_key_or_info_does_not_open() -> None:
    sealed = seal.seal(b"x", BOB.public, b"info")
    with pytest.raises(SealError):
        EVE.open(sealed, b"info")
    with pytest.raises(SealError):
        BOB.open(sealed, b"inf")


def test_no_changed_byte_opens() -> None:
    """Every byte of the encapsulated key, the ciphertext and the tag, each with one bit flipped."""
    sealed = seal.seal(b"words", BOB.public, b"")
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 0x80
        with pytest.raises(SealError):
            BOB.open(bytes(changed), b"")


@given(st.binary(max_size=2000))
def test_garbage_does_not_open(garbage: bytes) -> None:
    with pytest.raises(SealError):
        BOB.open(garbage, b"")


@pytest.mark.parametrize(
    "public",
    [
        b"",
        BOB.public[:-1],
        BOB.public + b"\0",
        b"\xff" * seal.PUBLIC_KEY_BYTES,  # coefficients beyond the modulus (FIPS 203, 7.2)
        BOB.public[: seal.MLKEM_KEY_BYTES] + bytes(32),  # an X25519 key of low order
    ],
)
def test_what_is_no_key_is_refused(public: bytes) -> None:
    with pytest.raises(SealError):
        seal.seal(b"x", public, b"")


def test_the_key_follows_from_the_identity_alone() -> None:
    assert SealKey.derive(bytes(range(32))).public == BOB.public
    assert EVE.public != BOB.public
    assert len(BOB.public) == seal.PUBLIC_KEY_BYTES == 1216
    with pytest.raises(ValueError):
        SealKey.derive(b"short")
    with pytest.raises(ValueError):
        SealKey(b"short")


def test_a_seed_gives_the_public_key_of_the_x_wing_draft() -> None:
    """draft-connolly-cfrg-xwing-kem, appendix C, first vector; its `pk` by its ends and its SHA-256."""
    seed = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
    public = SealKey(bytes.fromhex(seed)).public
    assert public.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2")
    assert public.hex().endswith("859edb06eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534")
    assert hashlib.sha256(public).hexdigest() == (
        "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb"
    )


def test_a_key_does_not_show_itself() -> None:
    assert "SealKey object" in repr(BOB)


@given(st.integers(0, seal.MAX_PADDED))
def test_padding_comes_off_again(length: int) -> None:
    data = b"\x01" * length
    padded = seal.pad(data)
    assert seal.unpad(padded) == data
    assert len(padded) in SIZE_CLASSES


SIZE_CLASSES = [2**power for power in range(8, 18)] + [160 * 1024, 192 * 1024, 224 * 1024]


@pytest.mark.parametrize(
    ("length", "padded"),
    [(0, 256), (252, 256), (253, 512), (131_068, 131_072), (131_069, 163_840), (229_372, 229_376)],
)
def test_size_classes(length: int, padded: int) -> None:
    assert len(seal.pad(bytes(length))) == padded


def test_the_largest_class_leaves_room_in_an_envelope() -> None:
    assert max(SIZE_CLASSES) == seal.LARGEST_CLASS
    assert seal.LARGEST_CLASS + seal.OVERHEAD + 100 <= limits.ENVELOPE_LIMIT
    with pytest.raises(PaddingError):
        seal.pad(bytes(seal.MAX_PADDED + 1))


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        b"\0",
        seal.pad(b"x")[:-1],
        seal.pad(b"x") + b"\0",
        seal.pad(b"x")[:-1] + b"\x01",  # not all zeros
        seal.pad(b"x") + bytes(256),  # a class too large: a mark that only the recipient can see
        b"\xff\xff\xff\xff" + bytes(252),  # longer than it is
        (seal.MAX_PADDED + 1).to_bytes(4, "big") + bytes(seal.LARGEST_CLASS + 32 * 1024 - 4),
    ],
)
def test_other_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(PaddingError):
        seal.unpad(padded)


@given(st.binary(max_size=600))
def test_any_bytes_are_padded_or_refused(data: bytes) -> None:
    with contextlib.suppress(PaddingError):
        assert seal.pad(seal.unpad(data)) == data


FIELDS = st.lists(st.binary(max_size=12), max_size=5)


@given(FIELDS, FIELDS)
def test_different_fields_give_different_bytes(some: list[bytes], others: list[bytes]) -> None:
    assert (length_prefixed(*some) == length_prefixed(*others)) == (some == others)


def test_length_prefixed() -> None:
    assert (
        length_prefixed(b"ab", 258).hex() == "00000002" + "6162" + "00000008" + "0000000000000102"
    )
