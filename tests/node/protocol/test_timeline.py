"""Causes are shown before effects as far as that is possible, gaps are told of, and nothing grows without bound."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol import timeline
from p2pchat.node.protocol.timeline import GRACE, PATIENCE, Step, Timeline
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def said(number: int, *parents: int, sender: bytes = b"ann") -> records.RoomRecord:
    """Message `number`, at Lamport time `number`."""
    message = wire.RoomMessage(
        id=ident(number), lamport=number, parents=map(ident, parents), sender=sender
    )
    return records.RoomRecord(message=message)


def shown(step: Step) -> list[int]:
    return [record.message.lamport for record in step.show]


def late(step: Step) -> list[int]:
    return [record.message.lamport for record in step.late]


class Room:
    """A timeline, and the store that it has asked."""

    def __init__(self) -> None:
        self.line = Timeline("den", 0.0)
        self.stored: set[bytes] = set()

    def come(self, now: float, *fresh: records.RoomRecord) -> Step:
        unsure = self.line.unsure(fresh)
        self.stored |= {record.message.id for record in fresh}
        return self.line.arrived(fresh, [name for name in unsure if name not in self.stored], now)


def gap(missing: int, *, given_up: bool = False) -> actors.RoomGap:
    return actors.RoomGap(room="den", missing=missing, given_up=given_up)


def test_what_has_its_parents_is_shown_at_once() -> None:
    room = Room()
    assert shown(room.come(0.0, said(1), said(2, 1))) == [1, 2]
    assert shown(room.come(0.1, said(3, 2, 1))) == [3]
    assert room.line.due() is None


def test_an_overtaken_parent_comes_first() -> None:
    room = Room()
    assert shown(room.come(0.0, said(2, 1))) == []
    step = room.come(0.2, said(1))
    assert shown(step) == [1, 2]
    assert step.gap is None
    assert not step.ask


def test_what_waits_for_something_held_waits_too() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    assert shown(room.come(0.1, said(3, 2))) == []
    assert shown(room.come(0.2, said(4))) == [4]
    assert shown(room.come(0.3, said(1))) == [1, 2, 3]


def test_after_a_while_it_is_shown_all_the_same_and_the_gap_is_told_of() -> None:
    room = Room()
    room.come(0.0, said(3, 1, 2))
    assert room.line.due() == PATIENCE
    assert room.line.expire(PATIENCE).ask
    assert room.line.due() == GRACE
    step = room.line.expire(GRACE)
    assert shown(step) == [3]
    assert step.gap == gap(2)
    assert room.line.due() is None
    assert room.come(1.5, said(1)).gap is None
    assert room.come(1.6, said(2)).gap == gap(0)


def test_nothing_waits_for_what_was_missed_before() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    room.line.expire(GRACE)
    assert shown(room.come(1.1, said(3, 1))) == [3]


def test_what_shows_a_child_shows_its_held_parents_above_it() -> None:
    """3 came first and waits for 2, which came later and waits for 1 that never comes."""
    room = Room()
    room.come(0.0, said(3, 2))
    assert shown(room.come(0.9, said(2, 1))) == []
    step = room.line.expire(GRACE)
    assert shown(step) == [2, 3]
    assert step.gap == gap(1)


def test_an_own_message_stands_below_what_it_names() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    step = room.line.posted([said(3, 2)], 0.1)
    assert shown(step) == [2, 3]
    assert step.ask
    assert shown(room.come(0.2, said(4, 3))) == [4]


def test_what_is_fetched_in_time_is_not_late() -> None:
    room = Room()
    room.come(0.0, said(9, 8))
    step = room.line.synced([said(5), said(8, 5)], 0.5)
    assert late(step) == [5]
    assert shown(step) == [8, 9]
    assert step.gap is None


def test_what_is_fetched_later_is_late_and_closes_the_gap() -> None:
    room = Room()
    room.come(0.0, said(9, 8))
    room.line.expire(GRACE)
    step = room.line.synced([said(8, 7), said(7)], 2.0)
    assert late(step) == [7, 8]
    assert step.gap == gap(0)


def test_what_is_fetched_below_something_held_waits_with_it() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    step = room.line.synced([said(3, 2), said(4, 3)], 0.1)
    assert shown(step) == late(step) == []
    assert shown(room.come(0.2, said(1))) == [1, 2, 3, 4]


def test_what_nobody_has_is_given_up_once() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    room.line.expire(GRACE)
    assert room.line.compared(2.0).gap == gap(1, given_up=True)
    assert room.line.compared(3.0).gap is None
    assert room.line.unsure([said(3, 1)]) == []
    assert shown(room.come(4.0, said(3, 1))) == [3]
    assert room.line.missing == 0
    step = room.come(5.0, said(1))
    assert shown(step) == [1]
    assert step.gap is None


def test_what_was_missed_after_the_comparison_began_is_still_looked_for() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    room.line.expire(GRACE)
    assert room.line.compared(2.0, since=0.5).gap is None
    assert room.line.missing == 1


def test_a_gap_that_grows_a_lot_is_told_of_again() -> None:
    room = Room()
    told = []
    for number in range(10, 60, 10):
        room.come(0.0, said(number, number - 1))
    for step in (room.line.expire(GRACE), room.line.compared(2.0)):
        told.append(step.gap)
    assert told == [gap(5), gap(5, given_up=True)]


def test_who_invents_parents_is_not_heard_each_time() -> None:
    room = Room()
    told = 0
    for number in range(100, 400, 2):
        now = number / 10
        room.come(now, said(number, number - 1))
        for step in (room.line.expire(now + GRACE), room.line.compared(now + GRACE)):
            told += step.gap is not None
    assert told <= 2 * (3 + 30 / 20 + 1)


def test_ids_are_asked_about_once() -> None:
    room = Room()
    assert room.line.unsure([said(5, 3, 4), said(6, 5, 4)]) == [ident(3), ident(4)]
    room.come(0.0, said(5, 3, 4))
    room.line.expire(GRACE)
    assert room.line.unsure([said(6, 5, 4)]) == []
    assert Timeline("den", 0.0, known=[ident(4)]).unsure([said(5, 4)]) == []


def test_another_message_with_an_id_that_is_held_is_shown() -> None:
    room = Room()
    room.come(0.0, said(2, 1))
    step = room.line.arrived([said(2, sender=b"mallory")], [], 0.1)
    assert [record.message.sender for record in step.show] == [b"mallory"]
    assert shown(room.come(0.2, said(1))) == [1, 2]


def test_messages_in_a_ring_are_shown_after_a_while() -> None:
    room = Room()
    assert shown(room.come(0.0, said(1, 2), said(2, 1), said(3, 3))) == [3]
    step = room.line.expire(GRACE)
    assert shown(step) == [1, 2]
    assert step.gap is None


def test_everything_is_bounded() -> None:
    room = Room()
    count = 0
    for number in range(10_000, 60_000, 10):
        step = room.come(0.0, said(number, number - 1, number - 2, number - 3))
        count += len(step.show)
        assert len(room.line._held) <= timeline.MAX_HELD
        assert len(room.line._waiting) <= 3 * timeline.MAX_HELD
    assert count == 5_000 - timeline.MAX_HELD
    assert room.line.missing == timeline.MAX_MISSING
    assert len(room.line._given_up) <= timeline.REMEMBERED
    assert len(room.line.flush(0.5).show) == timeline.MAX_HELD
    assert not room.line._held
    assert not room.line._waiting
    assert not room.line._unasked


# ---- any order -----------------------------------------------------------------------------------------


def conversation(rng: random.Random, length: int) -> list[records.RoomRecord]:
    made: list[records.RoomRecord] = []
    for number in range(1, length + 1):
        earlier = range(max(1, number - 6), number)
        made.append(said(number, *rng.sample(earlier, min(len(earlier), rng.randint(0, 3)))))
    return made


def play(
    room: Room, rng: random.Random, coming: Iterable[records.RoomRecord], pause: float
) -> list[int]:
    """Everything that is shown, in that order; some of it comes by sync or is written here."""
    order: list[int] = []
    now = 0.0
    left = list(coming)
    while left:
        now += rng.uniform(0, pause)
        while (due := room.line.due()) is not None and due <= now:
            order += shown(room.line.expire(due))
        batch = [left.pop() for _ in range(min(len(left), rng.randint(1, 4)))]
        kind = rng.random()
        if kind < 0.7:
            step = room.come(now, *batch)
        elif kind < 0.9:
            step = room.line.synced(batch, now)
        else:
            step = room.line.compared(now)
            left += reversed(batch)
        order += late(step) + shown(step)
    while (due := room.line.due()) is not None:
        order += shown(room.line.expire(due))
    return order


@given(st.integers(0, 10**9), st.integers(1, 80), st.floats(0, 3))
def test_everything_is_shown_once(seed: int, length: int, pause: float) -> None:
    rng = random.Random(seed)
    made = conversation(rng, length)
    coming = rng.sample(made, rng.randint(1, length))  # some never come
    room = Room()
    order = play(room, rng, coming, pause)
    assert sorted(order) == sorted(record.message.lamport for record in coming)
    assert not room.line._held
    assert not room.line._waiting
    assert not room.line._unasked


@given(st.integers(0, 10**9), st.integers(1, 80))
def test_what_comes_in_time_is_shown_after_its_parents(seed: int, length: int) -> None:
    rng = random.Random(seed)
    made = conversation(rng, length)
    room = Room()
    coming = rng.sample(made, length)
    order: list[int] = []
    while coming:
        batch = [coming.pop() for _ in range(min(len(coming), rng.randint(1, 5)))]
        order += shown(room.come(rng.uniform(0, PATIENCE / 2), *batch))
    place = {number: index for index, number in enumerate(order)}
    assert len(place) == length
    for record in made:
        for parent in record.message.parents:
            assert place[int.from_bytes(parent, "big")] < place[record.message.lamport]
