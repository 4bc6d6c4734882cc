"""Mailbox records: how to leave mail for a peer, signed by that peer.

The signature covers length-prefixed fields, the seal key only by its hash: a link leaves the key out (1,216 bytes),
and whoever hands it over later cannot hand over another one.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from p2pchat.node.protocol import limits, peer_id, seal
from p2pchat.proto import wire_pb2 as wire

RECORD_LIMIT = (
    4096  # bytes serialized; all fields at their longest take 3.2 KiB, the rest is unknown ones
)
_HASH_BYTES = 32
_DOMAIN = b"p2pchat mailbox record 1"
# The same few records come again and again: with every hello, lookup and first message.
_REMEMBERED = 1024  # verified signatures, at most 2 KiB each


def sign(record: wire.MailboxRecord, key: Ed25519PrivateKey) -> None:
    """Fill in the seal key's hash and the signature. Raises `ValueError` without a seal key."""
    if len(record.seal_key) != seal.PUBLIC_KEY_BYTES:
        raise ValueError("a record is signed together with its seal key")
    record.seal_key_hash = hashlib.sha256(record.seal_key).digest()
    record.signature = key.sign(signed_bytes(record))


def signed_bytes(record: wire.MailboxRecord) -> bytes:
    """What the signature covers: domain, peer, seal key hash, mailboxes, sequence, expiry, length-prefixed.

    The mailboxes are one field, inside it one for each mailbox, inside that the peer and each address.
    """
    mailboxes = (
        seal.length_prefixed(mailbox.peer, *(address.encode() for address in mailbox.addresses))
        for mailbox in record.mailboxes
    )
    return seal.length_prefixed(
        _DOMAIN,
        record.peer,
        record.seal_key_hash,
        seal.length_prefixed(*mailboxes),
        record.sequence,
        record.expires_at_ms,
    )


def valid(record: wire.MailboxRecord) -> bool:
    """Whether sizes, counts, seal key (if it is there) and signature are right. Says nothing about its age."""
    key = peer_id.public_key_of(record.peer)
    return (
        key is not None
        and record.ByteSize() <= RECORD_LIMIT
        and _has_right_key(record)
        and len(record.mailboxes) <= limits.MAX_MAILBOXES
        and all(_is_well_formed(mailbox) for mailbox in record.mailboxes)
        # Copies are counted by mailbox: the same one twice would promise two where there is one.
        and len({mailbox.peer for mailbox in record.mailboxes}) == len(record.mailboxes)
        and _is_signed(key, record.signature, signed_bytes(record))
    )


def _has_right_key(record: wire.MailboxRecord) -> bool:
    if not record.seal_key:
        return len(record.seal_key_hash) == _HASH_BYTES
    return (
        len(record.seal_key) == seal.PUBLIC_KEY_BYTES
        and hashlib.sha256(record.seal_key).digest() == record.seal_key_hash
    )


def _is_well_formed(mailbox: wire.MailboxAddress) -> bool:
    return (
        peer_id.public_key_of(mailbox.peer) is not None
        and 1 <= len(mailbox.addresses) <= limits.MAX_ADDRESSES
        and all(is_address(address) for address in mailbox.addresses)
    )


def is_address(text: str) -> bool:
    """Whether it could be a multiaddr: begins with "/", at most 128 bytes, nothing unprintable, no spaces."""
    return (
        text.startswith("/")
        and text.isprintable()
        and " " not in text
        and len(text.encode()) <= limits.MAX_ADDRESS_CHARACTERS
    )


@lru_cache(maxsize=_REMEMBERED)
def _is_signed(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def newer(a: wire.MailboxRecord | None, b: wire.MailboxRecord | None) -> wire.MailboxRecord | None:
    """Of two records of one peer the valid one with the higher sequence; None when neither is valid.

    Of equal sequences the one with a seal key, else `a`. The seal key of the other one is taken over where the hash
    says that it has not changed; then the result is a copy.
    """
    candidates = [record for record in (a, b) if record is not None and valid(record)]
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    best = max(candidates, key=lambda record: (record.sequence, bool(record.seal_key)))
    other = candidates[1] if best is candidates[0] else candidates[0]
    if best.seal_key or not other.seal_key or best.seal_key_hash != other.seal_key_hash:
        return best
    whole = wire.MailboxRecord()
    whole.CopyFrom(best)
    whole.seal_key = other.seal_key
    return whole


def without_key(record: wire.MailboxRecord) -> wire.MailboxRecord:
    """A copy without the seal key, and still valid."""
    short = wire.MailboxRecord()
    short.CopyFrom(record)
    short.ClearField("seal_key")
    return short
