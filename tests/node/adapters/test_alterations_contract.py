"""What every store does about edits, retractions, local deletes and what is unread, real or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from p2pchat.node.adapters import memory_direct, memory_rooms, rocksdb_alterations
from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.items import START, item_of
from p2pchat.node.protocol.search_query import peer_place, room_place
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.alteration_builders import direct_edit, room_edit, unseen
from tests.builders import ROOM, room_record, sender_bytes
from tests.direct_builders import PEER, incoming, message_id, outgoing, peer_text
from tests.failing_disk import FailingSync
from tests.room_recount import END


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path)
    made.open()
    yield made
    made.close()


def texts(store: MessageStore, room: str = ROOM) -> list[str]:
    return [_reads(r.message.text, r.alteration) for r in store.history(room, 1000).records]


def direct_texts(store: MessageStore, peer: str = PEER) -> list[str]:
    return [_reads(r.text, r.alteration) for r in store.direct_history(peer, 1000).records]


def _reads(text: str, alteration: records.Alteration) -> str:
    if alteration.retracted:
        assert not text
        assert not alteration.text
        return "-"
    return alteration.text or text


def unread(store: MessageStore) -> dict[str, int]:
    return {each.room or each.peer: each.unread for each in store.unread()}


class Index:
    """Follows the arrivals of a store as a search index does, and says which words are to be found."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self._found: dict[tuple[str, bytes], str] = {}
        store.arrivals.set_follower(b"index")

    def words(self) -> list[str]:
        while (page := self._store.arrivals.oldest(3)).last:
            for change in page.changes:
                at = change.spot.place, change.spot.key
                if change.deleted:
                    # It forgets a text only when it is told the same one again.
                    assert self._found.pop(at, change.text) == change.text
                else:
                    assert self._found.setdefault(at, change.text) == change.text
            self._store.arrivals.drop(page.last)
        return sorted(self._found.values())

    def hits(self) -> list[str]:
        """What the store gives for all that is found."""
        self.words()
        hits: list[str] = []
        for place, key in self._found:
            if place == room_place(ROOM):
                rooms = self._store.found_room_messages(ROOM, [key])
                hits += [_reads(r.message.text, r.alteration) for r in rooms]
            elif place == peer_place(PEER):
                direct = self._store.found_direct_messages(PEER, [key])
                hits += [_reads(r.text, r.alteration) for r in direct]
        return sorted(hits)


def scanned(store: MessageStore) -> list[str]:
    found: list[str] = []
    after = b""
    while (page := store.arrivals.scan(2, after)).last:
        found += [change.text for change in page.changes]
        after = page.last
    return sorted(found)


# ---- rooms -----------------------------------------------------------------------------------------


def test_an_edit_is_read_in_its_message_and_not_listed(store: MessageStore) -> None:
    assert store.append([room_record(1), room_record(2), room_edit(3, 1, "better")]) == [True] * 3
    first, second = store.history(ROOM, 10).records
    assert (first.message.text, first.alteration.text) == ("message 1", "better")
    assert first.alteration.edited_at_ms == room_edit(3, 1, "better").message.sent_at_ms
    assert not second.HasField("alteration")


def test_for_sync_everything_stays_as_it_came(store: MessageStore) -> None:
    batch = [room_record(1), room_edit(2, 1, "better"), room_edit(3, 1)]
    store.append(batch)
    store.delete_room_message(ROOM, sender_bytes(0), message_id(1))
    items = [item_of(record.message) for record in batch]
    assert [*store.item_set(ROOM).items(START, END, 9)] == items
    assert store.room_messages(ROOM, items) == batch
    assert store.append(batch) == [False] * 3


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_what_counts_does_not_depend_on_the_order(
    store: MessageStore, order: tuple[int, ...]
) -> None:
    batch = [
        room_record(1),
        room_edit(5, 1, "first"),
        room_edit(9, 1, "last"),
        room_edit(7, 1, "middle"),
    ]
    for place in order:
        store.append([batch[place]])
    assert texts(store) == ["last"]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_a_retraction_is_for_good_however_late_an_edit_is(
    store: MessageStore, order: tuple[int, ...]
) -> None:
    batch = [room_record(1), room_edit(5, 1), room_edit(9, 1, "and yet")]
    for place in order:
        store.append([batch[place]])
    assert texts(store) == ["-"]
    [found] = store.history(ROOM, 1).records
    assert found.message.text == found.alteration.text == ""


