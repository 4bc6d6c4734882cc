"""A process of its own that uses a RocksDB store: `python -m tests.store_process <what> <folder>`."""

from __future__ import annotations

import functools
import itertools
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from p2pchat.node.adapters import rocksdb_migration
from p2pchat.node.adapters.rocksdb_database import Limits
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.errors import StoreError
from p2pchat.node.protocol.envelope import envelope_id
from p2pchat.proto import records_pb2 as records
from tests.builders import ROOM, room_record
from tests.direct_builders import envelope, incoming, outgoing, update

ROOT = Path(__file__).parent.parent
NOBODY = 65534  # user id
PASSING = "passing"  # a room of which little is kept


def start(what: str, *args: object, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start one; `before` is a command that runs it. Its output comes line by line."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.store_process", what, *map(str, args)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def say(line: object) -> None:
    print(line, flush=True)


def hold(path: Path) -> None:
    """Keep the store open until standard input ends."""
    store = RocksdbStore(path)
    store.open()
    say("open")
    sys.stdin.read()
    store.close()


def visit(path: Path) -> None:
    """Open it as a user without any rights, and say how that went."""
    import rocksdict  # noqa: F401 (while it can still be read)

    if os.geteuid() == 0:
        os.setuid(NOBODY)
    try:
        RocksdbStore(path).open()
    except StoreError as error:
        say(f"{type(error).__name__}: {error}")
    else:
        say("open")


def burst(path: Path, first: int, seed: int) -> None:
    """Append batches for ever; say `+ <first> <count>` before each and `= <first> <count>` after it.

    In another room, what was said lately is kept and the rest deleted.
    """
    rng = random.Random(seed)
    store = RocksdbStore(path)
    store.open()
    for _ in itertools.count():
        count = rng.randint(1, 8)
        batch = [
            room_record(n, text="x" * rng.randint(1, 4000)) for n in range(first, first + count)
        ]
        passing = [room_record(n, room=PASSING) for n in range(first, first + count)]
        say(f"+ {first} {count}")
        store.append([*batch, *passing])
        say(f"= {first} {count}")
        first += count
        store.save_room_settings(records.RoomSettings(room=PASSING, floor=first - 20))
        store.trim_room(PASSING, 5)


def migrate(path: Path) -> None:
    """Open a store of an older schema, 50 messages at a time; say `page` after each 50."""
    copy = rocksdb_migration._copy

    def page(*args: Any) -> None:
        copy(*args)
        say("page")

    with mock.patch.multiple(rocksdb_migration, PAGE=50, _copy=page):
        store = RocksdbStore(path)
        store.open()
    say("open")
    store.close()


def direct_burst(path: Path, first: int, seed: int) -> None:
    """Send and finish for ever; say `+ <verb> <first> <count>` before each write and `= ...` after it.

    "received": incoming messages, with receipts due, out of the spool; "sent": outgoing ones; "finished": these.
    """
    rng = random.Random(seed)
    store = RocksdbStore(path)
    store.open()
    for start in itertools.count(first, 10):
        count = rng.randint(1, 8)
        numbers = range(start, start + count)
        sealed = [envelope(n, size=rng.randint(8, 4000)) for n in numbers]
        store.spool(sealed)
        arrived = [
            incoming(n, receipt_due=True, spooled=envelope_id(e))
            for n, e in zip(numbers, sealed, strict=True)
        ]
        sent = [outgoing(n, envelope=e) for n, e in zip(numbers, sealed, strict=True)]
        finished = [update(n, stage=records.DELIVERED, finished=True) for n in numbers]
        writes: dict[str, Callable[[], object]] = {
            "received": functools.partial(store.save_direct, arrived),
            "sent": functools.partial(store.save_direct, sent),
            "finished": functools.partial(store.update_outbox, finished),
        }
        for verb, write in writes.items():
            say(f"+ {verb} {start} {count}")
            write()
            say(f"= {verb} {start} {count}")


def fill(path: Path) -> None:
    """Fill the file system with another file, append in vain, make room again, append."""
    store = RocksdbStore(path / "store")
    store.open()
    store.append([room_record(1)])
    other = path / "other"
    with other.open("wb", buffering=0) as file:
        _fill_up(file.fileno())
    refusals = list(itertools.islice(_refusals(store), 3))
    say(f"refused {len(refusals)} {refusals[0]}")
    say(f"kept {_stored(store)}")
    os.truncate(other, other.stat().st_size - Limits().room_to_mend // 2)
    say(f"with little room {next(_refusals(store), 'accepted')}")
    other.unlink()
    say(f"with room {store.append([room_record(2, text='y' * 9000)])}")
    store.close()
    store.open()
    say(f"kept {_stored(store)}")


def _fill_up(descriptor: int) -> None:
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except OSError:
        return


def _refusals(store: RocksdbStore) -> Iterator[str]:
    """What appends are refused with, for as long as they are."""
    for number in itertools.count(1000):
        try:
            store.append([room_record(number, text="y" * 9000)])
        except StoreError as error:
            yield str(error)
        else:
            return


def _stored(store: RocksdbStore) -> list[int]:
    return [record.message.lamport for record in store.history(ROOM, 1000).records]


def main(what: str, path: str, *numbers: str) -> None:
    match what:
        case "hold":
            hold(Path(path))
        case "visit":
            visit(Path(path))
        case "fill":
            fill(Path(path))
        case "burst":
            burst(Path(path), *map(int, numbers))
        case "migrate":
            migrate(Path(path))
        case "direct_burst":
            direct_burst(Path(path), *map(int, numbers))


if __name__ == "__main__":
    main(*sys.argv[1:])
