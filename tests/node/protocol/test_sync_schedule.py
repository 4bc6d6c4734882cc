"""When a room is compared with whom."""

from __future__ import annotations

import random
from itertools import pairwise

from p2pchat.node.protocol import sync_schedule as rules
from p2pchat.node.protocol.sync_schedule import Penalties, Result, RoomSchedule

NOTHING = Result()
PEERS = [f"peer{number}" for number in range(6)]


def schedule(penalties: Penalties | None = None) -> RoomSchedule:
    return RoomSchedule(random.Random(1), penalties or Penalties())


def compare_when_due(room: RoomSchedule, now: float, result: Result = NOTHING) -> tuple[str, float]:
    """The next comparison, at the time when it is due."""
    for _ in range(100):
        peer = room.next(now)
        if peer is not None:
            room.began(peer, now)
            room.finished(peer, result, now)
            return peer, now
        assert room.next_at() > now, "it would be asked for ever"
        now = room.next_at()
    raise AssertionError("nothing is ever due")


def test_everybody_who_comes_is_compared_with_soon_and_once() -> None:
    room = schedule()
    room.neighbours(PEERS, 100.0)
    seen, now = [], 100.0
    for _ in PEERS:
        peer, now = compare_when_due(room, now)
        seen.append(peer)
    assert sorted(seen) == PEERS
    assert now <= 100.0 + rules.FIRST_LOOK
    room.neighbours(PEERS, now)
    assert room.next(now) is None


def test_who_comes_back_is_compared_with_again() -> None:
    room = schedule()
    room.neighbours(["a", "b"], 0.0)
    for _ in range(2):
        _, now = compare_when_due(room, 0.0)
    room.neighbours(["b"], now)
    room.neighbours(["a", "b"], now + 1)
    peer, _ = compare_when_due(room, now + 1)
    assert peer == "a"


def test_whoever_compared_with_us_needs_no_comparison_of_ours() -> None:
    room = schedule()
    room.neighbours(["a"], 0.0)
    room.compared_by("a", 0.1)
    assert room.next(rules.FIRST_LOOK) is None


def test_whoever_lacks_much_compares_itself_and_is_not_driven_by_who_says_so() -> None:
    room = schedule()
    room.neighbours(["a"], 0.0)
    _, now = compare_when_due(room, 0.0)
    room.behind("a", now + rules.BELIEVED / 2)
    assert room.next(now + rules.BELIEVED / 2) is None
    room.behind("a", now + rules.BELIEVED)
    assert room.next(now + rules.BELIEVED) == "a"


def test_a_gap_is_asked_for_at_once_and_best_where_it_came_from() -> None:
    room = schedule()
    room.neighbours(PEERS, 0.0)
    now = 0.0
    for _ in PEERS:
        _, now = compare_when_due(room, now)
    room.gap("peer3", now)
    assert room.next(now) == "peer3"
    room.began("peer3", now)
    room.finished("peer3", Result(), now)
    assert room.next(now) is None
    room.gap("", now)
    assert room.next(now) is None
    assert room.next(now + rules.GAP_PAUSE) not in (None, "peer3")


def test_the_period_grows_while_nothing_is_found_and_everybody_has_a_turn() -> None:
    room = schedule()
    room.neighbours(PEERS, 0.0)
    times, seen, now = [], [], 0.0
    for _ in range(60):
        peer, now = compare_when_due(room, now)
        seen.append(peer)
        times.append(now)
    pauses = [later - earlier for earlier, later in pairwise(times[6:])]
    assert max(pauses) <= 1.5 * rules.LONGEST_PERIOD
    assert min(pauses[10:]) >= 0.5 * rules.LONGEST_PERIOD
    assert set(seen[6:]) == set(PEERS)


def test_news_are_followed_by_another_neighbour_soon() -> None:
    room = schedule()
    room.neighbours(PEERS, 0.0)
    now = 0.0
    for _ in PEERS:
        first, now = compare_when_due(room, now, Result(fetched=3))
    second, later = compare_when_due(room, now)
    assert second != first
    assert later - now <= 1.5 * rules.NEWS


def test_a_liar_is_left_alone_longer_each_time_and_the_others_are_not() -> None:
    penalties = Penalties()
    room = schedule(penalties)
    penalties.lied("peer0", 0.0)
    room.neighbours(PEERS, 0.0)
    now = 0.0
    for _ in range(5):
        peer, now = compare_when_due(room, now)
        assert peer != "peer0"
    assert penalties.free_at("peer0") == rules.PENALTY
    for _ in range(20):
        penalties.lied("peer0", rules.PENALTY)
    assert penalties.free_at("peer0") == rules.PENALTY + rules.LONGEST_PENALTY


def test_nobody_but_a_liar_there_means_waiting_for_the_end_of_its_penalty() -> None:
    penalties = Penalties()
    room = schedule(penalties)
    room.neighbours(["liar"], 0.0)
    penalties.lied("liar", 0.0)
    room.gap("liar", 0.0)
    assert room.next(1.0) is None
    assert room.next_at() == rules.PENALTY
    assert room.next(rules.PENALTY) == "liar"


def test_differences_that_are_never_found_become_a_lie() -> None:
    penalties = Penalties()
    fruitless = Result(fruitless=True)
    verdicts = [penalties.finished("a", fruitless, 0.0) for _ in range(rules.FRUITLESS_STRIKES)]
    assert verdicts == [False] * (rules.FRUITLESS_STRIKES - 1) + [True]
    assert penalties.free_at("a") == rules.PENALTY
    for _ in range(10):  # now and then, two sets change while they are compared
        penalties.finished("b", fruitless, 0.0)
        assert not penalties.finished("b", Result(fetched=1), 0.0)


def test_penalties_are_bounded() -> None:
    penalties = Penalties()
    for number in range(2 * rules.MAX_PENALTIES):
        penalties.lied(f"peer{number}", float(number))
    known = sum(penalties.free_at(f"peer{n}") > 0 for n in range(2 * rules.MAX_PENALTIES))
    assert known == rules.MAX_PENALTIES


def test_alone_there_is_nothing_to_do() -> None:
    room = schedule()
    room.gap("gone", 0.0)
    assert room.next(1e6) is None
    room.neighbours([], 0.0)
    assert room.next_at() > 1e12