def test_nobody_alters_what_somebody_else_has_said(store: MessageStore) -> None:
    store.append([room_record(1), room_edit(2, 1, "mine", sender=1), room_edit(3, 1, sender=2)])
    assert texts(store) == ["message 1"]
    assert store.altered([room_record(1), room_record(1, sender=1)]) == [False, True]


def test_an_edit_waits_for_its_message_over_a_restart(store: MessageStore) -> None:
    store.append([room_edit(2, 1, "better")])
    store.close()
    store.open()
    assert store.history(ROOM, 10).records == []
    assert store.history(ROOM, 10).first == b""
    assert store.altered([room_record(1)]) == [True]
    store.append([room_record(1)])
    assert texts(store) == ["better"]


def test_pages_are_full_whatever_is_not_listed(store: MessageStore) -> None:
    said = [room_record(10 * n) for n in range(1, 9)]
    edits = [room_edit(10 * n + i, 10 * n, f"{n}.{i}") for n in range(1, 9) for i in range(1, 10)]
    store.append([*said, *edits])
    page = store.history(ROOM, 3)
    assert [r.alteration.text for r in page.records] == ["6.9", "7.9", "8.9"]
    page = store.history(ROOM, 3, page.first)
    assert [r.alteration.text for r in page.records] == ["3.9", "4.9", "5.9"]
    page = store.history(ROOM, 3, page.first)
    assert [r.alteration.text for r in page.records] == ["1.9", "2.9"]
    assert store.history(ROOM, 3, page.first).records == []


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (memory_rooms, memory_direct, rocksdb_alterations):
        monkeypatch.setattr(module, "MOST_PASSED", 10)


@pytest.mark.usefixtures("short_patience")
def test_a_flood_of_edits_is_passed_over_in_parts(store: MessageStore) -> None:
    store.append([room_record(1), room_record(2)])
    store.append([room_edit(number, 1, "x") for number in range(100, 700)])
    store.save_direct([incoming(1), incoming(2)])
    store.save_direct([direct_edit(number, 1, "x") for number in range(100, 700)])
    pages = [store.history(ROOM, 1)]
    direct = [store.direct_history(PEER, 1)]
    assert not pages[0].records
    while pages[-1].first:
        pages.append(store.history(ROOM, 1, pages[-1].first))
    while direct[-1].first:
        direct.append(store.direct_history(PEER, 1, direct[-1].first))
    assert len(pages) > 5
    assert len(direct) > 5
    assert [r.message.id for page in pages for r in page.records] == [message_id(2), message_id(1)]
    assert [r.id for page in direct for r in page.records] == [message_id(2), message_id(1)]


def test_nobody_hides_a_message_by_repeating_its_id(store: MessageStore) -> None:
    store.append([room_record(1)])
    store.append([room_record(1, sender=1, text=f"copy {number}") for number in range(800)])
    [found] = store.named_room_messages(ROOM, [(sender_bytes(0), message_id(1))])
    assert found.message.text == "message 1"
    assert store.delete_room_message(ROOM, sender_bytes(0), message_id(1))
    assert store.named_room_messages(ROOM, [(sender_bytes(0), message_id(1))]) == []


def test_messages_are_found_by_sender_and_id(store: MessageStore) -> None:
    store.append([room_record(1), room_record(1, sender=1, text="other"), room_edit(2, 1, "new")])
    names = [(sender_bytes(0), message_id(1)), (sender_bytes(2), message_id(1))]
    [found] = store.named_room_messages(ROOM, names)
    assert (found.message.text, found.alteration.text) == ("message 1", "new")
    assert store.named_room_messages(ROOM, [(sender_bytes(0), message_id(2))]) == []
    assert store.named_room_messages("nobody", names) == []


def test_what_is_deleted_here_is_not_listed_and_does_not_come_back(store: MessageStore) -> None:
    store.append([room_record(1), room_record(2), room_edit(3, 1, "better")])
    assert store.delete_room_message(ROOM, sender_bytes(0), message_id(1))
    assert not store.delete_room_message(ROOM, sender_bytes(0), message_id(1))
    assert not store.delete_room_message(ROOM, sender_bytes(1), message_id(2))
    assert not store.delete_room_message(ROOM, sender_bytes(0), message_id(3))
    store.append([room_record(1), room_edit(4, 1, "even better")])
    store.close()
    store.open()
    assert texts(store) == ["message 2"]
    assert store.named_room_messages(ROOM, [(sender_bytes(0), message_id(1))]) == []


