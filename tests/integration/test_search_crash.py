"""`kill -9` while messages come, go and are indexed: the index has every stored message once, and no other."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from p2pchat.node.protocol.items import item_of
from p2pchat.node.protocol.search_query import parse_query
from tests import search_process
from tests.builders import ROOM

ROUNDS = 5
SEED = 4
EVERY = 100_000  # hits


def test_the_index_agrees_with_the_store_after_being_killed(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    for round_number in range(1, ROUNDS + 1):
        with search_process.start(tmp_path, round_number * 10_000) as child:
            assert child.stdout is not None
            for _ in range(rng.randint(1, 120)):
                assert child.stdout.readline()
            child.kill()
        _compare(tmp_path)


def _compare(path: Path) -> None:
    store, search_index = search_process.opened(path)
    while search_process.take_in(store, search_index):
        pass
    stored = [item_of(record.message) for record in store.history(ROOM, EVERY).records]
    found = [s.key for s in search_index.find(parse_query("message"), "", EVERY, b"").spots]
    assert stored
    assert found == stored[::-1]
    newest = struct.unpack(">Q", stored[-1][:8])[0]
    [hit] = search_index.find(parse_query(f"message {newest}"), f"#{ROOM}", 5, b"").spots
    assert hit.key == stored[-1]
    assert search_index.open().messages == len(stored)
    search_index.close()
    store.close()
