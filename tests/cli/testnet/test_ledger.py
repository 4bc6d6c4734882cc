"""The verdict, on what was sent and what histories show."""

import pytest

from p2pchat.cli.testnet.ledger import (
    EARLY,
    OTHER,
    REASONS,
    SHOWN,
    Copy,
    Ledger,
    Receipt,
    Verdict,
)

NODES = ("ann", "ben", "cy")


class Story:
    """A ledger, and the histories as they would be if all went well."""

    def __init__(self) -> None:
        self.ledger = Ledger(NODES)
        self.histories: dict[str, list[tuple[bool, Copy]]] = {name: [] for name in NODES}

    def sent(self, sender: str, to: str, receipt: Receipt = Receipt.NONE, at: float = 1.0) -> int:
        number = self.ledger.asked(sender, to, at)
        self.ledger.accepted(number, f"id-{number}", at + 0.5)
        if receipt:
            self.ledger.receipt(f"id-{number}", receipt)
        for name in NODES if not to else {sender, to}:
            own = receipt if name == sender else Receipt.NONE
            self.histories[name].append((not to, Copy(number, sender, True, own)))
        return number

    def forget(self, node: str, number: int) -> None:
        self.histories[node] = [each for each in self.histories[node] if each[1].number != number]

    def again(self, node: str, number: int) -> None:
        self.histories[node] += [each for each in self.histories[node] if each[1].number == number][
            :1
        ]

    def verdict(self) -> Verdict:
        self.ledger.forget_histories()
        for name, history in self.histories.items():
            for is_room, copy in history:
                self.ledger.history(name, is_room, copy)
        return self.ledger.verdict()


def test_all_well() -> None:
    story = Story()
    story.sent("ann", "ben", Receipt.READ)
    story.sent("ann", "ben", Receipt.STORED)
    story.sent("ben", "cy", Receipt.DELIVERED)
    story.sent("cy", "")
    found = story.verdict()
    assert found.good
    assert (found.sent, found.direct, found.room) == (4, 3, 1)
    assert (found.receipted, found.stored, found.delivered, found.read) == (3, 1, 1, 1)
    assert (found.expected, found.arrived) == (5, 5)
    assert (found.lost, found.doubled, found.damaged, found.not_arrived) == (0, 0, 0, 0)
    assert found.findings == ()


@pytest.mark.parametrize("receipt", [Receipt.STORED, Receipt.DELIVERED, Receipt.READ])
def test_a_receipted_message_that_is_not_there_is_lost(receipt: Receipt) -> None:
    story = Story()
    number = story.sent("ann", "ben", receipt, at=7.0)
    story.forget("ben", number)
    found = story.verdict()
    assert not found.good
    assert found.lost == 1
    [finding] = found.findings
    assert (finding.number, finding.sender, finding.to, finding.where) == (0, "ann", "ben", "ben")
    assert receipt.name.lower() in finding.problem
    assert finding.sent_at == 7.5


def test_a_receipt_that_only_the_history_shows_counts() -> None:
    story = Story()
    number = story.sent("ann", "ben")
    story.forget("ben", number)
    story.histories["ann"] = [(False, Copy(number, "ann", True, Receipt.STORED))]
    assert story.verdict().lost == 1


def test_without_a_receipt_it_only_has_not_arrived() -> None:
    story = Story()
    story.forget("ben", story.sent("ann", "ben"))
    found = story.verdict()
    assert found.good
    assert (found.not_arrived, found.arrived, found.expected) == (1, 0, 1)


def test_what_its_sender_had_accepted_and_has_no_more_is_lost() -> None:
    story = Story()
    number = story.sent("ann", "ben")
    story.forget("ann", number)
    story.forget("ben", number)
    assert story.verdict().lost == 1


def test_the_room_must_reach_everybody() -> None:
    story = Story()
    story.forget("cy", story.sent("ann", ""))
    found = story.verdict()
    assert found.lost == 1
    assert found.findings[0].where == "cy"
    assert found.findings[0].to == ""


def test_twice_in_a_history_is_doubled() -> None:
    story = Story()
    story.again("ben", story.sent("ann", "ben", Receipt.READ))
    story.again("ann", story.sent("ann", ""))
    found = story.verdict()
    assert not found.good
    assert found.doubled == 2


