"""Sizes and counts that both sides of a direct-message protocol rely on."""

from __future__ import annotations

PEER_BYTES = 38  # a binary peer id with an Ed25519 key inside
ID_BYTES = 16  # a message id, UUIDv7
ENVELOPE_ID_BYTES = 32  # SHA-256

FRAME_LIMIT = 512 * 1024  # bytes of one frame on the deliver and mailbox protocols
ENVELOPE_LIMIT = 256 * 1024  # bytes of one serialized envelope
MAX_BATCH = 128  # envelopes in one frame
BATCH_BYTES = (
    384 * 1024
)  # bytes of envelopes that are put into one frame; a larger one travels alone
WINDOW = 256  # envelopes unanswered at a time on one stream; a batch is half of it
MAX_WINDOW = 1024  # that a collecting client may ask for
MAX_ACKS = 1024  # ids in one Ack
MAX_RECEIPTS = 1024  # ids in one Receipts

MAX_MAILBOXES = 3  # of one peer
MAX_ADDRESSES = 4  # of one mailbox in a record
MAX_ADDRESS_CHARACTERS = 128

DAY_MS = 24 * 3600 * 1000
# Clocks of strangers are off. Whatever rests on somebody else's clock gets this much on top.
CLOCK_GRACE_MS = 25 * 3600 * 1000

DELIVER_PROTOCOL = "/p2pchat/deliver/1.0.0"
MAILBOX_PROTOCOL = "/p2pchat/mailbox/1.0.0"
