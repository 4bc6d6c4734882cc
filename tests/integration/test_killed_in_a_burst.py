"""`kill -9` in the middle of a burst: everything that was shown is in the history afterwards."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

P2PCHAT = Path(sys.executable).with_name("p2pchat")
QUIET = ("--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0")
BURST = 900  # messages; fewer than /history shows at once
PATIENCE = 60.0  # seconds


def start(folder: Path, name: str, output: Path, *options: str) -> subprocess.Popen[bytes]:
    who = ["--data-dir", str(folder / name), "--name", name]
    command = [str(P2PCHAT), "node", *who, *QUIET, *options]
    with output.open("wb") as out:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out)


def wait_for(output: Path, pattern: str) -> str:
    """The first match in a file that somebody is still writing."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := re.search(pattern, output.read_text(errors="replace")):
            return found.group()
        time.sleep(0.01)
    raise AssertionError(f"no {pattern!r} in {output.read_text()}")


def texts(shown: str) -> list[str]:
    return re.findall(r"\): (line \d+)$", shown, re.MULTILINE)


def test_everything_shown_is_kept(tmp_path: Path) -> None:
    shown_by_bob = tmp_path / "bob.out"
    bob = start(tmp_path, "Bob", shown_by_bob, "--bootstrap", "none")
    alice = None
    try:
        address = wait_for(shown_by_bob, r"/ip4/127\.0\.0\.1/tcp/\d+/p2p/\w+")
        alice = start(tmp_path, "Alice", tmp_path / "alice.out", "--bootstrap", address)
        assert alice.stdin is not None
        alice.stdin.write(b"".join(b"line %d\n" % number for number in range(BURST)))
        alice.stdin.flush()
        wait_for(shown_by_bob, r"\): line \d+")
        bob.kill()
        bob.wait()
        alice.communicate(timeout=PATIENCE)
    finally:
        for process in filter(None, (alice, bob)):
            process.kill()
            process.communicate()
    seen = texts(shown_by_bob.read_text())
    assert seen
    again = start(tmp_path, "Bob", tmp_path / "again.out", "--bootstrap", "none")
    again.communicate(b"/history 1000\n/quit\n", timeout=PATIENCE)
    kept = texts((tmp_path / "again.out").read_text())
    assert kept[: len(seen)] == seen
    assert len(set(kept)) == len(kept)
    own = start(tmp_path, "Alice", tmp_path / "own.out", "--bootstrap", "none")
    own.communicate(b"/history 1000\n/quit\n", timeout=PATIENCE)
    assert texts((tmp_path / "own.out").read_text()) == [f"line {n}" for n in range(BURST)]
