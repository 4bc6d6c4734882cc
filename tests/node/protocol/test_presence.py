"""What a presence may look like, and when the own one is due."""

from __future__ import annotations

import random
from typing import Any

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import names, presence
from p2pchat.node.protocol.presence import Announcer
from p2pchat.node.protocol.room_message import Flaw
from p2pchat.proto import wire_pb2 as wire

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
NOW_MS = 1_700_000_000_000


def signed(*, author: Identity = ALICE, **changes: Any) -> wire.Presence:
    fields: dict[str, Any] = {
        "room": "den",
        "peer": author.peer_bytes,
        "nick": "Alice",
        "sequence": NOW_MS,
        "valid_seconds": 180,
    }
    made = wire.Presence(**{**fields, **changes})
    presence.sign(made, author.private_key)
    return made


def announcer() -> Announcer:
    return Announcer("den", ALICE.peer_bytes, ALICE.private_key, "Alice", random.Random(4))


def test_a_signed_presence_is_good() -> None:
    assert presence.flaw_of(signed(), "den") is None
    assert presence.flaw_of(signed(valid_seconds=0, nick=""), "den") is None
    assert presence.flaw_of(signed(valid_seconds=3600), "den") is None


def test_what_is_signed_is_written_down() -> None:
    """The format is a promise to other programs: a change of these bytes needs a new domain string."""
    assert presence.signed_bytes(signed()).hex() == (
        ("00000012" + b"p2pchat presence 1".hex())
        + ("00000003" + b"den".hex())
        + ("00000026" + ALICE.peer_bytes.hex())
        + ("00000005" + b"Alice".hex())
        + ("00000008" + NOW_MS.to_bytes(8, "big").hex())
        + ("00000004" + "000000b4")
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("peer", BOB.peer_bytes),
        ("nick", "Mallory"),
        ("sequence", 1),
        ("valid_seconds", 0),
        ("signature", b"s" * 64),
    ],
)
def test_a_change_of_any_field_breaks_the_signature(field: str, value: object) -> None:
    made = signed()
    setattr(made, field, value)
    assert presence.flaw_of(made, "den") is Flaw.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"room": "cellar"}, Flaw.WRONG_ROOM),
        ({"nick": "n" * (names.NAME_LIMIT + 1)}, Flaw.TOO_LONG),
        ({"sequence": 2**53}, Flaw.MALFORMED),
        ({"valid_seconds": 3601}, Flaw.MALFORMED),
        ({"peer": b"\x12\x20" + b"h" * 32}, Flaw.MALFORMED),
    ],
)
def test_bad_fields_are_refused_although_signed(changes: dict[str, Any], flaw: Flaw) -> None:
    assert presence.flaw_of(signed(**changes), "den") is flaw


def test_the_first_one_waits_for_somebody_to_hear_it() -> None:
    own = announcer()
    assert own.announcement(100.0, NOW_MS, 0) is None
    own.heard_by_somebody(100.0)
    assert own.announcement(100.5, NOW_MS, 1) is None
    made = own.announcement(102.0, NOW_MS, 1)
    assert made is not None
    assert presence.flaw_of(made, "den") is None
    assert (made.nick, made.sequence, made.valid_seconds) == ("Alice", NOW_MS, 180)


@pytest.mark.parametrize(("members", "interval"), [(2, 60), (100, 600), (5000, 1200)])
def test_it_is_repeated_more_seldom_the_more_there_are(members: int, interval: int) -> None:
    own = announcer()
    own.heard_by_somebody(0.0)
    made = own.announcement(2.0, NOW_MS, members)
    assert made is not None
    assert made.valid_seconds == 3 * interval
    assert 0.75 * interval <= own.due - 2.0 <= interval
    assert own.announcement(own.due - 0.1, NOW_MS, members) is None
    assert own.announcement(own.due, NOW_MS, members) is not None


def test_sequences_grow_although_the_clock_does_not() -> None:
    own = announcer()
    own.heard_by_somebody(0.0)
    sequences = []
    for now_ms in (NOW_MS, NOW_MS, NOW_MS - 5000):
        made = own.announcement(max(own.due, 2.0), now_ms, 1)
        assert made is not None
        sequences.append(made.sequence)
    assert sequences == [NOW_MS, NOW_MS + 1, NOW_MS + 2]
    own.catch_up(NOW_MS + 99)
    bye = own.farewell(NOW_MS)
    assert bye is not None
    assert (bye.sequence, bye.valid_seconds) == (NOW_MS + 100, 0)
    assert own.due == float("inf")


def test_nobody_is_told_of_a_leaving_who_never_heard_of_us() -> None:
    assert announcer().farewell(NOW_MS) is None


def test_a_new_name_is_told_soon_but_not_each_of_a_dozen() -> None:
    own = announcer()
    own.heard_by_somebody(0.0)
    assert own.announcement(2.0, NOW_MS, 1)
    own.rename("Alice", 3.0)
    assert own.due > 40
    own.rename("Al", 3.0)
    own.rename("Ali", 3.1)
    assert own.due == 7.0
    made = own.announcement(7.0, NOW_MS, 1)
    assert made is not None
    assert made.nick == "Ali"


def test_a_newcomer_is_told_soon_in_a_small_room_only() -> None:
    own = announcer()
    own.heard_by_somebody(0.0)
    assert own.announcement(2.0, NOW_MS, 1)
    own.welcome(30.0, 31)
    assert own.due > 40
    own.welcome(30.0, 3)
    assert 30.5 <= own.due <= 32.5
    assert own.announcement(own.due, NOW_MS, 3)
    own.welcome(33.0, 3)  # shortly after the last one
    assert own.due >= 45.0
