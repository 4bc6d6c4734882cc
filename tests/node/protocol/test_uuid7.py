"""UUIDv7 as RFC 9562 lays it out."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import uuid7


def test_the_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F."""
    randomness = bytes.fromhex("fcc3 d8c4 dc0c0c07398f")
    made = uuid7.make(0x017F22E279B0, randomness)
    assert str(uuid.UUID(bytes=made)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_version_variant_and_time(now_ms: int, randomness: bytes) -> None:
    made = uuid7.make(now_ms, randomness)
    as_uuid = uuid.UUID(bytes=made)
    assert (as_uuid.version, as_uuid.variant) == (7, uuid.RFC_4122)
    assert int.from_bytes(made[:6], "big") == now_ms


def test_too_little_randomness_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7.make(0, b"few")
