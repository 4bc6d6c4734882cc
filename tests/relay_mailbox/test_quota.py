"""Quotas, fair shares and rates."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from p2pchat.node.protocol.limits import CLOCK_GRACE_MS
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.relay_mailbox.quota import (
    MAX_REMEMBERED,
    Allowance,
    Allowances,
    Quota,
    Usage,
    is_expired,
    shortage,
    stored_until,
)

QUOTA = Quota(bytes=1000, count=10, total_bytes=5000)


def short(
    size: int, recipient: tuple[int, int] = (0, 0), sender: tuple[int, int] = (0, 0), total: int = 0
) -> actors.Outcome | None:
    return shortage(QUOTA, Usage(total), Usage(*recipient), Usage(*sender), size)


def test_a_first_sender_may_fill_a_half_and_a_second_a_quarter() -> None:
    assert short(500) is None
    assert short(501) == actors.SHARE_BYTES
    assert short(250, recipient=(500, 1)) is None
    assert short(251, recipient=(500, 1)) == actors.SHARE_BYTES
    assert short(1, recipient=(4, 4), sender=(4, 4)) is None
    assert short(1, recipient=(5, 5), sender=(5, 5)) == actors.SHARE_COUNT


def test_somebody_with_many_keys_fills_a_quota() -> None:
    quota = Quota(bytes=64 << 20, count=10_000, total_bytes=10 << 30)
    whole, keys, room = Usage(), 0, True
    while room:
        sender = Usage()
        while shortage(quota, whole, whole, sender, 500) is None:
            sender.add(500)
            whole.add(500)
        room = sender.count > 0
        keys += room
    assert keys == 14
    assert whole.count == 9_999


def test_what_is_full_is_called_full() -> None:
    assert short(11, recipient=(990, 2)) == actors.QUOTA_BYTES
    assert short(1, recipient=(10, 10)) == actors.QUOTA_COUNT
    assert short(1, total=5000) == actors.TOTAL_BYTES


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 300)), max_size=200))
def test_nobody_takes_more_than_his_share_and_a_newcomer_finds_room(
    deposits: list[tuple[int, int]],
) -> None:
    senders = [Usage() for _ in range(6)]
    whole = Usage()
    for number, size in deposits:
        if shortage(QUOTA, whole, whole, senders[number], size) is None:
            senders[number].add(size)
            whole.add(size)
    assert whole.bytes <= QUOTA.bytes
    assert whole.count <= QUOTA.count
    for sender in senders:
        assert 2 * sender.bytes <= QUOTA.bytes
        assert 2 * sender.count <= QUOTA.count
    if sum(sender.count > 0 for sender in senders) <= 2:
        assert shortage(QUOTA, whole, whole, Usage(), 1) is None


def test_an_allowance_takes_what_there_is() -> None:
    allowance = Allowance(rate=10, burst=100, now=0.0)
    assert allowance.take(70, 0.0) == 70
    assert allowance.take(70, 0.0) == 30
    assert allowance.take(70, 0.0) == 0
    assert allowance.wait_ms(5, 0.0) == 500
    assert allowance.take(70, 0.5) == 5
    assert allowance.take(1000, 1e6) == 100


def test_waiting_as_long_as_it_says_is_enough() -> None:
    allowance = Allowance(rate=3, burst=10, now=0.0)
    allowance.take(10, 0.0)
    assert allowance.take(7, allowance.wait_ms(7, 0.0) / 1000) == 7


def test_connecting_again_wins_nothing_and_memory_is_bounded() -> None:
    allowances = Allowances(rate=1, burst=5)
    assert allowances.of("a", 0.0).take(5, 0.0) == 5
    assert allowances.of("a", 0.0).take(5, 0.0) == 0
    for number in range(MAX_REMEMBERED - 1):
        allowances.of(str(number), 0.0)
        allowances.of("a", 0.0)
    assert allowances.of("a", 0.0).take(5, 0.0) == 0
    for number in range(MAX_REMEMBERED):
        allowances.of(f"other {number}", 0.0)
    assert allowances.of("a", 0.0).take(5, 0.0) == 5


def test_times_allow_for_a_senders_clock() -> None:
    assert not is_expired(1000, 1000 + CLOCK_GRACE_MS)
    assert is_expired(1000, 1001 + CLOCK_GRACE_MS)
    assert stored_until(1000, 500, retention_ms=10**12) == 1000 + CLOCK_GRACE_MS
    assert stored_until(10**15, 500, retention_ms=7) == 507
