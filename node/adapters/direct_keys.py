"""Keys and small values of stored direct messages.

A conversation is named by the other side's binary peer id, which stands in front of a key with its length, so
that no conversation's keys begin with another's name. Sorted as bytes, position keys are a conversation in order:

    position  peer prefix | lamport, u64 big endian | id | 1 if outgoing, else 0
    message   peer prefix | 1 if outgoing, else 0 | id
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from p2pchat.node.adapters.history_keys import HEAD_IDS
from p2pchat.node.ports import RoomHead
from p2pchat.node.protocol.room_message import MAX_AHEAD_MS
from p2pchat.proto import records_pb2 as records

_U64 = struct.Struct(">Q")
_LENGTH = struct.Struct(">I")
_STATE = struct.Struct(">QQ")
_DIRECTIONS = (b"\x00", b"\x01")  # incoming, outgoing

READ = b"\x01"  # the body of an incoming message's state, once its owner has seen it

# What a due receipt's value begins with; the message key follows.
DELIVERED_DUE = b"\x01"
READ_DUE = b"\x02"


@dataclass(slots=True)
class State:
    """What changes about a message, kept apart from its content: 16 bytes, then `body`.

    Its `position` is not stored but its one part that the message key does not tell: the lamport time.
    """

    lamport: int  # in the position key
    number: int = 0  # of its entry in the outbox, or of its due receipt; 0: none
    body: bytes = b""  # outgoing: a Delivery; incoming: READ or nothing

    def pack(self) -> bytes:
        return _STATE.pack(self.number, self.lamport) + self.body

    @classmethod
    def unpack(cls, value: bytes) -> State:
        number, lamport = _STATE.unpack_from(value)
        return cls(lamport, number, value[_STATE.size :])


def goes_forward(stored: records.Delivery, new: records.Delivery) -> bool:
    """Whether `new` says more. Until the recipient has it or it expired, a stage may change what it says."""
    if new.stage != stored.stage or new.stage >= records.EXPIRED:
        return new.stage > stored.stage
    facts = (new.stored_at, new.mailboxes, new.reason)
    return facts != (stored.stored_at, stored.mailboxes, stored.reason)


def number_key(number: int) -> bytes:
    """Key of an entry in a queue, which is ordered by number."""
    return _U64.pack(number)


def number_of(key: bytes) -> int:
    found: int = _U64.unpack(key)[0]
    return found


def peer_prefix(peer: bytes) -> bytes:
    return _LENGTH.pack(len(peer)) + peer


def prefix_end(prefix: bytes) -> bytes:
    """Greater than every key with that peer prefix, and than no key of a peer after it."""
    # Does not overflow: no length is so great that all its bytes are 0xff.
    return (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix), "big")


def stands_at(record: records.DirectRecord) -> int:
    """The lamport time in the position key: one far ahead counts as a day after the message was received."""
    return min(record.lamport, record.received_at_ms + MAX_AHEAD_MS)


def position_key(peer: bytes, outgoing: bool, id_: bytes, lamport: int) -> bytes:
    return b"".join((_LENGTH.pack(len(peer)), peer, _U64.pack(lamport), id_, _DIRECTIONS[outgoing]))


def stands(record: records.DirectRecord) -> bytes:
    """Its position key."""
    return position_key(record.peer, record.outgoing, record.id, stands_at(record))


def message_key(peer: bytes, outgoing: bool, id_: bytes) -> bytes:
    """Equal for a repeated message, whatever else it says."""
    return b"".join((_LENGTH.pack(len(peer)), peer, _DIRECTIONS[outgoing], id_))


def transfer_key(record: records.TransferRecord) -> bytes:
    """That of the message which offers the file."""
    return message_key(record.peer, record.outgoing, record.offer.transfer)


def message_of(key: bytes) -> tuple[bytes, bytes]:
    """(peer, id) in a message key."""
    end = _LENGTH.size + _LENGTH.unpack_from(key)[0]
    return key[_LENGTH.size : end], key[end + 1 :]


def is_outgoing(key: bytes) -> bool:
    """Of a message key."""
    end = _LENGTH.size + _LENGTH.unpack_from(key)[0]
    return key[end : end + 1] == _DIRECTIONS[True]


def conversation_head(peer: bytes, newest: Sequence[bytes]) -> RoomHead:
    """What a conversation's newest position keys, the newest first, say about it."""
    if not newest:
        return RoomHead(0, ())
    start = _LENGTH.size + len(peer)
    lamport: int = _U64.unpack_from(newest[0], start)[0]
    return RoomHead(lamport, tuple(key[start + _U64.size : -1] for key in newest[:HEAD_IDS]))
