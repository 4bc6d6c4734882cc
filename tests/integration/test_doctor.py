"""`p2pchat doctor` with real processes on loopback: of what runs, and of what does not."""

from __future__ import annotations

import contextlib
import json
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from p2pchat.node import identity
from tests.integration.test_mailbox_process import ENVIRONMENT, P2PCHAT, PATIENCE, PEER, running

LOOPBACK = ("--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns")
LOOK = 0.05  # seconds between two looks for a socket


@contextlib.contextmanager
def chatting(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A node whose input stays open, once it answers others."""
    process = subprocess.Popen(
        [str(P2PCHAT), "node", "--data-dir", str(folder), *LOOPBACK, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        _wait_for(folder / "node.sock", process)
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(LOOK)


def doctor(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(P2PCHAT), "doctor", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=ENVIRONMENT,
    )


def checks(folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the checks by name."""
    done = doctor("--data-dir", str(folder), "--json", *more)
    found = json.loads(done.stdout)
    assert found["ok"] == (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in found["checks"]}


def test_a_mailbox_and_a_node_that_run(tmp_path: Path) -> None:
    box, alice = tmp_path / "box", tmp_path / "alice"
    with running(box, "--registration", "open") as mailbox:
        link = mailbox.facts["Link"]
        with chatting(alice, "--bootstrap", link, "--mailbox", link) as node:
            assert stat.S_IMODE((alice / "node.sock").stat().st_mode) == 0o600
            code, found = checks(alice)
            assert code == 0, found
            for name in ("listening", "bootstrap", "mailboxes", "disk", "peers"):
                assert found[name]["verdict"] == "OK", found[name]
            assert "1 of 1 configured peer" in found["bootstrap"]["finding"]

            code, found = checks(box)
            assert code == 0, found
            assert "mailboxes" not in found
            assert found["peers"]["verdict"] == "OK"

            shown = doctor("--data-dir", str(alice), "--no-mdns")
            assert "  ok    mailboxes  1 mailbox takes your mail.\n" in shown.stdout
            assert "--mdns changed nothing" in shown.stderr

            said, _ = node.communicate("/doctor\n/quit\n", PATIENCE)
            assert "  ok    mailboxes  1 mailbox takes your mail.\n" in said
            assert node.returncode == 0
        assert not (alice / "node.sock").exists()

        # Nothing runs on the folder any more: a node is started for the question, with what is in the folder.
        before = sorted(path.name for path in alice.iterdir())
        code, found = checks(alice, *LOOPBACK, "--bootstrap", link)
        assert code == 0, found
        assert found["mailboxes"]["verdict"] == "OK"
        assert sorted(path.name for path in alice.iterdir()) == before
        assert mailbox.stop()[0] == 0

    gone = doctor("--data-dir", str(box))
    assert gone.returncode == 2
    assert "No mailbox is running on" in gone.stderr


def test_a_bootstrap_peer_that_is_dead(tmp_path: Path) -> None:
    """Nobody is made an identity by a question."""
    dead = f"/ip4/127.0.0.1/tcp/1/p2p/{PEER}"
    new = tmp_path / "new"
    done = doctor("--data-dir", str(new), "--json", *LOOPBACK, "--bootstrap", dead)
    assert done.returncode == 1
    assert not new.exists()
    assert "in a temporary folder" in done.stderr
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["bootstrap"]["verdict"] == "FAILED"
    assert f"…{PEER[-6:]} (" in found["bootstrap"]["finding"]
    assert found["peers"]["verdict"] == "FAILED"


def test_a_second_node_and_one_after_a_kill(tmp_path: Path) -> None:
    """The socket is that of the node that runs, whatever is left of another one."""
    alone = ("--bootstrap", "none")
    with chatting(tmp_path, *alone) as node:
        second = subprocess.run(
            [str(P2PCHAT), "node", "--data-dir", str(tmp_path), *LOOPBACK, *alone],
            input="",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=ENVIRONMENT,
        )
        assert second.returncode == 2
        assert "in use" in second.stderr
        assert checks(tmp_path)[1]["listening"]["verdict"] == "OK"
        node.send_signal(signal.SIGKILL)
        node.wait(PATIENCE)
    left_behind = (tmp_path / "node.sock").lstat().st_ino
    with chatting(tmp_path, *alone) as node:
        deadline = time.monotonic() + PATIENCE
        while (tmp_path / "node.sock").lstat().st_ino == left_behind:
            assert time.monotonic() < deadline
            time.sleep(LOOK)
        assert checks(tmp_path)[1]["listening"]["verdict"] == "OK"
        node.send_signal(signal.SIGTERM)
        assert node.wait(PATIENCE) == 0
    assert not (tmp_path / "node.sock").exists()


def test_a_port_that_is_taken_is_a_finding(tmp_path: Path) -> None:
    identity.create(tmp_path / "identity.key")
    with chatting(tmp_path / "other", "--bootstrap", "none"):
        _, found = checks(tmp_path / "other")
        port = found["listening"]["finding"].rpartition(" ")[2].rstrip(".")
        taken = ("--listen", f"/ip4/127.0.0.1/tcp/{port}", "--no-mdns", "--bootstrap", "none")
        code, found = checks(tmp_path, *taken)
    assert code == 1
    assert list(found) == ["listening"]
    assert found["listening"]["verdict"] == "FAILED"
    assert port in found["listening"]["finding"]
