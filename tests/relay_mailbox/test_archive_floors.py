"""Who has to give when rooms take too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.relay_mailbox.archive_floors import EACH, TOGETHER, floor_of_age, shares


def test_an_age_is_a_floor() -> None:
    assert floor_of_age(1_000, 400) == 600
    assert floor_of_age(1_000, 4_000) == 0
    assert floor_of_age(1_000, 0) == 0


def test_nobody_gives_while_everything_fits() -> None:
    assert shares({}, 100, 100) == {}
    assert shares({"a": 100, "b": 50}, 100, 150) == {}


def test_a_room_that_is_too_large_gives_for_itself() -> None:
    assert shares({"a": 120, "b": 50}, 100, 150) == {"a": (100, EACH)}


def test_the_largest_give_first_when_together_they_are_too_large() -> None:
    assert shares({"a": 100, "b": 50, "c": 20}, 100, 150) == {"a": (80, TOGETHER)}
    assert shares({"a": 100, "b": 90, "c": 20}, 100, 120) == {
        "a": (50, TOGETHER),
        "b": (50, TOGETHER),
    }
    assert shares({"a": 500, "b": 90}, 100, 150) == {"a": (75, TOGETHER), "b": (75, TOGETHER)}


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 1_000)),
    st.integers(1, 500),
    st.integers(0, 2_000),
)
def test_afterwards_it_fits_and_nobody_has_given_in_vain(
    sizes: dict[str, int], each: int, more: int
) -> None:
    together = each + more
    given_up = shares(sizes, each, together)
    after = {room: given_up.get(room, (size, ""))[0] for room, size in sizes.items()}
    assert sum(after.values()) <= together
    assert all(size <= each for size in after.values())
    assert all(after[room] < sizes[room] for room in given_up)
    # Nothing more than the remainder of a division stays unused where somebody gave for the others.
    if any(limit == TOGETHER for _, limit in given_up.values()):
        assert sum(after.values()) > together - len(sizes)
        kept = [size for room, size in after.items() if room not in given_up]
        assert max(kept, default=0) <= min(after[room] for room in given_up)
