"""The plan on plain values: what holds for every seed."""

from itertools import pairwise

import pytest

from p2pchat.cli.testnet import plan
from p2pchat.cli.testnet.vocabulary import SILENCING, Fault, Kind, Member, Role

NODES = [f"node-{number}" for number in range(1, 9)]
MEMBERS = [Member(name, Role.NODE) for name in NODES] + [
    Member(f"mailbox-{number}", Role.MAILBOX) for number in (1, 2)
]
LOCAL = [kind for kind in Kind if kind not in (Kind.DISCONNECT, Kind.PARTITION)]
SEEDS = range(20)
SECONDS = 120.0


def at_a_time(faults: tuple[Fault, ...]) -> int:
    """The most faults that go on together."""
    return max(
        sum(other.begins <= fault.begins < other.ends for other in faults) for fault in faults
    )


def test_the_same_seed_gives_the_same_plan() -> None:
    first = plan.faults(MEMBERS, LOCAL, SECONDS, 7)
    assert first == plan.faults(MEMBERS, list(reversed(LOCAL)), SECONDS, 7)
    assert first != plan.faults(MEMBERS, LOCAL, SECONDS, 8)
    posts = list(plan.traffic(NODES, first, SECONDS, 5, 7))
    assert posts == list(plan.traffic(NODES, first, SECONDS, 5, 7))


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_stay_within_their_bounds(seed: int) -> None:
    found = plan.faults(MEMBERS, LOCAL, SECONDS, seed)
    assert at_a_time(found) <= plan.most_at_a_time(len(MEMBERS)) == 3
    for fault in found:
        assert 0 < fault.begins <= fault.ends <= SECONDS
        assert len(fault.members) == 1
        assert (fault.amount != 0) == (fault.kind in (Kind.SLOW_DISK, Kind.CLOCK_SKEW))
    assert [fault.begins for fault in found] == sorted(fault.begins for fault in found)
    assert len({fault.number for fault in found}) == len(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_comes(seed: int) -> None:
    assert {fault.kind for fault in plan.faults(MEMBERS, LOCAL, SECONDS, seed)} == set(LOCAL)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_member_rests_after_a_fault_and_one_mailbox_is_always_left(seed: int) -> None:
    found = plan.faults(MEMBERS, LOCAL, SECONDS, seed)
    for name in NODES:
        own = [fault for fault in found if name in fault.members]
        assert all(later.begins >= earlier.ends + plan.REST for earlier, later in pairwise(own))
    of_mailboxes = [fault for fault in found if fault.members[0].startswith("mailbox")]
    assert all(later.begins >= earlier.ends for earlier, later in pairwise(of_mailboxes))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_partition_is_at_most_half_and_alone(seed: int) -> None:
    found = plan.faults(MEMBERS, [Kind.PARTITION, Kind.KILL], SECONDS, seed)
    partitions = [fault for fault in found if fault.kind is Kind.PARTITION]
    assert partitions
    assert all(1 <= len(fault.members) <= len(MEMBERS) // 2 for fault in partitions)
    assert all(later.begins >= earlier.ends for earlier, later in pairwise(partitions))


def test_no_kinds_no_faults() -> None:
    assert plan.faults(MEMBERS, [], SECONDS, 1) == ()


def test_short_runs_have_short_faults() -> None:
    found = plan.faults(MEMBERS[:2], [Kind.CLOCK_SKEW, Kind.STOP], 12.0, 1)
    assert found
    assert all(fault.ends - fault.begins <= 5.1 for fault in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_traffic_comes_at_its_rate_from_those_who_can_write(seed: int) -> None:
    faults = plan.faults(MEMBERS, LOCAL, SECONDS, seed)
    posts = list(plan.traffic(NODES, faults, SECONDS, 20, seed))
    assert 0.8 * 20 * SECONDS < len(posts) < 1.2 * 20 * SECONDS
    silent = [fault for fault in faults if fault.kind in SILENCING]
    for post in posts:
        assert post.sender in NODES
        assert post.to in ["", *NODES]
        assert post.to != post.sender
        assert not any(
            post.sender in fault.members and fault.begins <= post.at < fault.ends
            for fault in silent
        )
    assert {post.sender for post in posts} == set(NODES)
    assert 0.15 < sum(not post.to for post in posts) / len(posts) < 0.35


def test_nobody_speaks_in_the_room_while_its_clock_is_days_ahead() -> None:
    ahead = Fault(1, Kind.CLOCK_SKEW, ("node-1",), 50.0, 60.0, 3 * plan.DAY)
    near = Fault(2, Kind.CLOCK_SKEW, ("node-2",), 50.0, 60.0, 0.5 * plan.DAY)
    behind = Fault(3, Kind.CLOCK_SKEW, ("node-3",), 50.0, 60.0, -3 * plan.DAY)
    posts = list(plan.traffic(NODES[:3], [ahead, near, behind], 120.0, 50, 1))
    meanwhile = {post.sender for post in posts if not post.to and 45 < post.at < 65}
    assert meanwhile == {"node-2", "node-3"}
    assert any(post.sender == "node-1" and post.to for post in posts if 50 < post.at < 60)
    assert any(post.sender == "node-1" and not post.to for post in posts if post.at > 85)


def test_when_nobody_can_write_nothing_is_written() -> None:
    stopped = [
        Fault(n, Kind.STOP, (name,), 0.0, 100.0) for n, name in enumerate(("node-1", "node-2"))
    ]
    assert not list(plan.traffic(["node-1", "node-2"], stopped, 50.0, 20, 1))
