"""What every `MessageStore` does for sync and for the size of rooms, real or in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.items import START, bound_at, item_of, lamport_of
from p2pchat.node.protocol.names import stored_room
from p2pchat.node.protocol.summary import EMPTY, LEVELS, summary_of
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.room_recount import END, all_messages, assert_sums_are_right, stored_cells

NOW = 1_790_000_000_000
MAX_U64 = 2**64 - 1
FAR_APART = [0, 1, 1023, 1024, NOW, NOW + 1, NOW + 10**9, 2**53 - 1, MAX_U64]
NAMES = ["", "a", "aa", "ab", "a\x00", "\x00", "ä", "🦀" * 64, "x" * 300, "\x7f", "\U0010ffff"]


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path)
    made.open()
    yield made
    made.close()


def at(*lamports: int, room: str = ROOM) -> list[records.RoomRecord]:
    return [room_record(n, lamport=lamport, room=room) for n, lamport in enumerate(lamports)]


def lamports(found: list[records.RoomRecord]) -> list[int]:
    return [record.message.lamport for record in found]


def item(record: records.RoomRecord) -> bytes:
    return item_of(record.message)


def set_floor(store: MessageStore, floor: int, room: str = ROOM) -> None:
    store.save_room_settings(records.RoomSettings(room=room, floor=floor))


# ---- items -----------------------------------------------------------------------------------------


def test_two_messages_with_one_id_of_one_sender_are_two_messages(store: MessageStore) -> None:
    said = room_record(1, text="said")
    other = room_record(1, text="never said")
    assert store.append([said, other, said]) == [True, True, False]
    assert store.append([other]) == [False]
    assert all_messages(store, ROOM) == sorted([said, other], key=item)
    assert assert_sums_are_right(store, ROOM) == sorted([item(said), item(other)])
    assert store.room_messages(ROOM, [item(other), item(said)]) == [other, said]


def test_another_signature_makes_no_other_message(store: MessageStore) -> None:
    again = room_record(1)
    again.message.signature = b"x" * 64
    again.received_at_ms += 1
    assert store.append([room_record(1), again]) == [True, False]
    assert store.append([again]) == [False]
    assert all_messages(store, ROOM) == [room_record(1)]


def test_lamport_times_far_apart_are_summed_up(store: MessageStore) -> None:
    store.append(at(*reversed(FAR_APART)))
    items = assert_sums_are_right(store, ROOM)
    assert [*map(lamport_of, items)] == FAR_APART
    found = store.item_set(ROOM)
    for lower in FAR_APART:
        for upper in FAR_APART:
            inside = [i for i in items if bound_at(lower) <= i < bound_at(upper)]
            assert found.summarize(bound_at(lower), bound_at(upper)) == summary_of(inside)


def test_an_empty_room_has_no_items(store: MessageStore) -> None:
    items = store.item_set("nobody")
    assert items.summarize(START, END) == EMPTY
    assert [*items.items(START, END, 5)] == [*items.cuts(START, END, 4)] == []


def test_items_are_those_of_one_room(store: MessageStore) -> None:
    store.append([record for name in NAMES for record in at(5, 6, room=name)])
    for name in NAMES:
        assert len(assert_sums_are_right(store, name)) == 2
        assert [*store.item_set(name).cuts(START, END, 2)] == [bound_at(6)]


def test_room_messages_come_in_the_order_asked_for(store: MessageStore) -> None:
    one, two, three = at(1, 2, 3)
    store.append([one, two, three, *at(4, room="other")])
    wanted = [item(three), b"", item(one), b"x" * 24, bound_at(2), item(three)]
    assert store.room_messages(ROOM, wanted) == [three, one, three]
    assert store.room_messages("other", [item(one)]) == []


# ---- ids -------------------------------------------------------------------------------------------


def test_unknown_ids_are_those_that_no_message_has(store: MessageStore) -> None:
    store.append([*at(7, 8), *at(9, room="other")])
    ids = [n.to_bytes(16, "big") for n in range(4)]
    assert store.unknown(ROOM, ids) == ids[2:]
    assert store.unknown("other", ids) == ids[1:]
    assert store.unknown("nobody", ids) == ids
    assert store.unknown(ROOM, []) == []


@pytest.mark.parametrize("length", [0, 1, 15, 17, 32, 300, 70_000])
def test_ids_of_any_length_are_told_apart(store: MessageStore, length: int) -> None:
    record = room_record(1)
    record.message.id = b"\x01" * length
    assert store.append([record, record]) == [True, False]
    near = [b"\x01" * (length + more) for more in (1, 16, 256)]
    near += [b"\x01" * (length - 1)] if length else []
    assert store.unknown(ROOM, [record.message.id, *near]) == near
    assert store.room_head(ROOM).parents == (record.message.id,)
    assert_sums_are_right(store, ROOM)


def test_an_id_is_known_as_long_as_one_of_its_messages_is_there(store: MessageStore) -> None:
    store.append([room_record(1, lamport=5), room_record(1, lamport=9)])
    for floor, known in [(6, True), (10, False)]:
        set_floor(store, floor)
        assert store.trim_room(ROOM, 10) == (1, False)
        assert (store.unknown(ROOM, [room_record(1).message.id]) == []) is known


# ---- pages of a range ------------------------------------------------------------------------------


def test_newest_between_goes_backward_inside_of_its_bounds(store: MessageStore) -> None:
    found = at(*range(100))
    store.append([*found, *at(50, room="other")])
    page, more = store.newest_between(ROOM, bound_at(10), bound_at(90), 3, 10**6)
    assert (lamports(page), more) == ([89, 88, 87], True)
    page, more = store.newest_between(ROOM, bound_at(10), bound_at(90), 80, 10**6)
    assert (lamports(page), more) == ([*range(89, 9, -1)], False)
    page, more = store.newest_between(ROOM, item(found[4]), item(found[6]), 9, 10**6)
    assert (lamports(page), more) == ([5, 4], False)
    for lower, upper in [(bound_at(9), bound_at(9)), (bound_at(9), bound_at(3)), (END, END)]:
        assert store.newest_between(ROOM, lower, upper, 9, 10**6) == ([], False)
    assert lamports(store.newest_between(ROOM, START, END, 500, 10**6)[0]) == [*range(99, -1, -1)]


def test_newest_between_has_a_bound_in_bytes_but_gives_one(store: MessageStore) -> None:
    sizes = [record.message.ByteSize() for record in at(7, 7, 7)]
    store.append(at(7, 7, 7))
    for most, count in [(0, 1), (sizes[0], 1), (2 * sizes[0], 2), (3 * sizes[0], 3)]:
        page, more = store.newest_between(ROOM, START, END, 9, most)
        assert (len(page), more) == (count, count < 3)


# ---- settings, floor, trimming ---------------------------------------------------------------------


def test_settings_are_kept(store: MessageStore) -> None:
    assert store.room_settings(ROOM) == records.RoomSettings(room=ROOM)
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=7, keep_days=0))
    store.save_room_settings(records.RoomSettings(room=ROOM, floor=5))
    assert store.room_settings(ROOM) == records.RoomSettings(room=ROOM, floor=5)
    set_floor(store, 9)
    store.close()
    store.open()
    settings = store.room_settings(ROOM)
    assert settings.floor == 9
    settings.floor = 1  # nobody shares an object with the store
    assert store.room_settings(ROOM).floor == 9
    assert store.room_settings("other").floor == 0


def test_plain_messages_are_in_a_room_of_their_own(store: MessageStore) -> None:
    """They are unsigned: in the room of signed messages they would be offered to others, as forged ones."""
    signed, plain = room_record(1), room_record(2)
    plain.plain = True
    assert store.append([signed, plain]) == [True, True]
    assert list(store.history(ROOM, 10).records) == [signed]
    assert list(store.history(stored_room(ROOM, plain=True), 10).records) == [plain]
    assert store.item_set(ROOM).summarize(START, END).count == 1


def test_what_is_below_the_floor_is_not_taken(store: MessageStore) -> None:
    set_floor(store, 10)
    batch = [*at(9, 10, 11), room_record(7, lamport=9, room="other")]
    assert store.append(batch) == [False, True, True, True]
    assert lamports(all_messages(store, ROOM)) == [10, 11]
    assert_sums_are_right(store, ROOM)


def test_trimming_deletes_the_oldest_first(store: MessageStore) -> None:
    store.append([*at(*range(10)), *at(0, room="other")])
    assert store.trim_room(ROOM, 100) == (0, False)
    set_floor(store, 7)
    assert len(all_messages(store, ROOM)) == 10, "raising the floor deletes nothing yet"
    for left in ([*range(3, 10)], [*range(6, 10)], [*range(7, 10)]):
        count, more = store.trim_room(ROOM, 3)
        assert lamports(all_messages(store, ROOM)) == left
        assert (count, more) == ((3, True) if left[0] < 7 else (1, False))
        assert_sums_are_right(store, ROOM)
    assert store.trim_room(ROOM, 3) == (0, False)
    assert lamports(all_messages(store, "other")) == [0]
    set_floor(store, 100)
    assert store.trim_room(ROOM, 2) == (2, True)
    assert store.append(at(99, 100)) == [False, True]
    assert store.trim_room(ROOM, 9) == (1, False)
    assert lamports(all_messages(store, ROOM)) == [100]
    assert store.describe().messages == 2


def test_cells_that_become_empty_are_gone(store: MessageStore) -> None:
    store.append(at(*(NOW + n * 10**8 for n in range(50))))
    set_floor(store, MAX_U64)
    assert store.trim_room(ROOM, 1000) == (50, False)
    assert stored_cells(store, ROOM) == []
    assert store.floor_for(ROOM, 0) == 0


def test_a_deleted_message_does_not_come_back(store: MessageStore) -> None:
    batch = at(1, 2)
    store.append(batch)
    set_floor(store, 3)
    store.trim_room(ROOM, 9)
    assert store.append(batch) == [False, False]
    assert all_messages(store, ROOM) == []


def test_the_floor_for_a_size_leaves_at_most_that(store: MessageStore) -> None:
    second = 1 << LEVELS[0]
    store.append(at(*(NOW + n * second // 2 for n in range(100))))
    size = max(record.message.ByteSize() for record in all_messages(store, ROOM))
    assert store.floor_for(ROOM, 100 * size) == 0
    assert store.floor_for("nobody", 0) == 0
    assert store.floor_for(ROOM, 0) > NOW + 99 * second // 2
    for messages in (99, 50, 10, 1, 0):
        floor = store.floor_for(ROOM, messages * size)
        kept = [n for n in lamports(all_messages(store, ROOM)) if n >= floor]
        # The cell that does not fit has two messages; those with short numbers are a few bytes shorter.
        assert messages - 2 <= len(kept) <= messages + 1


# ---- all rooms -------------------------------------------------------------------------------------


def test_stored_rooms_are_those_with_messages_or_settings(store: MessageStore) -> None:
    assert store.stored_rooms() == []
    for name in NAMES[::2]:
        store.append(at(NOW, NOW + 10**9, NOW + 1, room=name))
    for name in NAMES[1::2]:
        set_floor(store, 5, room=name)
    set_floor(store, 6, room=NAMES[0])
    found = {usage.room: usage for usage in store.stored_rooms()}
    assert [*found] == sorted(NAMES)
    for name in NAMES[::2]:
        usage = found[name]
        size = sum(record.message.ByteSize() for record in all_messages(store, name))
        assert (usage.messages, usage.bytes, usage.newest_lamport) == (3, size, NOW + 10**9)
        assert usage.settings == store.room_settings(name)
    for name in NAMES[1::2]:
        assert (found[name].messages, found[name].bytes, found[name].newest_lamport) == (0, 0, 0)
        assert found[name].settings.floor == 5


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.unknown(ROOM, [b"x"]),
        lambda store: store.room_messages(ROOM, [b"x"]),
        lambda store: store.newest_between(ROOM, START, END, 1, 1),
        lambda store: store.room_settings(ROOM),
        lambda store: store.save_room_settings(records.RoomSettings()),
        lambda store: store.trim_room(ROOM, 1),
        lambda store: store.floor_for(ROOM, 1),
        lambda store: store.stored_rooms(),
    ],
)
def test_a_closed_store_says_so(
    store: MessageStore, call: Callable[[MessageStore], object]
) -> None:
    store.close()
    with pytest.raises(StoreError, match="not open"):
        call(store)
