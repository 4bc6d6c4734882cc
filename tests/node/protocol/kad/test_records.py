from __future__ import annotations

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import limits, mailbox_record, seal
from p2pchat.node.protocol.kad import records as rules
from p2pchat.node.protocol.kad.keys import distance, position, record_key
from p2pchat.node.protocol.kad.records import (
    RECORD_TTL,
    RecordRules,
    RecordStore,
    Validator,
    record_from,
)
from p2pchat.proto import wire_pb2 as wire
from tests.node.protocol.kad.kad_builders import OWN, peer_bytes

ALICE, BOB = Identity(b"a" * 32), Identity(b"b" * 32)
KEY = record_key(ALICE.peer_bytes)
SENDER = peer_bytes(1)
NOW_MS = 1_790_000_000_000


def value(sequence: int = 1, who: Identity = ALICE, ends_ms: int = 0, mailboxes: int = 0) -> bytes:
    record = wire.MailboxRecord(
        peer=who.peer_bytes,
        seal_key=bytes(seal.PUBLIC_KEY_BYTES),
        sequence=sequence,
        expires_at_ms=ends_ms,
    )
    for _ in range(mailboxes):
        record.mailboxes.add(peer=BOB.peer_bytes, addresses=["/ip4/8.8.8.8/tcp/1"])
    mailbox_record.sign(record, who.private_key)
    return record.SerializeToString()


def forged() -> bytes:
    record = wire.MailboxRecord.FromString(value())
    record.sequence += 1
    return record.SerializeToString()


def keyless() -> bytes:
    short = mailbox_record.without_key(wire.MailboxRecord.FromString(value(9)))
    assert mailbox_record.valid(short)
    return short.SerializeToString()


# ---- what is a record ------------------------------------------------------------------------------------


def test_a_signed_record_under_its_own_key_is_accepted() -> None:
    assert RecordRules().accepts(KEY, value(), NOW_MS)


@pytest.mark.parametrize(
    ("key", "content"),
    [
        (KEY, value(who=BOB)),  # under somebody else's key
        (KEY, forged()),
        (KEY, keyless()),  # else anybody could take the seal key out of it
        (KEY, b"garbage \xff\xff"),
        (KEY, b""),
        (b"/pk/" + ALICE.peer_bytes, value()),  # no validator, no record
        (b"/ipns/" + ALICE.peer.encode(), value()),
        (b"p2pchat/" + ALICE.peer.encode(), value()),
        (b"/p2pchat/" + ALICE.peer.encode() + b"/x", value()),
        (b"/p2pchat/", value()),
        (b"\xff\xfe", value()),
        (b"", value()),
    ],
)
def test_nothing_else_is_accepted(key: bytes, content: bytes) -> None:
    assert not RecordRules().accepts(key, content, NOW_MS)
    assert not RecordStore(OWN, RecordRules()).put(key, content, SENDER, 0.0, NOW_MS)


def test_an_old_record_is_not_taken_again() -> None:
    kept, grace = RecordStore(OWN, RecordRules()), limits.CLOCK_GRACE_MS
    ended = value(ends_ms=NOW_MS)
    assert kept.put(KEY, ended, SENDER, 0.0, NOW_MS + grace)  # clocks are off
    assert not kept.put(KEY, ended, SENDER, 1.0, NOW_MS + grace + 1)
    assert not RecordRules().accepts(KEY, value(2, ends_ms=1), NOW_MS)


def test_a_record_without_mailboxes_takes_the_place_of_one_with_some() -> None:
    kept = RecordStore(OWN, RecordRules())
    assert kept.put(KEY, value(1, mailboxes=1), SENDER, 0.0, NOW_MS)
    assert kept.put(KEY, value(2), peer_bytes(2), 1.0, NOW_MS)
    assert not kept.put(KEY, value(1, mailboxes=1), SENDER, 2.0, NOW_MS)
    found = kept.get(KEY, 3.0)
    assert found is not None
    assert not wire.MailboxRecord.FromString(found.value).mailboxes


