from __future__ import annotations

import pytest

from p2pchat.node.protocol.network_watch import ASLEEP, CHANGED, JUMP, LATE, NetworkWatch

HOME = ["127.0.0.1", "192.168.1.5", "fe80::1"]
CAFE = ["127.0.0.1", "10.7.0.9", "fe80::1"]
STEP = 5.0


class Computer:
    """Looks every five seconds."""

    def __init__(self) -> None:
        self.now, self.wall_ms = 100.0, 1_700_000_000_000
        self.interfaces = HOME
        self.watch = NetworkWatch(self.now, self.wall_ms, self.interfaces)

    def look(self, passed: float = STEP, wall: float | None = None) -> str | None:
        self.now += passed
        self.wall_ms += round((passed if wall is None else wall) * 1000)
        return self.watch.look(self.now, self.wall_ms, self.interfaces)


def test_nothing_happens_for_long() -> None:
    computer = Computer()
    assert {computer.look() for _ in range(100)} == {None}


@pytest.mark.parametrize(
    ("passed", "wall"),
    [(STEP, 3600.0), (STEP, STEP + JUMP + 1), (LATE + 1, LATE + 1), (3600.0, 3600.0)],
)
def test_a_sleep_is_noticed_once_whether_the_clock_stood_still_or_not(
    passed: float, wall: float
) -> None:
    computer = Computer()
    assert computer.look(passed, wall) == ASLEEP
    assert computer.look() is None


@pytest.mark.parametrize(
    ("passed", "wall"), [(STEP, STEP + JUMP - 1), (LATE - 1, LATE - 1), (STEP, -3600.0)]
)
def test_a_late_look_or_a_clock_that_is_corrected_is_no_sleep(passed: float, wall: float) -> None:
    computer = Computer()
    assert computer.look(passed, wall) is None
    assert computer.look() is None


def test_another_network_is_noticed_when_two_looks_agree() -> None:
    computer = Computer()
    computer.interfaces = CAFE
    assert [computer.look() for _ in range(4)] == [None, CHANGED, None, None]


def test_an_interface_that_comes_and_goes_is_no_change() -> None:
    computer = Computer()
    computer.interfaces = CAFE
    assert computer.look() is None
    computer.interfaces = HOME
    assert [computer.look() for _ in range(3)] == [None, None, None]


def test_link_local_addresses_do_not_count() -> None:
    computer = Computer()
    computer.interfaces = [*HOME, "fe80::2%3", "169.254.7.7", "not an address"]
    assert [computer.look() for _ in range(3)] == [None, None, None]


def test_losing_the_network_counts_and_getting_it_back_too() -> None:
    computer = Computer()
    computer.interfaces = ["127.0.0.1"]
    assert [computer.look() for _ in range(2)] == [None, CHANGED]
    computer.interfaces = HOME
    assert [computer.look() for _ in range(2)] == [None, CHANGED]


def test_who_wakes_up_somewhere_else_is_told_once() -> None:
    computer = Computer()
    computer.interfaces = CAFE
    assert computer.look(STEP, 3600.0) == ASLEEP
    assert [computer.look() for _ in range(3)] == [None, None, None]