def test_with_what_is_too_old_its_alterations_go(store: MessageStore) -> None:
    store.append(
        [room_record(1), room_edit(2, 1, "better"), room_edit(3, 7, "early"), room_record(4)]
    )
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=4))
    while store.trim_room(ROOM, 1)[1]:
        pass
    assert store.altered([room_record(1), room_record(7)]) == [False, False]
    assert texts(store) == ["message 4"]


def test_of_blocked_people_nothing_is_listed(store: MessageStore) -> None:
    store.append([room_record(1), room_record(2, sender=1), room_record(3)])
    contact = records.Contact(peer=sender_bytes(1), blocked_at_ms=5)
    store.save_contact(contact)
    assert texts(store) == ["message 1", "message 3"]
    assert len(store.history(ROOM, 2).records) == 2
    assert store.named_room_messages(ROOM, [(sender_bytes(1), message_id(2))]) == []
    contact.blocked_at_ms = 0
    store.save_contact(contact)
    assert texts(store) == ["message 1", "message 2", "message 3"]


# ---- search ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [True, False], ids=["indexed at once", "indexed later"])
def test_words_are_found_as_they_read_now(store: MessageStore, look: bool) -> None:
    index = Index(store)

    def then(*batch: records.RoomRecord) -> None:
        store.append(batch)
        if look:
            index.words()

    then(room_edit(9, 3, "waiting"), room_record(1), room_record(2), room_record(4))
    then(room_edit(5, 1, "better"))
    then(room_edit(7, 1, "best"), room_edit(6, 1, "worse"), room_record(3))
    then(room_edit(8, 2))
    then(room_edit(10, 2, "too late"), room_edit(11, 4, "foreign", sender=1))
    # What is said about no message of the same author leads nowhere.
    assert index.words() == ["best", "foreign", "message 4", "waiting"]
    assert index.hits() == ["best", "message 4", "waiting"]
    assert scanned(store) == index.words()


def test_what_is_deleted_here_is_not_found(store: MessageStore) -> None:
    index = Index(store)
    store.append([room_record(1), room_record(2), room_edit(3, 1, "better")])
    store.save_direct([incoming(1), incoming(2), direct_edit(3, 1, "better")])
    index.words()
    store.delete_room_message(ROOM, sender_bytes(0), message_id(1))
    store.delete_direct_message(PEER, False, message_id(1))
    store.append([room_edit(4, 1, "again")])
    store.save_direct([direct_edit(4, 1, "again")])
    assert index.words() == index.hits() == scanned(store) == ["message 2", "message 2"]


# ---- direct messages -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_direct_ones_read_the_same_in_any_order(
    store: MessageStore, order: tuple[int, ...]
) -> None:
    batch = [incoming(1), direct_edit(5, 1, "5"), direct_edit(9, 1, "9"), direct_edit(7, 1, "7")]
    for place in order:
        assert store.save_direct([batch[place]]) == [True]
        assert store.save_direct([batch[place]]) == [False]
    assert direct_texts(store) == ["9"]
    store.save_direct([direct_edit(3, 1)])
    store.save_direct([direct_edit(10, 1, "no more")])
    assert direct_texts(store) == ["-"]


def test_either_side_alters_its_own_messages_only(store: MessageStore) -> None:
    store.save_direct([incoming(1), outgoing(1)])
    store.save_direct([direct_edit(2, 1, "yours"), direct_edit(3, 1, "mine", outgoing=True)])
    assert direct_texts(store) == ["yours", "mine"]
    names = [(True, message_id(1)), (False, message_id(7))]
    [found] = store.named_direct_messages(PEER, names)
    assert found.alteration.text == "mine"
    assert store.altered_direct([found, incoming(9).record]) == [True, False]


