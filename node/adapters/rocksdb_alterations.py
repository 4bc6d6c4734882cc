"""What has become of stored messages since, and how many of them are unread; written together with the messages.

    room_alterations, direct_alterations   altered key -> Alteration
    unread                                 unread key -> how many, u64 big endian; none for nothing

Keys are in `alteration_keys.py`. An alteration may be there before its message.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from p2pchat.node.adapters.alteration_keys import count_of, count_value, whose_unread
from p2pchat.node.adapters.rocksdb_database import Entry, Pair, RocksdbDatabase
from p2pchat.node.adapters.rocksdb_room_entries import Change
from p2pchat.node.ports.store import MOST_PASSED
from p2pchat.node.protocol import alterations
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records

ROOM_ALTERATIONS, DIRECT_ALTERATIONS = "room_alterations", "direct_alterations"
UNREAD = "unread"
# Messages read at once when some of a page are not listed: twice as many each time, for there may be many of them.
CHUNK, BROADEST = 64, 4096
PAGE_BYTES = 8 << 20  # of them
MOST_BYTES_PASSED = 64 << 20  # of messages that are not listed, in one call
FAMILIES = (ROOM_ALTERATIONS, DIRECT_ALTERATIONS, UNREAD)

R = TypeVar("R")
Listed = Callable[[Sequence[Pair]], list[tuple[bytes, R]]]  # of a page, by their keys


@dataclass(slots=True)
class Marks:
    """Some messages' alterations: as they are stored, and as they are going to be."""

    family: str
    stored: dict[bytes, bytes | None]
    before: dict[bytes, records.Alteration]
    after: dict[bytes, records.Alteration]
    changed: set[bytes] = field(default_factory=set)

    def fold(self, key: bytes, new: records.Alteration) -> None:
        self._set(key, alterations.folded(self.after.get(key), new))

    def delete(self, key: bytes) -> None:
        self._set(key, alterations.deleted(self.after.get(key)))

    def _set(self, key: bytes, value: records.Alteration) -> None:
        if value != self.after.get(key):
            self.after[key] = value
            self.changed.add(key)

    def change(self) -> Change:
        entries = [(self.family, key, self.after[key].SerializeToString()) for key in self.changed]
        return Change(list(entries), [(self.family, key, self.stored[key]) for key in self.changed])


def read_marks(database: RocksdbDatabase, family: str, keys: Iterable[bytes]) -> Marks:
    wanted = list(dict.fromkeys(keys))
    stored = dict(zip(wanted, database.get(family, wanted), strict=True))
    with database.plain_words():
        before = {
            key: records.Alteration.FromString(value)
            for key, value in stored.items()
            if value is not None
        }
    return Marks(family, stored, before, dict(before))


def counted(database: RocksdbDatabase, changes: Mapping[bytes, int]) -> Change:
    """What so many more or fewer unread messages write, by unread key."""
    keys = [key for key, by in changes.items() if by]
    stored = database.get(UNREAD, keys)
    with database.plain_words():
        entries: list[Entry] = [
            (UNREAD, key, count_value(count_of(value) + changes[key]))
            for key, value in zip(keys, stored, strict=True)
        ]
    return Change(entries, [(UNREAD, key, value) for key, value in zip(keys, stored, strict=True)])


def newest_listed(
    database: RocksdbDatabase, family: str, start: bytes, end: bytes, limit: int, listed: Listed[R]
) -> tuple[list[R], bytes]:
    """The newest `limit` entries from `start` on and below `end` that are `listed`, the newest first; and the key below
    which to go on, empty for nothing.

    They are fewer where somebody has written so much that is not listed that it takes long to pass over.
    """
    found: list[tuple[bytes, R]] = []
    size, messages, passed = limit, 0, 0
    while len(found) < limit and messages < MOST_PASSED and passed < MOST_BYTES_PASSED:
        page = database.newest(family, start, end, size, PAGE_BYTES)
        if not page:
            end = found[-1][0] if found else b""
            break
        some = listed(page)
        found += some
        keys = {key for key, _ in some}
        messages += len(page) - len(some)
        passed += sum(len(value) for key, value in page if key not in keys)
        end = page[-1][0]
        size = min(max(CHUNK, 2 * size), BROADEST)
    if len(found) >= limit:
        end = found[limit - 1][0]
    return [record for _, record in found[:limit]], end


def unread_counts(
    database: RocksdbDatabase, blocked: Collection[bytes]
) -> list[actors.UnreadChanged]:
    """Without what the `blocked` have written."""
    found = database.oldest(UNREAD, b"", b"", sys.maxsize)
    counts: Counter[tuple[str, str]] = Counter()
    with database.plain_words():
        for key, value in found:
            whose = whose_unread(key)
            if whose.sender not in blocked:
                counts[whose.room, whose.peer] += count_of(value)
    return [actors.UnreadChanged(room=r, peer=p, unread=n) for (r, p), n in counts.items()]
