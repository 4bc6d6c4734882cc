"""Envelopes: a content signed by its sender, padded, and sealed to one recipient.

Content -> SignedContent (Ed25519 over sender, recipient and content) -> padded -> sealed (`seal.py`) -> Envelope.
The recipient stands under the signature: nobody can seal somebody's signed words again, to a third peer. The
envelope's header is bound to the seal: with a changed header it does not open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from p2pchat.node.protocol import (
    file_transfer,
    limits,
    mailbox_record,
    names,
    peer_id,
    room_message,
    seal,
)
from p2pchat.proto import wire_pb2 as wire

ENVELOPE_VERSION = 1
TIME_LIMIT = 2**53  # Unix milliseconds; the year 287,396

_ID_DOMAIN = b"p2pchat envelope id 1"
_SEAL_DOMAIN = b"p2pchat envelope seal 1"
_SIGNATURE_DOMAIN = b"p2pchat content 1"

_M = TypeVar("_M", bound=Message)


class EnvelopeRefusedError(Exception):
    """Why an envelope was not opened: a verdict for its sender, a detail for the log."""

    def __init__(self, verdict: wire.Verdict, detail: str) -> None:
        super().__init__(f"{wire.Verdict.Name(verdict)}: {detail}")
        self.verdict = verdict
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside an envelope, verified and within its limits."""

    sender: bytes  # binary peer id, 38 bytes
    content: wire.Content


def envelope_id(envelope: wire.Envelope) -> bytes:
    """SHA-256 over domain and every field, length-prefixed; 32 bytes."""
    return hashlib.sha256(
        seal.length_prefixed(
            _ID_DOMAIN,
            envelope.version,
            envelope.recipient,
            envelope.scheme,
            envelope.ciphertext,
            envelope.expires_at_ms,
        )
    ).digest()


def verdict_on(envelope: wire.Envelope, *, any_scheme: bool = False) -> wire.Verdict | None:
    """What is wrong with it, as far as anybody can see without a key: MALFORMED, UNKNOWN_SCHEME, or None.

    `any_scheme`: for whoever only carries it, so that a new way to seal needs no new mailboxes. One above
    `limits.ENVELOPE_LIMIT` is MALFORMED; who has a better word for it measures first.
    """
    if envelope.ByteSize() > limits.ENVELOPE_LIMIT:
        return wire.MALFORMED
    # First the version: another one may mean something else by every other field.
    known = any_scheme or envelope.scheme == seal.SCHEME
    if envelope.version != ENVELOPE_VERSION or not known:
        return wire.UNKNOWN_SCHEME
    well_formed = (
        peer_id.public_key_of(envelope.recipient) is not None
        and envelope.ciphertext
        and envelope.expires_at_ms < TIME_LIMIT
    )
    return None if well_formed else wire.MALFORMED


class Sealer:
    """Makes the envelopes of one sender."""

    def __init__(self, sender: bytes, key: Ed25519PrivateKey) -> None:
        self._sender = sender  # binary peer id of `key`
        self._key = key

    def seal(
        self, content: wire.Content, recipient: bytes, seal_key: bytes, expires_at_ms: int
    ) -> wire.Envelope:
        """Content for `recipient` (binary peer id), sealed to its public seal key (1,216 bytes).

        Raises `SealError` when that is no key, and `ValueError` for what the recipient would refuse anyway.
        """
        if flaw := _flaw_in(content):
            raise ValueError(f"such a content would be refused: {flaw}")
        envelope = wire.Envelope(
            version=ENVELOPE_VERSION,
            recipient=recipient,
            scheme=seal.SCHEME,
            expires_at_ms=expires_at_ms,
        )
        padded = seal.pad(self._signed(content, recipient).SerializeToString())
        envelope.ciphertext = seal.seal(padded, seal_key, _info(envelope))
        if verdict := verdict_on(envelope):
            raise ValueError(f"such an envelope would be refused: {wire.Verdict.Name(verdict)}")
        return envelope

    def _signed(self, content: wire.Content, recipient: bytes) -> wire.SignedContent:
        carried = content.SerializeToString()
        signature = self._key.sign(_signed_bytes(self._sender, recipient, carried))
        return wire.SignedContent(sender=self._sender, content=carried, signature=signature)