def test_the_higher_sequence_is_the_better_one() -> None:
    choose = RecordRules()
    assert choose.better(KEY, value(2), value(1))
    assert not choose.better(KEY, value(1), value(2))
    assert not choose.better(KEY, value(1), value(1))
    assert choose.better(KEY, value(1), None)


def test_a_record_is_read_again() -> None:
    record = record_from(value(5))
    assert record is not None
    assert record.sequence == 5
    assert record_from(forged()) is None


# ---- what is kept ----------------------------------------------------------------------------------------


class Anything(Validator):
    """Values begin with their number."""

    def accepts(self, name: str, value: bytes, now_ms: int) -> bool:
        return True

    def better(self, value: bytes, than: bytes) -> bool:
        return value[:1] > than[:1]


def store() -> RecordStore:
    return RecordStore(OWN, RecordRules({"any": Anything()}))


def test_the_newest_is_kept_and_an_older_one_refused() -> None:
    kept = RecordStore(OWN, RecordRules())
    assert kept.put(KEY, value(2), SENDER, 0.0, 1000)
    assert not kept.put(KEY, value(1), SENDER, 1.0, 2000)
    assert kept.put(KEY, value(3), peer_bytes(2), 2.0, 3000)
    found = kept.get(KEY, 3.0)
    assert found is not None
    assert (found.value, found.received_ms) == (value(3), 3000)
    assert len(kept) == 1
    assert kept.size == len(value(3))


def test_a_record_ends_unless_it_is_brought_again() -> None:
    kept = store()
    kept.put(b"/any/a", b"1", SENDER, 0.0, 0)
    kept.put(b"/any/b", b"1", SENDER, 0.0, 0)
    assert kept.put(b"/any/b", b"1 as good", SENDER, 100.0, 5)
    assert kept.get(b"/any/a", RECORD_TTL) is None
    found = kept.get(b"/any/b", RECORD_TTL + 99)
    assert found is not None
    assert (found.value, found.received_ms) == (b"1", 5)
    kept.expire(RECORD_TTL)
    assert len(kept) == 1
    assert kept.size == 1


def test_one_peer_brings_only_so_many() -> None:
    kept = store()
    for number in range(rules.MAX_OF_PEER):
        assert kept.put(f"/any/{number}".encode(), b"1", SENDER, 0.0, 0)
    assert not kept.put(b"/any/more", b"1", SENDER, 0.0, 0)
    assert kept.put(b"/any/more", b"1", peer_bytes(2), 0.0, 0)
    assert kept.put(b"/any/0", b"2", SENDER, 0.0, 0)  # in place of the older one


def keys_by_distance(count: int) -> list[bytes]:
    return sorted(
        (f"/any/{number}".encode() for number in range(count)),
        key=lambda key: distance(position(key), position(OWN)),
    )


def test_a_full_store_keeps_what_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_RECORDS", 3)
    kept, keys = store(), keys_by_distance(6)
    for number, key in enumerate(reversed(keys)):
        assert kept.put(key, b"1", peer_bytes(number), 0.0, 0)
    assert not kept.put(keys[5], b"1", peer_bytes(9), 0.0, 0)
    assert [key for key in keys if kept.get(key, 1.0)] == keys[:3]
    assert kept.put(keys[2], b"2", peer_bytes(9), 0.0, 0)  # a newer one needs no room
    assert len(kept) == 3


def test_what_has_ended_makes_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_RECORDS", 2)
    kept, keys = store(), keys_by_distance(3)
    kept.put(keys[0], b"1", SENDER, 0.0, 0)
    kept.put(keys[1], b"1", SENDER, 10.0, 0)
    assert kept.put(keys[2], b"1", SENDER, RECORD_TTL + 1, 0)
    assert kept.get(keys[1], RECORD_TTL + 2) is not None


def test_bytes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_BYTES", 100)
    kept, keys = store(), keys_by_distance(3)
    for key in reversed(keys):
        assert kept.put(key, b"1" * 40, SENDER, 0.0, 0)
    assert kept.size == 80
    assert not kept.put(keys[1], b"2" * 90, SENDER, 0.0, 0)
    assert kept.size <= 100
