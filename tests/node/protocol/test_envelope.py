"""What is sealed opens for its recipient, and for everything else there is a typed verdict.

`python tests/node/protocol/test_envelope.py` prints new test vectors, for when the format is changed on purpose.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import custody, limits, mailbox_record, names, room_message, seal
from p2pchat.node.protocol.envelope import (
    ENVELOPE_VERSION,
    TIME_LIMIT,
    EnvelopeRefusedError,
    Opened,
    Opener,
    Sealer,
    envelope_id,
    verdict_on,
)
from p2pchat.node.protocol.seal import SealError, SealKey
from p2pchat.proto import mailbox_pb2
from p2pchat.proto import wire_pb2 as wire

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
EVE = Identity(bytes(range(2, 34)))
ALICE_KEY = SealKey.derive(ALICE.seed)
BOB_KEY = SealKey.derive(BOB.seed)
EVE_KEY = SealKey.derive(EVE.seed)

NOW = 1_700_000_000_000
EXPIRY = NOW + 30 * limits.DAY_MS

FROM_ALICE = Sealer(ALICE.peer_bytes, ALICE.private_key)
TO_BOB = Opener(BOB.peer_bytes, BOB_KEY)
TO_EVE = Opener(EVE.peer_bytes, EVE_KEY)


def content(**changes: Any) -> wire.Content:
    fields: dict[str, Any] = {
        "id": b"i" * 16,
        "sent_at_ms": NOW,
        "lamport": NOW + 1,
        "parents": [b"p" * 16],
        "nick": "Alice",
    }
    if not {"text", "receipts"} & changes.keys():
        fields["text"] = wire.Text(text="Grüße")
    return wire.Content(**{**fields, **changes})


def record_of(owner: Identity) -> wire.MailboxRecord:
    mailbox = wire.MailboxAddress(peer=EVE.peer_bytes, addresses=["/ip4/192.0.2.1/tcp/4001"])
    public = SealKey.derive(owner.seed).public
    record = wire.MailboxRecord(
        peer=owner.peer_bytes, seal_key=public, mailboxes=[mailbox], sequence=3, expires_at_ms=NOW
    )
    mailbox_record.sign(record, owner.private_key)
    return record


def to_bob(**changes: Any) -> wire.Envelope:
    return FROM_ALICE.seal(content(**changes), BOB.peer_bytes, BOB_KEY.public, EXPIRY)


def by_hand(padded: bytes, *, recipient: bytes = BOB.peer_bytes) -> wire.Envelope:
    """Sealed to Bob as `Sealer` does it, with anything inside."""
    info = seal.length_prefixed(
        b"p2pchat envelope seal 1", ENVELOPE_VERSION, recipient, seal.SCHEME, EXPIRY
    )
    return wire.Envelope(
        version=ENVELOPE_VERSION,
        recipient=recipient,
        scheme=seal.SCHEME,
        ciphertext=seal.seal(padded, BOB_KEY.public, info),
        expires_at_ms=EXPIRY,
    )


def signed_by_hand(carried: bytes, *, recipient: bytes = BOB.peer_bytes) -> bytes:
    """A serialized SignedContent of Alice's, with any content."""
    signature = ALICE.private_key.sign(
        seal.length_prefixed(b"p2pchat content 1", ALICE.peer_bytes, recipient, carried)
    )
    return wire.SignedContent(
        sender=ALICE.peer_bytes, content=carried, signature=signature
    ).SerializeToString()


def sent_by_hand(carried: bytes) -> wire.Envelope:
    return by_hand(seal.pad(signed_by_hand(carried)))


def refusal(
    envelope: wire.Envelope, *, opener: Opener = TO_BOB, now_ms: int = NOW
) -> EnvelopeRefusedError:
    with pytest.raises(EnvelopeRefusedError) as caught:
        opener.open(envelope, now_ms)
    return caught.value


def test_what_is_sealed_opens() -> None:
    envelope = to_bob()
    assert verdict_on(envelope) is None
    assert TO_BOB.open(envelope, NOW) == Opened(ALICE.peer_bytes, content())


