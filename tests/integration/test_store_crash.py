"""`kill -9` in the middle of writing: every acknowledged message is there afterwards, and all sums are right."""

from __future__ import annotations

import random
from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.protocol.items import lamport_of
from tests import store_process
from tests.builders import ROOM, room_record
from tests.old_schemas import write_old_store
from tests.room_recount import assert_sums_are_right

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


def test_a_migration_that_is_killed_goes_on(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    messages = [room_record(n, lamport=n * 300, sender=n % 3) for n in range(3000)]
    write_old_store(tmp_path, messages)
    pages, lines = 0, []
    while "open\n" not in lines:
        pages += rng.randint(1, 12)  # those of the starts before are read again
        with store_process.start("migrate", tmp_path) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(pages)]
            child.kill()
            lines += child.stdout.readlines()
    assert _stored(tmp_path) == {record.message.lamport for record in messages}


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
    assert_sums_are_right(store, store_process.PASSING)
    found = assert_sums_are_right(store, ROOM)
    store.close()
    return {*map(lamport_of, found)}