class Opener:
    """Opens the envelopes for one recipient."""

    def __init__(self, recipient: bytes, seal_key: seal.SealKey) -> None:
        self._recipient = recipient  # binary peer id
        self._seal_key = seal_key

    def open(self, envelope: wire.Envelope, now_ms: int) -> Opened:
        """Raises `EnvelopeRefusedError`, and nothing else, for whatever a stranger may have made.

        A mailbox record inside that is not valid, or not the sender's, is left out of the content.
        """
        self._check_header(envelope, now_ms)
        signed = _parse(wire.SignedContent(), self._unsealed(envelope))
        _check_signature(signed, self._recipient)
        content = _parse(wire.Content(), signed.content)
        if flaw := _flaw_in(content):
            raise EnvelopeRefusedError(wire.MALFORMED, flaw)
        if content.HasField("record") and not _is_own_record(content.record, signed.sender):
            content.ClearField("record")
        return Opened(signed.sender, content)

    def _check_header(self, envelope: wire.Envelope, now_ms: int) -> None:
        """What costs no opening."""
        if verdict := verdict_on(envelope):
            header = f"version {envelope.version}, scheme {envelope.scheme}"
            raise EnvelopeRefusedError(verdict, f"its header breaks the rules ({header})")
        if envelope.recipient != self._recipient:
            raise EnvelopeRefusedError(wire.WRONG_RECIPIENT, "it is for another peer")
        # The expiry is on the sender's clock, which may be off like anybody's.
        late = now_ms - envelope.expires_at_ms
        if late > limits.CLOCK_GRACE_MS:
            raise EnvelopeRefusedError(wire.EXPIRED, f"{late} ms past its expiry")

    def _unsealed(self, envelope: wire.Envelope) -> bytes:
        try:
            return seal.unpad(self._seal_key.open(envelope.ciphertext, _info(envelope)))
        except seal.SealError as error:
            raise EnvelopeRefusedError(wire.BAD_SEAL, str(error)) from None
        except seal.PaddingError as error:
            raise EnvelopeRefusedError(wire.MALFORMED, f"its padding: {error}") from None


def _info(envelope: wire.Envelope) -> bytes:
    """HPKE's info: everything in the header."""
    return seal.length_prefixed(
        _SEAL_DOMAIN,
        envelope.version,
        envelope.recipient,
        envelope.scheme,
        envelope.expires_at_ms,
    )


def _signed_bytes(sender: bytes, recipient: bytes, content: bytes) -> bytes:
    return seal.length_prefixed(_SIGNATURE_DOMAIN, sender, recipient, content)


def _parse(message: _M, data: bytes) -> _M:
    try:
        message.ParseFromString(data)
    except Exception:  # protobuf's DecodeError; upb also raises UnicodeDecodeError
        kind = message.DESCRIPTOR.name
        raise EnvelopeRefusedError(wire.MALFORMED, f"its {kind} cannot be parsed") from None
    return message


def _check_signature(signed: wire.SignedContent, recipient: bytes) -> None:
    key = peer_id.public_key_of(signed.sender)
    if key is None:
        raise EnvelopeRefusedError(wire.MALFORMED, "its sender is no Ed25519 peer id")
    try:
        _public_key(key).verify(
            signed.signature, _signed_bytes(signed.sender, recipient, signed.content)
        )
    except (InvalidSignature, ValueError):
        raise EnvelopeRefusedError(wire.BAD_SIGNATURE, "not signed by its sender") from None


@lru_cache(maxsize=1024)
def _public_key(key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key)


def _is_own_record(record: wire.MailboxRecord, sender: bytes) -> bool:
    return record.peer == sender and mailbox_record.valid(record)


def _flaw_in(content: wire.Content) -> str | None:
    """What is out of bounds in it; None when nothing is."""
    if not _are_ids([content.id]):
        return "its id has not 16 bytes"
    if len(content.parents) > room_message.MAX_PARENTS or not _are_ids(content.parents):
        return "its parents are not up to three ids of 16 bytes"
    if max(content.lamport, content.sent_at_ms) > room_message.MAX_LAMPORT:
        return "its time is beyond all counting"
    if len(content.nick) > names.NAME_LIMIT:
        return "its nick is too long"
    match content.WhichOneof("body"):
        case "text":
            return _flaw_in_text(content.text.text)
        case "receipts":
            return _flaw_in_receipts(content.receipts)
        case "edit":
            return _flaw_in_target(content.edit.target) or _flaw_in_text(content.edit.text)
        case "retraction":
            return _flaw_in_target(content.retraction.target)
        case "file":
            return file_transfer.flaw_in_offer(content.file, content.id)
        case "file_answer":
            return file_transfer.flaw_in_note(content.file_answer)
        case "file_part":
            return file_transfer.flaw_in_note(content.file_part)
    newer = len(UnknownFieldSet(content)) > 0
    return "it is of a newer kind" if newer else "it has no body"


def _flaw_in_text(text: str) -> str | None:
    fits = 0 < len(text.encode()) <= names.TEXT_LIMIT
    return None if fits else "its text is empty or too long"


def _flaw_in_target(target: bytes) -> str | None:
    return None if _are_ids([target]) else "it is about a message whose id has not 16 bytes"


def _flaw_in_receipts(receipts: wire.Receipts) -> str | None:
    count = len(receipts.delivered) + len(receipts.read)
    if not 1 <= count <= limits.MAX_RECEIPTS:
        return "it has no receipts or too many"
    fits = _are_ids(receipts.delivered) and _are_ids(receipts.read)
    return None if fits else "a receipt is for an id that has not 16 bytes"


def _are_ids(ids: Sequence[bytes]) -> bool:
    return all(len(message_id) == limits.ID_BYTES for message_id in ids)