@given(
    text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=300),
    nick=st.text(st.characters(codec="utf-8"), max_size=names.NAME_LIMIT),
    parents=st.lists(st.binary(min_size=16, max_size=16), max_size=3),
    lamport=st.integers(0, room_message.MAX_LAMPORT),
)
def test_any_content_comes_through(
    text: str, nick: str, parents: list[bytes], lamport: int
) -> None:
    sent = content(text=wire.Text(text=text), nick=nick, parents=parents, lamport=lamport)
    envelope = FROM_ALICE.seal(sent, BOB.peer_bytes, BOB_KEY.public, EXPIRY)
    assert TO_BOB.open(envelope, NOW).content == sent


LONGEST_TEXT = wire.Text(text="x" * names.TEXT_LIMIT)


def test_the_longest_contents_fit() -> None:
    envelope = to_bob(text=LONGEST_TEXT, record=record_of(ALICE), nick="é" * names.NAME_LIMIT)
    assert envelope.ByteSize() < limits.ENVELOPE_LIMIT
    assert TO_BOB.open(envelope, NOW).content.text == LONGEST_TEXT
    receipts = wire.Receipts(delivered=[b"d" * 16] * 1000, read=[b"r" * 16] * 24)
    assert TO_BOB.open(to_bob(receipts=receipts), NOW).content.receipts == receipts


def test_short_texts_make_envelopes_of_one_size() -> None:
    sizes = {to_bob(text=wire.Text(text="x" * n)).ByteSize() for n in range(1, 40)}
    assert len(sizes) == 1


def test_the_same_envelope_opens_to_the_same_key_again() -> None:
    envelope = to_bob()
    keys = {(o.sender, o.content.id) for o in (TO_BOB.open(envelope, NOW) for _ in range(2))}
    assert keys == {(ALICE.peer_bytes, b"i" * 16)}


def test_a_message_sealed_twice_is_two_envelopes_with_one_key() -> None:
    """Another recipient's key, another expiry: deduplication rests on (sender, id), not on the envelope."""
    some, other = to_bob(), to_bob()
    assert envelope_id(some) != envelope_id(other)
    assert TO_BOB.open(some, NOW) == TO_BOB.open(other, NOW)


# ---- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "verdict"),
    [
        ("version", 2, wire.UNKNOWN_SCHEME),
        ("version", 0, wire.UNKNOWN_SCHEME),
        ("scheme", 2, wire.UNKNOWN_SCHEME),
        ("recipient", EVE.peer_bytes, wire.WRONG_RECIPIENT),
        ("recipient", b"", wire.MALFORMED),
        ("recipient", b"\x12\x20" + b"h" * 32, wire.MALFORMED),
        ("ciphertext", b"", wire.MALFORMED),
        ("ciphertext", b"short", wire.BAD_SEAL),
        ("ciphertext", bytes(limits.ENVELOPE_LIMIT), wire.MALFORMED),
        ("expires_at_ms", TIME_LIMIT, wire.MALFORMED),
        ("expires_at_ms", EXPIRY + 1, wire.BAD_SEAL),
        ("expires_at_ms", 0, wire.EXPIRED),
    ],
)
def test_a_changed_header_is_refused(field: str, value: object, verdict: wire.Verdict) -> None:
    envelope = to_bob()
    setattr(envelope, field, value)
    assert refusal(envelope).verdict == verdict


def test_the_shape_is_seen_without_a_key() -> None:
    assert verdict_on(to_bob()) is None
    assert verdict_on(wire.Envelope()) == wire.UNKNOWN_SCHEME
    assert verdict_on(wire.Envelope(version=1, scheme=1)) == wire.MALFORMED
    assert verdict_on(by_hand(b"nothing that makes sense inside")) is None


def test_the_limit_is_that_of_the_serialized_envelope() -> None:
    envelope = wire.Envelope(version=1, scheme=1, recipient=BOB.peer_bytes, expires_at_ms=EXPIRY)
    envelope.ciphertext = bytes(limits.ENVELOPE_LIMIT)
    envelope.ciphertext = bytes(2 * limits.ENVELOPE_LIMIT - envelope.ByteSize())
    assert envelope.ByteSize() == limits.ENVELOPE_LIMIT
    assert verdict_on(envelope) is None
    envelope.ciphertext += b"\0"
    assert verdict_on(envelope) == wire.MALFORMED


def test_an_envelope_of_somebody_else_does_not_open_here() -> None:
    assert refusal(to_bob(), opener=TO_EVE).verdict == wire.WRONG_RECIPIENT


