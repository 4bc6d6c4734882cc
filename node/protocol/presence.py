"""Presence: "I am in this room", signed by who says so. What one may look like, and when the own one is due.

The signature covers length-prefixed fields in a fixed order, as that of a room message does. Who is in a room as far
as it is known: `room_presence`.
"""

from __future__ import annotations

import math
import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from p2pchat.node.protocol import names, peer_id
from p2pchat.node.protocol.room_message import SIGNATURE_BYTES, Flaw
from p2pchat.proto import wire_pb2 as wire

MAX_VALID = 3600  # seconds
MAX_SEQUENCE = 2**53 - 1  # as Lamport times
INTERVAL = 60.0  # seconds between two of one peer, at least
INTERVAL_PER_MEMBER = 6.0  # seconds: a room of any size hears about one in six seconds in all
MAX_INTERVAL = 1200.0  # seconds
VALID_INTERVALS = 3  # two can be lost
MOST_WELCOMING = 30  # members who all tell a newcomer that they are here; more would be a flood

_SETTLING = (1.0, 2.0)  # seconds after the first neighbour came: gossip has to take it in first
_WELCOME = (0.5, 2.5)  # seconds until a newcomer is told who is here, spread over the members
_WELCOME_PAUSE = INTERVAL / 4  # seconds between two that are sent for newcomers
_RENAME_PAUSE = 5.0  # seconds between two that are sent for a new name
_DOMAIN = b"p2pchat presence 1"


def sign(presence: wire.Presence, key: Ed25519PrivateKey) -> None:
    """Fill in the signature."""
    presence.signature = key.sign(signed_bytes(presence))


def signed_bytes(presence: wire.Presence) -> bytes:
    """What the signature covers: domain, then each field as 4-byte big-endian length and bytes."""
    fields = (
        _DOMAIN,
        presence.room.encode(),
        presence.peer,
        presence.nick.encode(),
        presence.sequence.to_bytes(8, "big"),
        presence.valid_seconds.to_bytes(4, "big"),
    )
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def flaw_of(presence: wire.Presence, room: str) -> Flaw | None:
    """Why a presence received in `room` is to be refused; None if it is good."""
    if presence.room != room:
        return Flaw.WRONG_ROOM
    if len(presence.nick) > names.NAME_LIMIT:
        return Flaw.TOO_LONG
    key = peer_id.public_key_of(presence.peer)
    well_formed = (
        presence.valid_seconds <= MAX_VALID
        and presence.sequence <= MAX_SEQUENCE
        and len(presence.signature) == SIGNATURE_BYTES
    )
    if key is None or not well_formed:
        return Flaw.MALFORMED
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(presence.signature, signed_bytes(presence))
    except (InvalidSignature, ValueError):
        return Flaw.BAD_SIGNATURE
    return None


def interval_of(members: int) -> float:
    """Seconds between two presences of one peer in a room with that many."""
    return min(max(INTERVAL, INTERVAL_PER_MEMBER * members), MAX_INTERVAL)


class Announcer:
    """When the own presence is due, and what it says. Times are seconds of any monotonic clock."""

    def __init__(
        self, room: str, author: bytes, key: Ed25519PrivateKey, nick: str, rng: random.Random
    ) -> None:
        self._room = room
        self._author = author
        self._key = key
        self._nick = nick
        self._rng = rng
        self._sequence = 0
        self._sent_at = -math.inf
        self._due = math.inf  # until somebody is there to hear it

    @property
    def due(self) -> float:
        return self._due

    def heard_by_somebody(self, now: float) -> None:
        """A neighbour listens: the first presence was waiting for that."""
        if self._sequence == 0:
            self._due = min(self._due, now + self._rng.uniform(*_SETTLING))

    def welcome(self, now: float, members: int) -> None:
        """Somebody new is to learn who is here. In a large room it hears that within the interval."""
        if self._sequence and members <= MOST_WELCOMING:
            soon = now + self._rng.uniform(*_WELCOME)
            self._due = min(self._due, max(soon, self._sent_at + _WELCOME_PAUSE))

    def rename(self, nick: str, now: float) -> None:
        if nick != self._nick and self._sequence:
            self._due = min(self._due, max(now, self._sent_at + _RENAME_PAUSE))
        self._nick = nick

    def is_newer(self, sequence: int) -> bool:
        return sequence > self._sequence

    def catch_up(self, sequence: int) -> None:
        """An own one of an earlier run came back: the clock was set back since, and nobody would believe us."""
        if self._sequence:
            self._sequence = max(self._sequence, min(sequence, MAX_SEQUENCE - 1))

    def announcement(self, now: float, now_ms: int, members: int) -> wire.Presence | None:
        """What to say now, if anything; `members` are those of the room, without this node."""
        if now < self._due:
            return None
        interval = interval_of(members)
        self._sent_at = now
        # Never later than the interval, so that it stays valid although two are lost.
        self._due = now + interval * self._rng.uniform(0.75, 1.0)
        return self._compose(now_ms, math.ceil(VALID_INTERVALS * interval))

    def farewell(self, now_ms: int) -> wire.Presence | None:
        """What to say on leaving; None when nobody has heard of us."""
        self._due = math.inf
        return self._compose(now_ms, 0) if self._sequence else None

    def _compose(self, now_ms: int, valid_seconds: int) -> wire.Presence:
        self._sequence = min(max(now_ms, self._sequence + 1), MAX_SEQUENCE)
        presence = wire.Presence(
            room=self._room,
            peer=self._author,
            nick=self._nick,
            sequence=self._sequence,
            valid_seconds=valid_seconds,
        )
        sign(presence, self._key)
        return presence
