"""What a mailbox record may look like, what its owner signs, and which of two is the one to use."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import limits, mailbox_record
from p2pchat.node.protocol.mailbox_record import newer, valid, without_key
from p2pchat.node.protocol.seal import SealKey
from p2pchat.proto import wire_pb2 as wire

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
KEY = SealKey.derive(ALICE.seed).public
OTHER_KEY = SealKey.derive(BOB.seed).public


def mailbox(number: int = 1, **changes: Any) -> wire.MailboxAddress:
    peer = Identity(number.to_bytes(32, "big")).peer_bytes
    fields: dict[str, Any] = {"peer": peer, "addresses": ["/ip4/192.0.2.1/udp/4001/quic-v1"]}
    return wire.MailboxAddress(**{**fields, **changes})


def signed(*, author: Identity = ALICE, **changes: Any) -> wire.MailboxRecord:
    fields: dict[str, Any] = {
        "peer": author.peer_bytes,
        "seal_key": KEY,
        "mailboxes": [mailbox()],
        "sequence": 7,
        "expires_at_ms": 1_700_000_000_000,
    }
    record = wire.MailboxRecord(**{**fields, **changes})
    mailbox_record.sign(record, author.private_key)
    return record


def test_a_signed_record_is_valid_with_and_without_its_key() -> None:
    assert valid(signed())
    assert valid(without_key(signed()))
    assert valid(signed(mailboxes=[]))


def test_without_key_leaves_the_original_alone() -> None:
    record = signed()
    assert without_key(record).seal_key == b""
    assert record.seal_key == KEY


def test_a_record_cannot_be_signed_without_its_key() -> None:
    with pytest.raises(ValueError):
        mailbox_record.sign(wire.MailboxRecord(peer=ALICE.peer_bytes), ALICE.private_key)


def test_what_is_signed_is_written_down() -> None:
    """The format is a promise to other programs: a change of these bytes needs a new domain string."""
    record = signed(mailboxes=[wire.MailboxAddress(peer=b"PP", addresses=["/a", "/b"])])
    assert mailbox_record.signed_bytes(record).hex() == (
        ("00000018" + b"p2pchat mailbox record 1".hex())
        + ("00000026" + ALICE.peer_bytes.hex())
        + ("00000020" + record.seal_key_hash.hex())
        + ("00000016" + ("00000012" + "000000025050" + "000000022f61" + "000000022f62"))
        + ("00000008" + (7).to_bytes(8, "big").hex())
        + ("00000008" + (1_700_000_000_000).to_bytes(8, "big").hex())
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("peer", BOB.peer_bytes),
        ("seal_key", OTHER_KEY),
        ("seal_key", KEY[:-1]),
        ("seal_key_hash", b"h" * 32),
        ("sequence", 8),
        ("expires_at_ms", 1),
        ("signature", b""),
        ("signature", b"s" * 64),
    ],
)
def test_a_change_of_any_field_is_noticed(field: str, value: object) -> None:
    record = signed()
    setattr(record, field, value)
    assert not valid(record)


def test_mailboxes_are_signed_too() -> None:
    record = signed()
    record.mailboxes[0].addresses[0] += "/p2p-circuit"
    assert not valid(record)
    del record.mailboxes[:]
    assert not valid(record)


def test_a_changed_hash_is_noticed_without_the_key_too() -> None:
    record = without_key(signed())
    record.seal_key_hash = b"h" * 32
    assert not valid(record)
    record.seal_key_hash = b""
    assert not valid(record)


@pytest.mark.parametrize(
    "mailboxes",
    [
        [mailbox(number) for number in range(1, limits.MAX_MAILBOXES + 2)],
        [mailbox(), mailbox()],  # the same one twice
        [mailbox(peer=b"")],
        [mailbox(peer=b"\x12\x20" + b"h" * 32)],  # an RSA id holds no key to check receipts by
        [mailbox(addresses=[])],
        [mailbox(addresses=["/ip4/192.0.2.1"] * (limits.MAX_ADDRESSES + 1))],
        [mailbox(addresses=["/" + "x" * limits.MAX_ADDRESS_CHARACTERS])],
        [mailbox(addresses=["ip4/192.0.2.1"])],
        [mailbox(addresses=["/ip4/\x1b[31m"])],
        [mailbox(addresses=["/ip4/\u202e"])],
        [mailbox(addresses=["/ip4/192.0.2.1 /tcp/1"])],
    ],
)
def test_bad_fields_are_refused_although_signed(mailboxes: list[wire.MailboxAddress]) -> None:
    assert not valid(signed(mailboxes=mailboxes))


def test_the_longest_record_is_valid() -> None:
    address = "/" + "x" * (limits.MAX_ADDRESS_CHARACTERS - 1)
    mailboxes = [
        mailbox(number, addresses=[address] * limits.MAX_ADDRESSES)
        for number in range(limits.MAX_MAILBOXES)
    ]
    record = signed(mailboxes=mailboxes, sequence=2**64 - 1, expires_at_ms=2**64 - 1)
    assert record.ByteSize() <= mailbox_record.RECORD_LIMIT
    assert valid(record)


def test_a_record_cannot_be_blown_up_with_what_is_not_signed() -> None:
    unknown = b"\x7a\x80\x20" + bytes(4096)  # field 15, 4,096 bytes
    record = wire.MailboxRecord.FromString(signed().SerializeToString() + unknown)
    assert not valid(record)


def test_the_higher_sequence_wins() -> None:
    old, new = signed(sequence=1), signed(sequence=2)
    assert newer(old, new) == newer(new, old) == new


def test_only_valid_records_count() -> None:
    good, forged = signed(sequence=1), signed(sequence=2)
    forged.sequence = 3
    assert newer(good, forged) == newer(forged, good) == good
    assert newer(None, good) == newer(good, None) == good
    assert newer(None, None) is newer(forged, None) is newer(forged, forged) is None


def test_of_equal_ones_the_one_with_a_key_wins() -> None:
    whole = signed()
    assert newer(whole, without_key(whole)) == newer(without_key(whole), whole) == whole
    short = without_key(signed(seal_key=OTHER_KEY))
    assert newer(whole, short) == newer(short, whole) == whole


def test_of_equal_ones_with_a_key_the_first_wins() -> None:
    """A sequence that was used twice must not make the choice flip with each greeting."""
    some, other = signed(expires_at_ms=1), signed(expires_at_ms=2)
    assert newer(some, other) is some


def test_the_key_is_taken_over_while_it_is_the_same() -> None:
    old, new = signed(sequence=1), without_key(signed(sequence=2))
    for taken in (newer(old, new), newer(new, old)):
        assert taken == signed(sequence=2)
    assert new.seal_key == b""


def test_a_key_that_was_changed_is_not_taken_over() -> None:
    old, new = signed(sequence=1), without_key(signed(sequence=2, seal_key=OTHER_KEY))
    assert newer(old, new) == newer(new, old) == new


RECORDS = st.builds(
    wire.MailboxRecord,
    peer=st.sampled_from([ALICE.peer_bytes, b""]),
    seal_key=st.sampled_from([KEY, b"", b"short"]),
    seal_key_hash=st.binary(max_size=33),
    mailboxes=st.lists(
        st.builds(
            wire.MailboxAddress,
            peer=st.sampled_from([BOB.peer_bytes, b"p"]),
            addresses=st.lists(st.text(max_size=20), max_size=5),
        ),
        max_size=4,
    ),
    sequence=st.integers(0, 2**64 - 1),
    expires_at_ms=st.integers(0, 2**64 - 1),
    signature=st.binary(max_size=64),
)


@given(RECORDS)
def test_nobody_elses_record_is_valid(record: wire.MailboxRecord) -> None:
    assert not valid(record)
    assert newer(record, None) is None
