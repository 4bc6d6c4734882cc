"""Room messages: what one may look like, and the author's signature over it.

The signature covers length-prefixed fields in a fixed order, never protobuf bytes, which are not canonical.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from p2pchat.node.protocol import names, peer_id
from p2pchat.proto import wire_pb2 as wire

TOPIC_PREFIX = "/p2pchat/room/1/"
MAX_PARENTS = 3
MAX_LAMPORT = 2**53 - 1  # the year 287,396; room to count on without ever overflowing 64 bits
MAX_AHEAD_MS = 24 * 3600 * 1000  # how far a stranger's clock may pull a room's clock forward
# How far ahead of our clock a message may be. Twice as far: members whose room clock was pulled forward have to be
# heard by others whose own clocks are behind theirs.
ACCEPT_AHEAD_MS = 2 * MAX_AHEAD_MS
ID_BYTES = 16
SIGNATURE_BYTES = 64

MAX_BATCH_MESSAGES = 256
MAX_PRESENCES = 16  # in one batch
MAX_BATCH_BYTES = 256 * 1024  # serialised; leaves room below gossip's limit of 1,000,000

_DOMAIN = b"p2pchat room message 1"
_ALTERATION_DOMAIN = b"p2pchat room alteration 1"


class Flaw(enum.Enum):
    """Why a received message is refused; the value names the counter."""

    MALFORMED = "malformed"
    WRONG_ROOM = "wrong room"
    TOO_LONG = "too long"
    BAD_SIGNATURE = "bad signature"
    TOO_FAR_AHEAD = "too far ahead"  # of our clock: it may be taken later


def topic_of(room: str, plain: bool) -> str:
    """A plain room's topic is its bare name, as universal-connectivity does it."""
    return room if plain else TOPIC_PREFIX + room


def sign(message: wire.RoomMessage, key: Ed25519PrivateKey) -> None:
    """Fill in the signature."""
    message.signature = key.sign(signed_bytes(message))


def signed_bytes(message: wire.RoomMessage) -> bytes:
    """What the signature covers: domain, then each field as 4-byte big-endian length and bytes.

    An edit or a retraction has a domain and two more fields of its own: neither passes for a message, nor the other way
    round.
    """
    fields: tuple[bytes, ...] = (
        _ALTERATION_DOMAIN if is_alteration(message) else _DOMAIN,
        message.id,
        message.room.encode(),
        message.sender,
        message.nick.encode(),
        message.sent_at_ms.to_bytes(8, "big"),
        message.lamport.to_bytes(8, "big"),
        b"".join(message.parents),  # each of them has ID_BYTES
        message.text.encode(),
    )
    if is_alteration(message):
        fields += (message.target, bytes([message.retraction]))
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def is_alteration(message: wire.RoomMessage) -> bool:
    """Whether it is an edit or a retraction, and not listed itself."""
    return bool(message.target or message.retraction)


def horizon(now_ms: int) -> int:
    """Messages with a lower Lamport time are not too far ahead."""
    return min(now_ms + ACCEPT_AHEAD_MS, MAX_LAMPORT)


def flaw_of(message: wire.RoomMessage, room: str, now_ms: int) -> Flaw | None:
    """Why a message received in `room` is to be refused; None if it is good."""
    if message.room != room:
        return Flaw.WRONG_ROOM
    if horizon(now_ms) <= message.lamport <= MAX_LAMPORT:
        return Flaw.TOO_FAR_AHEAD
    if len(message.text.encode()) > names.TEXT_LIMIT or len(message.nick) > names.NAME_LIMIT:
        return Flaw.TOO_LONG
    key = peer_id.public_key_of(message.sender)
    well_formed = (
        key is not None
        and len(message.id) == ID_BYTES
        and _says_what_it_may(message)
        and message.lamport <= MAX_LAMPORT
        and len(message.parents) <= MAX_PARENTS
        and all(len(parent) == ID_BYTES for parent in message.parents)
        and len(message.signature) == SIGNATURE_BYTES
    )
    if key is None or not well_formed:
        return Flaw.MALFORMED
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(message.signature, signed_bytes(message))
    except (InvalidSignature, ValueError):
        return Flaw.BAD_SIGNATURE
    return None


def _says_what_it_may(message: wire.RoomMessage) -> bool:
    if is_alteration(message) and len(message.target) != ID_BYTES:
        return False
    return bool(message.text) != message.retraction


def batches(messages: Iterable[wire.RoomMessage]) -> Iterator[wire.RoomBatch]:
    """Put messages together into gossip messages, in order, within both limits."""
    batch: list[wire.RoomMessage] = []
    size = 0
    for message in messages:
        length = message.ByteSize() + 8  # tag and length of the field
        if batch and (len(batch) >= MAX_BATCH_MESSAGES or size + length > MAX_BATCH_BYTES):
            yield wire.RoomBatch(messages=batch)
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield wire.RoomBatch(messages=batch)


def parse_batch(data: bytes) -> wire.RoomBatch | None:
    """What one gossip message carries; None when it is no batch or breaks its limits."""
    batch = wire.RoomBatch()
    try:
        batch.ParseFromString(data)
    except Exception:  # protobuf's DecodeError; upb also raises UnicodeDecodeError
        return None
    fits = len(batch.messages) <= MAX_BATCH_MESSAGES and len(batch.presences) <= MAX_PRESENCES
    return batch if fits and (batch.messages or batch.presences) else None