def test_twice_announced_in_one_subscription_is_doubled() -> None:
    story = Story()
    number = story.sent("ann", "")
    other = story.sent("ann", "")
    story.ledger.subscribed("ben")
    story.ledger.announced("ben", number, 3.0)
    story.ledger.announced("ben", other, 3.0)
    story.ledger.announced("cy", number, 3.0)
    assert story.verdict().doubled == 0
    story.ledger.subscribed("ben")
    story.ledger.announced("ben", number, 4.0)
    assert story.verdict().doubled == 0
    story.ledger.announced("ben", number, 5.0)
    assert story.verdict().doubled == 1


@pytest.mark.parametrize(
    ("is_room", "copy"),
    [
        (False, Copy(0, "ann", False, Receipt.NONE)),  # altered
        (False, Copy(0, "cy", True, Receipt.NONE)),  # somebody else's name on it
        (True, Copy(0, "ann", True, Receipt.NONE)),  # in the room, and was for one
        (False, Copy(9, "ann", True, Receipt.NONE)),  # never written
        (False, Copy(0, "eve", True, Receipt.NONE)),
    ],
)
def test_what_is_not_as_it_was_written_is_damaged(is_room: bool, copy: Copy) -> None:
    story = Story()
    story.sent("ann", "ben", Receipt.READ)
    story.histories["ben"] = [(is_room, copy)]
    found = story.verdict()
    assert not found.good
    assert found.damaged == 1


def test_somebody_else_s_message_is_damage_and_so_is_a_strange_text() -> None:
    story = Story()
    number = story.sent("ann", "ben", Receipt.READ)
    story.histories["cy"].append((False, Copy(number, "ann", True, Receipt.NONE)))
    assert story.verdict().damaged == 1
    story.ledger.strange("cy")
    assert story.ledger.verdict().damaged == 2


def test_a_send_without_an_answer_may_be_there_once_or_not() -> None:
    story = Story()
    story.ledger.asked("ann", "ben", 1.0)
    number = story.ledger.asked("ann", "ben", 1.0)
    copy = Copy(number, "ann", True, Receipt.NONE)
    story.histories = {"ann": [(False, copy)], "ben": [(False, copy)]}
    found = story.verdict()
    assert (found.lost, found.doubled, found.damaged) == (0, 0, 0)
    assert (found.sent, found.unknown) == (0, 2)
    assert not found.good  # it shows nothing
    story.histories["ben"].append((False, copy))
    assert story.verdict().doubled == 1


def test_what_its_sender_has_without_an_answer_is_accepted() -> None:
    """Killed before it could answer: what it shows as stored must not be lost all the same."""
    story = Story()
    ledger = story.ledger
    direct, room, gone = (ledger.asked("ann", to, 1.0) for to in ("ben", "", "ben"))
    assert ledger.unanswered() == {"ann": 3}
    ledger.found_own("ben", direct, "id-0")  # a text with another's mark is not its own
    assert ledger.unanswered() == {"ann": 3}
    for number in (direct, room, direct):
        ledger.found_own("ann", number, f"id-{number}")
    ledger.receipt("id-0", Receipt.STORED)
    assert ledger.unanswered() == {"ann": 1}
    assert ledger.missing() == {"ben": 2, "cy": 1}
    own = [(False, Copy(direct, "ann", True, Receipt.STORED))]
    story.histories["ann"] = [*own, (True, Copy(room, "ann", True, Receipt.NONE))]
    found = story.verdict()
    assert (found.sent, found.unknown, found.lost) == (2, 1, 3)
    assert {finding.number for finding in found.findings} == {direct, room}
    assert gone not in {finding.number for finding in found.findings}


def test_an_answer_after_it_was_found_counts_once() -> None:
    ledger = Ledger(NODES)
    number = ledger.asked("ann", "ben", 1.0)
    ledger.found_own("ann", number, "id")
    ledger.accepted(number, "id", 2.0)
    assert ledger.missing() == {"ben": 1}
    assert ledger.counts()["waiting"] == 1


