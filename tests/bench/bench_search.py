"""`/search` over a large history: building the index, its size, and questions through the search actor.

A question goes to the search actor and comes back with 20 whole messages out of RocksDB; not measured is the way
from the ui actor and the screen. Words are drawn as in a language (Zipf), 12 to a message.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import trio

from p2pchat.node.actors.search import CHUNK, SearchActor
from p2pchat.node.actors.storage import StorageActor
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.adapters.sqlite_index import SqliteIndex
from p2pchat.node.runtime import ActorCell, Supervisor
from p2pchat.proto import actors_pb2 as actors
from p2pchat.proto import records_pb2 as records
from tests.bench.children import Row, row, scratch
from tests.builders import room_record

VOCABULARY = 50_000  # words
SYLLABLES = (
    "ba",
    "de",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "ze",
    "sha",
    "tre",
    "con",
)
WORDS = 12  # in a message, about
STEP_MS = 3000  # between messages, at most
ROOMS = 20  # the first has 40 % of all messages, the last hardly any
BATCH = 2000  # messages in one write
TURNS = 5  # of appending with and without an index, by turns
TIMES = 101  # of each question
HITS = 20
FOLLOWER = b"benchmark"


class Speech:
    """Messages as people write them, the same in every run."""

    def __init__(self) -> None:
        self._rng = random.Random(5)
        self._weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
        self._number = 0
        self._lamport = 1_700_000_000_000
        self.words = [*itertools.islice(self._new_words(), VOCABULARY)]

    def _new_words(self) -> Iterator[str]:
        seen: set[str] = set()
        while True:
            long = len(seen) > 500  # the common words are the short ones
            word = "".join(self._rng.choices(SYLLABLES, k=self._rng.randint(1, 4) + long))
            if word not in seen:
                seen.add(word)
                yield word

    def messages(self, count: int) -> list[records.RoomRecord]:
        return [self._message() for _ in range(count)]

    def _message(self) -> records.RoomRecord:
        self._number += 1
        self._lamport += self._rng.randint(1, STEP_MS)
        count = max(1, round(self._rng.gauss(WORDS, 5)))
        text = " ".join(self._rng.choices(self.words, cum_weights=self._weights, k=count))
        room = room_name(min(int(self._rng.expovariate(0.5)), ROOMS - 1))
        record = room_record(
            self._number, lamport=self._lamport, room=room, sender=self._number % 20, text=text
        )
        record.message.sent_at_ms = self._lamport
        record.message.signature = self._rng.randbytes(64)
        return record

    def questions(self) -> dict[str, actors.SearchHistory]:
        common, middling, rare = self.words[0], self.words[500], self.words[40_000]
        ask = partial(actors.SearchHistory, limit=HITS)
        return {
            "a common word": ask(words=common),
            "a middling word": ask(words=middling),
            "a rare word": ask(words=rare),
            "two common words": ask(words=f"{common} {self.words[1]}"),
            "a common word and a rare one": ask(words=f"{common} {rare}"),
            "a phrase of common words": ask(words=f'"{common} {self.words[1]} {self.words[2]}"'),
            "a phrase of middling words": ask(words=f'"{self.words[300]} {self.words[301]}"'),
            "a beginning of 2 letters": ask(words="ba*"),
            "a beginning of 4 letters": ask(words="bade*"),
            "a common word in a large room": ask(words=common, room=room_name(0)),
            "a common word in a small room": ask(words=common, room=room_name(10)),
            "a rare word in a small room": ask(words=rare, room=room_name(10)),
            "found nowhere": ask(words=f"{common} nowhere"),
        }


def room_name(number: int) -> str:
    return f"room{number}"


def main(quick: bool) -> dict[str, Any]:
    many = 50_000 if quick else 1_000_000
    with scratch() as folder:
        rows = [*_appending(folder), *_searching(folder, many)]
    return {"name": f"search in {many:,} messages", "rows": rows}


# ---- what the arrivals cost ---------------------------------------------------------------------------------


def _appending(folder: Path) -> Iterator[Row]:
    for batch, count in ((1, 500), (100, 10_000)):
        rates: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(2 * TURNS):
            followed = bool(turn % 2)
            path = folder / f"{batch} {turn}"
            rates[followed].append(_append_rate(path, followed, batch, count))
        for followed, found in rates.items():
            with_index = "kept for an index" if followed else "without an index"
            what = f"durable appends, {batch} at a time, {with_index}"
            yield row(what, statistics.median(found), "messages/s")


def _append_rate(path: Path, followed: bool, batch: int, count: int) -> float:
    store = RocksdbStore(path)
    store.open()
    if followed:
        store.arrivals.set_follower(FOLLOWER)
    messages = Speech().messages(count)
    began = time.perf_counter()
    for at in range(0, count, batch):
        store.append(messages[at : at + batch])
    spent = time.perf_counter() - began
    store.close()
    return count / spent


# ---- searching ----------------------------------------------------------------------------------------------


def _searching(folder: Path, many: int) -> Iterator[Row]:
    speech = Speech()
    store, path = RocksdbStore(folder / "store"), folder / "search.db"
    store.open()
    for _ in range(0, many, BATCH):
        store.append(speech.messages(BATCH))
    search_index = SqliteIndex(path)
    search_index.open()
    yield from _building(store, search_index)
    yield row("the index on disk", os.path.getsize(path) / 1e6, "MB")
    yield row("the store on disk", store.describe().size_bytes / 1e6, "MB")
    search_index.close()
    store.close()
    yield from trio.run(_asking, store, SqliteIndex(path), speech.questions())


def _building(store: RocksdbStore, search_index: SqliteIndex) -> Iterator[Row]:
    store.arrivals.set_follower(FOLLOWER)
    state = search_index.begin(FOLLOWER)
    began, longest = time.perf_counter(), 0.0
    while state.scanned is not None:
        page = store.arrivals.scan(CHUNK, state.scanned)
        chunk_began = time.perf_counter()
        state = search_index.apply(page.changes, page.last or None)
        longest = max(longest, time.perf_counter() - chunk_began)
    spent = time.perf_counter() - began
    yield row("built without pauses", state.messages / spent, "messages/s")
    yield row(f"the longest chunk of {CHUNK}", longest * 1e3, "ms")


async def _asking(
    store: RocksdbStore, search_index: SqliteIndex, questions: dict[str, actors.SearchHistory]
) -> list[Row]:
    storage = ActorCell.of("storage", StorageActor, lambda: StorageActor(store))
    search: ActorCell = ActorCell.of(
        "search",
        SearchActor,
        lambda: SearchActor(
            search_index, me=search.ref, storage=storage.ref, randomness=os.urandom
        ),
    )
    tree = Supervisor("root", [storage, search], root=True)
    rows: list[Row] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(tree.run)
        for what, question in questions.items():
            rows += await _timed(search, what, question)
        tree.request_stop()
    return rows


async def _timed(search: ActorCell, what: str, question: actors.SearchHistory) -> list[Row]:
    spent: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        page = await search.ref.ask(question, actors.SearchPage)
        spent.append((time.perf_counter() - began) * 1e3)
        assert not page.waiting
    spent.sort()
    shown = f"{what} ({len(page.hits)}{'+' if page.last else ''} hits)"
    return [
        row(f"{shown}, p50", spent[TIMES // 2], "ms"),
        row(f"{shown}, p95", spent[TIMES * 95 // 100], "ms"),
    ]


if __name__ == "__main__":
    print(main(quick=True))
