"""Opening a node with a long history against an empty one: the store alone, and the real `p2pchat node`."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.config import NodeConfig
from tests.bench.bench_startup import TCP, start
from tests.bench.children import Row, row, scratch
from tests.bench.room_history import said, write

OPENINGS = 41  # of each store
IDLE = (
    2.0  # seconds after listening at which memory is looked at; before the search index is opened
)

Times = list[tuple[float, ...]]  # for the empty one and the full one, again and again


def opened(empty: RocksdbStore, full: RocksdbStore) -> Times:
    return [(_open_s(empty), _open_s(full)) for _ in range(OPENINGS)]


def _open_s(store: RocksdbStore) -> float:
    began = time.perf_counter()
    store.open()
    taken = time.perf_counter() - began
    store.close()
    return taken


def _size_of(store: Path) -> int:
    return sum(file.stat().st_size for file in store.iterdir())


def compared(what: str, times: Times, many: int, *, factor: float = 1.0, unit: str) -> list[Row]:
    empty, full = (median(values) for values in zip(*times, strict=True))
    return [
        row(f"{what}, empty", empty * factor, unit),
        row(f"{what}, {many:,} messages", full * factor, unit),
        row(f"{what}, how much more", 100 * (full / empty - 1), "%"),
    ]


def starts(empty: Path, full: Path, times: int, many: int) -> list[Row]:
    for folder in (empty, full):  # makes the identity, warms the disk cache
        start(str(folder), TCP, 0.0)
    # Turn about, so that whatever else the machine does meets both.
    pairs = [[start(str(folder), TCP, IDLE) for folder in (empty, full)] for _ in range(times)]
    prompt, listening, memory = (
        [tuple(run[index] for run in pair) for pair in pairs] for index in range(3)
    )
    return [
        *compared("start to prompt", prompt, many, unit="s"),
        *compared("start to listening", listening, many, unit="s"),
        *compared("memory (RSS) after the start", memory, many, unit="MiB"),
    ]


def main(quick: bool) -> dict[str, Any]:
    many, times = (20_000, 2) if quick else (1_000_000, 9)
    with scratch() as folder:
        empty, full = folder / "empty", folder / "full"
        write(empty, ())
        first = write(full, said(many, seed=1, signed=False))
        stores = [RocksdbStore(NodeConfig(each).store_path) for each in (empty, full)]
        store_times = opened(*stores)
        size = _size_of(NodeConfig(full).store_path)
        rows = [
            *compared("open the store", store_times, many, factor=1e3, unit="ms"),
            row("open it after writing all that, with a log to replay", first * 1e3, "ms"),
            row(f"on disk, {many:,} messages", size / 1e6, "MB"),
            *starts(empty, full, times, many),
        ]
    return {"name": "opening with a long history", "rows": rows}


if __name__ == "__main__":
    for each in main(quick=True)["rows"]:
        print(each)
