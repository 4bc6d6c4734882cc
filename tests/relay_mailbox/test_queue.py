"""One recipient's hand-over: the story, and a model that any order of events must agree with."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from p2pchat.proto import wire_pb2 as wire
from p2pchat.relay_mailbox.queue import (
    UNWRITTEN_BYTES,
    CaughtUp,
    Command,
    HandOver,
    Mail,
    Read,
    RecipientQueue,
    State,
)


def mail(*sequences: int, size: int = 100) -> list[Mail]:
    return [Mail(n, id_of(n), size, wire.Envelope()) for n in sequences]


def id_of(sequence: int) -> bytes:
    return sequence.to_bytes(32, "big")


def state_of(queue: RecipientQueue) -> State:
    return queue.state


def collecting(window: int = 4) -> RecipientQueue:
    """A queue that has asked for its first page."""
    queue = RecipientQueue()
    assert queue.collect(window) == [Read(2, 0, window)]
    return queue


def live(window: int = 4) -> RecipientQueue:
    """A queue with nothing in its store."""
    queue = collecting(window)
    assert queue.page(2, [], 0, False) == [CaughtUp()]
    assert state_of(queue) is State.LIVE
    return queue


def test_nobody_is_handed_anything_before_he_asks() -> None:
    queue = RecipientQueue()
    assert queue.deposited(mail(1)) == []
    assert queue.acknowledged([id_of(1)]) == []
    assert state_of(queue) is State.ABSENT


def test_an_empty_mailbox_is_caught_up_with_at_once() -> None:
    live()


def test_what_is_stored_comes_first_and_caught_up_after_the_last_acknowledgement() -> None:
    queue = collecting()
    page = mail(1, 2, 3)
    assert queue.page(2, page, 3, False) == [HandOver(page)]
    assert state_of(queue) is State.LIVE
    assert queue.acknowledged([id_of(1), id_of(3)]) == []
    new = mail(4)
    assert queue.deposited(new) == [HandOver(new)]
    assert queue.acknowledged([id_of(2)]) == [CaughtUp()]
    assert queue.acknowledged([id_of(4)]) == []


def test_a_window_of_unacknowledged_mail_is_not_exceeded() -> None:
    queue = collecting(2)
    assert queue.page(2, mail(1, 2), 5, True) == [HandOver(mail(1, 2))]
    assert queue.deposited(mail(6)) == []
    assert queue.acknowledged([id_of(1)]) == [Read(2, 2, 1)]


def test_reading_waits_for_half_a_window() -> None:
    queue = collecting(4)
    queue.page(2, mail(1, 2, 3, 4), 9, True)
    assert queue.acknowledged([id_of(1)]) == []
    assert queue.acknowledged([id_of(2)]) == [Read(2, 4, 2)]
    assert queue.acknowledged([id_of(3)]) == []  # one read at a time


def test_a_live_client_that_falls_behind_is_read_from_the_store() -> None:
    queue = live(2)
    assert queue.deposited(mail(1, 2, 3)) == [HandOver(mail(1, 2))]
    assert state_of(queue) is State.HANDING_OVER
    assert queue.deposited(mail(4)) == []
    assert queue.acknowledged([id_of(1), id_of(2)]) == [Read(2, 2, 2)]
    assert queue.page(2, mail(3, 4), 4, False) == [HandOver(mail(3, 4))]
    assert state_of(queue) is State.LIVE


def test_a_client_that_does_not_read_is_read_from_the_store_later() -> None:
    queue = live(100)
    big = mail(1, 2, size=UNWRITTEN_BYTES // 2) + mail(3)
    assert queue.deposited(big) == [HandOver(big[:2])]
    assert state_of(queue) is State.HANDING_OVER
    assert queue.written(UNWRITTEN_BYTES // 2) == [Read(2, 2, 98)]


def test_deposits_that_are_told_in_the_wrong_order_are_read_from_the_store() -> None:
    queue = live()
    assert queue.deposited(mail(2)) == [Read(2, 0, 4)]
    assert queue.deposited(mail(1)) == []
    assert queue.page(2, mail(1, 2), 2, False) == [HandOver(mail(1, 2))]
    assert queue.deposited(mail(1, 2)) == []  # told late


def test_mail_that_is_gone_leaves_no_gap() -> None:
    queue = collecting()
    assert queue.page(2, mail(2), 7, False) == [HandOver(mail(2))]
    assert queue.deposited(mail(8)) == [HandOver(mail(8))]


def test_a_deposit_during_the_last_read_is_not_lost() -> None:
    queue = collecting()
    assert queue.deposited(mail(2)) == []
    assert queue.page(2, mail(1), 1, False) == [HandOver(mail(1)), Read(2, 1, 3)]
    assert state_of(queue) is State.HANDING_OVER


def test_a_newer_collect_begins_again_and_the_older_reads_are_void() -> None:
    queue = collecting()
    queue.page(2, mail(1, 2), 2, False)
    assert queue.collect(1) == [Read(3, 0, 1)]
    assert queue.page(2, mail(1, 2), 2, False) == []
    assert queue.page(3, mail(1), 2, True) == [HandOver(mail(1))]
    assert queue.unacknowledged == 1


def test_an_envelope_that_expired_and_came_again_counts_once() -> None:
    queue = collecting()
    queue.page(2, mail(1), 1, False)
    again = Mail(2, id_of(1), 100, wire.Envelope())
    assert queue.deposited([again]) == [HandOver([again]), CaughtUp()]
    assert queue.acknowledged([id_of(1)]) == []
    assert queue.unacknowledged == 0


class HandOverMachine(RuleBasedStateMachine):
    """A store, a client and a queue between them; events come in any order that the program allows."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = RecipientQueue()
        self.stored: dict[int, Mail] = {}
        self.end = 0
        self.untold: list[list[Mail]] = []  # stored, and the queue does not know yet
        self.read: Read | None = None
        self.page: tuple[Read, list[Mail], int, bool] | None = None
        self.window = 0
        self.unwritten = 0
        self.got: list[Mail] = []  # by the client, in this round
        self.open: list[Mail] = []  # of those, not acknowledged
        self.acknowledged: set[int] = set()
        self.there_at_first: int | None = None  # the end of the store when the first page was read
        self.caught_up = False

    def perform(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Read():
                    assert self.read is None or self.read.round < command.round
                    self.read = command
                case HandOver():
                    for one in command.mail:
                        assert not self.got or self.got[-1].sequence < one.sequence
                        self.got.append(one)
                        self.open.append(one)
                        self.unwritten += one.size
                case CaughtUp():
                    assert not self.caught_up
                    self.caught_up = True
                    assert self.there_at_first is not None
                    left = [n for n in self.stored if n <= self.there_at_first]
                    assert not left

    @rule(window=st.integers(1, 5))
    def collect(self, window: int) -> None:
        self.window = window
        self.got, self.open = [], []
        self.there_at_first, self.caught_up = None, False
        self.perform(self.queue.collect(window))

    @rule()
    def disconnect(self) -> None:
        self.queue.disconnected()
        self.got, self.open = [], []
        self.unwritten = 0
        assert self.queue.state is State.ABSENT

    @rule(count=st.integers(1, 6), size=st.sampled_from([1, UNWRITTEN_BYTES // 3]))
    def deposit(self, count: int, size: int) -> None:
        new = mail(*range(self.end + 1, self.end + 1 + count), size=size)
        self.end += count
        self.stored.update({one.sequence: one for one in new})
        self.untold.append(new)

    @precondition(lambda self: self.untold)
    @rule(data=st.data())
    def tell(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, min(1, len(self.untold) - 1)))
        self.perform(self.queue.deposited(self.untold.pop(index)))

    @precondition(lambda self: self.read and not self.page)
    @rule(fewer=st.booleans())
    def store_reads(self, fewer: bool) -> None:
        assert self.read is not None
        read, self.read = self.read, None
        found = [self.stored[n] for n in sorted(self.stored) if n > read.after]
        limit = 1 if fewer else read.limit
        more = len(found) > limit
        self.page = (read, found[:limit], self.end, more)
        if self.there_at_first is None and read.after == 0:
            self.there_at_first = self.end

    @precondition(lambda self: self.page)
    @rule()
    def page_arrives(self) -> None:
        assert self.page is not None
        (read, found, end, more), self.page = self.page, None
        self.perform(self.queue.page(read.round, found, end, more))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, len(self.open)))
        chosen, self.open = self.open[:count], self.open[count:]
        for one in chosen:
            self.stored.pop(one.sequence, None)
            self.acknowledged.add(one.sequence)
        ids = [one.id for one in chosen]
        self.perform(self.queue.acknowledged(ids))
        self.perform(self.queue.acknowledged([*ids, bytes(32)]))

    @precondition(lambda self: self.unwritten)
    @rule()
    def write(self) -> None:
        size, self.unwritten = self.unwritten, 0
        self.perform(self.queue.written(size))

    @precondition(lambda self: self.stored)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(sorted(self.stored)))
        if all(one.sequence != gone for one in self.open):
            del self.stored[gone]

    @invariant()
    def window_holds(self) -> None:
        assert len(self.open) <= max(self.window, 0)
        if self.queue.state is State.ABSENT:
            assert not self.open

    def teardown(self) -> None:
        """A client that now does its part gets everything, and hears that it has caught up."""
        if self.queue.state is State.ABSENT:
            self.collect(3)
        for _ in range(1000):
            before = (len(self.got), len(self.acknowledged), self.read, self.page, self.unwritten)
            while self.untold:
                self.perform(self.queue.deposited(self.untold.pop(0)))
            if self.page:
                self.page_arrives()
            if self.read and not self.page:
                self.store_reads(False)
            if self.unwritten:
                self.write()
            while self.open:
                one = self.open.pop(0)
                self.stored.pop(one.sequence, None)
                self.acknowledged.add(one.sequence)
                self.perform(self.queue.acknowledged([one.id]))
            after = (len(self.got), len(self.acknowledged), self.read, self.page, self.unwritten)
            if before == after:
                break
        assert not self.stored
        assert self.caught_up
        assert self.queue.state is State.LIVE


HandOverMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=60)
TestHandOver = HandOverMachine.TestCase