def test_one_sealed_to_another_key_does_not_open() -> None:
    envelope = FROM_ALICE.seal(content(), BOB.peer_bytes, EVE_KEY.public, EXPIRY)
    assert refusal(envelope).verdict == wire.BAD_SEAL


def test_an_expiry_on_a_clock_that_is_off_is_forgiven() -> None:
    envelope = to_bob()
    assert TO_BOB.open(envelope, EXPIRY + limits.CLOCK_GRACE_MS)
    late = refusal(envelope, now_ms=EXPIRY + limits.CLOCK_GRACE_MS + 1)
    assert late.verdict == wire.EXPIRED
    assert "EXPIRED" in str(late)


REFUSALS = {
    wire.MALFORMED,
    wire.WRONG_RECIPIENT,
    wire.UNKNOWN_SCHEME,
    wire.BAD_SEAL,
    wire.BAD_SIGNATURE,
    wire.EXPIRED,
}
SAMPLE = to_bob()
SERIALIZED = SAMPLE.SerializeToString()


@given(index=st.integers(0, len(SAMPLE.ciphertext) - 1), flip=st.integers(1, 255))
def test_no_changed_byte_of_the_ciphertext_opens(index: int, flip: int) -> None:
    changed = bytearray(SAMPLE.ciphertext)
    changed[index] ^= flip
    envelope = wire.Envelope()
    envelope.CopyFrom(SAMPLE)
    envelope.ciphertext = bytes(changed)
    assert refusal(envelope).verdict == wire.BAD_SEAL


def check_changed(index: int, flip: int) -> None:
    """One byte of the serialized envelope is another: it is no envelope any more, or is refused."""
    changed = bytearray(SERIALIZED)
    changed[index] ^= flip
    envelope = wire.Envelope()
    try:
        envelope.ParseFromString(bytes(changed))
    except Exception:  # never gets as far as here: the frame is refused
        return
    assert envelope_id(envelope) != envelope_id(SAMPLE)
    assert refusal(envelope).verdict in REFUSALS


@given(index=st.integers(0, len(SERIALIZED) - 1), flip=st.integers(1, 255))
def test_no_changed_byte_of_the_envelope_opens(index: int, flip: int) -> None:
    check_changed(index, flip)


@pytest.mark.parametrize("flip", [0x01, 0x08, 0x80, 0xFF])
def test_no_changed_byte_of_the_header_opens(flip: int) -> None:
    """All of them, since random examples mostly hit the ciphertext."""
    start = SERIALIZED.index(SAMPLE.ciphertext)
    for index in (*range(start), *range(start + len(SAMPLE.ciphertext), len(SERIALIZED))):
        check_changed(index, flip)


ENVELOPES = st.builds(
    wire.Envelope,
    version=st.integers(0, 2) | st.just(2**32 - 1),
    recipient=st.sampled_from([BOB.peer_bytes, EVE.peer_bytes]) | st.binary(max_size=40),
    scheme=st.integers(0, 2) | st.just(2**32 - 1),
    ciphertext=st.binary(max_size=2000),
    expires_at_ms=st.sampled_from([0, EXPIRY, TIME_LIMIT - 1, TIME_LIMIT, 2**64 - 1]),
)


@given(ENVELOPES)
def test_whatever_a_stranger_makes_up_is_refused(envelope: wire.Envelope) -> None:
    assert verdict_on(envelope) in (None, wire.UNKNOWN_SCHEME, wire.MALFORMED)
    assert refusal(envelope).verdict in REFUSALS


# ---- inside: what only a sender can get wrong ------------------------------------------------------


