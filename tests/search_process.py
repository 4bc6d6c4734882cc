"""A process of its own that fills a store and its search index: `python -m tests.search_process <folder> <first>`.

It appends batches for ever, deletes old messages now and then, and indexes what has come, as the search actor does. It
says `= <first> <count>` after each append.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.adapters.sqlite_index import SqliteIndex
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record

FOLLOWER = b"crash test"
LIMIT = 20  # messages indexed at a time


def start(path: Path, first: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.search_process", str(path), str(first)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def opened(path: Path) -> tuple[RocksdbStore, SqliteIndex]:
    """Both; the index is a new one the first time only."""
    store, search_index = RocksdbStore(path / "store"), SqliteIndex(path / "search.db")
    store.open()
    state = search_index.open()
    if store.arrivals.follower() != FOLLOWER or state.follower != FOLLOWER:
        store.arrivals.set_follower(FOLLOWER)
        search_index.begin(FOLLOWER)
    return store, search_index


def take_in(store: RocksdbStore, search_index: SqliteIndex) -> bool:
    """Whether there was something."""
    page = store.arrivals.oldest(LIMIT)
    if page.last:
        search_index.apply(page.changes, None)
        store.arrivals.drop(page.last)
    return bool(page.last)


def main(path: Path, first: int) -> None:
    store, search_index = opened(path)
    for number in itertools.count(first, 10):
        store.append([room_record(n) for n in range(number, number + 10)])
        print(f"= {number} 10", flush=True)
        if number % 50 == 0:
            store.save_room_settings(records.RoomSettings(room=ROOM, floor=max(0, number - 300)))
            store.trim_room(ROOM, 100)
        take_in(store, search_index)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
