"""Both stores say the same of edits, retractions, deletes and what is unread, whatever comes in whatever order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.node.adapters.memory_store import MemoryStore
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.ports import MessageStore
from p2pchat.node.protocol.search_query import peer_of, room_of
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.alteration_builders import direct_edit, room_edit, unseen
from tests.builders import ROOM, room_record, sender_bytes
from tests.direct_builders import PEER, incoming, message_id, outgoing

Step = Callable[[MessageStore], object]

IDS = st.integers(1, 6)
SENDERS = st.integers(0, 1)
TEXTS = st.sampled_from(["", "a", "b"])


def _append(batch: list[records.RoomRecord]) -> Step:
    return lambda store: (store.append(batch), store.altered(batch))


def _save(batch: list[actors.DirectSave]) -> Step:
    saved = [save.record for save in batch]
    return lambda store: (store.save_direct(batch), store.altered_direct(saved))


def _delete(sender: int, number: int) -> Step:
    return lambda store: store.delete_room_message(ROOM, sender_bytes(sender), message_id(number))


def _delete_directly(own: bool, number: int) -> Step:
    return lambda store: store.delete_direct_message(PEER, own, message_id(number))


def _trim(floor: int, limit: int) -> Step:
    def step(store: MessageStore) -> object:
        store.save_room_settings(records.RoomSettings(room=ROOM, floor=floor))
        return store.trim_room(ROOM, limit)

    return step


def _see(seen_ms: int) -> Step:
    return lambda store: store.mark_room_seen(ROOM, 1_700_000_000_500 + seen_ms)


def _read(numbers: list[int]) -> Step:
    return lambda store: store.mark_read(PEER, [message_id(n) for n in numbers], False)


def _block(sender: int, at_ms: int) -> Step:
    contact = records.Contact(peer=sender_bytes(sender), blocked_at_ms=at_ms)
    return lambda store: store.save_contact(contact)


def _finish(number: int) -> Step:
    delivery = records.Delivery(stage=records.DELIVERED)
    update = actors.OutboxUpdate(peer=PEER, id=message_id(number), delivery=delivery, finished=True)
    return lambda store: store.update_outbox([update])


ROOM_MESSAGES = st.one_of(
    st.builds(lambda n, s: room_record(n, sender=s), IDS, SENDERS),
    st.builds(lambda n, s: unseen(room_record(n, sender=s)), IDS, SENDERS),
    st.builds(
        lambda n, target, text, s: room_edit(n, target, text, sender=s), IDS, IDS, TEXTS, SENDERS
    ),
)
SAVES = st.one_of(
    st.builds(incoming, IDS),
    st.builds(outgoing, IDS),
    st.builds(
        lambda n, target, text, own: direct_edit(n, target, text, outgoing=own),
        IDS,
        IDS,
        TEXTS,
        st.booleans(),
    ),
)
STEPS = st.lists(
    st.one_of(
        st.builds(_append, st.lists(ROOM_MESSAGES, min_size=1, max_size=4)),
        st.builds(_save, st.lists(SAVES, min_size=1, max_size=4)),
        st.builds(_delete, SENDERS, IDS),
        st.builds(_delete_directly, st.booleans(), IDS),
        st.builds(_trim, st.integers(0, 7), st.integers(1, 3)),
        st.builds(_see, st.integers(0, 7)),
        st.builds(_read, st.lists(IDS, max_size=3)),
        st.builds(_finish, IDS),
        st.builds(_block, SENDERS, st.integers(0, 1)),
    ),
    max_size=12,
)


class Reader:
    """What can be read of a store, and what its index would have."""

    def __init__(self, store: MessageStore) -> None:
        self.store = store
        self._words: dict[tuple[str, bytes], str] = {}
        store.arrivals.set_follower(b"index")

    def all(self) -> object:
        return (
            self.store.history(ROOM, 1000),
            self.store.history(ROOM, 2),
            self.store.direct_history(PEER, 1000),
            self.store.direct_history(PEER, 2),
            self.store.unread(),
            self.store.room_settings(ROOM),
        )

    def hits(self) -> object:
        """What an index finds that has followed, whatever words are looked for."""
        while (page := self.store.arrivals.oldest(3)).last:
            for change in page.changes:
                at = change.spot.place, change.spot.key
                if change.deleted:
                    assert self._words.pop(at, change.text) == change.text
                else:
                    assert self._words.setdefault(at, change.text) == change.text
            self.store.arrivals.drop(page.last)
        return self._at(self._words.keys())

    def rescanned(self) -> object:
        """The same of a new index."""
        spots = set()
        after = b""
        while (page := self.store.arrivals.scan(3, after)).last:
            spots |= {(change.spot.place, change.spot.key) for change in page.changes}
            after = page.last
        return self._at(spots)

    def _at(self, spots: Iterable[tuple[str, bytes]]) -> object:
        found = []
        for place, key in sorted(spots):
            rooms = self.store.found_room_messages(ROOM, [key]) if room_of(place) else []
            direct = self.store.found_direct_messages(PEER, [key]) if peer_of(place) else []
            found += [(key, rooms, direct)] if rooms or direct else []
        return found


@settings(max_examples=50, deadline=None)
@given(STEPS, st.integers(1, 4))
def test_they_agree(steps: list[Step], look: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory, rocksdb = MemoryStore(), RocksdbStore(Path(folder) / "store")
        for store in (memory, rocksdb):
            store.open()
        readers = Reader(memory), Reader(rocksdb)
        try:
            for number, step in enumerate(steps):
                assert step(memory) == step(rocksdb)
                assert readers[0].all() == readers[1].all()
                if number % look == 0:
                    assert readers[0].hits() == readers[1].hits()
            rocksdb.close()
            rocksdb.open()
            assert readers[0].all() == readers[1].all()
            found = readers[0].hits()
            assert found == readers[1].hits()
            assert found == readers[0].rescanned() == readers[1].rescanned()
        finally:
            rocksdb.close()