def test_signed_words_cannot_be_sealed_again_to_somebody_else() -> None:
    """Eve got them from Alice, and wants Bob to believe that they were meant for him."""
    stolen = signed_by_hand(content().SerializeToString(), recipient=EVE.peer_bytes)
    assert refusal(by_hand(seal.pad(stolen))).verdict == wire.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"signature": b"s" * 64}, wire.BAD_SIGNATURE),
        ({"signature": b""}, wire.BAD_SIGNATURE),
        ({"sender": EVE.peer_bytes}, wire.BAD_SIGNATURE),
        ({"sender": b""}, wire.MALFORMED),
        ({"sender": b"\x12\x20" + b"h" * 32}, wire.MALFORMED),
        ({"content": content(nick="Mallory").SerializeToString()}, wire.BAD_SIGNATURE),
    ],
)
def test_a_false_signature_is_refused(changes: dict[str, Any], verdict: wire.Verdict) -> None:
    signed = wire.SignedContent.FromString(signed_by_hand(content().SerializeToString()))
    for field, value in changes.items():
        setattr(signed, field, value)
    envelope = by_hand(seal.pad(signed.SerializeToString()))
    assert refusal(envelope).verdict == verdict


def test_padding_that_is_none_is_refused() -> None:
    signed = signed_by_hand(content().SerializeToString())
    padded = seal.pad(signed)
    for wrong in (b"", signed, padded[:-1], padded + bytes(len(padded)), padded[:-1] + b"\x01"):
        assert refusal(by_hand(wrong)).verdict == wire.MALFORMED


