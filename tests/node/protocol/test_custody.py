"""Custody receipts: what a mailbox signs, and that nothing else passes for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import custody, limits
from p2pchat.proto import mailbox_pb2

MAILBOX = Identity(bytes(range(32)))
OTHER = Identity(bytes(range(1, 33)))
IDS = [b"1" * 32, b"2" * 32]
TIMES = [1_700_000_000_000, 1_700_000_000_001]


def signed() -> mailbox_pb2.Custody:
    return custody.sign(MAILBOX.peer_bytes, IDS, TIMES, MAILBOX.private_key)


def test_a_receipt_is_the_mailboxes_own() -> None:
    assert custody.verify(signed(), MAILBOX.peer_bytes)
    assert not custody.verify(signed(), OTHER.peer_bytes)
    assert not custody.verify(signed(), b"\x12\x20" + b"h" * 32)


def test_what_is_signed_is_written_down() -> None:
    """The format is a promise to other programs: a change of these bytes needs a new domain string."""
    assert custody.signed_bytes(signed(), MAILBOX.peer_bytes).hex() == (
        ("00000011" + b"p2pchat custody 1".hex())
        + ("00000026" + MAILBOX.peer_bytes.hex())
        + ("00000040" + (b"1" * 32 + b"2" * 32).hex())
        + ("00000010" + "".join(time.to_bytes(8, "big").hex() for time in TIMES))
    )


def test_a_full_batch_passes() -> None:
    ids = [number.to_bytes(32, "big") for number in range(limits.MAX_BATCH)]
    times = [2**64 - 1] * limits.MAX_BATCH
    receipt = custody.sign(MAILBOX.peer_bytes, ids, times, MAILBOX.private_key)
    assert custody.verify(receipt, MAILBOX.peer_bytes)


@pytest.mark.parametrize(
    ("ids", "times"),
    [
        (IDS[:1], TIMES[:1]),
        (IDS[::-1], TIMES),
        (IDS, TIMES[::-1]),
        (IDS, [TIMES[0], TIMES[1] + 1]),
        ([*IDS, b"3" * 32], [*TIMES, 1]),
        ([b"1" * 31, b"1" + b"2" * 32], TIMES),  # the same bytes, cut in another way
        ([], []),
    ],
)
def test_a_change_is_noticed(ids: list[bytes], times: list[int]) -> None:
    receipt = mailbox_pb2.Custody(ids=ids, stored_until_ms=times, signature=signed().signature)
    assert not custody.verify(receipt, MAILBOX.peer_bytes)


@pytest.mark.parametrize(
    ("ids", "times"),
    [
        ([], []),
        (IDS, TIMES[:1]),
        ([b"short"], [1]),
        ([b"1" * 32] * (limits.MAX_BATCH + 1), [1] * (limits.MAX_BATCH + 1)),
    ],
)
def test_what_nobody_would_accept_is_not_signed(ids: list[bytes], times: list[int]) -> None:
    with pytest.raises(ValueError):
        custody.sign(MAILBOX.peer_bytes, ids, times, MAILBOX.private_key)
    receipt = mailbox_pb2.Custody(ids=ids, stored_until_ms=times)
    receipt.signature = MAILBOX.private_key.sign(custody.signed_bytes(receipt, MAILBOX.peer_bytes))
    assert not custody.verify(receipt, MAILBOX.peer_bytes)


@given(
    st.builds(
        mailbox_pb2.Custody,
        ids=st.lists(st.binary(min_size=31, max_size=33), max_size=3),
        stored_until_ms=st.lists(st.integers(0, 2**64 - 1), max_size=3),
        signature=st.binary(max_size=65),
    ),
    st.sampled_from([MAILBOX.peer_bytes, b""]),
)
def test_nothing_made_up_passes(receipt: mailbox_pb2.Custody, mailbox: bytes) -> None:
    assert not custody.verify(receipt, mailbox)
