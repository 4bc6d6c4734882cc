"""What comes into `RocksdbStore` and what leaves it, kept for a search index until that has it.

The column family `arrivals` is a queue (number -> StoredArrival), written in the same write as the messages. Numbers
count messages, so that it is known how many wait. `meta` says which index it is for; for nobody, nothing is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import TypeVar

from p2pchat.node.adapters.direct_keys import number_key
from p2pchat.node.adapters.rocksdb_database import META, Entry, Pair, RocksdbDatabase, deletions
from p2pchat.node.adapters.rocksdb_queue import RocksdbQueue
from p2pchat.node.adapters.rocksdb_room_entries import Change
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.search_query import peer_place, room_place
from p2pchat.proto import index_pb2 as index
from p2pchat.proto import records_pb2 as records

ARRIVALS = "arrivals"
ENTRY_MESSAGES = 64  # messages in one entry; a text has up to 64 KiB
MAX_PAGE = 1000  # entries; a page has as many at most
PAGE_KEYS = 64 << 10  # bytes of entries in one page: about 1,000 messages
PAGE_TEXTS = 1 << 20  # bytes of messages that are read for one page, or one entry

_FOLLOWER_KEY = b"search_follower"
_LENGTH = struct.Struct(">I")

T = TypeVar("T")
Said = Callable[
    [Sequence[bytes]], list[bool]
]  # for stored messages, whether their texts are to be read still


class RocksdbArrivals:
    """`Arrivals` on an open database, of which two column families hold messages."""

    def __init__(self, database: RocksdbDatabase, rooms: str, direct: str) -> None:
        """Keys begin with the length of the room's name or of the peer, u32, and that; values are RoomRecords and
        DirectRecords."""
        self._database = database
        self._rooms = rooms
        self._direct = direct
        self._queue = RocksdbQueue(database, ARRIVALS)
        self._follower: bytes | None = None  # None: to be looked up
        self._said: dict[str, Said] = {}

    def only(self, family: str, said: Said) -> None:
        """Of this family a scan gives only those messages of which `said` holds."""
        self._said[family] = said

    def rewind(self) -> None:
        """To be called when the database was opened."""
        self._queue.rewind()
        self._follower = None

    # ---- what a write has to write besides ----------------------------------------------------------

    def of(self, change: Change) -> Change:
        """For the messages that a write adds or deletes; of the latter its undo has the texts."""
        if not self.follower():
            return Change([], [])
        before = {(family, key): value for family, key, value in change.undo}
        whole = Change([], [])
        for family in (self._rooms, self._direct):
            mine = [(key, value) for name, key, value in change.entries if name == family]
            came = [key for key, value in mine if value is not None]
            lost = [key for key, value in mine if value is None]
            gone = [(key, self._text(family, before[family, key] or b"")) for key in lost]
            whole += self.told(family, came, gone)
        return whole

    def told(self, family: str, came: Sequence[bytes], gone: Sequence[tuple[bytes, str]]) -> Change:
        """These are to be found from now on, and those, with their texts, no longer."""
        if not self.follower():
            return Change([], [])
        entries = [*self._entries(family, came, gone)]
        return Change(entries, deletions(entries))  # with numbers that were never used

    def _entries(
        self, family: str, came: Sequence[bytes], gone: Sequence[tuple[bytes, str]]
    ) -> Iterator[Entry]:
        is_room = family == self._rooms
        for part in _parts(came):
            found = index.StoredArrival(rooms=part) if is_room else index.StoredArrival(direct=part)
            yield self._entry(found, len(part))
        for pairs in _parts(gone):
            lost = [index.StoredArrival.Gone(key=key, text=text) for key, text in pairs]
            found = (
                index.StoredArrival(rooms_gone=lost)
                if is_room
                else index.StoredArrival(direct_gone=lost)
            )
            yield self._entry(found, len(lost))

    def _entry(self, arrival: index.StoredArrival, messages: int) -> Entry:
        number = self._queue.new_number(messages)
        return ARRIVALS, number_key(number), arrival.SerializeToString()

    # ---- what the index asks for --------------------------------------------------------------------

    def follower(self) -> bytes:
        if self._follower is None:
            self._follower = self._database.get(META, [_FOLLOWER_KEY])[0] or b""
        return self._follower

    def set_follower(self, follower: bytes) -> None:
        # Nobody's first: what is dropped in several writes must not be taken for all there is.
        self._database.commit([(META, _FOLLOWER_KEY, None)])
        self._follower = b""
        while page := self._queue.oldest(MAX_PAGE):
            self._database.commit([(ARRIVALS, key, None) for key, _ in page])
        if follower:
            self._database.commit([(META, _FOLLOWER_KEY, follower)])
            self._follower = follower

    def oldest(self, limit: int) -> index.Changes:
        page = index.Changes()
        size = 0
        for key, value in self._queue.oldest(min(limit, MAX_PAGE), max_bytes=PAGE_KEYS):
            if page.changes and (size > PAGE_TEXTS or len(page.changes) >= limit):
                break
            for change in self._changes(value):
                size += len(change.text)
                page.changes.append(change)
            page.last = key
        page.waiting = self._queue.behind(page.last) if page.last else 0
        return page

    def drop(self, last: bytes) -> None:
        self._database.mend()
        page = self._queue.oldest(MAX_PAGE, max_bytes=PAGE_KEYS)
        done = [(ARRIVALS, key, value) for key, value in page if key <= last]
        self._database.commit([(family, key, None) for family, key, _ in done], undo=done)

    def scan(self, limit: int, after: bytes = b"") -> index.Changes:
        families = [self._rooms, self._direct]
        for tag in range(after[0] if after else 0, len(families)):
            start = after[1:] + b"\x00" if after[:1] == bytes([tag]) else b""
            pairs = self._database.oldest(families[tag], start, b"", limit, PAGE_TEXTS)
            if pairs:
                return self._scanned(tag, families[tag], pairs)
        return index.Changes()

    def _scanned(self, tag: int, family: str, pairs: Sequence[Pair]) -> index.Changes:
        """A page of a scan; its `last` is the family's number and the key."""
        spot = self._spot_of(family)
        said = self._said[family]([value for _, value in pairs])
        changes = [
            index.Change(spot=spot(key), text=self._text(family, value))
            for key, value in compress(pairs, said)
        ]
        return index.Changes(changes=changes, last=bytes([tag]) + pairs[-1][0])

    def _changes(self, value: bytes) -> Iterator[index.Change]:
        """What an entry says. A message that is there no longer is left out: that it is gone stands in another."""
        with self._database.plain_words():
            arrival = index.StoredArrival.FromString(value)
        for family, keys in ((self._rooms, arrival.rooms), (self._direct, arrival.direct)):
            spot = self._spot_of(family)
            for key, stored in zip(keys, self._database.get(family, list(keys)), strict=True):
                if stored is not None:
                    yield index.Change(spot=spot(key), text=self._text(family, stored))
        for family, lost in (
            (self._rooms, arrival.rooms_gone),
            (self._direct, arrival.direct_gone),
        ):
            spot = self._spot_of(family)
            for message in lost:
                yield index.Change(spot=spot(message.key), text=message.text, deleted=True)

    def _text(self, family: str, value: bytes) -> str:
        with self._database.plain_words():
            if family == self._rooms:
                return records.RoomRecord.FromString(value).message.text
            return records.DirectRecord.FromString(value).text

    def _spot_of(self, family: str) -> Callable[[bytes], index.Spot]:
        return _room_spot if family == self._rooms else _direct_spot


def _parts(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[at : at + ENTRY_MESSAGES] for at in range(0, len(items), ENTRY_MESSAGES)]


def _room_spot(key: bytes) -> index.Spot:
    name, rest = _split(key)
    return index.Spot(place=room_place(name.decode(errors="replace")), key=rest)


def _direct_spot(key: bytes) -> index.Spot:
    peer, rest = _split(key)
    return index.Spot(place=peer_place(peer_id.to_text(peer)), key=rest)


def _split(key: bytes) -> tuple[bytes, bytes]:
    """What a key begins with, without its length, and the rest."""
    end = _LENGTH.size + _LENGTH.unpack_from(key)[0]
    return key[_LENGTH.size : end], key[end:]
