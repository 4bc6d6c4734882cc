"""What is in a room after weeks of chat, as stores have it: bursts and pauses, several authors, parents, signatures."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.config import NodeConfig
from p2pchat.node.identity import Identity
from p2pchat.node.protocol import room_message as rules
from p2pchat.node.protocol import uuid7
from p2pchat.proto import records_pb2 as records
from p2pchat.proto import wire_pb2 as wire

ROOM = "p2pchat-default"
NICKS = ("Ada", "Bertrand", "Chiyo", "Dmitri", "Esperanza", "Fatou", "Gu", "Henrietta")
WORDS = ("the", "and", "is", "that", "with", "this", "a", "rope", "boat", "tomorrow", "yesterday")
DAY_MS = 24 * 3600 * 1000
QUICK, PAUSE = (
    1_500.0,
    16_000.0,
)  # mean milliseconds until the next message, in a burst and after it
IN_BURST = 0.75  # of the messages
MEAN_MS = IN_BURST * QUICK + (1 - IN_BURST) * PAUSE  # about five seconds
BATCH = 5_000  # messages in one write; few syncs


def said(count: int, seed: int, *, signed: bool = True) -> Iterator[records.RoomRecord]:
    """The last ones a day ago. Not signed they are good for stores, which do not look at signatures."""
    rng = random.Random(seed)
    authors = [Identity(rng.randbytes(32)) for _ in NICKS]
    members = [
        (each.peer_bytes, each.private_key, nick) for each, nick in zip(authors, NICKS, strict=True)
    ]
    now_ms = time.time() * 1000 - DAY_MS - count * MEAN_MS
    lamport, parents = 0, list[bytes]()
    for _ in range(count):
        now_ms += rng.expovariate(1 / (QUICK if rng.random() < IN_BURST else PAUSE))
        lamport = max(int(now_ms), lamport + 1)
        sender, key, nick = rng.choice(members)
        message = wire.RoomMessage(
            id=uuid7.make(int(now_ms), rng.randbytes(10)),
            room=ROOM,
            sender=sender,
            nick=nick,
            sent_at_ms=int(now_ms),
            lamport=lamport,
            parents=parents,
            text=" ".join(rng.choices(WORDS, k=rng.randint(4, 10))),
        )
        parents = [*parents, message.id][-rules.MAX_PARENTS :]
        if signed:
            rules.sign(message, key)
        else:
            message.signature = rng.randbytes(rules.SIGNATURE_BYTES)
        yield records.RoomRecord(message=message, received_at_ms=int(now_ms) + 100)


def write(data_dir: Path, messages: Iterable[records.RoomRecord]) -> float:
    """Into the store of a node with this folder. Returns how many seconds it takes to open it the first time after."""
    store = RocksdbStore(NodeConfig(data_dir).store_path)
    store.open()
    rest = iter(messages)
    while batch := list(islice(rest, BATCH)):
        store.append(batch)
    store.close()
    began = time.perf_counter()
    store.open()  # replays the log, so that the next one need not
    opened = time.perf_counter() - began
    store.close()
    return opened
