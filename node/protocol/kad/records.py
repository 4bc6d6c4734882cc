"""Values that are kept for others, and which of two values of one key is the better one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import DecodeError

from p2pchat.node.protocol import limits, mailbox_record, peer_id
from p2pchat.node.protocol.kad.keys import RECORD_NAMESPACE, distance, position
from p2pchat.proto import wire_pb2 as wire

MAX_RECORDS = 2000  # kept; of more those farthest from us go
MAX_BYTES = 4 * 1024 * 1024  # of their values together
MAX_OF_PEER = 32  # records that one peer has brought; a further one is refused
RECORD_TTL = 24 * 3600.0  # seconds from when a record was last brought


class Validator(Protocol):
    """What the values of one namespace must look like."""

    def accepts(self, name: str, value: bytes, now_ms: int) -> bool:
        """Whether this is a value of "/<namespace>/<name>", at this time (Unix milliseconds)."""
        ...

    def better(self, value: bytes, than: bytes) -> bool:
        """Whether to take `value` instead; both were accepted."""
        ...


class MailboxRecords(Validator):
    """`/p2pchat/<base58 peer id>`: a wire.MailboxRecord, signed with the key in the peer id.

    With its seal key: anybody may take that out of a record that stays valid, and keep the whole one away so. One
    without mailboxes is as good as any: it says that there are none any more.
    """

    def accepts(self, name: str, value: bytes, now_ms: int) -> bool:
        record = record_from(value)
        return (
            record is not None
            and peer_id.to_text(record.peer) == name
            and not _has_ended(record, now_ms)
        )

    def better(self, value: bytes, than: bytes) -> bool:
        return _sequence(value) > _sequence(than)


def record_from(value: bytes) -> wire.MailboxRecord | None:
    """The record in a value; None when it is none, not valid or without its seal key."""
    try:
        record = wire.MailboxRecord.FromString(value)
    except DecodeError:
        return None
    return record if record.seal_key and mailbox_record.valid(record) else None


def _has_ended(record: wire.MailboxRecord, now_ms: int) -> bool:
    """Whoever keeps an old record may bring it again and again; zero is no end."""
    end_ms = record.expires_at_ms
    return bool(end_ms) and now_ms > end_ms + limits.CLOCK_GRACE_MS


def _sequence(value: bytes) -> int:
    return wire.MailboxRecord.FromString(value).sequence


VALIDATORS: Mapping[str, Validator] = {RECORD_NAMESPACE: MailboxRecords()}


class RecordRules:
    """Of values by their keys. What has no validator is never valid."""

    def __init__(self, validators: Mapping[str, Validator] = VALIDATORS) -> None:
        self._validators = validators

    def accepts(self, key: bytes, value: bytes, now_ms: int) -> bool:
        validator, name = self._split(key)
        return validator is not None and validator.accepts(name, value, now_ms)

    def better(self, key: bytes, value: bytes, than: bytes | None) -> bool:
        """Whether to take `value` instead of another accepted one, or of none."""
        if than is None:
            return True
        validator, _ = self._split(key)
        return validator is not None and validator.better(value, than)

    def _split(self, key: bytes) -> tuple[Validator | None, str]:
        try:
            start, namespace, name = key.decode().split("/")
        except ValueError:  # not UTF-8 is one as well
            return None, ""
        return (None, "") if start else (self._validators.get(namespace), name)


@dataclass(slots=True)
class Kept:
    """A value that is kept for somebody."""

    value: bytes
    received_ms: int  # Unix milliseconds
    until: float
    brought_by: bytes
    position: int


class RecordStore:
    """Times are seconds of any monotonic clock. In memory: who put a record puts it again."""

    def __init__(self, own: bytes, rules: RecordRules) -> None:
        self._position = position(own)
        self._rules = rules
        self._kept: dict[bytes, Kept] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return self._bytes

    def get(self, key: bytes, now: float) -> Kept | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.until > now else None

    def put(self, key: bytes, value: bytes, sender: bytes, now: float, now_ms: int) -> bool:
        """Whether it is kept now: else it is invalid, older than what is here, or there is no room for it."""
        if not self._rules.accepts(key, value, now_ms):
            return False
        kept = self.get(key, now)
        if kept is None or self._rules.better(key, value, kept.value):
            new = Kept(value, now_ms, now + RECORD_TTL, sender, position(key))
            return self._keep(key, new, now)
        if self._rules.better(key, kept.value, value):
            return False
        kept.until, kept.received_ms = now + RECORD_TTL, now_ms  # as good as what is here
        return True

    def expire(self, now: float) -> None:
        for key in [key for key, kept in self._kept.items() if kept.until <= now]:
            self._drop(key)

    def _keep(self, key: bytes, new: Kept, now: float) -> bool:
        if self._is_full(key, new):
            self.expire(now)
        brought = sum(k.brought_by == new.brought_by for k in self._kept.values())
        if key not in self._kept and brought >= MAX_OF_PEER:
            return False
        if key in self._kept:
            self._drop(key)
        while self._is_full(key, new):
            if not self._drop_farther_than(new.position):
                return False
        self._kept[key] = new
        self._bytes += len(new.value)
        return True

    def _is_full(self, key: bytes, new: Kept) -> bool:
        more = key not in self._kept
        return len(self._kept) + more > MAX_RECORDS or self._bytes + len(new.value) > MAX_BYTES

    def _drop_farther_than(self, place: int) -> bool:
        """Records near our own position are looked for here; others are kept elsewhere too."""
        farthest = max(self._kept, key=lambda key: self._distance(self._kept[key].position))
        if self._distance(self._kept[farthest].position) <= self._distance(place):
            return False
        self._drop(farthest)
        return True

    def _distance(self, place: int) -> int:
        return distance(place, self._position)

    def _drop(self, key: bytes) -> None:
        self._bytes -= len(self._kept.pop(key).value)
