"""Keys and rows of stored mail, and the count of what is held, for both mail stores.

| column family | key | value |
|---|---|---|
| `mail` | recipient, sequence (u64) | envelope id, HeldEnvelope |
| `by_id` | recipient, envelope id | `Row`; stays as a tombstone after the mail was collected |
| `expiry` | stored until (u64 ms), recipient, envelope id | empty |
| `usage` | recipient | `Count`: held, and the last sequence number; never deleted, or numbers would repeat |
| `usage` | recipient, sender | `Count`; deleted at zero |
| `meta` | "totals" | `Count` |
| `meta` | "depositor_secret" | 32 random bytes |
| `registrations`, `invites`, `blocks` | peer, id, peer | Registration, Invite, Block |
| `archived` | room (UTF-8) | ArchivedRoom; since schema 2 |

A recipient is a peer id of an Ed25519 key and takes 38 bytes, as checked before anything is stored. Numbers are
big-endian, so that keys sort by them. A sender is never a peer id, but the keyed hash of one (16 bytes), under the
secret in `meta`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from p2pchat.node.protocol import limits
from p2pchat.relay_mailbox.quota import Usage

MAIL, BY_ID, EXPIRY, USAGE = "mail", "by_id", "expiry", "usage"
REGISTRATIONS, INVITES, BLOCKS, ARCHIVED = "registrations", "invites", "blocks", "archived"
FAMILIES = (MAIL, BY_ID, EXPIRY, USAGE, REGISTRATIONS, INVITES, BLOCKS, ARCHIVED)
TOTALS_KEY = b"totals"
SECRET_KEY = b"depositor_secret"

_ROW = struct.Struct(">BQQI")
_COUNT = struct.Struct(">QQQ")
_U64 = struct.Struct(">Q")

_HELD, _TOMBSTONE = 1, 2


@dataclass(slots=True)
class Row:
    """Where one envelope stands."""

    held: bool  # False: a tombstone
    sequence: int
    stored_until_ms: int
    size: int  # bytes of the serialized envelope
    sender: bytes  # empty in a tombstone: nothing is counted for it

    def encode(self) -> bytes:
        state = _HELD if self.held else _TOMBSTONE
        return _ROW.pack(state, self.sequence, self.stored_until_ms, self.size) + self.sender

    @classmethod
    def decode(cls, data: bytes) -> Row:
        state, sequence, stored_until_ms, size = _ROW.unpack_from(data)
        return cls(state == _HELD, sequence, stored_until_ms, size, data[_ROW.size :])


@dataclass(slots=True)
class Count(Usage):
    """What is held, and the last sequence number that was given (0 where there are none)."""

    sequence: int = 0

    def encode(self) -> bytes:
        return _COUNT.pack(self.bytes, self.count, self.sequence)

    @classmethod
    def decode(cls, data: bytes | None) -> Count:
        return cls(*_COUNT.unpack(data)) if data else cls()


def mail_key(recipient: bytes, sequence: int) -> bytes:
    return recipient + _U64.pack(sequence)


def mail_end(recipient: bytes) -> bytes:
    """Above every key of that recipient's mail."""
    return recipient + b"\xff" * 9


def sequence_of(key: bytes) -> int:
    sequence: int = _U64.unpack_from(key, limits.PEER_BYTES)[0]
    return sequence


def expiry_key(stored_until_ms: int, recipient: bytes, id_: bytes) -> bytes:
    return _U64.pack(stored_until_ms) + recipient + id_


def expiry_end(now_ms: int) -> bytes:
    """Above every key that is due before `now_ms`."""
    return _U64.pack(now_ms)


def parse_expiry_key(key: bytes) -> tuple[int, bytes, bytes]:
    """Until when it is kept, the recipient, the envelope id."""
    cut = _U64.size + limits.PEER_BYTES
    return _U64.unpack_from(key)[0], key[_U64.size : cut], key[cut:]
