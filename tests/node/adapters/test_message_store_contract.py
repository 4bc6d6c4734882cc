"""What every `MessageStore` does, real or in memory."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.ports import MessageStore, RoomHead
from p2pchat.node.protocol.items import item_of
from p2pchat.node.protocol.names import stored_room
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire
from tests.builders import ROOM, room_record

MAX_U64 = 2**64 - 1


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = (
        MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path / "data" / "store")
    )
    made.open()
    yield made
    made.close()


def numbers(store: MessageStore, room: str = ROOM, limit: int = 1000) -> list[int]:
    """The ids in a room's history, as numbers."""
    page = store.history(room, limit)
    return [int.from_bytes(record.message.id, "big") for record in page.records]


def test_what_is_appended_comes_back_whole(store: MessageStore) -> None:
    record = room_record(7, text="grüße 🦀 \x00 \x1b[31m")
    record.message.parents.extend([b"p" * 16, b"q" * 16])
    record.plain = True
    assert store.append([record]) == [True]
    assert list(store.history(stored_room(ROOM, plain=True), 10).records) == [record]


def test_nobody_shares_an_object_with_the_store(store: MessageStore) -> None:
    record = room_record(1)
    store.append([record])
    record.message.text = "changed afterwards"
    store.history(ROOM, 1).records[0].message.text = "changed by a reader"
    assert store.history(ROOM, 1).records[0].message.text == "message 1"


def test_history_is_ordered_by_item(store: MessageStore) -> None:
    records_ = [
        room_record(9, lamport=1),
        room_record(1, lamport=2, sender=1),
        room_record(1, lamport=2, sender=2),
        room_record(2, lamport=2),
        room_record(0, lamport=255),
        room_record(0, lamport=256, sender=3),
        room_record(5, lamport=MAX_U64),
    ]
    wanted = sorted(records_, key=lambda record: item_of(record.message))
    assert [r.message.lamport for r in wanted] == [r.message.lamport for r in records_]
    for order in itertools.islice(itertools.permutations(range(7)), 0, 5040, 720):
        assert sum(store.append([wanted[index] for index in order])) in (0, 7)
        assert list(store.history(ROOM, 100).records) == wanted


def test_a_page_holds_the_newest_and_its_first_leads_to_the_page_before(
    store: MessageStore,
) -> None:
    store.append([room_record(number) for number in range(25)])
    before, pages = b"", []
    while (page := store.history(ROOM, 10, before)).records:
        pages.append([int(record.message.lamport) for record in page.records])
        before = page.first
    assert pages == [[*range(15, 25)], [*range(5, 15)], [*range(5)]]
    assert page.first == b""


def test_a_page_does_not_move_when_newer_messages_arrive(store: MessageStore) -> None:
    store.append([room_record(number) for number in range(10)])
    newest = store.history(ROOM, 3)
    store.append([room_record(50), room_record(5, sender=1)])
    older = store.history(ROOM, 4, newest.first)
    assert [record.message.lamport for record in older.records] == [4, 5, 5, 6]


@pytest.mark.parametrize("before", [b"\x00", b"\xff" * 40, b"nonsense"])
def test_an_invented_position_harms_nobody(store: MessageStore, before: bytes) -> None:
    store.append([room_record(1), room_record(2, room="a"), room_record(3, room="z")])
    assert {record.message.room for record in store.history(ROOM, 5, before).records} <= {ROOM}


def test_an_empty_room_has_an_empty_page(store: MessageStore) -> None:
    page = store.history("nobody was here", 10)
    assert (list(page.records), page.first) == ([], b"")
    assert store.room_head("nobody was here") == RoomHead(0, ())


def test_a_repeated_message_changes_nothing(store: MessageStore) -> None:
    store.append([room_record(1)])
    repeated = room_record(1)
    repeated.received_at_ms += 1
    assert store.append([repeated, room_record(2), repeated]) == [False, True, False]
    assert list(store.history(ROOM, 9).records) == [room_record(1), room_record(2)]


def test_the_same_id_of_two_senders_is_two_messages(store: MessageStore) -> None:
    assert store.append([room_record(1, sender=1), room_record(1, sender=2)]) == [True, True]
    assert len(store.history(ROOM, 9).records) == 2


def test_rooms_do_not_mix_however_they_are_called(store: MessageStore) -> None:
    rooms = ["", "a", "aa", "ab", "a\x00", "\x00", "ä", "🦀" * 64, "x" * 300, "\x7f", "\U0010ffff"]
    store.append(
        [room_record(n, room=room, lamport=(0, MAX_U64)[n % 2]) for n, room in enumerate(rooms)]
    )
    for number, room in enumerate(rooms):
        assert numbers(store, room) == [number]
        assert store.room_head(room).parents == (number.to_bytes(16, "big"),)


def test_ids_and_senders_of_any_length_are_kept_apart(store: MessageStore) -> None:
    def odd(sender: bytes, id_: bytes) -> records.RoomRecord:
        return records.RoomRecord(message=wire.RoomMessage(room=ROOM, sender=sender, id=id_))

    batch = [odd(b"ab", b"c"), odd(b"a", b"bc"), odd(b"", b"abc"), odd(b"abc", b""), odd(b"", b"")]
    assert store.append(batch) == [True] * 5
    assert store.append(batch) == [False] * 5
    assert len(store.history(ROOM, 9).records) == 5


