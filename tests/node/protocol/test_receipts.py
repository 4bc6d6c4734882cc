"""Receipts gather for a moment. Times are seconds."""

from __future__ import annotations

import pytest

from p2pchat.node.protocol import receipts
from p2pchat.node.protocol.limits import MAX_RECEIPTS
from p2pchat.node.protocol.receipts import GATHER, DueReceipts
from p2pchat.proto import actors_pb2 as actors
from tests.direct_builders import MADE_AT_MS, message_id

SOON = 10.0 + GATHER


def ids(*numbers: int) -> list[bytes]:
    return [message_id(number) for number in numbers]


def batch(peer: str, delivered: list[bytes], read: list[bytes]) -> actors.PeerReceipts:
    return actors.PeerReceipts(peer=peer, delivered=delivered, read=read)


def test_nothing_is_due_of_nothing() -> None:
    due = DueReceipts()
    due.delivered("bob", [], 10.0)
    due.read("bob", [], 10.0)
    assert due.next_due() is None
    assert due.due(1000.0) == []
    assert len(due) == 0


def test_receipts_gather_from_the_first_one_on() -> None:
    due = DueReceipts()
    due.delivered("bob", ids(1), 10.0)
    due.delivered("bob", ids(2), 10.2)
    assert due.next_due() == SOON
    assert due.due(SOON - 0.001) == []
    assert due.due(SOON) == [batch("bob", ids(1, 2), [])]
    assert due.due(1000.0) == []
    assert due.next_due() is None


def test_each_peer_has_an_envelope_and_a_time_of_its_own() -> None:
    due = DueReceipts()
    due.delivered("bob", ids(1), 10.0)
    due.read("carol", ids(1), 10.1)
    assert due.due(SOON) == [batch("bob", ids(1), [])]
    assert due.next_due() == 10.1 + GATHER
    assert due.due(1000.0) == [batch("carol", [], ids(1))]


def test_read_says_delivered_as_well() -> None:
    due = DueReceipts()
    due.delivered("bob", ids(1, 2), 10.0)
    due.read("bob", ids(1), 10.0)
    due.delivered("bob", ids(1), 10.0)
    assert len(due) == 2
    assert due.due(SOON) == [batch("bob", ids(2), ids(1))]


def test_the_same_receipt_twice_is_one() -> None:
    due = DueReceipts()
    due.delivered("bob", ids(1, 1), 10.0)
    due.delivered("bob", ids(1), 10.1)
    due.read("bob", ids(2, 2), 10.1)
    assert len(due) == 2
    assert due.due(SOON) == [batch("bob", ids(1), ids(2))]


def test_what_is_read_after_its_receipt_was_sent_gets_another() -> None:
    due = DueReceipts()
    due.delivered("bob", ids(1), 10.0)
    due.due(SOON)
    due.read("bob", ids(1), 20.0)
    assert due.due(20.0 + GATHER) == [batch("bob", [], ids(1))]


def test_enough_for_an_envelope_does_not_wait() -> None:
    due = DueReceipts()
    due.delivered("bob", ids(*range(MAX_RECEIPTS)), 10.0)
    assert due.next_due() == 10.0
    assert len(due.due(10.0)) == 1


@pytest.mark.parametrize("read", [0, 1, MAX_RECEIPTS, 2 * MAX_RECEIPTS])
@pytest.mark.parametrize("delivered", [1, MAX_RECEIPTS, MAX_RECEIPTS + 1])
def test_more_than_an_envelope_takes_goes_into_several(delivered: int, read: int) -> None:
    due = DueReceipts()
    due.delivered("bob", ids(*range(delivered)), 10.0)
    due.read("bob", ids(*range(100_000, 100_000 + read)), 10.0)
    batches = due.due(SOON)
    sizes = [len(one.delivered) + len(one.read) for one in batches]
    assert all(size == MAX_RECEIPTS for size in sizes[:-1])
    assert 0 < sizes[-1] <= MAX_RECEIPTS
    assert [i for one in batches for i in one.delivered] == ids(*range(delivered))
    assert [i for one in batches for i in one.read] == ids(*range(100_000, 100_000 + read))
    assert len(due) == 0


def test_the_content_carries_the_receipts_and_no_text() -> None:
    owed = batch("bob", ids(1, 2), ids(3))
    content = receipts.content_of(owed, message_id(9), "Ada", MADE_AT_MS)
    assert content.WhichOneof("body") == "receipts"
    assert list(content.receipts.delivered) == ids(1, 2)
    assert list(content.receipts.read) == ids(3)
    assert (content.id, content.nick) == (message_id(9), "Ada")
    assert content.sent_at_ms == content.lamport == MADE_AT_MS
