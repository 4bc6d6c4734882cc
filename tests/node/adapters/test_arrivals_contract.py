"""What every store tells a search index, real or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_arrivals import ENTRY_MESSAGES
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.items import item_of
from p2pchat.node.protocol.search_query import peer_of, peer_place, room_of, room_place
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.direct_builders import direct_record, incoming, outgoing, peer_text


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MessageStore]:
    made: MessageStore = (
        MemoryStore() if request.param == "memory" else RocksdbStore(tmp_path / "data" / "store")
    )
    made.open()
    yield made
    made.close()


@pytest.fixture
def followed(store: MessageStore) -> MessageStore:
    store.arrivals.set_follower(b"index")
    return store


def texts(page: index.Changes) -> list[str]:
    return [("-" if change.deleted else "") + change.text for change in page.changes]


def every(store: MessageStore, limit: int = 1000) -> list[str]:
    """Everything that has arrived, and is dropped now."""
    found: list[str] = []
    while (page := store.arrivals.oldest(limit)).last:
        found += texts(page)
        store.arrivals.drop(page.last)
    return found


def scanned(store: MessageStore, limit: int) -> list[str]:
    found: list[str] = []
    after = b""
    while (page := store.arrivals.scan(limit, after)).last:
        assert len(page.changes) <= limit
        found += texts(page)
        after = page.last
    return found


def forget(store: MessageStore, floor: int, room: str = ROOM) -> None:
    store.save_room_settings(records.RoomSettings(room=room, floor=floor))
    while store.trim_room(room, 2)[1]:
        pass


def test_for_nobody_nothing_is_kept(store: MessageStore) -> None:
    store.append([room_record(1)])
    store.save_direct([incoming(1)])
    forget(store, 5)
    assert store.arrivals.follower() == b""
    assert store.arrivals.oldest(10) == index.Changes()


def test_what_is_fresh_arrives_in_its_order(followed: MessageStore) -> None:
    followed.append([room_record(2), room_record(1)])
    followed.save_direct([incoming(3), outgoing(4)])
    followed.append([room_record(1), room_record(5, room="a\x00b")])
    followed.save_direct([incoming(3)])
    wanted = ["message 2", "message 1", "message 3", "message 4", "message 5"]
    assert sorted(every(followed)) == sorted(wanted)
    assert every(followed) == []


def test_spots_lead_to_the_messages(followed: MessageStore) -> None:
    record = room_record(7, room="gärten/#1")
    followed.append([record])
    followed.save_direct([incoming(8, peer=1), outgoing(9, peer=2)])
    spots = [change.spot for change in followed.arrivals.oldest(10).changes]
    rooms = {room_of(spot.place): spot.key for spot in spots if room_of(spot.place)}
    assert rooms == {"gärten/#1": item_of(record.message)}
    assert followed.room_messages("gärten/#1", [spots[0].key]) == [record]
    assert followed.room_messages("gärten/#1", [b"x" * 24]) == []
    for number, peer, is_own in ((8, 1, False), (9, 2, True)):
        [key] = [spot.key for spot in spots if spot.place == peer_place(peer_text(peer))]
        [found] = followed.found_direct_messages(peer_text(peer), [key, b"x" * 25])
        assert found.text == f"message {number}"
        assert found.HasField("delivery") == is_own
        assert int.from_bytes(key[:8], "big") == direct_record(number).lamport
    assert {peer_of(spot.place) for spot in spots} == {None, peer_text(1), peer_text(2)}


def test_many_come_in_pages_and_it_is_known_how_many_wait(followed: MessageStore) -> None:
    many = 5 * ENTRY_MESSAGES
    followed.append([room_record(n) for n in range(many)])
    page = followed.arrivals.oldest(ENTRY_MESSAGES)
    assert len(page.changes) == ENTRY_MESSAGES
    assert page.waiting == many - ENTRY_MESSAGES
    assert followed.arrivals.oldest(ENTRY_MESSAGES) == page
    assert every(followed, ENTRY_MESSAGES) == [f"message {n}" for n in range(many)]


def test_the_deleted_is_told_with_its_text(followed: MessageStore) -> None:
    followed.append([room_record(n) for n in range(5)])
    assert len(every(followed)) == 5
    forget(followed, 3)
    page = followed.arrivals.oldest(10)
    assert texts(page) == ["-message 0", "-message 1", "-message 2"]
    assert page.changes[0].spot.place == room_place(ROOM)
    assert page.changes[0].spot.key == item_of(room_record(0).message)


def test_what_came_and_went_only_goes(followed: MessageStore) -> None:
    followed.append([room_record(1), room_record(2)])
    forget(followed, 2)
    assert every(followed) == ["message 2", "-message 1"]


def test_what_is_not_kept_does_not_arrive(followed: MessageStore) -> None:
    forget(followed, 5)
    assert followed.append([room_record(1), room_record(9)]) == [False, True]
    assert every(followed) == ["message 9"]


def test_arrivals_survive_closing(followed: MessageStore) -> None:
    followed.append([room_record(1), room_record(2)])
    last = followed.arrivals.oldest(10).last
    followed.close()
    followed.open()
    assert followed.arrivals.follower() == b"index"
    assert followed.arrivals.oldest(10).last == last
    followed.arrivals.drop(last)
    followed.close()
    followed.open()
    followed.append([room_record(3)])
    assert every(followed) == ["message 3"]


def test_another_follower_begins_anew(followed: MessageStore) -> None:
    followed.append([room_record(n) for n in range(100)])
    followed.arrivals.set_follower(b"other")
    assert followed.arrivals.follower() == b"other"
    followed.append([room_record(200)])
    assert every(followed) == ["message 200"]
    followed.append([room_record(201)])
    followed.arrivals.set_follower(b"")
    followed.append([room_record(202)])
    assert every(followed) == []


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_a_scan_sees_everything_once(store: MessageStore, limit: int) -> None:
    assert scanned(store, limit) == []
    store.append([room_record(n, room=f"room {n % 3}") for n in range(10)])
    store.save_direct([incoming(n, peer=n % 2) for n in range(10, 20)])
    assert sorted(scanned(store, limit)) == sorted(f"message {n}" for n in range(20))


@pytest.mark.parametrize("only", ["rooms", "direct"])
def test_a_scan_of_one_kind(store: MessageStore, only: str) -> None:
    if only == "rooms":
        store.append([room_record(n) for n in range(5)])
    else:
        store.save_direct([incoming(n) for n in range(5)])
    assert len(scanned(store, 2)) == 5
