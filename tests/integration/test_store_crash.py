"""`kill -9` in the middle of a burst: every message that was acknowledged is there afterwards."""

from __future__ import annotations

import random
from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from tests import store_process
from tests.builders import ROOM

ROUNDS = 6
SEED = 20


def test_every_acknowledged_message_survives_being_killed(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    acknowledged: set[int] = set()
    for round_number in range(ROUNDS):
        first = (round_number + 1) * 1_000_000  # no number is used twice
        lines = _killed_burst(tmp_path, first, rng)
        begun = [line[2:] for line in lines if line.startswith("+")]
        done = [line[2:] for line in lines if line.startswith("=")]
        acknowledged.update(*map(_numbers, done))
        stored = _stored(tmp_path)
        assert acknowledged <= stored
        for batch in map(_numbers, begun[len(done) :]):
            assert len(batch & stored) in (0, len(batch)), "half a batch"
        acknowledged |= stored


def _killed_burst(path: Path, first: int, rng: random.Random) -> list[str]:
    """What a child said until it was killed after a random number of batches."""
    with store_process.start("burst", path, first, rng.randrange(1000)) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(rng.randint(1, 800))]
        child.kill()
        lines += child.stdout.readlines()
    return [line for line in lines if line.endswith("\n")]


def _numbers(batch: str) -> set[int]:
    first, count = map(int, batch.split())
    return set(range(first, first + count))


def _stored(path: Path) -> set[int]:
    store = RocksdbStore(path)
    store.open()
    found: set[int] = set()
    page = store.history(ROOM, 1000)
    while page.records:
        found.update(record.message.lamport for record in page.records)
        page = store.history(ROOM, 1000, page.first)
    store.close()
    return found
