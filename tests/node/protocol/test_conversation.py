"""The order of one conversation. Times are Unix milliseconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import conversation
from p2pchat.node.protocol.conversation import Conversation
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.protocol.room_message import MAX_AHEAD_MS, MAX_LAMPORT
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.builders import sender_bytes
from tests.direct_builders import direct_record, message_id

NOW = 1_700_000_000_000
PEER = sender_bytes(0)


def talk(lamport: int = 0, *parents: bytes) -> Conversation:
    counter = iter(range(1_000_000))
    return Conversation(PEER, lamport, parents, lambda size: next(counter).to_bytes(size, "big"))


def say(some: Conversation, now_ms: int = NOW) -> records.DirectRecord:
    return some.compose("hello", "Ada", now_ms, DAY_MS)


def test_an_own_message_says_everything_about_itself() -> None:
    record = say(talk(0, message_id(1)))
    expected = records.DirectRecord(
        peer=PEER,
        outgoing=True,
        id=record.id,
        sent_at_ms=NOW,
        lamport=NOW,
        parents=[message_id(1)],
        nick="Ada",
        text="hello",
        received_at_ms=NOW,
        expires_at_ms=-(-(NOW + DAY_MS) // 3_600_000) * 3_600_000,  # up to the full hour
        delivery=records.Delivery(stage=records.QUEUED, changed_at_ms=NOW),
    )
    assert record == expected
    assert len(record.id) == 16


def test_the_clock_counts_on_when_time_stands_still_or_goes_back() -> None:
    some = talk()
    times = [say(some, now).lamport for now in (NOW, NOW, NOW - 5 * DAY_MS, NOW + 10)]
    assert times == [NOW, NOW + 1, NOW + 2, NOW + 10]


def test_an_answer_stands_after_what_it_answers() -> None:
    some = talk()
    some.accept(direct_record(1, lamport=NOW + 5000), NOW)
    assert say(some).lamport == NOW + 5001


def test_an_old_message_does_not_turn_the_clock_back() -> None:
    some = talk(NOW + 7)
    some.accept(direct_record(1, lamport=3), NOW)
    assert say(some).lamport == NOW + 8


def test_a_stranger_pulls_the_clock_forward_by_a_day_at_most() -> None:
    some = talk()
    some.accept(direct_record(1, lamport=MAX_LAMPORT), NOW)
    assert say(some).lamport == NOW + MAX_AHEAD_MS + 1
    assert say(some).lamport == NOW + MAX_AHEAD_MS + 2


def test_what_is_stored_from_far_ahead_is_bounded_and_still_counts_on() -> None:
    some = talk(MAX_LAMPORT)
    first, second = say(some), say(some)
    assert first.lamport == NOW + MAX_AHEAD_MS + 1
    assert second.lamport == first.lamport + 1


def test_what_was_seen_counts_although_the_own_clock_was_put_back() -> None:
    some = talk()
    some.accept(direct_record(1, lamport=NOW), NOW)
    assert say(some, NOW - 10 * DAY_MS).lamport == NOW + 1


@given(
    st.integers(0, 2**64 - 1),
    st.lists(st.tuples(st.booleans(), st.integers(-MAX_AHEAD_MS, MAX_AHEAD_MS), st.integers(0))),
)
def test_own_lamport_times_only_grow_and_stay_in_bounds(
    stored: int, events: list[tuple[bool, int, int]]
) -> None:
    some, last, latest = talk(stored), 0, NOW
    for is_own, offset, heard in events:
        latest = max(latest, NOW + offset)
        if is_own:
            lamport = say(some, NOW + offset).lamport
            assert lamport > last
            assert lamport <= latest + MAX_AHEAD_MS + len(events)
            last = lamport
        else:
            record = direct_record(1, lamport=heard % 2**64)
            some.accept(record, NOW + offset)


def test_parents_are_the_newest_three() -> None:
    some = talk()
    own = [say(some) for _ in range(3)]
    some.accept(direct_record(9), NOW)
    assert list(say(some).parents) == [own[1].id, own[2].id, message_id(9)]


def test_after_a_restart_the_oldest_parent_makes_room() -> None:
    """The store names the newest first."""
    some = talk(0, message_id(3), message_id(2), message_id(1))
    some.accept(direct_record(4), NOW)
    assert list(say(some).parents) == [message_id(2), message_id(3), message_id(4)]


def test_more_parents_than_there_may_be_leave_the_newest() -> None:
    some = talk(0, *(message_id(number) for number in (5, 4, 3, 2, 1)))
    assert list(say(some).parents) == [message_id(3), message_id(4), message_id(5)]


def test_a_message_that_was_read_back_already_is_a_parent_once() -> None:
    some = talk(0, message_id(1))
    some.accept(direct_record(1), NOW)
    assert list(say(some).parents) == [message_id(1)]


def test_what_is_sent_arrives_as_the_same() -> None:
    own = say(talk(0, message_id(1)))
    content = conversation.content_of(own, None)
    assert not content.HasField("record")
    received = conversation.record_of(sender_bytes(5), content, NOW + 3)
    expected = records.DirectRecord(
        peer=sender_bytes(5),
        id=own.id,
        sent_at_ms=NOW,
        lamport=own.lamport,
        parents=own.parents,
        nick="Ada",
        text="hello",
        received_at_ms=NOW + 3,
    )
    assert received == expected


def test_the_own_record_goes_along() -> None:
    own_record = wire.MailboxRecord(peer=PEER, sequence=4)
    assert conversation.content_of(say(talk()), own_record).record == own_record
