"""Members are killed again and again while a room talks and catches up: nothing is lost, no sum is wrong."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from tests.room_process import ROOM, Member
from tests.room_recount import assert_sums_are_right

pytestmark = pytest.mark.soak

KILLS = 20
MEMBERS = 4
BURST = 200  # messages of everybody that lives, after each kill


def test_a_room_of_members_that_are_killed_ends_complete(tmp_path: Path) -> None:
    rng = random.Random(2026)
    members: dict[int, Member] = {}
    said = 0
    try:
        for number in range(MEMBERS):
            known = [member.address for member in members.values()]
            members[number] = Member(tmp_path / str(number), known)
        for _ in range(KILLS):
            victim = rng.choice(sorted(members))
            talking = [
                threading.Thread(target=member.ask, args=(f"burst {BURST}", "said"))
                for number, member in members.items()
                if number != victim
            ]
            for thread in talking:
                thread.start()
            time.sleep(rng.uniform(0.0, 0.5))  # where it hits is chance
            members.pop(victim).kill()
            for thread in talking:
                thread.join()
            said += BURST * len(talking)
            known = [member.address for member in members.values()]
            members[victim] = Member(tmp_path / str(victim), known)
        found = {member.until_count(said) for member in members.values()}
        assert found == {(said, next(iter(found))[1])}
    finally:
        for member in members.values():
            member.end()
    for number in range(MEMBERS):
        store = RocksdbStore(tmp_path / str(number) / "store")
        store.open()
        assert len(assert_sums_are_right(store, ROOM)) == said
        store.close()
