"""The library in front of a real process: RocksDB, SQLite and Python meet a full disk, a slow one and a wrong clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli.testnet import preload
from p2pchat.cli.testnet.preload import Switch

pytestmark = pytest.mark.skipif(bool(preload.unavailable()), reason=preload.unavailable())

DAY = 86_400.0  # seconds
# Answers each line with what happens when each of the three writes and syncs, and with what the clocks say.
CHILD = """
import datetime, json, os, sqlite3, sys, threading, time
from rocksdict import Options, Rdict, WriteOptions

folder = sys.argv[1]
synced = WriteOptions()
synced.sync = True
number = 0

def rocksdb():
    store = Rdict(f"{folder}/store", Options(raw_mode=True))  # anew: it refuses everything after an error
    try:
        store.put(b"%d" % number, b"v" * 1000, synced)
    finally:
        store.close()

def sqlite():
    with sqlite3.connect(f"{folder}/index.db") as database:
        database.execute("pragma journal_mode=wal")
        database.execute("create table if not exists texts (text)")
        database.execute("insert into texts values (?)", ("x" * 5000,))

def python():
    with open(f"{folder}/{number}", "wb") as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())

def outside():
    with open(f"{folder}/../outside", "wb") as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())

def attempt(write):
    begin = time.monotonic()
    try:
        write()
    except Exception as error:
        return str(error)
    return time.monotonic() - begin

def waited():
    begin = time.monotonic()
    threading.Event().wait(0.05)
    return time.monotonic() - begin

for line in sys.stdin:
    number += 1
    wrote = {write.__name__: attempt(write) for write in (rocksdb, sqlite, python, outside)}
    memory = sqlite3.connect(":memory:")
    clocks = {
        "time": time.time(),
        "datetime": datetime.datetime.now().timestamp(),
        "sqlite": float(memory.execute("select strftime('%s', 'now')").fetchone()[0]),
    }
    print(json.dumps({"wrote": wrote, "clocks": clocks, "waited": waited()}), flush=True)
"""

Ask = Callable[[], dict[str, Any]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, problem = preload.build(tmp_path_factory.mktemp("library"))
    assert found is not None, problem
    return found


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    disk = tmp_path / "disk"
    disk.mkdir()
    made = Switch(tmp_path / "switch", disk)
    yield made
    made.close()


@pytest.fixture
def ask(tmp_path: Path, switch: Switch, library: Path) -> Iterator[Ask]:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "disk")],
        env={**os.environ, **switch.environment(library)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def ask() -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            print(file=process.stdin, flush=True)
            found: dict[str, Any] = json.loads(process.stdout.readline())
            return found

        yield ask
        assert process.stdin is not None
        process.stdin.close()


def test_a_full_disk_comes_and_goes(switch: Switch, ask: Ask) -> None:
    assert all(isinstance(took, float) for took in ask()["wrote"].values())
    assert switch.effects().refused == 0
    switch.disk_full(True)
    wrote = ask()["wrote"]
    assert "No space left on device" in wrote["rocksdb"]
    assert "disk is full" in wrote["sqlite"]
    assert "No space left on device" in wrote["python"]
    assert isinstance(wrote["outside"], float)
    assert switch.effects().refused >= 3
    switch.all_off()
    wrote = ask()["wrote"]
    assert all(isinstance(took, float) for took in wrote.values()), wrote


def test_a_slow_disk_takes_its_time(switch: Switch, ask: Ask) -> None:
    switch.disk_slow(0.1)
    wrote = ask()["wrote"]
    assert all(wrote[name] >= 0.1 for name in ("rocksdb", "sqlite", "python"))
    delayed = switch.effects().delayed
    assert delayed >= 3
    switch.all_off()
    ask()
    assert switch.effects().delayed == delayed


@pytest.mark.parametrize("ahead", [3 * DAY, -3 * DAY, 0.25, -90.75])
def test_a_wrong_clock_is_wrong_by_so_much(switch: Switch, ask: Ask, ahead: float) -> None:
    switch.clock_ahead(ahead)
    before = time.time()
    found = ask()
    after = time.time()
    for name, read in found["clocks"].items():
        whole_seconds = 1.0 if name == "sqlite" else 0.001
        assert before + ahead - whole_seconds <= read <= after + ahead + 0.001, name
    assert switch.effects().shifted >= 3
    # Who waits with a deadline waits neither for days nor not at all.
    assert found["waited"] >= 0.05
    switch.all_off()
    assert ask()["clocks"]["time"] <= time.time()


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preload, "COMPILER", "no-such-compiler")
    assert preload.build(tmp_path) == (
        None,
        "There is no C compiler (no-such-compiler) for the library that does it.",
    )


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.c"
    wrong.write_text("this is not C")
    monkeypatch.setattr(preload, "SOURCE", wrong)
    found, problem = preload.build(tmp_path)
    assert found is None
    assert problem.startswith("The C compiler failed: ")
