"""Custody receipts: a mailbox's signed word that it keeps envelopes, and until when."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from p2pchat.node.protocol import limits, peer_id, seal
from p2pchat.proto import mailbox_pb2

_DOMAIN = b"p2pchat custody 1"


def sign(
    mailbox: bytes, ids: Sequence[bytes], stored_until_ms: Sequence[int], key: Ed25519PrivateKey
) -> mailbox_pb2.Custody:
    """One receipt for 1..128 envelope ids, 32 bytes each, with a time (Unix milliseconds) for each of them.

    `mailbox` is the binary peer id of `key`. Raises `ValueError` for other counts or lengths.
    """
    custody = mailbox_pb2.Custody(ids=ids, stored_until_ms=stored_until_ms)
    if not _is_well_formed(custody):
        raise ValueError("a custody receipt names 1 to 128 ids of 32 bytes, and a time for each")
    custody.signature = key.sign(signed_bytes(custody, mailbox))
    return custody


def signed_bytes(custody: mailbox_pb2.Custody, mailbox: bytes) -> bytes:
    """What the signature covers: domain, mailbox, all ids together, all times together, length-prefixed.

    Ids have 32 bytes each and times 8 (big-endian): together they cannot be cut in another way.
    """
    times = b"".join(time.to_bytes(8, "big") for time in custody.stored_until_ms)
    return seal.length_prefixed(_DOMAIN, mailbox, b"".join(custody.ids), times)


def verify(custody: mailbox_pb2.Custody, mailbox: bytes) -> bool:
    """Whether it is well-formed and signed by `mailbox` (binary peer id). False for any other bytes."""
    key = peer_id.public_key_of(mailbox)
    if key is None or not _is_well_formed(custody):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            custody.signature, signed_bytes(custody, mailbox)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_well_formed(custody: mailbox_pb2.Custody) -> bool:
    return (
        1 <= len(custody.ids) <= limits.MAX_BATCH
        and len(custody.ids) == len(custody.stored_until_ms)
        and all(len(envelope_id) == limits.ENVELOPE_ID_BYTES for envelope_id in custody.ids)
    )
