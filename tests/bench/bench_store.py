"""The RocksDB store: durable appends, opening, history pages, memory."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record

WORDS = ("a", "chat", "message", "is", "as", "long", "as", "this", "one", "or", "a", "few", "more")
BATCH = 100  # messages
PAGE = 50  # messages
MEGABYTE = 1e6  # bytes


def main(quick: bool) -> dict[str, Any]:
    many = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory(dir=_disk()) as folder:
        return {"name": "message store", "rows": _rows(Path(folder), many)}


def _disk() -> Path:
    """Where a sync costs something: the system's temporary folder is memory on many systems."""
    build = Path(__file__).parents[2] / "build"
    build.mkdir(exist_ok=True)
    return build


def _rows(folder: Path, many: int) -> list[dict[str, Any]]:
    before = _memory()
    store = RocksdbStore(folder / "store")
    store.open()
    store.close()
    empty = _seconds(store.open)
    single = _rate(store, first=0, count=500, batch=1)
    batched = _rate(store, first=500, count=many - 500, batch=BATCH)
    store.close()
    full = _seconds(store.open)
    newest = _median_seconds(lambda: store.history(ROOM, PAGE))
    middle = store.history(ROOM, 1000).first
    older = _median_seconds(lambda: store.history(ROOM, PAGE, middle))
    size, memory = store.describe().size_bytes, _memory() - before
    store.close()
    return [
        _row("durable appends, one by one", single, "messages/s"),
        _row(f"durable appends, {BATCH} in a batch", batched, "messages/s"),
        _row("open an empty store", empty * 1e3, "ms"),
        _row(f"open with {many:,} messages", full * 1e3, "ms"),
        _row(f"newest page of {PAGE}", newest * 1e3, "ms"),
        _row(f"older page of {PAGE}", older * 1e3, "ms"),
        _row(f"on disk with {many:,} messages", size / MEGABYTE, "MB"),
        _row("resident memory that all this added", memory / MEGABYTE, "MB"),
    ]


def _row(what: str, value: float, unit: str) -> dict[str, Any]:
    return {"what": what, "value": value, "unit": unit}


def _rate(store: RocksdbStore, first: int, count: int, batch: int) -> float:
    """Messages a second, without the time that making them takes."""
    spent = 0.0
    for start in range(first, first + count, batch):
        messages = [_message(number) for number in range(start, start + batch)]
        spent += _seconds(partial(store.append, messages))
    return count / spent


def _message(number: int) -> records.RoomRecord:
    """As hard to compress as a real one: words in any order, and a signature."""
    rng = random.Random(number)
    record = room_record(number, sender=number % 5, text=" ".join(rng.choices(WORDS, k=15)))
    record.message.signature = rng.randbytes(64)
    return record


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _median_seconds(call: Callable[[], object], times: int = 101) -> float:
    return sorted(_seconds(call) for _ in range(times))[times // 2]


def _memory() -> float:
    return float(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    print(main(quick=True))
