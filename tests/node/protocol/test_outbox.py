"""What waits for whom, who has it, and what is said about it. Ids and times are plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from p2pchat.node.adapters.direct_keys import goes_forward
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.limits import CLOCK_GRACE_MS
from p2pchat.node.protocol.outbox import Change, Item, Outbox, Route, restored
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.direct_builders import message_id, peer_text

BOB, CAROL = peer_text(1), peer_text(2)
BOX_A, BOX_B = peer_text(11), peer_text(12)
DIRECT, AT_A, AT_B = Route(BOB), Route(BOB, BOX_A), Route(BOB, BOX_B)
FOREVER = 10**15  # milliseconds


def item(number: int, *, peer: str = BOB, expires: int = FOREVER, receipts: bool = False) -> Item:
    owed = actors.PeerReceipts(peer=peer) if receipts else None
    return Item(peer, message_id(number), expires, receipts=owed)


def ids(*numbers: int) -> list[bytes]:
    return [message_id(number) for number in numbers]


def outbox(*numbers: int, mailboxes: Sequence[str] = ()) -> Outbox:
    made = Outbox()
    made.set_mailboxes(BOB, mailboxes)
    for number in numbers:
        made.add(item(number))
    return made


def taken(some: Iterable[Item]) -> list[int]:
    return [int.from_bytes(one.id, "big") for one in some]


def only(changes: Sequence[Change]) -> Change:
    assert len(changes) == 1
    return changes[0]


# ---- lanes ----------------------------------------------------------------------------------------------


def test_every_route_gets_everything_the_oldest_first() -> None:
    box = outbox(1, 2, 3, mailboxes=[BOX_A])
    assert taken(box.take(DIRECT, 2)) == [1, 2]
    assert taken(box.take(DIRECT, 2)) == [3]
    assert taken(box.take(AT_A, 10)) == [1, 2, 3]
    assert box.take(DIRECT, 10) == box.take(AT_B, 10) == box.take(Route(CAROL), 10) == []


def test_what_is_given_back_comes_before_everything_younger() -> None:
    box = outbox(1, 2, 3, 4, 5)
    box.take(DIRECT, 4)
    box.give_back(DIRECT, ids(2, 1))
    box.give_back(DIRECT, ids(4, 3))
    assert taken(box.take(DIRECT, 10)) == [1, 2, 3, 4, 5]


def test_all_is_given_back_when_nothing_is_named() -> None:
    box = outbox(1, 2, 3)
    box.take(DIRECT, 2)
    box.give_back(DIRECT)
    assert taken(box.take(DIRECT, 10)) == [1, 2, 3]


def test_giving_back_what_was_not_taken_changes_nothing() -> None:
    box = outbox(1, 2)
    box.give_back(DIRECT, ids(1, 9))
    box.give_back(Route(CAROL))
    assert taken(box.take(DIRECT, 10)) == [1, 2]


def test_a_message_that_is_added_twice_is_sent_once() -> None:
    box = outbox(1, 2, 1)
    assert len(box) == 2
    assert taken(box.take(DIRECT, 10)) == [1, 2]


def test_a_new_mailbox_gets_what_waits_already() -> None:
    box = outbox(1, 2)
    box.take(DIRECT, 1)
    box.set_mailboxes(BOB, [BOX_A])
    assert taken(box.take(AT_A, 10)) == [1, 2]


def test_a_mailbox_that_is_given_up_gets_nothing_and_its_word_does_not_count() -> None:
    """The recipient does not look there any more: "stored" would be a comfort without ground."""
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1)
    box.set_mailboxes(BOB, [BOX_B])
    assert not box.has_work(AT_A)
    assert box.is_idle(AT_A)
    assert box.stored(AT_A, ids(1), 0) == []
    assert box.refused(AT_A, ids(1), "No.", 0) == []
    assert box.put_off(AT_A, ids(1), "Later.", 0) == []
    assert taken(box.take(AT_B, 10)) == [1]


def test_a_mailbox_that_comes_back_is_tried_again_although_it_refused() -> None:
    """Whoever removes and adds it has registered there again."""
    box = outbox(1, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1)
    box.refused(AT_A, ids(1), "Unknown.", 0)
    box.set_mailboxes(BOB, [BOX_B])
    box.set_mailboxes(BOB, [BOX_B, BOX_A])
    assert taken(box.take(AT_A, 10)) == [1]


def test_when_the_only_hope_is_given_up_those_that_refused_are_asked_for_a_last_word() -> None:
    box = outbox(1, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1)
    assert box.refused(AT_A, ids(1), "Too large.", 0) == []
    box.set_mailboxes(BOB, [BOX_A])
    assert taken(box.take(AT_A, 1)) == [1]
    assert only(box.refused(AT_A, ids(1), "Too large.", 0)).delivery.stage == records.REFUSED


def test_asking_again_keeps_the_order_of_age() -> None:
    box = outbox(1, 2, 3, mailboxes=[BOX_A])
    box.take(AT_A, 2)
    box.refused(AT_A, ids(2), "Too large.", 0)
    box.set_mailboxes(BOB, [BOX_A, BOX_B])
    box.give_back(AT_A)
    assert taken(box.take(AT_A, 10)) == [1, 2, 3]


def test_the_same_mailboxes_again_change_nothing() -> None:
    box = outbox(1, 2, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1)
    box.set_mailboxes(BOB, [BOX_B, BOX_A])
    assert taken(box.take(AT_A, 10)) == [2]


# ---- states ---------------------------------------------------------------------------------------------


def test_stored_says_where_and_how_many_there_are() -> None:
    box = outbox(1, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1)
    change = only(box.stored(AT_A, ids(1), 5))
    assert change.delivery == records.Delivery(
        stage=records.STORED,
        stored_at=[peer_id.from_text(BOX_A)],
        stored_until_ms=[FOREVER],
        mailboxes=2,
        changed_at_ms=5,
    )
    assert not change.finished
    assert not box.has_work(AT_A)
    assert box.has_work(AT_B)
    assert box.has_work(DIRECT)


def test_a_copy_at_a_mailbox_that_was_given_up_counts_as_one_of_them() -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1)
    box.stored(AT_A, ids(1), 0)
    box.set_mailboxes(BOB, [BOX_B])
    delivery = only(box.stored(AT_B, ids(1), 0)).delivery
    assert len(delivery.stored_at) == delivery.mailboxes == 2


def test_the_word_of_a_mailbox_counts_although_its_item_was_given_back() -> None:
    """Two sessions with one mailbox may overlap, and the end of the first gives back what the second took."""
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1)
    box.give_back(AT_A)
    assert only(box.stored(AT_A, ids(1), 0)).delivery.stage == records.STORED
    assert not box.has_work(AT_A)


def test_the_same_word_twice_is_said_once() -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1)
    assert len(box.stored(AT_A, ids(1, 1), 0)) == 1
    assert box.stored(AT_A, ids(1), 0) == []


def test_it_is_refused_when_the_last_mailbox_has_refused_it_and_still_goes_directly() -> None:
    box = outbox(1, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1), box.take(AT_B, 1)
    assert box.refused(AT_A, ids(1), "It is full.", 0) == []
    change = only(box.refused(AT_B, ids(1), "It is too large.", 0))
    assert (change.delivery.stage, change.delivery.reason) == (records.REFUSED, "It is too large.")
    assert not change.finished
    assert taken(box.take(DIRECT, 1)) == [1]
    assert only(box.delivered(BOB, ids(1), 0)).delivery.stage == records.DELIVERED


def test_a_refusal_does_not_take_back_what_another_mailbox_holds() -> None:
    box = outbox(1, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1), box.take(AT_B, 1)
    box.stored(AT_A, ids(1), 0)
    assert box.refused(AT_B, ids(1), "It is full.", 0) == []


def test_nor_what_a_mailbox_holds_that_was_given_up() -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1)
    box.stored(AT_A, ids(1), 0)
    box.set_mailboxes(BOB, [BOX_B])
    box.take(AT_B, 1)
    assert box.refused(AT_B, ids(1), "It is full.", 0) == []
    assert box.holds(BOB, message_id(1))


def test_a_success_after_the_refusal_counts() -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1)
    box.refused(AT_A, ids(1), "No.", 0)
    box.set_mailboxes(BOB, [BOX_A, BOX_B])
    box.take(AT_B, 1)
    delivery = only(box.stored(AT_B, ids(1), 0)).delivery
    assert (delivery.stage, delivery.reason) == (records.STORED, "")


def test_a_refusal_by_the_recipient_ends_it() -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(DIRECT, 1)
    change = only(box.refused(DIRECT, ids(1), "It does not want it.", 0))
    assert change.finished
    assert change.delivery.stage == records.REFUSED
    assert len(box) == 0


def test_what_a_mailbox_holds_and_the_recipient_refuses_does_not_stay_stored_without_a_word() -> (
    None
):
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1), box.take(DIRECT, 1)
    box.stored(AT_A, ids(1), 0)
    change = only(box.refused(DIRECT, ids(1), "It does not want it.", 0))
    assert change.finished
    assert change.delivery.stage == records.EXPIRED
    assert change.delivery.reason == "It does not want it."


def test_sending_is_told_once_and_not_taken_back() -> None:
    box = outbox(1)
    assert only(box.begun(box.take(DIRECT, 1), 0)).delivery.stage == records.SENDING
    delivery = only(box.put_off(DIRECT, ids(1), "Not now.", 7)).delivery
    assert delivery == records.Delivery(stage=records.SENDING, reason="Not now.", changed_at_ms=7)
    assert box.begun(box.take(DIRECT, 1), 0) == []


def test_of_receipts_nobody_is_told_that_they_are_sent() -> None:
    box = Outbox()
    box.add(item(1, receipts=True))
    assert box.begun(box.take(DIRECT, 1), 0) == []


def test_what_is_put_off_waits_on_and_says_why_once() -> None:
    box = outbox(1, 2)
    box.take(DIRECT, 2)
    assert len(box.put_off(DIRECT, ids(1, 2), "Not now.", 0)) == 2
    assert taken(box.take(DIRECT, 2)) == [1, 2]
    assert box.put_off(DIRECT, ids(1, 2), "Not now.", 0) == []


@pytest.mark.parametrize("stage", [records.STORED, records.REFUSED])
def test_what_is_stored_or_refused_does_not_say_that_it_waits(stage: records.Stage) -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(AT_A, 1), box.take(DIRECT, 1)
    answer = box.stored(AT_A, ids(1), 0) or []
    if stage == records.REFUSED:
        box = outbox(1, mailboxes=[BOX_A])
        box.take(AT_A, 1), box.take(DIRECT, 1)
        answer = box.refused(AT_A, ids(1), "No.", 0)
    assert only(answer).delivery.stage == stage
    assert box.put_off(DIRECT, ids(1), "Not now.", 0) == []
    assert box.explain(BOB, "Away.", 0) == []
    assert taken(box.take(DIRECT, 1)) == [1]


def test_explain_says_a_reason_once_and_takes_it_back() -> None:
    box = outbox(1, 2)
    box.add(item(3, receipts=True))
    box.add(item(4, peer=CAROL))
    assert taken(change.item for change in box.explain(BOB, "Away.", 0)) == [1, 2]
    assert box.explain(BOB, "Away.", 0) == []
    assert [change.delivery.reason for change in box.explain(BOB, "", 0)] == ["", ""]


def test_its_time_is_over_only_after_it() -> None:
    box = Outbox()
    box.add(item(1, expires=100))
    box.add(item(2))
    assert box.expire(100) == []
    change = only(box.expire(101))
    assert (change.delivery.stage, change.finished) == (records.EXPIRED, True)
    assert taken(box.take(DIRECT, 10)) == [2]


def test_what_expires_does_not_say_that_it_is_tried_again() -> None:
    box = Outbox()
    box.add(item(1, expires=100))
    box.explain(BOB, "Bob cannot be reached; it is tried again.", 0)
    assert only(box.expire(101)).delivery.reason == (
        "Its time is over, and nobody said that it arrived."
    )


def test_what_was_refused_expires_with_that_reason() -> None:
    box = Outbox()
    box.set_mailboxes(BOB, [BOX_A])
    box.add(item(1, expires=100))
    box.take(AT_A, 1)
    box.refused(AT_A, ids(1), "It is too large.", 0)
    assert only(box.expire(101)).delivery.reason == "It is too large."


@pytest.mark.parametrize("stage", [records.DELIVERED, records.READ])
def test_a_receipt_for_what_has_left_is_still_a_change(stage: records.Stage) -> None:
    box = Outbox()
    box.add(item(1, expires=100))
    box.expire(101)
    told = box.delivered if stage == records.DELIVERED else box.read
    change = only(told(BOB, ids(1), 200))
    assert (change.delivery.stage, change.finished) == (stage, True)
    assert (change.item.peer, change.item.id) == (BOB, message_id(1))
    assert len(box) == 0


def test_a_receipt_counts_only_for_messages_to_who_gives_it() -> None:
    box = outbox(1)
    box.delivered(CAROL, ids(1), 0)
    assert box.holds(BOB, message_id(1))


def test_receipts_are_done_at_the_first_mailbox() -> None:
    box = Outbox()
    box.set_mailboxes(BOB, [BOX_A, BOX_B])
    box.add(item(1, receipts=True))
    assert box.waiting(BOB) == 0
    box.take(AT_A, 1), box.take(AT_B, 1), box.take(DIRECT, 1)
    assert only(box.stored(AT_A, ids(1), 0)).finished
    assert box.stored(AT_B, ids(1), 0) == []
    assert box.peers() == []


def test_what_is_forgotten_is_not_sent() -> None:
    box = outbox(1, 2)
    box.take(DIRECT, 1)
    box.forget(BOB, message_id(1))
    box.forget(BOB, message_id(9))
    box.give_back(DIRECT)
    assert taken(box.take(DIRECT, 10)) == [2]


# ---- after a restart ------------------------------------------------------------------------------------


def record(delivery: records.Delivery) -> records.OutboxRecord:
    return records.OutboxRecord(
        peer=peer_id.from_text(BOB), id=message_id(1), expires_at_ms=9, delivery=delivery
    )


def test_after_a_restart_it_is_where_it_was() -> None:
    stored = records.Delivery(stage=records.STORED, stored_at=[peer_id.from_text(BOX_A)])
    box = Outbox()
    box.set_mailboxes(BOB, [BOX_A, BOX_B])
    box.add(restored(record(stored)))
    assert not box.has_work(AT_A)
    assert taken(box.take(AT_B, 1)) == [1]
    delivery = only(box.stored(AT_B, ids(1), 0)).delivery
    assert list(delivery.stored_at) == [peer_id.from_text(BOX_A), peer_id.from_text(BOX_B)]


@pytest.mark.parametrize("stage", [records.STAGE_UNSPECIFIED, records.QUEUED, records.SENDING])
def test_after_a_restart_nothing_is_being_sent(stage: records.Stage) -> None:
    again = restored(record(records.Delivery(stage=stage, reason="Away.")))
    assert (again.stage, again.reason, again.expires_at_ms) == (records.QUEUED, "Away.", 9)


# ---- what is kept ---------------------------------------------------------------------------------------


def kept(box: Outbox) -> int:
    """Lanes and what is in them; there is no public way to see what a program would only lose memory by."""
    return sum(1 + len(lane.waiting) + len(lane.under_way) for lane in box._lanes.values())


def test_nothing_is_kept_of_what_has_left() -> None:
    box = outbox(1, 2, 3, mailboxes=[BOX_A])
    box.take(DIRECT, 3), box.take(AT_A, 2)
    box.delivered(BOB, ids(1, 2), 0)
    assert kept(box) == 2 + 2  # the third, on both lanes
    box.delivered(BOB, ids(3), 0)
    assert kept(box) == 0


def test_late_words_and_questions_leave_nothing_behind() -> None:
    box = outbox(1, mailboxes=[BOX_A])
    box.take(DIRECT, 1), box.take(AT_A, 1)
    box.delivered(BOB, ids(1), 0)
    for route in (DIRECT, AT_A, AT_B):
        box.give_back(route)
        box.put_off(route, ids(1), "Later.", 0)
        box.stored(route, ids(1), 0)
        box.refused(route, ids(1), "No.", 0)
        assert box.take(route, 1) == []
    box.read(BOB, ids(1), 0)
    box.set_mailboxes(CAROL, [BOX_A])
    assert kept(box) == 0


# ---- any order of events --------------------------------------------------------------------------------


@dataclass
class Expected:
    """What the outbox is to know about one item."""

    peer: str
    id: bytes
    number: int
    expires: int
    receipts: bool
    stage: int = records.QUEUED
    stored: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def fits(self, route: Route) -> bool:
        return self.peer == route.peer and route.mailbox not in self.stored | self.refused


PEERS = (BOB, CAROL)
# Which of those under way and of all unfinished ones, counted round, and now and then one that has left. What ends
# items picks few of them: else none would live long enough for anything to happen to it.
PICKS = st.lists(st.integers(0, 20), min_size=1, max_size=4)
FEW = st.lists(st.integers(0, 20), min_size=1, max_size=2)
NEW = st.lists(
    st.tuples(st.integers(10, 60) | st.just(FOREVER), st.sampled_from([False, False, True])),
    min_size=1,
    max_size=4,
)
ROUTES = st.builds(Route, st.sampled_from(PEERS), st.sampled_from(("", BOX_A, BOX_B)))
DEPOSITS = ROUTES.filter(lambda route: bool(route.mailbox))
CHOICES = st.sampled_from([{BOX_A, BOX_B}, {BOX_A}, {BOX_B}, set[str]()])


class AnyOrder(RuleBasedStateMachine):
    """The outbox beside a model that is too simple to be wrong: a list, and who has taken what."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.count = 0
        self.items: list[Expected] = []  # unfinished, the oldest first
        self.under_way: dict[Route, set[bytes]] = {}
        self.mailboxes: dict[str, set[str]] = {peer: set() for peer in PEERS}
        self.disk: dict[tuple[str, bytes], records.Delivery] = {}  # as the store keeps it
        self.box = Outbox()

    # ---- the model -------------------------------------------------------------------------------

    def messages(self, route: Route, picks: Iterable[int]) -> list[bytes]:
        mine = [one.id for one in self.items if one.peer == route.peer]
        pool = [*sorted(self.out(route)), *mine, message_id(self.count // 2)]
        return [pool[pick % len(pool)] for pick in picks]

    def busy(self, route: Route, pick: int) -> Route:
        """A mailbox that has something to answer, or `route`."""
        busy = [known for known, out in self.under_way.items() if known.mailbox and out]
        return [*busy, route][pick % (len(busy) + 1)]

    def find(self, peer: str, message: bytes) -> Expected | None:
        return next((i for i in self.items if (i.peer, i.id) == (peer, message)), None)

    def routes(self, peer: str) -> list[Route]:
        return [Route(peer), *(Route(peer, box) for box in self.mailboxes[peer])]

    def out(self, route: Route) -> set[bytes]:
        return self.under_way.setdefault(route, set())

    def waits(self, route: Route) -> list[bytes]:
        if route not in self.routes(route.peer):
            return []
        return [i.id for i in self.items if i.fits(route) and i.id not in self.out(route)]

    def answered(self, route: Route, messages: Iterable[bytes]) -> list[Expected]:
        """To whom an answer by this route means something."""
        if route not in self.routes(route.peer):
            return []
        found = [self.find(route.peer, message) for message in dict.fromkeys(messages)]
        meant = [one for one in found if one is not None and one.fits(route)]
        for one in meant:
            self.out(route).discard(one.id)
        return meant

    def finish(self, one: Expected) -> None:
        self.items.remove(one)
        for route in self.under_way:
            if route.peer == one.peer:
                self.out(route).discard(one.id)

    def settle(self, changes: Sequence[Change]) -> None:
        """Keep what is said, as the store does, and see that it only goes forward."""
        for change in changes:
            key = (change.item.peer, change.item.id)
            assert len(change.delivery.stored_at) <= change.delivery.mailboxes
            before = self.disk.get(key)
            if before is None or change.item.receipts is not None:
                continue
            if not change.finished:
                assert change.delivery.stage >= before.stage
                assert set(before.stored_at) <= set(change.delivery.stored_at)
            lasting = records.Delivery()
            lasting.CopyFrom(change.delivery)
            if lasting.stage == records.SENDING:  # of the moment, and not kept
                lasting.stage = records.QUEUED
            if goes_forward(before, lasting):
                self.disk[key] = lasting

    # ---- what happens ----------------------------------------------------------------------------

    @initialize(boxes=CHOICES)
    def begin(self, boxes: set[str]) -> None:
        for peer in PEERS:
            self.change_mailboxes(peer, boxes)

    @rule(peer=st.sampled_from(PEERS), news=NEW)
    def add(self, peer: str, news: list[tuple[int, bool]]) -> None:
        for lifetime, is_receipts in news:
            self.count += 1
            expires = self.now + lifetime
            new = item(self.count, peer=peer, expires=expires, receipts=is_receipts)
            self.items.append(Expected(peer, new.id, self.count, expires, is_receipts))
            if not is_receipts:
                self.disk[peer, new.id] = records.Delivery(stage=records.QUEUED)
            self.box.add(new)

    @rule(peer=st.sampled_from(PEERS), pick=st.integers(0, 20))
    def add_again(self, peer: str, pick: int) -> None:
        [message] = self.messages(Route(peer), [pick])
        if self.find(peer, message):
            self.box.add(Item(peer, message, FOREVER))

    @rule(peer=st.sampled_from(PEERS), boxes=CHOICES)
    def change_mailboxes(self, peer: str, boxes: set[str]) -> None:
        if boxes != self.mailboxes[peer]:
            for gone in self.mailboxes[peer] - boxes:
                self.out(Route(peer, gone)).clear()
            self.mailboxes[peer] = boxes
            for one in self.items:
                if one.peer == peer:
                    one.refused.clear()
        self.box.set_mailboxes(peer, sorted(boxes))

    @rule(route=ROUTES, limit=st.integers(0, 4))
    def take(self, route: Route, limit: int) -> None:
        self.taken_by(route, limit)

    @precondition(lambda self: self.items)
    @rule(pick=st.integers(0, 20), limit=st.integers(1, 4))
    def take_what_waits(self, pick: int, limit: int) -> None:
        useful = [r for peer in PEERS for r in reversed(self.routes(peer)) if self.waits(r)]
        if useful:
            self.taken_by(useful[pick % len(useful)], limit)

    def taken_by(self, route: Route, limit: int) -> None:
        expected = self.waits(route)[:limit]
        some = self.box.take(route, limit)
        assert [one.id for one in some] == expected
        assert all(not one.finished and one.stage >= records.SENDING for one in some)
        self.out(route).update(expected)
        for change in self.box.begun(some, self.now):
            assert change.delivery.stage == records.SENDING

    @rule(route=ROUTES, picks=st.none() | PICKS)
    def give_back(self, route: Route, picks: list[int] | None) -> None:
        messages = None if picks is None else self.messages(route, picks)
        self.box.give_back(route, messages)
        self.out(route).difference_update(list(self.out(route)) if messages is None else messages)

    @rule(route=ROUTES, picks=PICKS, reason=st.sampled_from(["Full.", "Later."]))
    def put_off(self, route: Route, picks: list[int], reason: str) -> None:
        messages = self.messages(route, picks)
        self.settle(self.box.put_off(route, messages, reason, self.now))
        self.out(route).difference_update(messages)

    @rule(route=DEPOSITS, pick=st.integers(0, 20), picks=PICKS)
    def stored(self, route: Route, pick: int, picks: list[int]) -> None:
        route = self.busy(route, pick)
        messages = self.messages(route, picks)
        for one in self.items:
            if one.peer == route.peer:
                one.refused.discard(route.mailbox)
        meant = self.answered(route, messages)
        for one in meant:
            one.stored.add(route.mailbox)
            one.stage = records.STORED
            if one.receipts:
                self.finish(one)
        changes = self.box.stored(route, messages, self.now)
        assert [change.item.id for change in changes] == [one.id for one in meant]
        self.settle(changes)

    @rule(route=DEPOSITS, pick=st.integers(0, 20), picks=PICKS)
    def refused_by_a_mailbox(self, route: Route, pick: int, picks: list[int]) -> None:
        route = self.busy(route, pick)
        messages = self.messages(route, picks)
        hopeless = []
        for one in self.answered(route, messages):
            one.refused.add(route.mailbox)
            if not one.stored and one.refused >= self.mailboxes[one.peer]:
                one.stage = records.REFUSED
                hopeless.append(one.id)
        changes = self.box.refused(route, messages, "No.", self.now)
        assert [change.item.id for change in changes] == hopeless
        assert not any(change.finished for change in changes)
        self.settle(changes)

    @rule(peer=st.sampled_from(PEERS), picks=FEW)
    def refused_by_the_recipient(self, peer: str, picks: list[int]) -> None:
        messages = self.messages(Route(peer), picks)
        meant = self.answered(Route(peer), messages)
        for one in meant:
            self.finish(one)
        changes = self.box.refused(Route(peer), messages, "Blocked.", self.now)
        assert [change.item.id for change in changes] == [one.id for one in meant]
        for change, one in zip(changes, meant, strict=True):
            assert change.finished
            expected = records.EXPIRED if one.stored else records.REFUSED
            assert change.delivery.stage == expected
        self.settle(changes)

    @rule(peer=st.sampled_from(PEERS), picks=FEW, is_read=st.booleans())
    def receipted(self, peer: str, picks: list[int], is_read: bool) -> None:
        messages = self.messages(Route(peer), picks)
        tell, stage = (
            (self.box.read, records.READ) if is_read else (self.box.delivered, records.DELIVERED)
        )
        changes = tell(peer, messages, self.now)
        # Each of them, known or not: the store remembers longer than the outbox.
        assert [(change.item.peer, change.item.id) for change in changes] == [
            (peer, message) for message in messages
        ]
        assert all(c.finished and c.delivery.stage == stage for c in changes)
        for message in dict.fromkeys(messages):
            if one := self.find(peer, message):
                self.finish(one)
        self.settle(changes)
        for message in messages:
            if (peer, message) in self.disk:
                assert self.disk[peer, message].stage >= stage

    @rule(passed=st.integers(0, 15))
    def expire(self, passed: int) -> None:
        self.now += passed
        due = [one for one in self.items if one.expires < self.now]
        for one in due:
            self.finish(one)
        changes = self.box.expire(self.now)
        assert {(c.item.peer, c.item.id) for c in changes} == {(one.peer, one.id) for one in due}
        assert all(c.finished and c.delivery.stage == records.EXPIRED for c in changes)
        assert all(c.delivery.reason for c in changes)
        self.settle(changes)

    @rule(peer=st.sampled_from(PEERS), reason=st.sampled_from(["", "Away."]))
    def explain(self, peer: str, reason: str) -> None:
        changes = self.box.explain(peer, reason, self.now)
        assert all(change.delivery.stage <= records.SENDING for change in changes)
        self.settle(changes)

    @rule(peer=st.sampled_from(PEERS), pick=st.integers(0, 20))
    def forget(self, peer: str, pick: int) -> None:
        [message] = self.messages(Route(peer), [pick])
        if one := self.find(peer, message):
            self.finish(one)
            self.disk.pop((peer, message), None)
        self.box.forget(peer, message)

    @precondition(lambda self: any(self.mailboxes.values()))
    @rule()
    def restart(self) -> None:
        """What was said is still known; who has refused, and what was being sent, is not."""
        self.box = Outbox()
        self.under_way.clear()
        # Receipts come anew from the store, with new ids; they are nothing that the outbox remembers.
        self.items = [one for one in self.items if not one.receipts]
        for peer, boxes in self.mailboxes.items():
            self.box.set_mailboxes(peer, sorted(boxes))
        for one in self.items:
            one.refused.clear()
            entry = records.OutboxRecord(
                peer=peer_id.from_text(one.peer),
                id=one.id,
                expires_at_ms=one.expires,
                delivery=self.disk[one.peer, one.id],
            )
            self.box.add(restored(entry))

    # ---- what always holds -----------------------------------------------------------------------

    @invariant()
    def every_unfinished_item_waits_or_is_under_way_wherever_it_is_of_use(self) -> None:
        for peer in PEERS:
            for route in (Route(peer), *(Route(peer, mailbox) for mailbox in (BOX_A, BOX_B))):
                waits = self.waits(route)
                assert self.box.has_work(route) == bool(waits)
                assert self.box.is_idle(route) == (not waits and not self.out(route))
                lane = self.box._lanes.get(route)
                assert (list(lane.waiting) if lane else []) == waits
                assert (set(lane.under_way) if lane else set()) == self.out(route)

    @invariant()
    def nothing_else_is_kept(self) -> None:
        assert len(self.box) == sum(not item.receipts for item in self.items)
        assert set(self.box.peers()) == {one.peer for one in self.items}
        for peer in PEERS:
            mine = [one for one in self.items if one.peer == peer]
            assert all(self.box.holds(peer, one.id) for one in mine)
            assert self.box.waiting(peer) == sum(not one.receipts for one in mine)
        useful = {route for peer in self.box.peers() for route in self.routes(peer)}
        assert set(self.box._lanes) <= useful

    @invariant()
    def what_was_said_last_is_true(self) -> None:
        for one in self.items:
            if not one.receipts:
                assert self.disk[one.peer, one.id].stage == one.stage


AnyOrder.TestCase.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)
TestAnyOrder = AnyOrder.TestCase


def test_what_a_mailbox_keeps_no_longer_is_left_there_again() -> None:
    box = outbox(1, 2, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 2)
    box.stored(AT_A, ids(1, 2), 0, {ids(1)[0]: 1000, ids(2)[0]: FOREVER})
    assert box.lapse(1000 + CLOCK_GRACE_MS) == []
    change = only(box.lapse(1001 + CLOCK_GRACE_MS))
    assert list(change.delivery.stored_at) == []
    assert change.delivery.reason
    assert taken(box.take(AT_A, 2)) == [1]


def test_receipts_do_not_count_as_waiting_messages() -> None:
    box = outbox(1)
    box.add(item(2, receipts=True))
    assert len(box) == 1


def test_a_mailbox_that_takes_something_again_gets_what_it_had_refused() -> None:
    box = outbox(1, 2, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1)
    box.refused(AT_A, ids(1), "A mailbox refuses it: blocked.", 0)
    assert taken(box.take(AT_A, 2)) == [2]
    box.stored(AT_A, ids(2), 0)
    assert taken(box.take(AT_A, 2)) == [1]


def test_why_it_waits_names_the_mailbox_that_refused() -> None:
    box = outbox(1, mailboxes=[BOX_A, BOX_B])
    box.take(AT_A, 1)
    box.refused(AT_A, ids(1), "A mailbox refuses it: blocked.", 0)
    reason = only(box.explain(BOB, "The other one is down.", 0)).delivery.reason
    assert reason == "A mailbox refuses it: blocked. The other one is down."
