"""Candidates start staggered, the first success wins, losers are cancelled. On virtual time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from p2pchat.node.adapters.racing import STAGGER, race


async def attempt(candidate: tuple[float, bool]) -> float:
    """Takes that many seconds and then works or not."""
    seconds, works = candidate
    await trio.sleep(seconds)
    if not works:
        raise OSError(f"failed after {seconds}")
    return seconds


async def test_a_dead_first_candidate_costs_one_stagger(autojump_clock: MockClock) -> None:
    begin = trio.current_time()
    result, _ = await race([(1000.0, True), (0.01, True)], attempt, print)
    assert result == 0.01
    assert trio.current_time() - begin == STAGGER + 0.01


async def test_a_failure_starts_the_next_at_once(autojump_clock: MockClock) -> None:
    begin = trio.current_time()
    result, errors = await race([(0.01, False), (0.02, True)], attempt, print)
    assert result == 0.02
    assert len(errors) == 1
    assert round(trio.current_time() - begin, 6) == 0.03


async def test_when_all_fail_all_errors_come_back(autojump_clock: MockClock) -> None:
    result, errors = await race([(0.5, False), (0.1, False), (0.0, False)], attempt, print)
    assert result is None
    assert len(errors) == 3


async def test_nothing_to_try() -> None:
    assert await race([], attempt, print) == (None, [])


async def test_a_second_winner_is_discarded(autojump_clock: MockClock) -> None:
    discarded: list[str | None] = []
    both = trio.Event()

    async def stubborn(candidate: str) -> str:
        """Like a handshake that cannot be cancelled any more."""
        with trio.CancelScope(shield=True):
            await trio.sleep(1.0)
        both.set()
        return candidate

    result, _ = await race(["a", "b"], stubborn, discarded.append)
    assert result == "a"
    assert discarded == ["b"]
