"""The steps of a transfer: which can be taken from where, and what is due to the other side then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol import file_transfer as rules
from p2pchat.node.protocol.file_policy import MAX_SIZE, FilePolicy
from p2pchat.node.protocol.file_transfer import PART, Transfer
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

PEER = Identity(bytes(32)).peer_bytes
ID = bytes(range(16))
Answer = wire.FileAnswer
Step = Callable[[Transfer], Transfer | None]


def transfer(
    state: records.TransferState = records.OFFERED, *, outgoing: bool = False, **fields: object
) -> Transfer:
    size = fields.pop("size", 3 * PART + 5)
    offer = wire.FileOffer(name="a", size=size, digest=bytes(32), transfer=ID)  # type: ignore[arg-type]
    return Transfer(peer=PEER, outgoing=outgoing, offer=offer, state=state, **fields)  # type: ignore[arg-type]


def done(record: Transfer | None) -> Transfer:
    assert record is not None
    return record


def part(offset: int, length: int = PART) -> wire.FilePart:
    return wire.FilePart(transfer=ID, offset=offset, data=bytes(length))


@pytest.mark.parametrize(
    ("step", "state", "due"),
    [
        (rules.accepted, records.WAITING, Answer.WANTED),
        (rules.declined, records.DECLINED, Answer.NOT_WANTED),
        (rules.cancelled, records.CANCELLED, Answer.NOT_WANTED),
    ],
)
def test_what_a_recipient_can_do_about_an_offer(
    step: Step, state: records.TransferState, due: int
) -> None:
    after = done(step(transfer()))
    assert (after.state, after.answer_due) == (state, due)


@pytest.mark.parametrize("step", [rules.accepted, rules.declined])
@pytest.mark.parametrize(
    "record",
    [transfer(outgoing=True), transfer(records.WAITING), transfer(records.FINISHED)],
)
def test_only_an_unanswered_offer_of_others_can_be_answered(step: Step, record: Transfer) -> None:
    assert step(record) is None


@pytest.mark.parametrize(
    "state", [records.FINISHED, records.DECLINED, records.CANCELLED, records.FAILED]
)
@pytest.mark.parametrize("outgoing", [True, False])
def test_what_is_over_stays_as_it_is(state: records.TransferState, outgoing: bool) -> None:
    record = transfer(state, outgoing=outgoing)
    assert rules.cancelled(record) is None
    assert rules.failed(record, "why") is None
    assert rules.waits(record, "why") is None
    for kind in (Answer.NOT_WANTED, Answer.RECEIVED):
        assert rules.heard(record, Answer(transfer=ID, kind=kind)) is None


def test_a_sender_hears_answers() -> None:
    offered = transfer(outgoing=True)
    wanted = done(rules.heard(offered, Answer(kind=Answer.WANTED, by_mailbox=77)))
    assert (wanted.state, wanted.taken_by_mailbox) == (records.WAITING, 77)
    got = done(rules.heard(wanted, Answer(kind=Answer.RECEIVED)))
    assert (got.state, got.done) == (records.FINISHED, got.offer.size)
    no = Answer(kind=Answer.NOT_WANTED)
    assert done(rules.heard(offered, no)).state == records.DECLINED
    assert done(rules.heard(wanted, no)).state == records.CANCELLED


def test_a_recipient_hears_only_that_it_was_withdrawn() -> None:
    for kind in (Answer.WANTED, Answer.NOT_WANTED, Answer.RECEIVED):
        assert rules.heard(transfer(records.WAITING), Answer(kind=kind)) is None
    withdrawn = done(rules.heard(transfer(records.WAITING), Answer(kind=Answer.WITHDRAWN)))
    assert withdrawn.state == records.CANCELLED


def test_who_wants_what_was_withdrawn_is_told_again() -> None:
    record = transfer(records.CANCELLED, outgoing=True)
    again = done(rules.heard(record, Answer(kind=Answer.WANTED)))
    assert (again.state, again.answer_due) == (records.CANCELLED, Answer.WITHDRAWN)


def test_an_answer_is_due_until_that_very_one_was_told() -> None:
    accepted = done(rules.accepted(transfer()))
    cancelled = done(rules.cancelled(accepted))
    assert rules.told(cancelled, Answer.WANTED) is None
    assert done(rules.told(cancelled, Answer.NOT_WANTED)).answer_due == 0


@pytest.mark.parametrize(
    ("policy", "chosen", "offers", "state", "due"),
    [
        (FilePolicy(), True, 0, None, 0),
        (FilePolicy(), False, 0, None, 0),
        (FilePolicy(accept="contacts"), True, 0, records.WAITING, Answer.WANTED),
        (FilePolicy(accept="contacts"), False, 0, None, 0),
        (FilePolicy(accept="never"), True, 0, records.DECLINED, Answer.NOT_WANTED),
        (FilePolicy(accept="never"), False, 0, records.DECLINED, 0),
        (FilePolicy(max_size=10), True, 0, records.DECLINED, Answer.NOT_WANTED),
        (FilePolicy(), True, rules.MAX_OFFERS, records.DECLINED, Answer.NOT_WANTED),
        (FilePolicy(), False, rules.MAX_STRANGERS_OFFERS, records.DECLINED, 0),
    ],
)
def test_what_the_owner_has_decided_beforehand(
    policy: FilePolicy, chosen: bool, offers: int, state: records.TransferState | None, due: int
) -> None:
    after = rules.judged(transfer(), policy, chosen=chosen, offers=offers)
    assert (after.state if after else None) == state
    assert (after.answer_due if after else 0) == due


def test_parts_may_come_in_any_order() -> None:
    record = done(rules.accepted(transfer()))
    size = record.offer.size
    for offset, reaches in ((PART, 0), (3 * PART, 0), (PART, 0), (0, 2 * PART), (2 * PART, size)):
        record = done(rules.with_part(record, offset))
        assert record.done == reaches
    assert not record.parts
    assert record.by_mailbox


def test_a_part_meets_what_came_over_a_stream() -> None:
    record = done(rules.with_part(done(rules.accepted(transfer())), 2 * PART))
    assert done(rules.advanced(record, PART + 7)).done == PART + 7
    assert done(rules.advanced(record, 2 * PART + 1)).done == 3 * PART
    assert list(done(rules.rewound(record, 5)).parts) == []


@pytest.mark.parametrize(
    "wrong",
    [part(1), part(4 * PART), part(3 * PART), part(0, 5), part(3 * PART, 6), part(1 << 60)],
)
def test_wrong_parts_are_not_taken(wrong: wire.FilePart) -> None:
    assert not rules.takes_part(done(rules.accepted(transfer())), wrong, FilePolicy())


def test_only_parts_of_small_wanted_files_are_taken() -> None:
    wanted = done(rules.accepted(transfer()))
    assert rules.takes_part(wanted, part(0), FilePolicy())
    assert rules.takes_part(wanted, part(3 * PART, 5), FilePolicy())
    assert not rules.takes_part(wanted, part(0), FilePolicy(by_mailbox=PART))
    assert not rules.takes_part(transfer(), part(0), FilePolicy())
    assert not rules.takes_part(transfer(records.WAITING, outgoing=True), part(0), FilePolicy())


def test_a_file_goes_by_mailbox_if_it_is_small_enough_for_both() -> None:
    record = transfer(records.WAITING, outgoing=True, taken_by_mailbox=1 << 20)
    assert rules.goes_by_mailbox(record, FilePolicy())
    assert not rules.goes_by_mailbox(record, FilePolicy(by_mailbox=PART))
    record.taken_by_mailbox = PART
    assert not rules.goes_by_mailbox(record, FilePolicy())


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (records.OFFERED, ""),
        (records.WAITING, ""),
        (records.FINISHED, "unknown"),
        (records.DECLINED, "unknown"),
        (records.CANCELLED, "withdrawn"),
        (records.FAILED, "changed"),
    ],
)
def test_why_somebody_gets_nothing(state: records.TransferState, word: str) -> None:
    assert rules.refusal_of(transfer(state, outgoing=True)) == word
    assert rules.refusal_of(None) == "unknown"


def offer(**fields: object) -> wire.FileOffer:
    good: dict[str, object] = {"name": "a", "size": 1, "digest": bytes(32), "transfer": ID}
    return wire.FileOffer(**(good | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        offer(name=""),
        offer(name="x" * 256),
        offer(size=MAX_SIZE + 1),
        offer(digest=b"short"),
        offer(transfer=bytes(16)),
    ],
)
def test_offers_that_nobody_makes(bad: wire.FileOffer) -> None:
    assert rules.flaw_in_offer(bad, ID)
    assert rules.flaw_in_offer(offer(), ID) is None


@pytest.mark.parametrize(
    "bad",
    [
        Answer(transfer=b"short", kind=Answer.WANTED),
        Answer(transfer=ID),
        Answer(transfer=ID, kind=99),  # type: ignore[arg-type]
        wire.FilePart(transfer=ID),
        part(0, PART + 1),
        wire.FilePart(transfer=b"", data=b"x"),
    ],
)
def test_words_that_nobody_says(bad: wire.FileAnswer | wire.FilePart) -> None:
    assert rules.flaw_in_note(bad)


def fared(record: Transfer, stage: records.Stage, reason: str = "") -> Transfer | None:
    return rules.message_fared(record, records.Delivery(stage=stage, reason=reason))


def test_an_offer_says_why_it_is_refused_until_it_arrives() -> None:
    refused = done(fared(transfer(outgoing=True), records.REFUSED, "The mailbox is full."))
    assert (refused.state, refused.problem) == (records.OFFERED, "The mailbox is full.")
    assert fared(refused, records.SENDING) is None
    assert not done(fared(refused, records.STORED)).problem
    assert done(fared(transfer(outgoing=True), records.REFUSED)).problem


def test_an_offer_that_expired_is_over_and_nobody_is_told() -> None:
    after = done(fared(transfer(outgoing=True), records.EXPIRED))
    assert (after.state, after.answer_due) == (records.CANCELLED, 0)
    assert after.problem == rules.GIVEN_UP


def test_only_own_unanswered_offers_depend_on_their_message() -> None:
    for record in (transfer(), transfer(records.WAITING, outgoing=True)):
        assert fared(record, records.EXPIRED) is None


def test_who_takes_the_message_back_withdraws_the_file() -> None:
    own = done(rules.message_retracted(transfer(records.WAITING, outgoing=True)))
    assert (own.state, own.answer_due) == (records.CANCELLED, Answer.WITHDRAWN)
    others = done(rules.message_retracted(transfer(records.WAITING)))
    assert (others.state, others.answer_due) == (records.CANCELLED, 0)
    assert rules.message_retracted(transfer(records.FINISHED)) is None