def test_a_refused_message_is_not_sent() -> None:
    ledger = Ledger(NODES)
    ledger.refused(ledger.asked("ann", "ben", 1.0), "The disk is full.")
    found = ledger.verdict()
    assert (found.sent, found.refused, found.expected) == (0, 1, 0)


def test_reasons_are_counted_and_name_no_path() -> None:
    ledger = Ledger(NODES)
    for node in NODES:
        reason = f"The disk is full: nothing can be saved in /tmp/net/{node}/store until then."
        ledger.refused(ledger.asked(node, "", 1.0), reason)
    ledger.refused(ledger.asked("ann", "", 1.0), "It is starting and/or stopping.")
    assert ledger.verdict().as_json()["refusals"] == {
        "The disk is full: nothing can be saved in (path) until then.": 3,
        "It is starting and/or stopping.": 1,
    }


def test_reasons_are_bounded() -> None:
    ledger = Ledger(NODES)
    for number in range(REASONS + 2):
        ledger.refused(ledger.asked("ann", "ben", 1.0), f"Reason {number}.")
    assert len(ledger.refusals()) == REASONS + 1
    assert ledger.refusals()[OTHER] == 2


def test_only_some_are_named() -> None:
    story = Story()
    for _ in range(SHOWN + 5):
        story.forget("ben", story.sent("ann", "ben", Receipt.STORED))
    found = story.verdict()
    assert found.lost == SHOWN + 5
    assert len(found.findings) == SHOWN


def test_what_is_still_missing() -> None:
    story = Story()
    direct, room = story.sent("ann", "ben"), story.sent("ann", "")
    story.ledger.asked("ann", "ben", 1.0)
    assert story.ledger.missing() == {"ben": 2, "cy": 1}
    story.ledger.announced("ben", direct, 2.0)
    story.ledger.seen("ben", room, 2.0)
    assert story.ledger.missing() == {"cy": 1}
    story.ledger.seen("cy", room, 2.0)
    assert story.ledger.missing() == {}


def test_receipts_that_are_waited_for() -> None:
    story = Story()
    story.sent("ann", "ben")
    story.sent("ann", "cy", Receipt.STORED)
    story.sent("ben", "cy", Receipt.DELIVERED)
    story.sent("cy", "")
    assert story.ledger.unreceipted() == {"ann": 2}
    story.ledger.receipt("id-0", Receipt.READ)
    assert story.ledger.unreceipted() == {"ann": 1}


def test_a_receipt_may_come_before_the_answer() -> None:
    ledger = Ledger(NODES)
    ledger.receipt("early", Receipt.DELIVERED)
    ledger.receipt("early", Receipt.STORED)
    ledger.accepted(ledger.asked("ann", "ben", 1.0), "early", 2.0)
    assert ledger.counts()["delivered"] == 1
    assert ledger.unreceipted() == {}


def test_early_receipts_are_bounded() -> None:
    ledger = Ledger(NODES)
    for number in range(EARLY + 1):
        ledger.receipt(f"{number}", Receipt.READ)
    ledger.accepted(ledger.asked("ann", "ben", 1.0), f"{EARLY}", 2.0)
    ledger.accepted(ledger.asked("ann", "ben", 1.0), f"{EARLY - 1}", 2.0)
    assert ledger.counts()["read"] == 1


def test_latencies_are_from_the_sender_s_answer_to_the_first_telling() -> None:
    story = Story()
    direct, room = story.sent("ann", "ben", at=1.0), story.sent("ann", "", at=2.0)
    story.ledger.announced("ben", direct, 1.75)
    story.ledger.announced("ben", direct, 9.0)
    story.ledger.announced("cy", room, 2.25)  # before the answer came
    found = sorted(story.ledger.arrivals())
    assert [(each.at, each.latency, each.is_room) for each in found] == [
        (1.75, 0.25, False),
        (2.25, 0.0, True),
    ]
    assert [story.ledger.name(each.node) for each in found] == ["ben", "cy"]


def test_numbers_that_nobody_gave_are_ignored_in_announcements() -> None:
    ledger = Ledger(NODES)
    ledger.announced("ann", 5, 1.0)
    ledger.seen("ann", 5, 1.0)
    assert ledger.missing() == {}
