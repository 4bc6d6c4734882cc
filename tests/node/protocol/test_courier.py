"""When a recipient is dialled, and when its mailboxes may be used. Times are seconds; dials never happen here."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from p2pchat.node.protocol.courier import PATIENCE, REDIAL, STEADY, Courier


def courier(*peers: str, now: float = 0.0) -> Courier:
    made = Courier(random.Random(1))
    for peer in peers:
        made.wants(peer, now)
    return made


def test_somebody_for_whom_something_waits_is_dialled_at_once_and_once() -> None:
    some = courier("bob", now=10.0)
    assert some.next_due(10.0) == 10.0
    assert some.due(10.0) == ["bob"]
    some.wants("bob", 11.0)
    assert some.due(1000.0) == []


def test_nobody_else_is_dialled_and_no_mailbox_used() -> None:
    some = courier()
    assert some.due(1000.0) == []
    assert some.next_due(0.0) is None
    assert not some.may_use_mailboxes("bob", 1000.0)


def test_mailboxes_wait_while_the_recipient_may_be_reached_in_time() -> None:
    some = courier("bob")
    some.due(0.0)
    assert some.next_due(0.0) == PATIENCE
    assert not some.may_use_mailboxes("bob", PATIENCE - 0.001)
    assert some.may_use_mailboxes("bob", PATIENCE)
    assert some.next_due(PATIENCE) is None  # the dial goes on


def test_what_comes_later_does_not_renew_the_patience() -> None:
    some = courier("bob")
    some.wants("bob", PATIENCE)
    assert some.may_use_mailboxes("bob", PATIENCE)


def test_mailboxes_are_asked_at_once_when_the_dial_fails() -> None:
    some = courier("bob")
    some.due(0.0)
    some.failed("bob", 0.1)
    assert some.may_use_mailboxes("bob", 0.1)


def test_a_recipient_that_is_reached_needs_no_mailbox() -> None:
    some = courier("bob")
    some.due(0.0)
    some.connected("bob")
    assert some.is_connected("bob")
    assert not some.may_use_mailboxes("bob", 1000.0)
    assert some.due(1000.0) == []
    assert some.next_due(0.0) is None


def test_somebody_who_is_connected_already_is_not_dialled() -> None:
    some = courier()
    some.connected("bob")
    some.wants("bob", 0.0)
    assert some.due(0.0) == []


def test_failures_wait_longer_and_longer_up_to_a_limit() -> None:
    some, now, waits = courier("bob"), 0.0, []
    for _ in range(20):
        assert some.due(now) == ["bob"]
        some.failed("bob", now)
        due = some.next_due(now)
        assert due is not None
        waits.append(due - now)
        assert some.due(due - 0.001) == []
        now = due
    assert 0.5 * REDIAL.first <= waits[0] <= 1.5 * REDIAL.first
    assert all(0.5 * REDIAL.most <= wait <= 1.5 * REDIAL.most for wait in waits[-5:])


def test_mailboxes_stay_open_while_dials_fail_and_for_what_comes_then() -> None:
    some = courier("bob")
    some.due(0.0)
    some.failed("bob", 0.1)
    some.wants("bob", 5.0)
    assert some.may_use_mailboxes("bob", 5.0)
    some.due(100.0)
    assert some.may_use_mailboxes("bob", 100.0)


def test_after_a_lost_connection_it_is_dialled_at_once_and_mailboxes_wait_again() -> None:
    some = courier("bob")
    some.due(0.0)
    some.connected("bob")
    some.disconnected("bob", 100.0)
    assert not some.is_connected("bob")
    assert not some.may_use_mailboxes("bob", 100.0)
    assert some.due(100.0) == ["bob"]
    assert some.may_use_mailboxes("bob", 100.0 + PATIENCE)


def test_somebody_who_hangs_up_at_once_is_not_dialled_without_a_pause() -> None:
    some, now, dials = courier("bob"), 0.0, 0
    while now < 3600.0:
        for peer in some.due(now):
            dials += 1
            some.connected(peer)
            some.disconnected(peer, now + 0.1)
            assert some.may_use_mailboxes(peer, now + 0.1)
        due = some.next_due(now + 0.1)
        assert due is not None
        now = max(due, now + 0.1)
    assert dials <= 40  # 150 s apart at least, once it has learnt


def test_a_connection_that_lasted_makes_up_for_the_failures_before() -> None:
    some, now = courier("bob"), 0.0
    for _ in range(10):
        some.due(now)
        some.failed("bob", now)
        now = some.next_due(now) or now
    some.due(now)
    some.connected("bob")
    some.disconnected("bob", now + STEADY)
    assert some.due(now + STEADY) == ["bob"]
    some.failed("bob", now + STEADY)
    due = some.next_due(now + STEADY)
    assert due is not None
    assert due - now - STEADY <= 1.5 * REDIAL.first


def test_a_disconnect_of_somebody_who_was_not_connected_changes_nothing() -> None:
    """Mailboxes would be closed again, and the next dial would not wait."""
    some = courier("bob")
    some.due(0.0)
    some.failed("bob", 0.1)
    some.disconnected("bob", 1.0)
    assert some.may_use_mailboxes("bob", 1.0)
    assert some.due(1.0) == []


def test_a_dial_that_fails_while_the_recipient_has_come_by_itself_is_no_failure() -> None:
    some = courier("bob")
    some.due(0.0)
    some.connected("bob")
    some.failed("bob", 1.0)
    some.disconnected("bob", 100.0)
    assert some.due(100.0) == ["bob"]
    assert not some.may_use_mailboxes("bob", 100.0)


def test_mailboxes_help_when_a_connected_recipient_does_not_answer() -> None:
    some = courier("bob")
    some.connected("bob")
    some.stuck("bob")
    assert some.may_use_mailboxes("bob", 0.0)
    assert some.due(1000.0) == []


def test_a_new_connection_is_a_new_chance() -> None:
    some = courier("bob")
    some.connected("bob")
    some.stuck("bob")
    some.disconnected("bob", 50.0)
    assert not some.may_use_mailboxes("bob", 50.0)
    some.connected("bob")
    assert not some.may_use_mailboxes("bob", 1000.0)


def test_who_is_away_is_not_stuck() -> None:
    """The end of a stream is heard before or after the end of its connection: patience holds either way."""
    some = courier("bob")
    some.connected("bob")
    some.disconnected("bob", 50.0)
    some.stuck("bob")
    assert not some.may_use_mailboxes("bob", 50.0)


def test_when_everything_has_arrived_it_is_as_if_nothing_had_been() -> None:
    some = courier("bob", "carol")
    some.connected("bob")
    some.stuck("bob")
    some.keep_only({"carol"})
    some.wants("bob", 5.0)
    assert not some.may_use_mailboxes("bob", 1000.0)
    assert some.due(5.0) == ["carol"]


def test_a_dial_that_nobody_needs_any_more_is_not_doubled_when_somebody_does() -> None:
    some = courier("bob")
    some.due(0.0)
    some.keep_only(set())
    some.wants("bob", 1.0)
    assert some.due(1.0) == []
    some.failed("bob", 2.0)
    assert some.may_use_mailboxes("bob", 2.0)
    some.keep_only(set())
    assert some.next_due(2.0) is None


def test_a_network_that_starts_anew_has_no_connections_and_no_dials() -> None:
    some = courier("bob", "carol")
    assert some.due(0.0) == ["bob", "carol"]
    some.connected("bob")
    some.all_gone(1.0)
    assert not some.is_connected("bob")
    assert some.due(1.0) == ["bob", "carol"]
    assert not some.may_use_mailboxes("bob", 1.0)


PEERS = st.sampled_from(["bob", "carol"])


class AnyOrder(RuleBasedStateMachine):
    """Whoever is wanted is connected, being dialled, or due within the longest wait; mailboxes open in time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.some = courier()
        self.wanted: set[str] = set()
        self.dialing: set[str] = set()

    @rule(seconds=st.floats(0.0, 50.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(peer=PEERS)
    def want(self, peer: str) -> None:
        self.some.wants(peer, self.now)
        self.wanted.add(peer)

    @rule(peer=PEERS)
    def connect(self, peer: str) -> None:
        self.some.connected(peer)
        self.dialing.discard(peer)

    @rule(peer=PEERS)
    def fail(self, peer: str) -> None:
        self.some.failed(peer, self.now)
        self.dialing.discard(peer)

    @rule(peer=PEERS, is_stuck=st.booleans())
    def disturb(self, peer: str, is_stuck: bool) -> None:
        if is_stuck:
            self.some.stuck(peer)
        else:
            self.some.disconnected(peer, self.now)

    @rule()
    def dial(self) -> None:
        found = self.some.due(self.now)
        assert not self.dialing & set(found)
        assert not any(map(self.some.is_connected, found))
        self.dialing |= set(found)

    @rule()
    def restart_the_network(self) -> None:
        self.some.all_gone(self.now)
        self.dialing.clear()

    @rule(peer=PEERS)
    def finish(self, peer: str) -> None:
        self.wanted.discard(peer)
        self.some.keep_only(self.wanted)

    @invariant()
    def nobody_is_left_alone(self) -> None:
        away = {peer for peer in self.wanted if not self.some.is_connected(peer)}
        assert all(self.some.may_use_mailboxes(peer, self.now + PATIENCE) for peer in away)
        if away - self.dialing:
            due = self.some.next_due(self.now)
            assert due is not None
            assert due <= self.now + 1.5 * REDIAL.most


TestAnyOrder = AnyOrder.TestCase
