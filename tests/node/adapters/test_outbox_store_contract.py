"""What every `MessageStore` does about outbox, spool, contacts and own mailboxes, real or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
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
    history,
    number_of,
    numbers,
    save,
    stage_of,
    waiting,
)


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = (
        MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path / "data" / "store")
    )
    made.open()
    yield made
    made.close()


# ---- outbox ----------------------------------------------------------------------------------------


def test_an_outgoing_message_waits_in_the_outbox(store: MessageStore) -> None:
    sealed = envelope(1)
    assert store.save_direct([outgoing(1, envelope=sealed, record_sequence=4)]) == [True]
    queued = records.Delivery(stage=records.QUEUED)
    record = direct_record(1, outgoing=True)
    kept = records.OutboxRecord(
        peer=record.peer,
        id=record.id,
        lamport=record.lamport,
        expires_at_ms=record.expires_at_ms,
        delivery=queued,
        record_sequence=4,
    )
    assert store.outbox(10) == actors.OutboxPage(records=[kept])
    record.delivery.CopyFrom(queued)
    kept.envelope.CopyFrom(sealed)
    entry = actors.OutboxEntry(outbox=kept, record=record)
    assert store.outbox_entries(PEER, [record.id]) == [entry]
    assert history(store) == [record]


def test_a_message_that_is_not_sealed_has_no_envelope_until_it_gets_one(
    store: MessageStore,
) -> None:
    store.save_direct([outgoing(1), outgoing(2)])
    (entry,) = store.outbox_entries(PEER, [message_id(1)])
    assert not entry.outbox.HasField("envelope")
    store.update_outbox([update(1, envelope=envelope(1), record_sequence=8)])
    (entry,) = store.outbox_entries(PEER, [message_id(1)])
    assert (entry.outbox.envelope, entry.outbox.record_sequence) == (envelope(1), 8)
    assert entry.outbox.delivery.stage == records.QUEUED
    store.update_outbox([update(1, envelope=envelope(2)), update(1, envelope=envelope(3))])
    (entry,) = store.outbox_entries(PEER, [message_id(1)])
    assert (entry.outbox.envelope, entry.outbox.record_sequence) == (envelope(3), 0)
    assert waiting(store) == [1, 2]


def test_a_message_of_the_past_never_enters_the_outbox(store: MessageStore) -> None:
    past = outgoing(1)
    past.past = True
    past.record.delivery.stage = records.DELIVERED
    assert store.save_direct([past]) == [True]
    assert (waiting(store), store.outbox_entries(PEER, [message_id(1)])) == ([], [])
    assert stage_of(store, 1) == records.DELIVERED
    store.update_outbox([update(1, stage=records.READ, envelope=envelope(1))])
    assert (waiting(store), stage_of(store, 1)) == ([], records.READ)


def test_incoming_messages_never_enter_the_outbox(store: MessageStore) -> None:
    store.save_direct([incoming(1)])
    store.update_outbox([update(1, stage=records.STORED, envelope=envelope(1))])
    assert (waiting(store), store.outbox_entries(PEER, [message_id(1)])) == ([], [])
    assert not history(store)[0].HasField("delivery")


def test_a_first_delivery_state_may_come_with_the_message(store: MessageStore) -> None:
    record = direct_record(1, outgoing=True)
    record.delivery.stage = records.REFUSED
    record.delivery.reason = "Nobody takes it."
    save(store, record)
    assert history(store) == [record]
    assert store.outbox(1).records[0].delivery == record.delivery


def test_the_outbox_is_in_the_order_of_saving_in_pages(store: MessageStore) -> None:
    order = [5, 3, 9, 1, 7, 2, 8]
    store.save_direct([outgoing(n, peer=n % 3) for n in order[:4]])
    store.save_direct([outgoing(n, peer=n % 3) for n in order[4:]])
    for length in (1, 2, 3, 6, 7, 8):
        seen: list[int] = []
        page = store.outbox(length)
        while page.last:
            seen += [number_of(record.id) for record in page.records]
            page = store.outbox(length, page.last)
        seen += [number_of(record.id) for record in page.records]
        assert seen == order


def test_a_place_in_the_outbox_stays_while_messages_leave_and_enter(store: MessageStore) -> None:
    store.save_direct([outgoing(n) for n in range(6)])
    first = store.outbox(3)
    store.update_outbox([update(n, finished=True) for n in (0, 2, 3)])
    store.save_direct([outgoing(6)])
    rest = store.outbox(9, first.last)
    assert [number_of(record.id) for record in rest.records] == [4, 5, 6]


def test_a_place_in_an_outbox_that_was_emptied_and_opened_again_is_before_what_comes(
    store: MessageStore,
) -> None:
    store.save_direct([outgoing(n) for n in range(3)])
    last = store.outbox(2).last
    store.update_outbox([update(n, finished=True) for n in range(3)])
    assert waiting(store) == []
    store.open()
    store.save_direct([outgoing(7)])
    assert waiting(store) == [7]
    assert [number_of(record.id) for record in store.outbox(9, last).records] == [7]


def test_the_outbox_goes_on_after_a_restart(store: MessageStore) -> None:
    store.save_direct([outgoing(n, envelope=envelope(n)) for n in (3, 1, 2)])
    store.update_outbox([update(1, finished=True)])
    store.close()
    store.open()
    store.save_direct([outgoing(0)])
    assert waiting(store) == [3, 2, 0]
    assert store.outbox_entries(PEER, [message_id(3)])[0].outbox.envelope == envelope(3)


def test_a_finished_message_leaves_the_outbox_and_history_shows_its_state(
    store: MessageStore,
) -> None:
    store.save_direct([outgoing(1, envelope=envelope(1)), outgoing(2)])
    store.update_outbox([update(1, stage=records.STORED), update(2, stage=records.SENDING)])
    assert [record.delivery.stage for record in store.outbox(9).records] == [
        records.STORED,
        records.SENDING,
    ]
    store.update_outbox([update(1, stage=records.DELIVERED, finished=True)])
    assert waiting(store) == [2]
    assert store.outbox_entries(PEER, [message_id(1), message_id(2)])[0].record.text == "message 2"
    assert stage_of(store, 1) == records.DELIVERED
    store.update_outbox([update(1, stage=records.READ, envelope=envelope(1))])
    assert stage_of(store, 1) == records.READ
    assert waiting(store) == [2]
    store.update_outbox([update(2, finished=True)])
    assert (waiting(store), stage_of(store, 2)) == ([], records.SENDING)


def test_updates_of_one_message_in_one_batch_follow_each_other(store: MessageStore) -> None:
    store.save_direct([outgoing(1)])
    store.update_outbox(
        [
            update(1, stage=records.SENDING, envelope=envelope(1)),
            update(1, stage=records.DELIVERED, finished=True),
            update(1, stage=records.READ),
        ]
    )
    assert (waiting(store), stage_of(store, 1)) == ([], records.READ)


def test_a_delivery_state_only_goes_forward(store: MessageStore) -> None:
    store.save_direct([outgoing(1)])
    steps = {
        records.SENDING: True,
        records.STORED: True,
        records.REFUSED: False,
        records.READ: True,
        records.DELIVERED: False,
        records.STAGE_UNSPECIFIED: False,
    }
    for stage, forward in steps.items():
        assert store.update_outbox([update(1, stage=stage)]) == [forward]
    assert stage_of(store, 1) == records.READ
    assert store.update_outbox([update(1, stage=records.DELIVERED, finished=True)]) == [False]
    assert (waiting(store), stage_of(store, 1)) == ([], records.READ)


def test_updates_say_for_each_whether_it_went_forward(store: MessageStore) -> None:
    store.save_direct([outgoing(1), incoming(2)])
    updates = [update(1), update(2, stage=records.READ), update(3, stage=records.READ)]
    updates += [update(1, envelope=envelope(1)), update(1, stage=records.DELIVERED)]
    updates += [update(1, stage=records.DELIVERED), update(1, peer=1, stage=records.READ)]
    assert store.update_outbox(updates) == [False, False, False, False, True, False, False]


def test_a_stage_may_come_to_say_more_until_the_recipient_has_the_message(
    store: MessageStore,
) -> None:
    def said(stage: records.Stage, at_ms: int, reason: str = "", stored: int = 0) -> bool:
        change = update(1, stage=stage)
        change.delivery.stored_at.extend([b"one", b"two", b"three"][:stored])
        change.delivery.reason = reason
        change.delivery.changed_at_ms = at_ms
        (changed,) = store.update_outbox([change])
        return changed

    store.save_direct([outgoing(1)])
    assert said(records.QUEUED, 1, reason="Nobody is there.")
    assert not said(records.QUEUED, 2, reason="Nobody is there.")
    assert said(records.STORED, 3, stored=1)
    assert said(records.STORED, 4, stored=2)
    assert not said(records.STORED, 5, stored=2)
    assert history(store)[0].delivery.changed_at_ms == 4
    assert said(records.DELIVERED, 6, stored=2)
    assert not said(records.DELIVERED, 7)
    assert list(history(store)[0].delivery.stored_at) == [b"one", b"two"]


def test_only_who_a_message_went_to_can_be_its_peer(store: MessageStore) -> None:
    store.save_direct([outgoing(1)])
    store.update_outbox([update(1, peer=1, stage=records.READ, finished=True), update(2)])
    assert (waiting(store), stage_of(store, 1)) == ([1], records.QUEUED)
    assert store.outbox_entries(peer_text(1), [message_id(1)]) == []


def test_outbox_entries_come_as_asked_without_those_that_are_gone(store: MessageStore) -> None:
    store.save_direct([outgoing(n, envelope=envelope(n)) for n in range(5)])
    store.update_outbox([update(2, finished=True)])
    asked = [message_id(number) for number in (4, 2, 9, 0, 4)]
    assert [number_of(e.outbox.id) for e in store.outbox_entries(PEER, asked)] == [4, 0]


def test_a_repeated_outgoing_message_does_not_enter_the_outbox_again(store: MessageStore) -> None:
    store.save_direct([outgoing(1)])
    store.update_outbox([update(1, stage=records.DELIVERED, finished=True)])
    assert store.save_direct([outgoing(1, envelope=envelope(1))]) == [False]
    assert (waiting(store), stage_of(store, 1)) == ([], records.DELIVERED)


def test_a_peer_that_is_none_is_a_value_error_and_nothing_is_written(store: MessageStore) -> None:
    store.save_direct([outgoing(1)])
    wrong = actors.OutboxUpdate(peer="nobody", id=message_id(1), finished=True)
    calls: list[Callable[[], object]] = [
        lambda: store.update_outbox([update(1, finished=True), wrong]),
        lambda: store.outbox_entries("", [message_id(1)]),
        lambda: store.direct_history("0OIl", 1),
        lambda: store.conversation_head("ä"),
        lambda: store.mark_read("nobody", [message_id(1)], True),
        lambda: store.settle_receipts(actors.PeerReceipts()),
        lambda: store.delete_contact("nobody"),
    ]
    for call in calls:
        with pytest.raises(ValueError):
            call()
    assert waiting(store) == [1]


# ---- spool -----------------------------------------------------------------------------------------


def test_spooled_envelopes_come_back_in_order_and_once(store: MessageStore) -> None:
    first, second, third = envelope(9), envelope(1), envelope(5)
    store.spool([first, second, first])
    store.spool([second, third, first])
    assert store.spooled(10) == [first, second, third]
    assert store.spooled(2) == [first, second]
    store.close()
    store.open()
    store.spool([first, envelope(0)])
    assert store.spooled(10) == [first, second, third, envelope(0)]


def test_dropped_envelopes_are_gone_and_may_come_again(store: MessageStore) -> None:
    store.spool([envelope(n) for n in range(4)])
    store.drop_spooled([envelope_id(envelope(0)), b"unknown", envelope_id(envelope(2))])
    assert store.spooled(10) == [envelope(1), envelope(3)]
    store.spool([envelope(0)])
    assert store.spooled(10) == [envelope(1), envelope(3), envelope(0)]


def test_a_saved_message_takes_its_envelope_out_of_the_spool(store: MessageStore) -> None:
    store.spool([envelope(n) for n in range(4)])
    ids = [envelope_id(envelope(n)) for n in range(4)]
    store.save_direct([incoming(1, spooled=ids[0]), incoming(2, spooled=ids[1])])
    assert store.spooled(10) == [envelope(2), envelope(3)]
    assert store.save_direct([incoming(1, spooled=ids[2]), incoming(3)]) == [False, True]
    assert store.spooled(10) == [envelope(3)]


def test_an_emptied_spool_goes_on(store: MessageStore) -> None:
    for number in range(3):
        store.spool([envelope(number)])
        assert store.spooled(1) == [envelope(number)]
        store.drop_spooled([envelope_id(envelope(number))])
        assert store.spooled(1) == []
        store.open()


def test_a_page_of_the_spool_has_a_bound_in_bytes(store: MessageStore) -> None:
    large = [envelope(n, size=250_000) for n in range(50)]
    store.spool(large)
    seen: list[wire.Envelope] = []
    while page := store.spooled(1000):
        assert sum(one.ByteSize() for one in page) <= 8 << 20
        seen += page
        store.drop_spooled([envelope_id(one) for one in page])
    assert seen == large


# ---- contacts --------------------------------------------------------------------------------------


def test_contacts_are_kept_until_they_are_deleted(store: MessageStore) -> None:
    assert store.contacts() == []
    made = [records.Contact(peer=direct_record(1, peer=n).peer, name=f"{n}") for n in range(3)]
    for contact in reversed(made):
        store.save_contact(contact)
    made[1].name = "Ada"
    store.save_contact(made[1])
    made[1].nick = "changed afterwards"
    made[1].ClearField("nick")
    assert store.contacts() == made
    store.delete_contact(peer_text(0))
    store.delete_contact(peer_text(9))
    store.close()
    store.open()
    assert store.contacts() == made[1:]


def test_own_mailboxes_are_the_last_ones_saved(store: MessageStore) -> None:
    assert store.load_own_mailboxes() == records.OwnMailboxes()
    own = records.OwnMailboxes(mailboxes=[records.OwnMailbox(token="t")], record_sequence=3)
    store.save_own_mailboxes(records.OwnMailboxes(record_sequence=2))
    store.save_own_mailboxes(own)
    store.close()
    store.open()
    assert store.load_own_mailboxes() == own
    assert store.load_profile() == records.Profile()


def test_deleting_a_contact_keeps_the_conversation(store: MessageStore) -> None:
    store.save_contact(records.Contact(peer=direct_record(1).peer))
    store.save_direct([incoming(1), outgoing(2)])
    store.delete_contact(PEER)
    assert numbers(store) == [1, 2]
    assert waiting(store) == [2]
