"""A room composes own messages and judges what arrives."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.room_message import ACCEPT_AHEAD_MS, MAX_AHEAD_MS
from p2pchat.node.protocol.rooms import Room
from p2pchat.proto import records_pb2 as records

ALICE = Identity(bytes(range(32)))
BOB = Identity(bytes(range(1, 33)))
NOW = 1_700_000_000_000


def room_of(who: Identity, *, plain: bool = False) -> Room:
    return Room("den", plain, who.peer_bytes, who.private_key, os.urandom)


def pass_on(record: records.RoomRecord, sender: Room, receiver: Room) -> list[records.RoomRecord]:
    (data,) = sender.encode([record.message])
    return list(receiver.receive(ALICE.peer, data, NOW).records)


def test_what_one_composes_the_other_receives() -> None:
    alice, bob = room_of(ALICE), room_of(BOB)
    sent = alice.compose("hello", "Alice", NOW)
    (got,) = pass_on(sent, alice, bob)
    assert got.message == sent.message
    assert not got.plain


def test_lamport_time_runs_on_when_the_clock_stands_or_goes_back() -> None:
    room = room_of(ALICE)
    times = [room.compose("x", "A", now).message.lamport for now in (NOW, NOW, NOW - 5000)]
    assert times == [NOW, NOW + 1, NOW + 2]


def test_an_answer_comes_after_what_it_answers_although_its_author_s_clock_is_behind() -> None:
    alice, bob = room_of(ALICE), room_of(BOB)
    question = alice.compose("?", "Alice", NOW + 60_000)
    got = pass_on(question, alice, bob)
    bob.accept(got, NOW)
    answer = bob.compose("!", "Bob", NOW)
    assert answer.message.lamport > question.message.lamport
    assert list(answer.message.parents) == [question.message.id]


def test_a_room_goes_on_from_what_is_stored() -> None:
    room = room_of(ALICE)
    room.resume(NOW + 7, [b"1" * 16, b"2" * 16], NOW)
    message = room.compose("x", "A", NOW).message
    assert message.lamport == NOW + 8
    assert list(message.parents) == [b"2" * 16, b"1" * 16]  # they were stored newest first


def test_a_stranger_cannot_push_the_clock_to_its_end() -> None:
    alice, bob = room_of(ALICE), room_of(BOB)
    far_away = alice.compose("x", "A", NOW + ACCEPT_AHEAD_MS - 1)
    got = pass_on(far_away, alice, bob)
    bob.accept(got, NOW)
    assert bob.compose("y", "B", NOW).message.lamport == NOW + MAX_AHEAD_MS + 1
    bob.resume(got[0].message.lamport, [], NOW)
    assert bob.compose("y", "B", NOW).message.lamport == NOW + MAX_AHEAD_MS + 1


def test_the_newest_messages_are_the_parents_however_late_others_came() -> None:
    alice, bob = room_of(ALICE), room_of(BOB)
    made = [alice.compose(str(number), "Alice", NOW + number) for number in range(5)]
    for late in (made[3], made[4], made[0], made[2], made[1]):
        bob.accept(pass_on(late, alice, bob), NOW)
    answer = bob.compose("!", "Bob", NOW)
    assert list(answer.message.parents) == [record.message.id for record in made[2:]]


def test_refused_messages_are_counted() -> None:
    alice, bob = room_of(ALICE), room_of(BOB)
    forged = alice.compose("x", "Alice", NOW)
    forged.message.text = "y"
    assert pass_on(forged, alice, bob) == []
    assert not bob.receive(ALICE.peer, b"no batch", NOW).records
    assert bob.describe([]).refused == 2


def test_one_bad_message_in_a_batch_does_not_cost_the_others() -> None:
    alice, bob = room_of(ALICE), room_of(BOB)
    made = [alice.compose(text, "Alice", NOW).message for text in ("a", "b", "c")]
    made[1].signature = bytes(64)
    (data,) = alice.encode(made)
    assert [r.message.text for r in bob.receive(ALICE.peer, data, NOW).records] == ["a", "c"]


def test_plain_rooms_speak_raw_text() -> None:
    alice, bob = room_of(ALICE, plain=True), room_of(BOB, plain=True)
    (data,) = alice.encode([alice.compose("Grüße", "Alice", NOW).message])
    assert data == "Grüße".encode()
    (got,) = bob.receive(ALICE.peer, data, NOW).records
    assert got.plain
    assert (got.message.text, got.message.sender) == ("Grüße", ALICE.peer_bytes)


def test_a_plain_text_said_twice_is_two_messages() -> None:
    bob = room_of(BOB, plain=True)
    first, second = (bob.receive(ALICE.peer, b"again", NOW).records[0].message.id for _ in range(2))
    assert first != second


@given(st.binary(max_size=300))
def test_plain_rooms_take_any_bytes(data: bytes) -> None:
    for record in room_of(BOB, plain=True).receive(ALICE.peer, data, NOW).records:
        assert record.message.text
