"""Brings what is stored forward from older schemas.

Schema 4 counts what is unread. Of what older ones kept, the direct messages that the owner has not seen are counted
once, before the version is changed. Rooms begin with nothing unread: nobody knows what was seen there.

The rooms of schema 1 and 2 kept `history` in the order of (lamport, id, sender), far times clamped, and `by_id` for
deduplication by (sender, id). Now a room is ordered by item, and its cells are kept. The messages are copied in pages,
each in one synced write, and what is there already is left out: so it may be interrupted anywhere, and begins anew. The
old column families are dropped when the new schema's number is written; until then the older program can still use the
store.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from itertools import compress

from google.protobuf.message import DecodeError

from p2pchat.node.adapters.alteration_keys import count_value, unread_peer
from p2pchat.node.adapters.direct_keys import READ, State, is_outgoing, message_of
from p2pchat.node.adapters.rocksdb_alterations import UNREAD
from p2pchat.node.adapters.rocksdb_database import OpenDatabase
from p2pchat.node.adapters.rocksdb_direct_alterations import STATES
from p2pchat.node.adapters.rocksdb_room_entries import Placed, added, unknown
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.protocol.room_message import ACCEPT_AHEAD_MS
from p2pchat.proto import records_pb2 as records

HISTORY, BY_ID = "history", "by_id"
FORMER = (HISTORY, BY_ID)

PAGE = 500  # messages in one write
PAGE_BYTES = 4 << 20  # of them
STATES_PAGE = 10_000  # states of direct messages, which are small, read at once
REPORT = 50_000  # messages from one line in the log to the next

log = logging.getLogger(__name__)


def migrate(database: OpenDatabase, version: int) -> None:
    """Raises what the database raises."""
    _copy_history(database, version)
    _count_unread(database)


def _count_unread(database: OpenDatabase) -> None:
    unread: Counter[bytes] = Counter()
    start = b""
    while page := database.oldest(STATES, start, b"", STATES_PAGE, None):
        for key, value in page:
            if not is_outgoing(key) and State.unpack(value).body != READ:
                unread[unread_peer(message_of(key)[0])] += 1
        start = page[-1][0] + b"\x00"
    database.write([(UNREAD, key, count_value(count)) for key, count in unread.items()])


def _copy_history(database: OpenDatabase, version: int) -> None:
    """Copy what is in `history`, if there is such a column family."""
    if HISTORY not in database.families():
        return
    about = database.estimate(HISTORY)
    done, reported, start = 0, 0, b""
    while page := database.oldest(HISTORY, start, b"", PAGE, PAGE_BYTES):
        _copy(database, (value for _, value in page))
        start = page[-1][0] + b"\x00"
        done += len(page)
        if done // REPORT > reported:
            reported = done // REPORT
            log.info(
                "message store, schema %d: %d of about %d messages copied", version, done, about
            )
    if done:
        log.info("message store, schema %d: all %d messages copied", version, done)


def _copy(database: OpenDatabase, values: Iterable[bytes]) -> None:
    found = [record for value in values if (record := _parsed(value)) and not _is_far_ahead(record)]
    placed = [Placed.of(record) for record in found]
    database.write(added(database, [*compress(placed, unknown(database, placed))]).entries)


def _is_far_ahead(record: records.RoomRecord) -> bool:
    """Nobody takes such messages any more: they would stand at the end of their room for ever."""
    ahead = record.message.lamport - record.received_at_ms
    if ahead > ACCEPT_AHEAD_MS:
        log.warning("a message dated %d days ahead is left behind", ahead // DAY_MS)
    return ahead > ACCEPT_AHEAD_MS


def _parsed(value: bytes) -> records.RoomRecord | None:
    """None for what could not be read before either: one damaged message must not keep the store shut."""
    try:
        return records.RoomRecord.FromString(value)
    except DecodeError:
        log.warning("a damaged message is left behind")
        return None
