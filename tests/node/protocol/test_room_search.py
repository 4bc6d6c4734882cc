from __future__ import annotations

import random

from p2pchat.node.protocol.peer_exchange import FEW
from p2pchat.node.protocol.room_search import FIRST, RARELY, RETRY, RoomSearch


def search(*topics: str) -> RoomSearch:
    made = RoomSearch(random.Random(1))
    made.keep(topics, 0.0)
    return made


def look(schedule: RoomSearch, topic: str, now: float) -> float:
    """Look for the topic in vain, for five seconds; when it is due again, counted from the end."""
    assert schedule.due(now) == [topic]
    schedule.ended(topic, now + 5.0)
    due = schedule.next_due()
    assert due is not None
    return due - now - 5.0


def test_a_room_is_looked_for_soon_after_it_was_joined_and_once_at_a_time() -> None:
    schedule = search("a")
    assert schedule.next_due() == FIRST
    assert schedule.due(FIRST - 0.001) == []
    assert schedule.due(FIRST) == ["a"]
    assert schedule.due(10_000.0) == []
    assert schedule.next_due() is None


def test_without_neighbours_it_is_looked_for_ever_more_rarely() -> None:
    schedule = search("a")
    now, waits = FIRST, []
    for _ in range(15):
        waits.append(look(schedule, "a", now))
        now += 5.0 + waits[-1]
    assert 0.5 * RETRY.first <= waits[0] <= 1.5 * RETRY.first
    assert all(0.5 * RETRY.most <= wait <= 1.5 * RETRY.most for wait in waits[8:])


def test_with_enough_neighbours_it_is_looked_for_rarely() -> None:
    schedule = search("a")
    schedule.see("a", FEW, 0.5)
    assert look(schedule, "a", FIRST) >= 0.5 * RARELY.first


def test_when_neighbours_go_it_is_looked_for_soon() -> None:
    schedule = search("a")
    schedule.see("a", FEW, 0.5)
    look(schedule, "a", FIRST)
    schedule.see("a", FEW - 1, 60.0)
    due = schedule.next_due()
    assert due is not None
    assert due <= 60.0 + 1.5 * RETRY.first
    schedule.see("a", FEW - 2, 61.0)
    assert schedule.next_due() == due


def test_after_a_change_it_is_looked_for_at_once_and_the_waiting_begins_anew() -> None:
    schedule = search("a")
    now = FIRST
    for _ in range(10):
        now += 5.0 + look(schedule, "a", now)
    schedule.due(now)
    schedule.ended("a", now)
    schedule.again(now)
    assert schedule.next_due() == now + FIRST
    assert look(schedule, "a", now + FIRST) <= 1.5 * RETRY.first


def test_a_room_that_was_left_is_not_looked_for_and_the_others_are_not_disturbed() -> None:
    schedule = search("a", "b")
    schedule.due(FIRST)
    schedule.ended("b", FIRST)
    due = schedule.next_due()
    schedule.keep(["b"], 5.0)
    schedule.ended("a", 6.0)
    schedule.see("a", 1, 6.0)
    assert schedule.next_due() == due
    schedule.keep([], 7.0)
    assert schedule.next_due() is None
