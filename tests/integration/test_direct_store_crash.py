"""`kill -9` in the middle of direct messages: what was acknowledged is there afterwards, and all that belongs to it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.proto import records_pb2 as records
from tests import store_process
from tests.direct_builders import PEER

ROUNDS = 5
SEED = 21


@dataclass
class Seen:
    """Numbers of messages."""

    received: set[int] = field(default_factory=set)
    sent: set[int] = field(default_factory=set)
    finished: set[int] = field(default_factory=set)


def test_every_acknowledged_step_survives_being_killed_and_no_half_of_one(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    acknowledged = Seen()
    for round_number in range(ROUNDS):
        first = (round_number + 1) * 1_000_000  # no number is used twice
        lines = _killed_burst(tmp_path, first, rng)
        for line in (line for line in lines if line.startswith("=")):
            _add(acknowledged, line)
        stored = _stored(tmp_path)
        for verb, numbers in vars(acknowledged).items():
            assert numbers <= getattr(stored, verb)
        for begun in (line for line in lines if line.startswith("+")):
            _check_whole(begun, stored)
        acknowledged = stored


def _killed_burst(path: Path, first: int, rng: random.Random) -> list[str]:
    """What a child said until it was killed after a random number of writes."""
    with store_process.start("direct_burst", path, first, rng.randrange(1000)) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(rng.randint(1, 500))]
        child.kill()
        lines += child.stdout.readlines()
    return [line for line in lines if line.endswith("\n")]


def _add(seen: Seen, line: str) -> None:
    _, verb, first, count = line.split()
    getattr(seen, verb).update(range(int(first), int(first) + int(count)))


def _check_whole(begun: str, stored: Seen) -> None:
    _, verb, first, count = begun.split()
    batch = set(range(int(first), int(first) + int(count)))
    assert len(batch & getattr(stored, verb)) in (0, len(batch)), "half a batch"


def _stored(path: Path) -> Seen:
    """What is in the store, whose parts fit each other."""
    store = RocksdbStore(path)
    store.open()
    seen = Seen()
    before = b""
    while (page := store.direct_history(PEER, 1000, before)).records:
        for record in page.records:
            number = int.from_bytes(record.id, "big")
            (seen.sent if record.outgoing else seen.received).add(number)
            if record.delivery.stage == records.DELIVERED:
                seen.finished.add(number)
        before = page.first
    waiting = {int.from_bytes(r.id, "big") for r in store.outbox(100_000).records}
    assert waiting == seen.sent - seen.finished
    due = [int.from_bytes(id_, "big") for r in store.due_receipts(100_000) for id_ in r.delivered]
    assert sorted(due) == sorted(seen.received)
    spooled = {int.from_bytes(e.ciphertext[:8], "big") for e in store.spooled(100_000)}
    assert not spooled & seen.received
    store.close()
    return seen
