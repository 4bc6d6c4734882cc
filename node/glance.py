"""What a node had stored before it runs: read from the disk, for a front end that shows it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import stored_room
from p2pchat.proto import records_pb2 as records

PAGE = 60  # messages of one conversation: more than fit on a screen
CONVERSATIONS = 4  # whose messages are read; the others are only named


@dataclass(frozen=True, slots=True)
class Glance:
    """`rooms` and `people` are by name and by base58 peer id, oldest message first."""

    profile: records.Profile = field(default_factory=records.Profile)
    contacts: Sequence[records.Contact] = ()  # the last one written with first
    rooms: Mapping[str, Sequence[records.RoomRecord]] = field(default_factory=dict)
    people: Mapping[str, Sequence[records.DirectRecord]] = field(default_factory=dict)


def take(store_path: Path) -> Glance:
    """Writes nothing, and takes no lock. Of a store that cannot be read now there is nothing to see.

    A node that has it open may be just writing: what it deletes meanwhile makes the store unreadable for a moment.
    """
    store = RocksdbStore(store_path, read_only=True)
    try:
        store.open()
        return _look(store)
    except StoreError:
        return Glance()
    finally:
        store.close()


def _look(store: RocksdbStore) -> Glance:
    """Raises `StoreError`."""
    profile = store.load_profile()
    contacts = sorted(store.contacts(), key=lambda each: each.last_message_ms, reverse=True)
    rooms = [*reversed(profile.rooms)][:CONVERSATIONS]
    people = [peer_id.to_text(each.peer) for each in contacts][:CONVERSATIONS]
    return Glance(
        profile,
        contacts,
        {room.name: _room(store, stored_room(room.name, room.plain)) for room in rooms},
        {peer: store.direct_history(peer, PAGE).records for peer in people},
    )


def _room(store: RocksdbStore, room: str) -> Sequence[records.RoomRecord]:
    return store.history(room, PAGE).records
