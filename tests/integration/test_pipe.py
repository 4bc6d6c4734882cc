"""Input by a pipe: all of it arrives at whoever is there, and the exit code says when nobody was."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

P2PCHAT = Path(sys.executable).with_name("p2pchat")
QUIET = ("--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0")
PATIENCE = 60.0  # seconds


def say(folder: Path, words: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(P2PCHAT), "node", "--data-dir", str(folder), *QUIET, *options]
    return subprocess.run(
        command, input=words, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def wait_for(output: Path, pattern: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := re.search(pattern, output.read_text()):
            return found.group()
        time.sleep(0.02)
    raise AssertionError(f"no {pattern!r} in {output.read_text()}")


@pytest.mark.parametrize("lines", [1, 8, 2000])
def test_all_lines_arrive_before_the_sender_is_gone(tmp_path: Path, lines: int) -> None:
    heard = tmp_path / "heard"
    with heard.open("w") as out:
        listener = subprocess.Popen(
            [
                str(P2PCHAT),
                "node",
                "--data-dir",
                str(tmp_path / "a"),
                *QUIET,
                "--bootstrap",
                "none",
            ],
            stdin=subprocess.PIPE,
            stdout=out,
        )
    try:
        address = wait_for(heard, r"/ip4/127\.0\.0\.1/tcp/\d+/p2p/\w+")
        for sender in ("first", "second"):
            words = "".join(f"{sender} {number}\n" for number in range(lines))
            done = say(tmp_path / sender, words, "--bootstrap", address)
            assert done.returncode == 0, done.stderr
            wait_for(heard, rf"\): {sender} {lines - 1}\n")
            got = re.findall(rf"\): ({sender} \d+)\n", heard.read_text())
            assert got == words.splitlines()
    finally:
        listener.communicate(b"/quit\n", timeout=PATIENCE)


def test_the_exit_code_says_that_nobody_was_there(tmp_path: Path) -> None:
    done = say(tmp_path / "a", "hello?\n", "--bootstrap", "none", "--name", "Ada")
    assert done.returncode == 1
    assert "): hello?" in done.stdout
    assert "reached nobody" in done.stderr