def test_own_edits_wait_in_the_outbox_like_messages(store: MessageStore) -> None:
    edit = direct_edit(2, 1, "mine", outgoing=True)
    store.save_direct([outgoing(1), edit])
    assert [entry.id for entry in store.outbox(9).records] == [message_id(1), message_id(2)]
    [entry] = store.outbox_entries(PEER, [message_id(2)])
    assert (entry.record.target, entry.record.text) == (message_id(1), "mine")
    assert [record.id for record in store.direct_history(PEER, 9).records] == [message_id(1)]


def test_direct_pages_are_full(store: MessageStore) -> None:
    store.save_direct([incoming(10 * n) for n in range(1, 9)])
    store.save_direct(
        [direct_edit(10 * n + i, 10 * n, f"{n}.{i}") for n in range(1, 9) for i in range(1, 10)]
    )
    page = store.direct_history(PEER, 3)
    assert [r.alteration.text for r in page.records] == ["6.9", "7.9", "8.9"]
    page = store.direct_history(PEER, 7, page.first)
    assert [r.alteration.text for r in page.records] == ["1.9", "2.9", "3.9", "4.9", "5.9"]


def test_what_is_deleted_directly_stays_deleted(store: MessageStore) -> None:
    store.save_direct([incoming(1), incoming(2), outgoing(3), outgoing(4)])
    done = records.Delivery(stage=records.DELIVERED)
    store.update_outbox(
        [actors.OutboxUpdate(peer=PEER, id=message_id(3), delivery=done, finished=True)]
    )
    for is_own, number in ((False, 1), (True, 3), (True, 4)):
        assert store.delete_direct_message(PEER, is_own, message_id(number))
        assert not store.delete_direct_message(PEER, is_own, message_id(number))
    assert not store.delete_direct_message(PEER, True, message_id(2))
    assert not store.delete_direct_message(peer_text(5), False, message_id(1))
    store.close()
    store.open()
    assert store.save_direct([incoming(1), outgoing(3)]) == [False, False]
    assert direct_texts(store) == ["message 2"]
    # What is not delivered yet is delivered all the same.
    [entry] = store.outbox_entries(PEER, [message_id(4)])
    assert entry.record.text == "message 4"


def test_with_a_deleted_message_its_edits_go(store: MessageStore) -> None:
    edits = [direct_edit(n, 1, f"edit {n}") for n in (3, 4)]
    store.save_direct([incoming(1), *edits, incoming(5), direct_edit(6, 5, "another's")])
    store.save_direct([direct_edit(7, 1, "mine waits", outgoing=True)])
    assert store.delete_direct_message(PEER, False, message_id(1))
    assert store.conversation_head(PEER).parents == tuple(map(message_id, (7, 6, 5)))
    assert store.save_direct([*edits]) == [False, False]
    assert direct_texts(store) == ["another's"]
    assert not store.delete_direct_message(PEER, False, message_id(3))


def test_own_edits_that_wait_stay_until_they_are_sent(store: MessageStore) -> None:
    store.save_direct([outgoing(1), direct_edit(2, 1, "second", outgoing=True)])
    assert store.delete_direct_message(PEER, True, message_id(1))
    [first, second] = store.outbox_entries(PEER, [message_id(1), message_id(2)])
    assert (first.record.text, second.record.text) == ("message 1", "second")


def test_an_own_message_that_was_deleted_goes_when_it_is_delivered(store: MessageStore) -> None:
    store.save_direct([outgoing(1), outgoing(2)])
    assert store.delete_direct_message(PEER, True, message_id(2))
    [entry] = store.outbox_entries(PEER, [message_id(2)])
    assert entry.record.text  # it still has to be sent
    delivery = records.Delivery(stage=records.DELIVERED)
    update = actors.OutboxUpdate(peer=PEER, id=message_id(2), delivery=delivery, finished=True)
    assert store.update_outbox([update, update]) == [True, False]
    assert store.conversation_head(PEER).parents == (message_id(1),)
    assert store.save_direct([outgoing(2)]) == [False]


# ---- what is unread --------------------------------------------------------------------------------


def test_unseen_messages_are_counted_until_their_room_is_seen(store: MessageStore) -> None:
    store.append([unseen(room_record(5)), unseen(room_record(6)), room_record(7, sender=1)])
    store.append([unseen(room_record(2)), unseen(room_record(5)), unseen(room_edit(8, 5, "x"))])
    store.append([unseen(room_record(1, room="other"))])
    assert unread(store) == {ROOM: 3, "other": 1}
    store.close()
    store.open()
    store.mark_room_seen(ROOM, 1_700_000_000_600)
    assert unread(store) == {"other": 1}
    store.append([unseen(room_record(3))])
    assert unread(store) == {ROOM: 1, "other": 1}