def test_the_head_is_the_newest_lamport_time_and_up_to_three_newest_ids(
    store: MessageStore,
) -> None:
    store.append([room_record(1, lamport=10)])
    assert store.room_head(ROOM) == RoomHead(10, (room_record(1).message.id,))
    store.append([room_record(n, lamport=20 - n) for n in (2, 3, 4, 5)])
    assert store.room_head(ROOM) == RoomHead(18, tuple(n.to_bytes(16, "big") for n in (2, 3, 4)))
    store.append([room_record(9, lamport=MAX_U64)])
    assert store.room_head(ROOM).lamport == MAX_U64


def test_an_empty_batch_is_nothing(store: MessageStore) -> None:
    assert store.append([]) == []


def test_a_large_batch_is_one_batch(store: MessageStore) -> None:
    batch = [room_record(number, text="x" * 65_536) for number in range(300)]
    assert all(store.append(batch))
    assert numbers(store) == [*range(300)]


def test_the_profile_is_the_last_one_saved(store: MessageStore) -> None:
    assert store.load_profile() == records.Profile()
    profile = records.Profile(name="Ada", rooms=[records.RoomEntry(name="x", plain=True)])
    store.save_profile(profile)
    store.save_profile(profile)
    assert store.load_profile() == profile
    store.save_profile(records.Profile())
    assert store.load_profile() == records.Profile()


def test_the_known_peers_are_those_saved_last(store: MessageStore) -> None:
    assert store.load_known_peers() == records.KnownPeers()
    address = records.KnownAddress(address="/ip4/192.0.2.1/tcp/4001", success_at_ms=MAX_U64)
    bob = records.KnownPeer(peer="bob", addresses=[address, address], connected_at_ms=7)
    store.save_known_peers(records.KnownPeers(peers=[bob, records.KnownPeer(peer="eve")]))
    saved = records.KnownPeers(peers=[bob])
    store.save_known_peers(saved)
    saved.peers[0].peer = "changed afterwards"
    assert list(store.load_known_peers().peers) == [bob]
    store.close()
    store.open()
    assert list(store.load_known_peers().peers) == [bob]
    store.save_known_peers(records.KnownPeers())
    assert store.load_known_peers() == records.KnownPeers()


def test_the_store_says_how_much_space_there_is(store: MessageStore) -> None:
    assert store.describe().free_bytes > 0


def test_everything_is_there_after_closing_and_opening(store: MessageStore) -> None:
    store.append([room_record(1), room_record(2)])
    store.save_profile(records.Profile(name="Ada"))
    store.close()
    store.open()
    assert numbers(store) == [1, 2]
    assert store.append([room_record(2), room_record(3)]) == [False, True]
    assert store.load_profile().name == "Ada"
    assert store.describe().messages == 3


def test_opening_an_open_store_is_what_an_actor_does_after_a_crash(store: MessageStore) -> None:
    store.append([room_record(1)])
    store.open()
    assert numbers(store) == [1]


def test_the_description_has_a_size_and_a_count(store: MessageStore) -> None:
    store.append([room_record(number) for number in range(100)])
    info = store.describe()
    assert info.messages == 100
    assert info.size_bytes > 100 * len(room_record(1).SerializeToString())
    assert info.schema_version == 4
    assert info.path


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.append([room_record(1)]),
        lambda store: store.history(ROOM, 1),
        lambda store: store.room_head(ROOM),
        lambda store: store.load_profile(),
        lambda store: store.save_profile(records.Profile()),
        lambda store: store.load_known_peers(),
        lambda store: store.save_known_peers(records.KnownPeers()),
        lambda store: store.describe(),
    ],
)
def test_a_closed_store_says_so(
    store: MessageStore, call: Callable[[MessageStore], object]
) -> None:
    store.close()
    with pytest.raises(StoreError, match="not open"):
        call(store)
    store.close()


ROOMS = st.sampled_from(["", "a", "ab", "\x00", "ünï", "🦀"])
LAMPORTS = st.integers(0, 3) | st.integers(0, MAX_U64)
RECORDS = st.builds(
    room_record,
    st.integers(0, 5) | st.integers(0, 2**128 - 1),
    lamport=LAMPORTS,
    room=ROOMS,
    sender=st.integers(0, 2),
    text=st.text(max_size=5),
)
STEPS = st.lists(
    st.lists(RECORDS, max_size=6) | st.tuples(ROOMS, st.integers(1, 4)) | st.just("reopen"),
    max_size=12,
)
Step = list[records.RoomRecord] | tuple[str, int] | str


@settings(max_examples=20, deadline=None, database=None)
@given(STEPS)
def test_both_stores_do_the_same(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stores: list[MessageStore] = [MemoryStore(), RocksdbStore(Path(folder))]
        for store in stores:
            store.open()
        for step in steps:
            seen = [_perform(store, step) for store in stores]
            assert seen[0] == seen[1]
        for store in stores:
            store.close()


def _perform(store: MessageStore, step: Step) -> object:
    match step:
        case "reopen":
            store.close()
            store.open()
            return None
        case list():
            return store.append(step)
        case room, limit:
            assert isinstance(limit, int)
            return _whole_history(store, room, limit), store.room_head(room)
    raise AssertionError(step)


def _whole_history(store: MessageStore, room: str, limit: int) -> list[object]:
    seen: list[object] = []
    page = store.history(room, limit)
    while page.records:
        seen.append((list(page.records), page.first))
        page = store.history(room, limit, page.first)
    return seen
