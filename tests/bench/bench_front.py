"""The terminal UI: how soon it is there, how soon a key is seen while messages pour in, and what it takes.

Aims: the first screen in 0.5 s; p99 of a key's echo under 50 ms while the node receives 200 messages a second.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from p2pchat.cli.link import preview
from p2pchat.node import identity
from p2pchat.node.adapters.rocksdb_store import RocksdbStore
from p2pchat.node.adapters.unix_socket import is_alive
from p2pchat.node.config import NodeConfig
from p2pchat.proto import records_pb2 as records
from tests.bench import room_history
from tests.bench.chat_group import Member
from tests.bench.children import P2PCHAT, row, scratch
from tests.bench.screen_process import Screen

STORED = 10_000  # messages in the store of the second kind of start
NAME = "Bench"
RATE = 200  # messages a second that the node receives
PAUSE = 0.15  # seconds between two keys, as of a fast typist
SETTLE = 3.0  # seconds of messages before the first key

TAKEN_OVER = b"\x1b[?1049h"  # the UI's library begins to paint
BELOW = b"F1 help"  # in its line of status, node or no node
# Letters that nothing else on the screen has: each is typed once before the line is wiped.
LETTERS = "абвгдежзиклмнпрст"
WIPE = "\x15"  # Ctrl-U


def main(quick: bool) -> dict[str, Any]:
    starts, keys = (2, 15) if quick else (10, 150)
    rows = [
        *first_screens("nothing stored", starts, 0),
        *first_screens(f"{STORED:,} messages stored", starts, STORED),
        *echoes(keys),
    ]
    return {"name": "front", "rows": rows}


# ---- the first screen -----------------------------------------------------------------------------------


def first_screens(what: str, times: int, stored: int) -> list[dict[str, Any]]:
    """Medians of so many starts."""
    with scratch() as folder:
        newest = _prepare(folder, stored)
        once(folder, newest)  # warms the disk cache
        seen = [once(folder, newest) for _ in range(times)]
    first, own, running = (median(column) for column in zip(*seen, strict=True))
    with_history = ", with history" if stored else ""
    return [
        row(f"{what}: start to the first screen{with_history}", first, "s"),
        row(f"{what}: start to the UI's own first frame", own, "s"),
        row(f"{what}: start to a running node", running, "s"),
    ]


def once(folder: Path, newest: bytes) -> tuple[float, float, float]:
    """Seconds to the first screen, with `newest` on it, to the UI's own one, and until its node answers."""
    with screen(folder) as shown:
        first = shown.wait_for(newest, preview.STARTING.encode())
        own = shown.wait_for(preview.STARTING.encode(), TAKEN_OVER, newest or BELOW)
        running = _wait_for_node(folder, shown)
        return first - shown.began, own - shown.began, running - shown.began


def _prepare(folder: Path, stored: int) -> bytes:
    """A word of the newest message, which is nowhere else; empty without messages."""
    identity.create(NodeConfig(folder).identity_path)
    if not stored:
        return b""
    said = [*room_history.said(stored, seed=1, signed=False)]
    said[-1].message.text = "thenewestword"
    room_history.write(folder, said)
    store = RocksdbStore(NodeConfig(folder).store_path)
    store.open()
    store.save_profile(records.Profile(rooms=[records.RoomEntry(name=room_history.ROOM)]))
    store.close()
    return said[-1].message.text.encode()


def _wait_for_node(folder: Path, shown: Screen) -> float:
    place = folder / "node.sock"
    while not is_alive(place):
        shown.read_for(0.02)
    return time.perf_counter()


@contextlib.contextmanager
def screen(folder: Path, listen: str = "/ip4/127.0.0.1/tcp/0") -> Iterator[Screen]:
    options = ("--data-dir", str(folder), "--name", NAME, "--listen", listen)
    opened = Screen([str(P2PCHAT), "node", *options, "--bootstrap", "none", "--no-mdns"])
    try:
        yield opened
    finally:
        opened.close()


# ---- keys -----------------------------------------------------------------------------------------------


def echoes(count: int) -> list[dict[str, Any]]:
    """While another node says `RATE` messages a second in the room that is open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"/ip4/127.0.0.1/tcp/{probe.getsockname()[1]}"
    with scratch() as folder:
        mine = folder / "mine"
        mine.mkdir(mode=0o700)
        peer = identity.create(NodeConfig(mine).identity_path).peer
        with screen(mine, listen) as shown:
            _wait_for_node(mine, shown)
            idle = _typed(shown, count)
            rest = shown.memory()
            other = Member(folder / "other", 1, [f"{listen}/p2p/{peer}"])
            try:
                other.hear("ready")
                other.say(f"rate {RATE} {SETTLE + 2 * count * PAUSE} 0")
                shown.read_for(SETTLE)
                busy = _typed(shown, count)
                ui, node = shown.memory()
            finally:
                other.end()
    return [
        *_latencies("idle", idle),
        *_latencies(f"{RATE} messages/s", busy),
        row("UI, idle: memory (RSS)", rest[0], "MB"),
        row("its node, idle: memory (RSS)", rest[1], "MB"),
        row(f"UI, {RATE} messages/s: memory (RSS)", ui, "MB"),
        row(f"its node, {RATE} messages/s: memory (RSS)", node, "MB"),
    ]


def _typed(shown: Screen, count: int) -> list[float]:
    """Milliseconds from each key to its letter on the screen."""
    found = []
    for number, letter in zip(range(count), itertools.cycle(LETTERS), strict=False):
        if number % len(LETTERS) == 0:
            shown.press(WIPE)
            shown.read_for(2 * PAUSE)
        shown.shown = b""
        pressed = shown.press(letter)
        found.append(1e3 * (shown.wait_for(letter.encode()) - pressed))
        shown.read_for(PAUSE)
    shown.press(WIPE)
    shown.read_for(PAUSE)
    return found


def _latencies(what: str, found: list[float]) -> list[dict[str, Any]]:
    return [
        row(f"key to echo, {what}: p50", median(found), "ms"),
        row(f"key to echo, {what}: p99", quantiles(found, n=100)[98], "ms"),
    ]