def test_deleted_and_trimmed_messages_are_not_unread(store: MessageStore) -> None:
    store.append([unseen(room_record(n)) for n in (1, 2, 3, 4)])
    store.delete_room_message(ROOM, sender_bytes(0), message_id(1))
    assert unread(store) == {ROOM: 3}
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=3))
    store.trim_room(ROOM, 9)
    assert unread(store) == {ROOM: 2}
    store.mark_room_seen(ROOM, 1_800_000_000_000)
    store.delete_room_message(ROOM, sender_bytes(0), message_id(3))
    assert unread(store) == {}


def test_direct_messages_are_unread_until_they_are_marked(store: MessageStore) -> None:
    store.save_direct([incoming(1), incoming(2), incoming(3), outgoing(4), incoming(1, peer=1)])
    store.save_direct([incoming(1), direct_edit(5, 1, "x")])
    assert unread(store) == {PEER: 3, peer_text(1): 1}
    store.close()
    store.open()
    store.mark_read(PEER, [message_id(1), message_id(5)], False)
    store.mark_read(PEER, [message_id(1)], False)
    assert unread(store)[PEER] == 2
    store.delete_direct_message(PEER, False, message_id(2))
    assert unread(store)[PEER] == 1
    store.mark_read(PEER, [message_id(2), message_id(3)], False)
    assert unread(store) == {peer_text(1): 1}


def test_what_somebody_blocked_has_written_is_not_unread(store: MessageStore) -> None:
    store.append([unseen(room_record(n, sender=n % 2)) for n in (1, 2, 3)])
    store.append([unseen(room_record(1, sender=1, room="other"))])
    store.save_direct([incoming(1), incoming(2, peer=1)])
    contact = records.Contact(peer=sender_bytes(1), blocked_at_ms=5)
    store.save_contact(contact)
    assert unread(store) == {ROOM: 1, PEER: 1}
    contact.blocked_at_ms = 0
    store.save_contact(contact)
    assert unread(store) == {ROOM: 3, "other": 1, PEER: 1, peer_text(1): 1}
    store.mark_room_seen(ROOM, 1_800_000_000_000)
    assert unread(store) == {"other": 1, PEER: 1, peer_text(1): 1}


def test_settings_are_saved_beside_what_is_seen_and_muted(store: MessageStore) -> None:
    store.mute_room(ROOM, True)
    store.mark_room_seen(ROOM, 7)
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=3, keep_days=2))
    assert store.room_settings(ROOM) == records.RoomSettings(
        room=ROOM, floor=3, keep_days=2, muted=True, seen_ms=7
    )
    store.mark_room_seen(ROOM, 5)
    store.mute_room(ROOM, False)
    assert store.room_settings(ROOM).seen_ms == 7
    assert not store.room_settings(ROOM).muted


# ---- a failing disk --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.append([unseen(room_record(3)), room_edit(4, 1, "x")]),
        lambda store: store.delete_room_message(ROOM, sender_bytes(0), message_id(1)),
        lambda store: store.save_direct([incoming(3), direct_edit(4, 1, "x")]),
        lambda store: store.delete_direct_message(PEER, False, message_id(1)),
        lambda store: store.mark_read(PEER, [message_id(1)], False),
        lambda store: store.mark_room_seen(ROOM, 9),
    ],
    ids=["say", "delete", "write", "delete directly", "read", "see"],
)
def test_what_a_full_disk_refuses_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[MessageStore], object]
) -> None:
    store = RocksdbStore(tmp_path)
    store.open()
    index = Index(store)
    store.append([unseen(room_record(1)), room_record(2)])
    store.save_direct([incoming(1), incoming(2)])
    before = texts(store), direct_texts(store), unread(store), index.words()
    FailingSync(monkeypatch, 3)
    with pytest.raises(StoreError):
        write(store)
    assert (texts(store), direct_texts(store), unread(store), index.words()) == before
    write(store)
    assert (texts(store), direct_texts(store), unread(store), index.words()) != before
    store.close()