RECEIPT = wire.Receipts(read=[b"r" * 16])
BAD_CONTENTS: dict[str, dict[str, Any]] = {
    "no id": {"id": b""},
    "a long id": {"id": b"i" * 17},
    "a short parent": {"parents": [b"p"]},
    "four parents": {"parents": [b"p" * 16] * 4},
    "a long nick": {"nick": "n" * (names.NAME_LIMIT + 1)},
    "a lamport beyond counting": {"lamport": room_message.MAX_LAMPORT + 1},
    "a time beyond counting": {"sent_at_ms": 2**64 - 1},
    "no text": {"text": wire.Text()},
    "a long text": {"text": wire.Text(text="x" * (names.TEXT_LIMIT + 1))},
    "a text that is long in bytes": {"text": wire.Text(text="é" * (names.TEXT_LIMIT // 2 + 1))},
    "no receipts": {"receipts": wire.Receipts()},
    "too many receipts": {
        "receipts": wire.Receipts(delivered=[b"d" * 16] * 1000, read=[b"r" * 16] * 25)
    },
    "a short delivered": {"receipts": wire.Receipts(delivered=[b"d"])},
    "a short read": {"receipts": wire.Receipts(read=[b"r" * 17])},
    "no body": {"text": None},
}


@pytest.mark.parametrize("changes", BAD_CONTENTS.values(), ids=BAD_CONTENTS.keys())
def test_content_out_of_bounds_is_refused_although_signed(changes: dict[str, Any]) -> None:
    bad = content(**changes)
    assert refusal(sent_by_hand(bad.SerializeToString())).verdict == wire.MALFORMED
    with pytest.raises(ValueError, match="would be refused"):
        FROM_ALICE.seal(bad, BOB.peer_bytes, BOB_KEY.public, EXPIRY)


def test_a_body_of_a_later_version_is_told_from_none() -> None:
    bare = content(text=None).SerializeToString()
    later = refusal(sent_by_hand(bare + b"\xf2\x01\x02hi"))  # field 30, 2 bytes
    assert (later.verdict, later.detail) == (wire.MALFORMED, "it is of a newer kind")
    assert refusal(sent_by_hand(bare)).detail == "it has no body"


def test_text_that_is_no_utf8_is_refused() -> None:
    """Parsing raises here, and not always protobuf's own error."""
    carried = content(text=wire.Text(text="GRUESSE")).SerializeToString()
    broken = carried.replace(b"GRUESSE", b"GR\xff\xfeSSE")
    assert refusal(sent_by_hand(broken)).verdict == wire.MALFORMED


@given(st.binary(max_size=300))
def test_any_signed_bytes_are_a_content_or_refused(carried: bytes) -> None:
    verdict = None
    try:
        TO_BOB.open(sent_by_hand(carried), NOW)
    except EnvelopeRefusedError as error:
        verdict = error.verdict
    assert verdict in (None, wire.MALFORMED)


@given(st.binary(max_size=300))
def test_any_sealed_bytes_are_refused(inside: bytes) -> None:
    for padded in (inside, seal.pad(inside)):
        assert refusal(by_hand(padded)).verdict == wire.MALFORMED


# ---- the sender's mailbox record -------------------------------------------------------------------


def test_the_senders_record_comes_along() -> None:
    opened = TO_BOB.open(to_bob(record=record_of(ALICE)), NOW)
    assert opened.content.record == record_of(ALICE)


def test_another_record_is_left_out_and_the_words_are_not() -> None:
    forged = record_of(ALICE)
    forged.sequence += 1
    for record in (record_of(EVE), forged, wire.MailboxRecord()):
        opened = TO_BOB.open(to_bob(record=record), NOW)
        assert opened.content == content()
        assert not opened.content.HasField("record")


# ---- what the sender is told ------------------------------------------------------------------------


def test_what_nobody_could_open_is_not_sealed() -> None:
    with pytest.raises(SealError):
        FROM_ALICE.seal(content(), BOB.peer_bytes, b"no key", EXPIRY)
    for recipient, expires_at_ms in ((b"nobody", EXPIRY), (BOB.peer_bytes, TIME_LIMIT)):
        with pytest.raises(ValueError, match="would be refused: MALFORMED"):
            FROM_ALICE.seal(content(), recipient, BOB_KEY.public, expires_at_ms)


# ---- committed test vectors: a promise to other programs, and to what lies in a mailbox --------------

VECTORS = Path(__file__).parent / "vectors" / "envelope_v1.json"


def vector_custody(id_of_envelope: bytes) -> mailbox_pb2.Custody:
    return custody.sign(EVE.peer_bytes, [id_of_envelope], [EXPIRY], EVE.private_key)


def make_vectors() -> dict[str, str]:
    """New vectors; sealing is random, so each time another envelope. Bytes in hex."""
    sent = content(record=record_of(ALICE))
    envelope = FROM_ALICE.seal(sent, BOB.peer_bytes, BOB_KEY.public, EXPIRY)
    return {
        "sender_seed": ALICE.seed.hex(),
        "sender_seal_key_sha256": hashlib.sha256(ALICE_KEY.public).hexdigest(),
        "recipient_seed": BOB.seed.hex(),
        "recipient_seal_key_sha256": hashlib.sha256(BOB_KEY.public).hexdigest(),
        "mailbox_seed": EVE.seed.hex(),
        "envelope": envelope.SerializeToString().hex(),
        "envelope_id": envelope_id(envelope).hex(),
        "content": sent.SerializeToString().hex(),
        "content_text": sent.text.text,
        "record_signature": record_of(ALICE).signature.hex(),
        "custody": vector_custody(envelope_id(envelope)).SerializeToString().hex(),
    }


def vector() -> dict[str, str]:
    loaded: dict[str, str] = json.loads(VECTORS.read_text("utf-8"))
    return loaded


def test_an_identity_still_has_the_seal_key_it_had() -> None:
    for who in ("sender", "recipient"):
        key = SealKey.derive(bytes.fromhex(vector()[f"{who}_seed"]))
        assert hashlib.sha256(key.public).hexdigest() == vector()[f"{who}_seal_key_sha256"]


def test_an_envelope_of_old_still_opens() -> None:
    recipient = Identity(bytes.fromhex(vector()["recipient_seed"]))
    sender = Identity(bytes.fromhex(vector()["sender_seed"]))
    envelope = wire.Envelope.FromString(bytes.fromhex(vector()["envelope"]))
    assert envelope_id(envelope).hex() == vector()["envelope_id"]
    opened = Opener(recipient.peer_bytes, SealKey.derive(recipient.seed)).open(envelope, NOW)
    assert opened.sender == sender.peer_bytes
    assert opened.content == wire.Content.FromString(bytes.fromhex(vector()["content"]))
    assert opened.content.text.text == vector()["content_text"]
    assert opened.content.HasField("record")


def test_signatures_are_what_they_were() -> None:
    """Ed25519 (RFC 8032) leaves nothing to chance: the same words have the same signature."""
    assert record_of(ALICE).signature.hex() == vector()["record_signature"]
    mailbox = Identity(bytes.fromhex(vector()["mailbox_seed"]))
    receipt = mailbox_pb2.Custody.FromString(bytes.fromhex(vector()["custody"]))
    assert custody.verify(receipt, mailbox.peer_bytes)
    assert receipt == vector_custody(bytes.fromhex(vector()["envelope_id"]))


if __name__ == "__main__":
    print(json.dumps(make_vectors(), indent=2, ensure_ascii=False))
