"""What every `MessageStore` does about direct messages, real or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore, RoomHead
from p2pchat.node.protocol.room_message import MAX_AHEAD_MS
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.builders import room_record
from tests.direct_builders import (
    PEER,
    direct_record,
    envelope,
    incoming,
    message_id,
    outgoing,
    peer_text,
    update,
)
from tests.node.adapters.direct_store_views import (
    due,
    history,
    number_of,
    numbers,
    save,
    settle,
    waiting,
)

MAX_U64 = 2**64 - 1


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = (
        MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path / "data" / "store")
    )
    made.open()
    yield made
    made.close()


# ---- conversations ---------------------------------------------------------------------------------


def test_what_is_saved_comes_back_whole(store: MessageStore) -> None:
    record = direct_record(7, text="grüße 🦀 \x00 \x1b[31m")
    record.parents.extend([b"p" * 16, b"q" * 16])
    assert save(store, record) == [True]
    assert history(store) == [record]


def test_nobody_shares_an_object_with_the_store(store: MessageStore) -> None:
    record = direct_record(1, outgoing=True)
    record.delivery.stage = records.SENDING
    save(store, record)
    assert record.delivery.stage == records.SENDING
    record.text = "changed afterwards"
    history(store)[0].text = "changed by a reader"
    assert history(store)[0].text == "message 1"


def test_a_conversation_is_ordered_by_lamport_then_id(store: MessageStore) -> None:
    wanted = [
        direct_record(9, lamport=1),
        direct_record(1, lamport=2),
        direct_record(1, lamport=2, outgoing=True),
        direct_record(2, lamport=2, outgoing=True),
        direct_record(0, lamport=255),
        direct_record(5, lamport=MAX_U64),
    ]
    for record in wanted:
        if record.outgoing:
            record.delivery.stage = records.QUEUED
    assert save(store, *reversed(wanted)) == [True] * 6
    assert history(store) == wanted


def test_a_page_holds_the_newest_and_its_first_leads_to_the_page_before(
    store: MessageStore,
) -> None:
    save(store, *(direct_record(n, outgoing=n % 2 == 0) for n in range(25)))
    before, pages = b"", []
    while (page := store.direct_history(PEER, 10, before)).records:
        pages.append([int(record.lamport) for record in page.records])
        before = page.first
        save(store, direct_record(100 + len(pages)))
    assert pages == [[*range(15, 25)], [*range(5, 15)], [*range(5)]]
    assert page.first == b""


@pytest.mark.parametrize("before", [b"\x00", b"\xff" * 60, b"nonsense"])
def test_an_invented_position_harms_nobody(store: MessageStore, before: bytes) -> None:
    save(store, *(direct_record(number, peer=number) for number in range(3)))
    page = store.direct_history(peer_text(1), 5, before)
    assert {number_of(record.id) for record in page.records} <= {1}


def test_conversations_do_not_mix(store: MessageStore) -> None:
    peers = [0, 1, 255, 256, 2**127]
    save(store, *(direct_record(peer, peer=peer, lamport=peer % 2 * MAX_U64) for peer in peers))
    for peer in peers:
        assert numbers(store, peer) == [peer]
        assert store.conversation_head(peer_text(peer)).parents == (message_id(peer),)


def test_peers_and_ids_of_any_length_are_kept_apart(store: MessageStore) -> None:
    batch = [
        records.DirectRecord(peer=peer, id=id_)
        for peer, id_ in ((b"ab", b"c"), (b"a", b"bc"), (b"", b"abc"), (b"abc", b""), (b"", b""))
    ]
    assert save(store, *batch) == [True] * 5
    assert save(store, *batch) == [False] * 5


def test_a_repeated_message_changes_nothing(store: MessageStore) -> None:
    save(store, direct_record(1, text="first"))
    repeated = direct_record(1, text="second", lamport=77)
    assert save(store, repeated, direct_record(2), repeated, direct_record(2)) == [
        False,
        True,
        False,
        False,
    ]
    assert [record.text for record in history(store)] == ["first", "message 2"]


def test_the_same_id_of_two_senders_is_two_messages(store: MessageStore) -> None:
    batch = [
        direct_record(1),
        direct_record(1, outgoing=True),
        direct_record(1, peer=1),
        direct_record(1, peer=1, outgoing=True),
    ]
    assert save(store, *batch) == [True] * 4
    assert (len(history(store)), len(history(store, 1))) == (2, 2)


def test_the_head_is_the_newest_lamport_time_and_up_to_three_newest_ids(
    store: MessageStore,
) -> None:
    assert store.conversation_head(PEER) == RoomHead(0, ())
    save(store, direct_record(1, lamport=10))
    assert store.conversation_head(PEER) == RoomHead(10, (message_id(1),))
    save(store, *(direct_record(n, lamport=20 - n, outgoing=n % 2 == 0) for n in (2, 3, 4, 5)))
    assert store.conversation_head(PEER) == RoomHead(18, tuple(map(message_id, (2, 3, 4))))


def test_nobody_owns_the_end_of_a_conversation_for_ever(store: MessageStore) -> None:
    spam = direct_record(1, lamport=MAX_U64, text="spam")
    days_later = direct_record(2, lamport=spam.received_at_ms + 2 * MAX_AHEAD_MS, text="honest")
    days_later.received_at_ms = spam.received_at_ms + 2 * MAX_AHEAD_MS
    save(store, days_later, spam)
    assert [record.text for record in history(store)] == ["spam", "honest"]
    assert history(store)[0].lamport == MAX_U64


def test_an_empty_batch_is_nothing(store: MessageStore) -> None:
    assert store.save_direct([]) == []
    store.update_outbox([])
    store.spool([])
    store.drop_spooled([])
    store.settle_receipts(actors.PeerReceipts(peer=PEER))
    assert store.mark_read(PEER, [], True) == []
    assert store.outbox_entries(PEER, []) == []


# ---- receipts and read marks -----------------------------------------------------------------------


def test_receipts_are_due_until_they_are_settled(store: MessageStore) -> None:
    store.save_direct([incoming(1, receipt_due=True), incoming(2), incoming(3, receipt_due=True)])
    store.save_direct([incoming(4, peer=1, receipt_due=True)])
    assert due(store) == {PEER: ([1, 3], []), peer_text(1): ([4], [])}
    settle(store, delivered=[1, 2, 99])
    assert due(store) == {PEER: ([3], []), peer_text(1): ([4], [])}
    settle(store, delivered=[3, 4])
    assert due(store) == {peer_text(1): ([4], [])}
    store.close()
    store.open()
    settle(store, delivered=[4], peer=1)
    assert due(store) == {}


def test_due_receipts_are_at_most_as_many_as_asked_for_the_oldest_first(
    store: MessageStore,
) -> None:
    store.save_direct([incoming(n, peer=n % 2, receipt_due=True) for n in (5, 4, 3, 2, 1)])
    assert due(store, 3) == {peer_text(1): ([5, 3], []), PEER: ([4], [])}
    settle(store, delivered=[5, 3], peer=1)
    assert due(store, 3) == {PEER: ([4, 2], []), peer_text(1): ([1], [])}


def test_a_repeated_message_makes_its_receipt_due_again_once(store: MessageStore) -> None:
    store.save_direct([incoming(1, receipt_due=True), incoming(2)])
    settle(store, delivered=[1])
    again = [incoming(n, receipt_due=True) for n in (1, 2, 1)]
    assert store.save_direct(again) == [False] * 3
    assert due(store) == {PEER: ([1, 2], [])}
    settle(store, delivered=[1, 2])
    assert due(store) == {}


def test_outgoing_messages_owe_no_receipts(store: MessageStore) -> None:
    store.save_direct([actors.DirectSave(record=direct_record(1, outgoing=True), receipt_due=True)])
    assert due(store) == {}
    assert waiting(store) == [1]


def test_marking_read_says_which_were_not_read_before(store: MessageStore) -> None:
    store.save_direct([incoming(1), incoming(2), incoming(3, peer=1), outgoing(4)])
    assert not any(record.read for record in history(store))
    asked = [message_id(number) for number in (2, 4, 3, 99, 2)]
    assert store.mark_read(PEER, asked, True) == [message_id(2)]
    assert store.mark_read(PEER, [message_id(1), message_id(2)], True) == [message_id(1)]
    assert [record.read for record in history(store)] == [True, True, False]
    assert due(store) == {PEER: ([], [2, 1])}


def test_a_read_receipt_replaces_the_delivered_one_that_is_still_due(store: MessageStore) -> None:
    store.save_direct([incoming(n, receipt_due=True) for n in (1, 2)])
    store.mark_read(PEER, [message_id(1)], True)
    assert due(store) == {PEER: ([2], [1])}
    # That it was delivered had been sent when it became due as read.
    settle(store, delivered=[1, 2])
    assert due(store) == {PEER: ([], [1])}
    assert store.save_direct([incoming(1, receipt_due=True)]) == [False]
    assert due(store) == {PEER: ([], [1])}
    settle(store, read=[1])
    assert due(store) == {}


def test_reading_without_telling_leaves_what_is_due(store: MessageStore) -> None:
    store.save_direct([incoming(1, receipt_due=True), incoming(2)])
    assert len(store.mark_read(PEER, [message_id(1), message_id(2)], False)) == 2
    assert due(store) == {PEER: ([1], [])}
    assert store.mark_read(PEER, [message_id(1)], True) == []
    assert due(store) == {PEER: ([1], [])}
    settle(store, read=[1])  # says delivered as well
    assert due(store) == {}


def test_a_repeated_message_stays_read(store: MessageStore) -> None:
    store.save_direct([incoming(1)])
    store.mark_read(PEER, [message_id(1)], False)
    store.save_direct([incoming(1, receipt_due=True)])
    assert history(store)[0].read
    store.open()
    assert history(store)[0].read


def test_a_message_may_be_saved_as_read(store: MessageStore) -> None:
    record = direct_record(1)
    record.read = True
    save(store, record)
    assert history(store) == [record]
    assert store.mark_read(PEER, [record.id], True) == []


# ---- all of it -------------------------------------------------------------------------------------


def test_rooms_and_conversations_do_not_mix(store: MessageStore) -> None:
    store.append([room_record(1)])
    store.save_direct([incoming(1), outgoing(2)])
    assert store.describe().messages == 3
    assert numbers(store) == [1, 2]


CALLS: list[Callable[[MessageStore], object]] = [
    lambda store: store.save_direct([incoming(1)]),
    lambda store: store.update_outbox([update(1, finished=True)]),
    lambda store: store.spool([envelope(1)]),
    lambda store: store.drop_spooled([b""]),
    lambda store: store.mark_read(PEER, [message_id(1)], True),
    lambda store: store.settle_receipts(actors.PeerReceipts(peer=PEER)),
    lambda store: store.save_contact(records.Contact()),
    lambda store: store.delete_contact(PEER),
    lambda store: store.spooled(1),
    lambda store: store.outbox(1),
    lambda store: store.outbox_entries(PEER, [message_id(1)]),
    lambda store: store.direct_history(PEER, 1),
    lambda store: store.conversation_head(PEER),
    lambda store: store.due_receipts(1),
    lambda store: store.contacts(),
    lambda store: store.load_own_mailboxes(),
    lambda store: store.save_own_mailboxes(records.OwnMailboxes()),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_store_says_so(
    store: MessageStore, call: Callable[[MessageStore], object]
) -> None:
    store.close()
    with pytest.raises(StoreError, match="not open"):
        call(store)
