"""Makes the mail that tests of the mailbox need."""

from __future__ import annotations

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import limits, mailbox_record, seal
from p2pchat.node.protocol.envelope import ENVELOPE_VERSION, envelope_id
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox.pseudonyms import depositor_name
from tests.builders import sender_bytes

START_MS = 1_800_000_000_000  # when tests on virtual time begin
RECIPIENT = sender_bytes(1000)


def envelope(
    number: int,
    recipient: bytes = RECIPIENT,
    *,
    size: int = 100,
    expires_at_ms: int = START_MS + 7 * DAY_MS,
) -> wire.Envelope:
    """One that looks sealed: `size` bytes of ciphertext, different for each number."""
    return wire.Envelope(
        version=ENVELOPE_VERSION,
        recipient=recipient,
        scheme=seal.SCHEME,
        ciphertext=number.to_bytes(8, "big").rjust(size, b"x"),
        expires_at_ms=expires_at_ms,
    )


def depositor(number: int) -> bytes:
    """What a store calls somebody who deposits."""
    return depositor_name(b"secret", sender_bytes(number))


def new_mail(
    number: int,
    recipient: bytes = RECIPIENT,
    *,
    sender: int = 0,
    size: int = 100,
    until_ms: int = START_MS + DAY_MS,
) -> actors.NewMail:
    """As the mailbox gives it to the store; `size` is counted as it is said here."""
    sealed = envelope(number, recipient)
    held = records.HeldEnvelope(envelope=sealed, sender=depositor(sender), stored_until_ms=until_ms)
    return actors.NewMail(id=envelope_id(sealed), size=size, held=held)


def record_of(identity: Identity, sequence: int = 1) -> wire.MailboxRecord:
    """A valid record of that peer, with some seal key."""
    record = wire.MailboxRecord(
        peer=identity.peer_bytes,
        seal_key=seal.SealKey.derive(identity.seed).public,
        sequence=sequence,
        expires_at_ms=START_MS + 30 * limits.DAY_MS,
    )
    mailbox_record.sign(record, identity.private_key)
    return record
